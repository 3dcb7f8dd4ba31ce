//! What is there: the schema, and the record of who owns it.

use custom_resource::Owner;
use database::{Connection, Error, Name};

use super::Mark;
use crate::registry::{REGISTRY, is_absent};

/// A schema and its record, as they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Whether there is a table for the record.
    pub registry: bool,
    /// The record.
    pub mark: Option<Mark>,
    /// The schema itself.
    pub schema: Option<Schema>,
}

/// What a schema gives to new tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The default character set.
    pub character_set: String,
    /// The default collation.
    pub collation: String,
}

impl Schema {
    /// What Mautic's tables need: all of Unicode, compared as in its own installer.
    #[must_use]
    pub fn wanted() -> Self {
        Self {
            character_set: "utf8mb4".into(),
            collation: "utf8mb4_unicode_ci".into(),
        }
    }
}

/// Looks at a schema and its record.
///
/// # Errors
/// If the server cannot be asked.
pub async fn observe(connection: &mut Connection, name: &Name) -> Result<Observed, Error> {
    let query = "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA \
                 WHERE SCHEMA_NAME = ?";
    let rows: Vec<(String, String, String)> = connection.rows(query, (name.as_str(),)).await?;
    // Compared here as well: information_schema's own comparison depends on the server's settings.
    let schema = rows.into_iter().find(|(found, ..)| found == name.as_str());
    let schema = schema.map(|(_, character_set, collation)| Schema {
        character_set,
        collation,
    });
    let query =
        format!("SELECT stack_id, logical_id, physical_id, adopted FROM {REGISTRY}.owned_schemas WHERE name = ?");
    let rows: Result<Vec<(String, String, String, bool)>, _> = connection.rows(&query, (name.as_str(),)).await;
    match rows {
        Err(error) if is_absent(&error) => Ok(Observed {
            registry: false,
            mark: None,
            schema,
        }),
        rows => {
            let mark = rows?
                .into_iter()
                .next()
                .map(|(stack_id, logical_id, id, adopted)| Mark {
                    owner: Owner::new(&stack_id, &logical_id),
                    id,
                    adopted,
                });
            Ok(Observed {
                registry: true,
                mark,
                schema,
            })
        }
    }
}
