//! The properties as templates write them. Every shape that was ever shipped stays readable (R11).

use custom_resource::blank_as_none;
use serde::{Deserialize, Deserializer};

/// MySQL's port.
const PORT: u16 = 3306;

/// What a Delete does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum DeletionPolicy {
    /// Nothing; the server is not even asked.
    #[default]
    Retain,
    /// The user can no longer log in; nothing is lost.
    LockUser,
    /// The user is dropped.
    DropUser,
    /// A schema is dropped with its data; a user, who owns none, is dropped. `ConfirmDeletion` must repeat the name.
    DropAll,
}

/// Properties of `Custom::Database`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SchemaProperties {
    /// The secret of a user who may create schemas: RDS's master user.
    pub admin_secret_arn: String,
    /// The server's name, which its certificate must bear.
    pub host: String,
    /// Its TCP port.
    #[serde(default = "port", deserialize_with = "port_or_default")]
    pub port: u16,
    /// The schema's name.
    pub name: String,
    /// Whether a schema that exists already may be taken over.
    #[serde(default)]
    pub adopt_existing: bool,
    /// `Retain` or `DropAll`.
    #[serde(default, deserialize_with = "blank_is_default")]
    pub deletion_policy: SchemaDeletionPolicy,
    /// The schema's name once more, for `DropAll`.
    #[serde(default)]
    pub confirm_deletion: String,
}

/// What a Delete does to a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum SchemaDeletionPolicy {
    /// Nothing; the server is not even asked.
    #[default]
    Retain,
    /// It is dropped with its data. `ConfirmDeletion` must repeat its name.
    DropAll,
}

/// Properties of `Custom::DatabaseUser`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UserProperties {
    /// The secret of a user who may create users and pass on the rights: RDS's master user.
    pub admin_secret_arn: String,
    /// The server's name, which its certificate must bear.
    pub host: String,
    /// Its TCP port.
    #[serde(default = "port", deserialize_with = "port_or_default")]
    pub port: u16,
    /// The secret that holds the user's name and password.
    pub user_secret_arn: String,
    /// The user's name, if the physical id is to show it; it must be the one in the secret. Without it the secret's ARN
    /// stands there, and a new secret means a new resource, though not a new user.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub username: Option<String>,
    /// From where the user may come. This function must be among it: it tries the user's password.
    #[serde(default = "any_host", deserialize_with = "host_or_any")]
    pub user_host: String,
    /// All that the user may do.
    #[serde(default)]
    pub grants: Vec<GrantProperty>,
    /// Whether a user who exists already may be taken over, with a new password if the secret's does not work.
    #[serde(default)]
    pub adopt_existing: bool,
    /// What a Delete does.
    #[serde(default, deserialize_with = "blank_is_default")]
    pub deletion_policy: DeletionPolicy,
    /// The user's name, for `DropAll`.
    #[serde(default)]
    pub confirm_deletion: String,
}

/// Rights on one schema, table, or some columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GrantProperty {
    /// MySQL's names, such as `SELECT`.
    pub privileges: Vec<String>,
    /// The schema.
    pub database: String,
    /// The table; all tables where there is none.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub table: Option<String>,
    /// Columns of the table; the whole table where there are none.
    #[serde(default)]
    pub columns: Vec<String>,
}

fn port() -> u16 {
    PORT
}

fn any_host() -> String {
    "%".to_owned()
}

fn port_or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    Ok(blank_as_none(deserializer)?.unwrap_or(PORT))
}

fn host_or_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(blank_as_none(deserializer)?.unwrap_or_else(any_host))
}

fn blank_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned + Default,
{
    Ok(blank_as_none(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use custom_resource::testing::kept_shapes;

    use super::*;

    #[test]
    fn what_a_template_leaves_blank_has_its_default() {
        let json =
            r#"{"AdminSecretArn":"a","Host":"h","Port":"","UserSecretArn":"u","UserHost":"","DeletionPolicy":""}"#;
        let properties: UserProperties = serde_json::from_str(json).expect("properties");
        assert_eq!((properties.port, properties.user_host.as_str()), (3306, "%"));
        assert_eq!(properties.deletion_policy, DeletionPolicy::Retain);
        assert!(!properties.adopt_existing);
    }

    #[test]
    fn every_shape_that_was_shipped_stays_readable() {
        let schemas = kept_shapes::<SchemaProperties>("tests/shapes", "Database");
        assert_eq!((schemas[0].name.as_str(), schemas[0].port), ("mautic", 3306));
        assert_eq!(schemas[0].deletion_policy, SchemaDeletionPolicy::Retain);

        let users = kept_shapes::<UserProperties>("tests/shapes", "DatabaseUser");
        let whole = &users[0].grants[0];
        assert_eq!((whole.table.as_deref(), whole.privileges.len()), (None, 10));
        let columns = &users[1].grants[0];
        assert_eq!((columns.table.as_deref(), columns.columns.len()), (Some("leads"), 2));
    }
}
