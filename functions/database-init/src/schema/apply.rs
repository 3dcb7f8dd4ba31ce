//! Carries a plan out, one statement a change.

use database::quoting::identifier;
use database::{Connection, Error, Name};

use super::{Change, Mark, Removal, Schema};
use crate::registry::{self, REGISTRY};

/// Makes or changes a schema.
///
/// # Errors
/// If the server rejects a statement; what was done before stays, and the next plan goes on from there.
pub async fn apply(connection: &mut Connection, name: &Name, changes: &[Change]) -> Result<(), Error> {
    for change in changes {
        tracing::info!(schema = %name, %change, "next");
        match change {
            Change::PrepareRegistry => registry::prepare(connection).await,
            Change::Record(mark) => record(connection, name, mark).await,
            Change::Create => {
                connection
                    .run(&format!("CREATE DATABASE {}", with_defaults(name)))
                    .await
            }
            Change::SetDefaults => connection.run(&format!("ALTER DATABASE {}", with_defaults(name))).await,
        }?;
    }
    Ok(())
}

/// Undoes a schema.
///
/// # Errors
/// As [`apply`].
pub async fn remove(connection: &mut Connection, name: &Name, steps: &[Removal]) -> Result<(), Error> {
    for step in steps {
        tracing::info!(schema = %name, %step, "next");
        match step {
            Removal::Drop => {
                connection
                    .run(&format!("DROP DATABASE IF EXISTS {}", identifier(name.as_str())))
                    .await
            }
            Removal::Forget => forget(connection, name).await,
        }?;
    }
    Ok(())
}

fn with_defaults(name: &Name) -> String {
    let Schema {
        character_set,
        collation,
    } = Schema::wanted();
    format!(
        "{} CHARACTER SET {character_set} COLLATE {collation}",
        identifier(name.as_str())
    )
}

async fn record(connection: &mut Connection, name: &Name, mark: &Mark) -> Result<(), Error> {
    let values = [
        connection.literal(name.as_str()),
        connection.literal(mark.owner.stack_id()),
        connection.literal(mark.owner.logical_id()),
        connection.literal(&mark.id),
        mark.adopted.to_string(),
    ];
    let statement = format!(
        "REPLACE INTO {REGISTRY}.owned_schemas (name, stack_id, logical_id, physical_id, adopted) VALUES ({})",
        values.join(", ")
    );
    connection.run(&statement).await
}

async fn forget(connection: &mut Connection, name: &Name) -> Result<(), Error> {
    let name = connection.literal(name.as_str());
    connection
        .run(&format!("DELETE FROM {REGISTRY}.owned_schemas WHERE name = {name}"))
        .await?;
    registry::drop_if_empty(connection).await
}
