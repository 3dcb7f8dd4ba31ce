//! What Mautic's schema holds: read with its own user, and judged.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_secretsmanager::Client;
use database::quoting::identifier;
use database::{Authority, Connection, Connector, Error};

use crate::action::Action;
use crate::properties::Properties;

/// The image's marker of an installation that was begun and has not reached its end.
const MARKER: &str = "aws_installation";
/// The image's record of every release that reached its end. It counts where an exit code would not: Mautic's installer
/// ends with 0 after "Install canceled".
const RECORDS: &str = "aws_releases";
/// Tables by which Mautic is known, none of which another application is likely to have.
const MAUTICS: [&str; 10] = [
    "asset_downloads",
    "campaign_events",
    "email_stats",
    "form_submissions",
    "lead_donotcontact",
    "lead_fields",
    "lead_lists",
    "leads",
    "page_hits",
    "point_triggers",
];
/// How many tables a reason names.
const MOST_NAMES: usize = 5;

/// The state of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// A task is at work on it, so nobody has looked.
    InUse,
    /// It cannot be looked into.
    Unreadable(Error),
    /// There is no schema of that name, or its user may not see it.
    Absent,
    /// No table but the image's own.
    Empty,
    /// A whole Mautic.
    Installed(Installed),
    /// A whole Mautic whose migrations nobody recorded, so that nobody can tell which ones it needs.
    Unrecorded,
    /// An installation that did not reach its end.
    HalfInstalled {
        /// Whether the image's marker says so; else it follows from what the tables lack.
        marked: bool,
        /// What is not there.
        lacks: Vec<&'static str>,
    },
    /// Tables, but none that is Mautic's: their names.
    Foreign(Vec<String>),
}

/// A whole Mautic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Installed {
    /// The newest of the migrations that were carried out.
    pub latest_migration: String,
    /// The last release that reached its end.
    pub last: Option<Record>,
    /// The release of the very event that is handled, if it reached its end.
    pub own: Option<Record>,
}

/// What a release recorded at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it did.
    pub action: Action,
    /// The version of Mautic in its image.
    pub mautic_version: String,
}

/// What was read from a schema that exists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contents {
    /// The names of its tables.
    pub tables: BTreeSet<String>,
    /// Whether Mautic has a user. The first one is the administrator; a Mautic in use may have deleted that one.
    pub has_users: bool,
    /// Whether Mautic has fields of contacts; without them it does not count itself as installed.
    pub has_fields: bool,
    /// The newest recorded migration.
    pub latest_migration: Option<String>,
    /// The last release that reached its end.
    pub last: Option<Record>,
    /// The release of the event that is handled.
    pub own: Option<Record>,
}

impl Schema {
    /// Judges what was read; `None` if there is no schema. The names of Mautic's tables begin with `prefix`.
    #[must_use]
    pub fn of(contents: Option<Contents>, prefix: &str) -> Self {
        let Some(contents) = contents else {
            return Self::Absent;
        };
        let others: Vec<_> = contents
            .tables
            .iter()
            .filter(|name| ![MARKER, RECORDS].contains(&name.as_str()))
            .collect();
        if others.is_empty() {
            return Self::Empty;
        }
        let marked = contents.tables.contains(MARKER);
        let is_mautics = |name: &&&String| name.strip_prefix(prefix).is_some_and(|name| MAUTICS.contains(&name));
        if !marked && !others.iter().any(|name| is_mautics(&name)) {
            return Self::Foreign(others.into_iter().cloned().collect());
        }
        let checks = [
            (contents.has_users, "users"),
            (contents.has_fields, "fields of contacts"),
        ];
        let lacks: Vec<_> = checks
            .iter()
            .filter(|(there, _)| !there)
            .map(|(_, what)| *what)
            .collect();
        if marked || !lacks.is_empty() {
            return Self::HalfInstalled { marked, lacks };
        }
        match contents.latest_migration {
            Some(latest_migration) => Self::Installed(Installed {
                latest_migration,
                last: contents.last,
                own: contents.own,
            }),
            None => Self::Unrecorded,
        }
    }

    /// In a few words, for an attribute.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::InUse => "in use",
            Self::Unreadable(_) => "unknown",
            Self::Absent => "no schema",
            Self::Empty => "empty",
            Self::Installed(_) => "installed",
            Self::Unrecorded => "installed, migrations not recorded",
            Self::HalfInstalled { .. } => "half installed",
            Self::Foreign(_) => "other tables",
        }
    }

    /// What an operator can do about it.
    pub(crate) fn remedy(&self) -> &'static str {
        match self {
            Self::InUse | Self::Unreadable(_) => "update the stack again when it can be looked into",
            Self::Absent => {
                "correct Schema, or give Reconcile a new value, so that database-init makes schema and rights again"
            }
            Self::Empty => "nothing was made: correct what the task's log shows, and update the stack again",
            Self::Installed(_) => {
                "correct what the task's log shows, and update the stack again: it goes on from there"
            }
            Self::Unrecorded => {
                "if its tables are those of the image's version, record all migrations as docs/operations.md says under \
                 Releases, and update the stack again"
            }
            Self::HalfInstalled { marked: true, .. } => {
                "nothing of it was dropped: look whether anything of worth was brought into it (docs/operations.md, Releases). If \
                 not, start anew: run the task with the command release reinstall, which removes it and installs again, then \
                 update the stack"
            }
            Self::HalfInstalled { marked: false, .. } => {
                "nothing of it was dropped: look whether any of it is of worth (docs/operations.md, Releases). If not, start \
                 anew: drop the schema, give Reconcile a new value, so that it is made again, and update the stack; or set \
                 Schema to another name"
            }
            Self::Foreign(_) => {
                "nothing was installed beside them: set Schema to a name of Mautic's own; or TablePrefix, if they are a \
                 Mautic's whose tables have one"
            }
        }
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse => f.write_str("what a task is at work on"),
            Self::Unreadable(error) => write!(f, "what cannot be looked into ({error})"),
            Self::Absent => f.write_str("nothing: it does not exist, or its user may not see it"),
            Self::Empty => f.write_str("no tables"),
            Self::Installed(Installed { latest_migration, .. }) => write!(f, "a Mautic migrated to {latest_migration}"),
            Self::Unrecorded => f.write_str("a Mautic whose table of migrations is missing or empty"),
            Self::HalfInstalled { marked, lacks } => {
                let lacking = if lacks.is_empty() {
                    "unfinished".to_owned()
                } else {
                    format!("without {}", lacks.join(" and "))
                };
                let whose = if *marked {
                    ", from an installation that did not reach its end"
                } else {
                    ""
                };
                write!(f, "half a Mautic, {lacking}{whose}")
            }
            Self::Foreign(tables) => {
                let named = tables
                    .iter()
                    .take(MOST_NAMES)
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ");
                let more = if tables.len() > MOST_NAMES { ", ..." } else { "" };
                write!(f, "{} tables, none of which is Mautic's ({named}{more})", tables.len())
            }
        }
    }
}

/// The way to the schema.
#[derive(Debug, Clone)]
pub struct Databases {
    secrets: Client,
    authority: Authority,
}

impl Databases {
    /// With the credentials that `secrets` give out, believing servers that `authority` vouches for.
    #[must_use]
    pub fn new(secrets: Client, authority: Authority) -> Self {
        Self { secrets, authority }
    }

    /// The state of the schema; what keeps it from being read is one, too. `release` names the event that is handled.
    pub(crate) async fn observe(&self, properties: &Properties, release: &str) -> Schema {
        let read = async {
            let mut connection = self.connect(properties).await?;
            let contents = read(&mut connection, properties, release).await;
            connection.close().await;
            contents
        };
        match read.await {
            Ok(contents) => Schema::of(contents, properties.table_prefix.as_str()),
            Err(error) => Schema::Unreadable(error),
        }
    }

    /// What Mautic keeps of a user's password; `None` if there is no such user.
    pub(crate) async fn password_hash(&self, properties: &Properties, username: &str) -> Result<Option<String>, Error> {
        let mut connection = self.connect(properties).await?;
        let query = format!("SELECT password FROM {} WHERE username = ?", table(properties, "users"));
        let hash = connection.first::<(String,)>(&query, (username,)).await;
        connection.close().await;
        Ok(hash?.map(|(hash,)| hash))
    }

    async fn connect(&self, properties: &Properties) -> Result<Connection, Error> {
        let connector = Connector::new(properties.host.as_str(), properties.port, self.authority.clone());
        connector
            .connect_with_secret(&self.secrets, &properties.database_secret_arn)
            .await
    }
}

async fn read(connection: &mut Connection, properties: &Properties, release: &str) -> Result<Option<Contents>, Error> {
    let schema = (properties.schema.as_str(),);
    let query = "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?";
    if connection.first::<u64>(query, schema).await? == Some(0) {
        return Ok(None);
    }
    let query = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?";
    let tables: BTreeSet<String> = connection.rows::<String>(query, schema).await?.into_iter().collect();
    let mut contents = Contents::default();
    let prefix = properties.table_prefix.as_str();
    let is_there = |name: &str| tables.contains(&format!("{prefix}{name}"));
    // A table of one of these names in a schema without the rest may be anybody's, with any columns.
    if is_there("users") && is_there("lead_fields") {
        contents.has_users = has_rows(connection, &table(properties, "users")).await?;
        contents.has_fields = has_rows(connection, &table(properties, "lead_fields")).await?;
        if is_there("migrations") {
            let query = format!("SELECT MAX(version) FROM {}", table(properties, "migrations"));
            let latest = connection.first::<(Option<String>,)>(&query, ()).await?;
            contents.latest_migration = latest.and_then(|(latest,)| latest);
        }
    }
    if tables.contains(RECORDS) {
        let records = format!("{}.{}", identifier(properties.schema.as_str()), identifier(RECORDS));
        let select = format!("SELECT command, mautic_version FROM {records}");
        let query = format!("{select} ORDER BY finished_at DESC, release_id DESC LIMIT 1");
        contents.last = connection.first(&query, ()).await?.and_then(record);
        let query = format!("{select} WHERE release_id = ?");
        contents.own = connection.first(&query, (release,)).await?.and_then(record);
    }
    contents.tables = tables;
    Ok(Some(contents))
}

/// A record of a command that this function does not know says nothing.
fn record((command, mautic_version): (String, String)) -> Option<Record> {
    let action = Action::of(&command)?;
    Some(Record { action, mautic_version })
}

async fn has_rows(connection: &mut Connection, table: &str) -> Result<bool, Error> {
    let found = connection
        .first::<u8>(&format!("SELECT 1 FROM {table} LIMIT 1"), ())
        .await?;
    Ok(found.is_some())
}

/// One of Mautic's tables, quoted.
fn table(properties: &Properties, name: &str) -> String {
    let name = format!("{}{name}", properties.table_prefix.as_str());
    format!("{}.{}", identifier(properties.schema.as_str()), identifier(&name))
}
