//! What the image does when it is told `release install` or `release migrate`, on the real server; and how that goes wrong.
//! The tables are those by which a Mautic is known, with the columns that this function reads.

use database::Connection;

/// What becomes of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// It does its work.
    Well,
    /// It ends with 0, and did nothing: "Install canceled".
    Lies,
    /// It does its work but for the record.
    Unrecorded,
    /// It does its work, and then ends with this code.
    EndsWith(i32),
    /// It is killed when half of the tables are made.
    KilledHalfway,
    /// It never ends.
    Never,
    /// It does not start, for this reason of ECS's.
    NotStarted(&'static str),
    /// It gives the administrator another password.
    OtherPassword,
}

/// The newest migration of a fresh installation, and the one that a newer image brings.
pub const FIRST: &str = r"Mautic\Migrations\Version20260301120000";
pub const NEWER: &str = r"Mautic\Migrations\Version20260901080000";

/// An installation: its tables, its administrator, its migrations.
pub async fn install(connection: &mut Connection, schema: &str, administrator: (&str, &str)) {
    let (username, password) = administrator;
    let hash = bcrypt::hash(password, 4).expect("a hash").replacen("$2b$", "$2y$", 1);
    half_install(connection, schema).await;
    for statement in [
        format!(
            "INSERT INTO {schema}.users (id, username, email, password) VALUES (1, '{username}', 'a@example.com', '{hash}')"
        ),
        format!(
            "INSERT INTO {schema}.lead_fields (label, alias) VALUES ('Email', 'email'), ('First name', 'firstname')"
        ),
        format!(
            "CREATE TABLE {schema}.migrations (version VARCHAR(191) PRIMARY KEY, executed_at DATETIME, execution_time INT)"
        ),
    ] {
        run(connection, &statement).await;
    }
    record_migration(connection, schema, r"Mautic\Migrations\Version20200101000000").await;
    record_migration(connection, schema, FIRST).await;
    run(connection, &format!("DROP TABLE {schema}.aws_installation")).await;
}

/// As far as an installation comes that is killed: tables, and nothing in them.
pub async fn half_install(connection: &mut Connection, schema: &str) {
    for statement in [
        "aws_installation (begun_at DATETIME)",
        "users (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, username VARCHAR(191) UNIQUE, email VARCHAR(191), password VARCHAR(64))",
        "leads (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, email VARCHAR(191))",
        "lead_fields (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, label VARCHAR(191), alias VARCHAR(191))",
    ] {
        run(connection, &format!("CREATE TABLE {schema}.{statement}")).await;
    }
}

pub async fn record_migration(connection: &mut Connection, schema: &str, version: &str) {
    let version = connection.literal(version);
    run(
        connection,
        &format!("REPLACE INTO {schema}.migrations VALUES ({version}, UTC_TIMESTAMP(), 7)"),
    )
    .await;
}

/// The last act of a release.
pub async fn record(connection: &mut Connection, schema: &str, release: &str, command: &str, version: &str) {
    for statement in [
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.aws_releases (release_id VARCHAR(64) NOT NULL PRIMARY KEY, \
             command VARCHAR(16) NOT NULL, mautic_version VARCHAR(32) NOT NULL, finished_at DATETIME NOT NULL)"
        ),
        format!("REPLACE INTO {schema}.aws_releases VALUES ('{release}', '{command}', '{version}', UTC_TIMESTAMP())"),
    ] {
        run(connection, &statement).await;
    }
}

async fn run(connection: &mut Connection, statement: &str) {
    connection
        .run(statement)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}
