//! Carries a plan out, one statement a change; rights take one a schema or table.

use database::{Connection, Credentials, Error};
use secrecy::ExposeSecret;

use super::{AccountName, Change, Removal, Rights, UserMark};

/// Makes or changes an account.
///
/// # Errors
/// If the server rejects a statement; what was done before stays, and the next plan goes on from there.
pub async fn apply(
    connection: &mut Connection,
    name: &AccountName,
    credentials: &Credentials,
    changes: &[Change],
) -> Result<(), Error> {
    let account = name.quoted();
    for change in changes {
        tracing::info!(user = account, %change, "next");
        match change {
            Change::Create(mark) => create(connection, &account, credentials, mark).await,
            Change::Record(mark) => record(connection, &account, &mark.to_attribute()).await,
            Change::Unlock => connection.run(&format!("ALTER USER {account} ACCOUNT UNLOCK")).await,
            Change::RequireTls => connection.run(&format!("ALTER USER {account} REQUIRE SSL")).await,
            Change::SetPassword => {
                let password = password(connection, credentials);
                connection
                    .run(&format!("ALTER USER {account} IDENTIFIED BY {password}"))
                    .await
            }
            Change::Grant(rights) => grant(connection, &account, rights).await,
            Change::Revoke(rights) => revoke(connection, &account, rights).await,
        }?;
    }
    Ok(())
}

/// Undoes an account.
///
/// # Errors
/// As [`apply`].
pub async fn remove(connection: &mut Connection, name: &AccountName, steps: &[Removal]) -> Result<(), Error> {
    let account = name.quoted();
    for step in steps {
        tracing::info!(user = account, %step, "next");
        match step {
            Removal::Lock => connection.run(&format!("ALTER USER {account} ACCOUNT LOCK")).await,
            Removal::Revoke(rights) => revoke(connection, &account, rights).await,
            Removal::Forget => record(connection, &account, &UserMark::none()).await,
            Removal::Drop => connection.run(&format!("DROP USER IF EXISTS {account}")).await,
        }?;
    }
    Ok(())
}

/// The password for a statement, which is the one place where it leaves its wrapping; no statement is ever logged.
fn password(connection: &Connection, credentials: &Credentials) -> String {
    connection.literal(credentials.password().expose_secret())
}

/// Account, password and mark in one statement, which happens as a whole or not at all.
async fn create(
    connection: &mut Connection,
    account: &str,
    credentials: &Credentials,
    mark: &UserMark,
) -> Result<(), Error> {
    let password = password(connection, credentials);
    let mark = connection.literal(&mark.to_attribute());
    let statement = format!("CREATE USER {account} IDENTIFIED BY {password} REQUIRE SSL ATTRIBUTE {mark}");
    connection.run(&statement).await
}

/// MySQL merges the attribute into what is there.
async fn record(connection: &mut Connection, account: &str, attribute: &str) -> Result<(), Error> {
    let attribute = connection.literal(attribute);
    connection
        .run(&format!("ALTER USER {account} ATTRIBUTE {attribute}"))
        .await
}

async fn grant(connection: &mut Connection, account: &str, rights: &Rights) -> Result<(), Error> {
    for (privileges, on) in rights.clauses() {
        connection
            .run(&format!("GRANT {privileges} ON {on} TO {account}"))
            .await?;
    }
    Ok(())
}

/// `IF EXISTS`, from MySQL 8.0.30: what somebody else has revoked meanwhile is no failure.
async fn revoke(connection: &mut Connection, account: &str, rights: &Rights) -> Result<(), Error> {
    for (privileges, on) in rights.clauses() {
        connection
            .run(&format!("REVOKE IF EXISTS {privileges} ON {on} FROM {account}"))
            .await?;
    }
    Ok(())
}
