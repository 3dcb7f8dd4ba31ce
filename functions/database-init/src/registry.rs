//! This function's own schema on a server: which resource manages which schema, and what was deleted before it was made.

use std::time::Duration;

use custom_resource::{Owner, Request};
use database::{Connection, Error};
use tokio::time::Instant;

/// The schema's name.
pub(crate) const REGISTRY: &str = "database_init";

/// `ER_BAD_DB_ERROR` and `ER_NO_SUCH_TABLE`: nothing was ever recorded on this server.
const ABSENT: [u16; 2] = [1049, 1146];

/// Whether a query failed because nothing was ever recorded.
pub(crate) fn is_absent(error: &Error) -> bool {
    error.code().is_some_and(|code| ABSENT.contains(&code))
}

/// Makes the schema and its tables.
pub(crate) async fn prepare(connection: &mut Connection) -> Result<(), Error> {
    let owner = "stack_id VARCHAR(512) NOT NULL, logical_id VARCHAR(255) NOT NULL, physical_id VARCHAR(1024) NOT NULL";
    for statement in [
        format!("CREATE DATABASE IF NOT EXISTS {REGISTRY} CHARACTER SET utf8mb4"),
        format!(
            "CREATE TABLE IF NOT EXISTS {REGISTRY}.deletions (\
             number BIGINT AUTO_INCREMENT PRIMARY KEY, {owner}, \
             deleted_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) \
             COMMENT 'Resources deleted before they were made; each row serves for minutes'"
        ),
        // Last: where it is, the rest is.
        format!(
            "CREATE TABLE IF NOT EXISTS {REGISTRY}.owned_schemas (\
             name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, {owner}, adopted BOOLEAN NOT NULL, \
             recorded_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP) \
             COMMENT 'Which CloudFormation resource manages which schema; kept by the function database-init'"
        ),
    ] {
        connection.run(&statement).await?;
    }
    Ok(())
}

/// Notes that a Delete found nothing to undo. CloudFormation deletes what it cancelled while that is still being made:
/// a Create that comes second must know that it comes too late.
pub(crate) async fn note_deletion(connection: &mut Connection, owner: &Owner, id: &str) -> Result<(), Error> {
    prepare(connection).await?;
    // No function lives longer than 15 minutes, so nobody asks for older notes.
    connection
        .run(&format!(
            "DELETE FROM {REGISTRY}.deletions WHERE deleted_at < NOW() - INTERVAL 1 HOUR"
        ))
        .await?;
    let values = [owner.stack_id(), owner.logical_id(), id]
        .map(|value| connection.literal(value))
        .join(", ");
    let insert = format!("INSERT INTO {REGISTRY}.deletions (stack_id, logical_id, physical_id) VALUES ({values})");
    connection.run(&insert).await
}

/// Stops a Create, at work since `began`, that a Delete has overtaken.
pub(crate) async fn stop_if_deleted(
    connection: &mut Connection,
    request: &Request,
    began: Instant,
) -> Result<(), crate::Error> {
    let (owner, id) = (request.scope().owner(), request.id().as_str());
    if was_deleted_within(connection, &owner, id, began.elapsed()).await? {
        return Err(crate::Error::Deleted);
    }
    Ok(())
}

async fn was_deleted_within(
    connection: &mut Connection,
    owner: &Owner,
    id: &str,
    time: Duration,
) -> Result<bool, Error> {
    let query = format!(
        "SELECT COUNT(*) FROM {REGISTRY}.deletions WHERE stack_id = ? AND logical_id = ? AND physical_id = ? \
         AND deleted_at > NOW(6) - INTERVAL ? MICROSECOND"
    );
    let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let parameters = (owner.stack_id(), owner.logical_id(), id, microseconds);
    match connection.first::<u64>(&query, parameters).await {
        Err(error) if is_absent(&error) => Ok(false),
        count => Ok(count?.unwrap_or_default() > 0),
    }
}

/// The last record takes the schema with it: a server on which nothing is managed looks as it did before.
pub(crate) async fn drop_if_empty(connection: &mut Connection) -> Result<(), Error> {
    let query =
        format!("SELECT (SELECT COUNT(*) FROM {REGISTRY}.owned_schemas) + (SELECT COUNT(*) FROM {REGISTRY}.deletions)");
    if connection.first::<u64>(&query, ()).await? == Some(0) {
        connection.run(&format!("DROP DATABASE {REGISTRY}")).await?;
    }
    Ok(())
}
