//! The properties as templates write them, validated. Every shape that was ever shipped stays readable (R11).

use std::fmt;
use std::time::Duration;

use custom_resource::blank_as_none;
use database::{Name, NameKind};
use serde::{Deserialize, Deserializer};

/// MySQL's port.
const PORT: u16 = 3306;
/// The container in the release's task, and the first part of its log streams' names.
const RELEASE: &str = "release";
/// The longest wait, in seconds: CloudFormation itself waits for an hour, and the answer takes its time.
const LONGEST_WAIT: u64 = 3540;
const USUAL_WAIT: u64 = 1800;
/// MySQL's longest name of a table is 64 characters, and Mautic's own need most of it.
const LONGEST_PREFIX: usize = 16;

/// Properties of `Custom::MauticRelease`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The cluster that the task runs in: its name or its ARN.
    pub cluster: String,
    /// The task that installs and migrates, from the image of this release. A new one is a new release.
    pub task_definition: TaskDefinition,
    /// The container in it whose command says which of the two.
    #[serde(default = "release", deserialize_with = "release_or")]
    pub container: String,
    /// The subnets that the task may run in.
    #[serde(deserialize_with = "list")]
    pub subnets: Vec<String>,
    /// Its security groups.
    #[serde(deserialize_with = "list")]
    pub security_groups: Vec<String>,
    /// The database server's name, which its certificate must bear.
    pub host: Host,
    /// Its TCP port.
    #[serde(default = "port", deserialize_with = "port_or")]
    pub port: u16,
    /// Mautic's schema.
    pub schema: SchemaName,
    /// What the names of Mautic's tables begin with.
    #[serde(default, deserialize_with = "prefix")]
    pub table_prefix: TablePrefix,
    /// The secret of Mautic's own database user.
    pub database_secret_arn: String,
    /// The secret of the administrator whom an installation makes.
    pub administrator_secret_arn: String,
    /// The log group of the task.
    pub log_group: String,
    /// What the names of its log streams begin with.
    #[serde(default = "release", deserialize_with = "release_or")]
    pub log_stream_prefix: String,
    /// How long to wait for the task, from the event's first delivery.
    #[serde(default, deserialize_with = "wait")]
    pub wait_seconds: WaitSeconds,
}

fn port() -> u16 {
    PORT
}

fn port_or<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    Ok(blank_as_none(deserializer)?.unwrap_or(PORT))
}

fn release() -> String {
    RELEASE.to_owned()
}

fn release_or<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(blank_as_none(deserializer)?.unwrap_or_else(release))
}

fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TablePrefix, D::Error> {
    Ok(blank_as_none(deserializer)?.unwrap_or_default())
}

fn wait<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WaitSeconds, D::Error> {
    Ok(blank_as_none(deserializer)?.unwrap_or_default())
}

/// A list, or the text that a template makes of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum List {
    Items(Vec<String>),
    Text(String),
}

fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let wrong = || serde::de::Error::custom("must be a list of ids, or ids separated by commas; give at least one");
    let items = match List::deserialize(deserializer).map_err(|_| wrong())? {
        List::Items(items) => items,
        List::Text(text) => text.split(',').map(|item| item.trim().to_owned()).collect(),
    };
    if items.is_empty() || items.iter().any(String::is_empty) {
        return Err(wrong());
    }
    Ok(items)
}

/// One revision of a family of task definitions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TaskDefinition {
    text: String,
    family: String,
    revision: u64,
}

impl TaskDefinition {
    /// As the template has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The family's name, which all its revisions share.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.family
    }

    /// Whether this one was registered before `other`. ECS counts a family's revisions upwards and never uses a number
    /// again, so an update to an earlier one is CloudFormation's way back to a definition that it still has: a template
    /// that asks for an older image registers a new revision.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        self.family == other.family && self.revision < other.revision
    }
}

impl TryFrom<String> for TaskDefinition {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let short = text.rsplit('/').next().unwrap_or_default();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        match short
            .split_once(':')
            .map(|(family, revision)| (family, revision.parse()))
        {
            Some((family, Ok(revision))) if !family.is_empty() && family.bytes().all(is_word) => Ok(Self {
                family: family.to_owned(),
                revision,
                text,
            }),
            _ => Err("must be a task definition with its revision, FAMILY:REVISION or its ARN"),
        }
    }
}

impl fmt::Display for TaskDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A server's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Host(String);

impl Host {
    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Host {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-:_".contains(&byte);
        if !name.is_empty() && name.bytes().all(fits) {
            return Ok(Self(name));
        }
        Err("must be the name of a server; give the database's endpoint, without port")
    }
}

/// The name of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SchemaName(Name);

impl SchemaName {
    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for SchemaName {
    type Error = database::InvalidName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Name::new(NameKind::Schema, &name).map(Self)
    }
}

/// What the names of Mautic's tables begin with; nothing, usually.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct TablePrefix(String);

impl TablePrefix {
    /// The prefix's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TablePrefix {
    type Error = &'static str;

    fn try_from(prefix: String) -> Result<Self, Self::Error> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if prefix.len() <= LONGEST_PREFIX && prefix.bytes().all(fits) {
            return Ok(Self(prefix));
        }
        Err("must be at most 16 letters, digits and _")
    }
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub struct WaitSeconds(u64);

impl WaitSeconds {
    /// The time.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl Default for WaitSeconds {
    fn default() -> Self {
        Self(USUAL_WAIT)
    }
}

impl TryFrom<u64> for WaitSeconds {
    type Error = &'static str;

    fn try_from(seconds: u64) -> Result<Self, Self::Error> {
        if (1..=LONGEST_WAIT).contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err("must be a number of seconds from 1 to 3540")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn whole() -> Value {
        json!({
            "Cluster": "shop", "TaskDefinition": "shop-release:7", "Subnets": ["subnet-1", "subnet-2"], "SecurityGroups": "sg-1",
            "Host": "db", "Schema": "mautic", "DatabaseSecretArn": "arn:d", "AdministratorSecretArn": "arn:a", "LogGroup": "g",
        })
    }

    fn read(name: &str, value: Value) -> Result<Properties, String> {
        let mut properties = whole();
        properties[name] = value;
        serde_json::from_value(properties).map_err(|error| error.to_string())
    }

    fn definition(text: &str) -> TaskDefinition {
        TaskDefinition::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn what_a_template_leaves_out_or_blank_has_its_default() {
        for name in ["Container", "LogStreamPrefix", "Port", "TablePrefix", "WaitSeconds"] {
            let properties = read(name, json!("")).unwrap();
            assert_eq!(properties, serde_json::from_value(whole()).unwrap(), "{name}");
            assert_eq!((properties.container.as_str(), properties.port), ("release", 3306));
            assert_eq!(properties.wait_seconds.duration(), Duration::from_mins(30));
        }
    }

    #[test]
    fn a_list_is_one_or_a_text_with_commas() {
        assert_eq!(read("Subnets", json!("a, b")).unwrap().subnets, ["a", "b"]);
        assert_eq!(read("Subnets", json!(["a"])).unwrap().subnets, ["a"]);
        for empty in [json!(""), json!([]), json!(["a", ""]), json!("a,,b"), json!(7)] {
            assert_eq!(
                read("Subnets", empty).unwrap_err(),
                "must be a list of ids, or ids separated by commas; give at least one"
            );
        }
    }

    #[test]
    fn a_task_definition_has_a_family_and_a_revision() {
        let arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-prod-release:12";
        let long = definition(arn);
        assert_eq!(
            (long.family(), long.revision, long.as_str()),
            ("shop-prod-release", 12, arn)
        );
        for wrong in [
            "",
            "shop",
            "shop:",
            ":1",
            "shop:latest",
            "a b:1",
            "arn:aws:ecs:::task-definition/shop",
        ] {
            assert_eq!(
                read("TaskDefinition", json!(wrong)).unwrap_err(),
                "must be a task definition with its revision, FAMILY:REVISION or its ARN",
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_lower_revision_of_the_same_family_is_the_earlier_one() {
        assert!(definition("shop:9").is_before(&definition("arn:aws:ecs:eu:1:task-definition/shop:10")));
        assert!(!definition("shop:10").is_before(&definition("shop:10")));
        assert!(!definition("shop:10").is_before(&definition("shop:9")));
        assert!(!definition("shop:9").is_before(&definition("other:10")));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for (name, value, reason) in [
            (
                "Host",
                json!("db/x"),
                "must be the name of a server; give the database's endpoint, without port",
            ),
            ("TablePrefix", json!("a-b"), "must be at most 16 letters, digits and _"),
            (
                "TablePrefix",
                json!("x".repeat(17)),
                "must be at most 16 letters, digits and _",
            ),
            ("WaitSeconds", json!(0), "must be a number of seconds from 1 to 3540"),
            (
                "WaitSeconds",
                json!("3541"),
                "must be a number of seconds from 1 to 3540",
            ),
            (
                "Schema",
                json!(""),
                "`` is no schema name that MySQL takes: it is empty; choose another one",
            ),
        ] {
            assert_eq!(read(name, value).unwrap_err(), reason);
        }
    }

    #[test]
    fn every_shape_that_was_shipped_stays_readable() {
        let shapes = custom_resource::testing::kept_shapes::<Properties>("tests/shapes", "MauticRelease");
        let first = &shapes[0];
        assert_eq!((first.subnets.len(), first.security_groups.len()), (2, 1));
        assert_eq!(
            (first.task_definition.family(), first.task_definition.revision),
            ("mautic-prod-release", 7)
        );
    }
}
