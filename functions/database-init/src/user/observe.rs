//! What is there: the account, its mark and rights, and whether the secret's password still opens it.

use custom_resource::Owner;
use database::{Connection, Connector, Credentials, Error, Name, NameKind};

use super::rights::{Right, object};
use super::{AccountName, Rights, UserMark};

/// `ER_ACCOUNT_HAS_BEEN_LOCKED`, which MySQL says only to whoever has given the right password.
const LOCKED: u16 = 3118;

/// An account, as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// The account, if there is one.
    pub account: Option<Account>,
}

/// What matters of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whether it may log in only over TLS.
    pub requires_tls: bool,
    /// Whether it may not log in at all.
    pub locked: bool,
    /// Our mark, or another stack's.
    pub mark: Option<UserMark>,
    /// What it may do on schemas, tables and columns by name; patterns and global rights are not ours.
    pub rights: Rights,
    /// Whether the secret's password opens it.
    pub login: Login,
}

/// What came of a log-in with the secret's password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// It works; so the password is left alone, whatever a rotation has done.
    Accepted,
    /// It does not.
    Refused,
}

/// Looks at an account; tries its password over TLS.
///
/// # Errors
/// If the server cannot be asked.
pub async fn observe(
    connection: &mut Connection,
    connector: &Connector,
    name: &AccountName,
    credentials: &Credentials,
) -> Result<Observed, Error> {
    let query = "SELECT User, Host, ssl_type, account_locked FROM mysql.user WHERE User = ? AND Host = ?";
    let rows: Vec<(String, String, String, String)> =
        connection.rows(query, (name.user.as_str(), name.host.as_str())).await?;
    let Some((.., tls, locked)) = rows.into_iter().find(|(user, host, ..)| is(name, user, host)) else {
        return Ok(Observed { account: None });
    };
    let account = Account {
        requires_tls: !tls.is_empty(),
        locked: locked == "Y",
        mark: mark(connection, name).await?,
        rights: rights(connection, name).await?,
        login: login(connector, name, credentials).await?,
    };
    Ok(Observed { account: Some(account) })
}

/// How MySQL checks the account's password; `None` if there is no such account.
///
/// # Errors
/// If the server cannot be asked.
pub async fn plugin(connection: &mut Connection, name: &AccountName) -> Result<Option<String>, Error> {
    let query = "SELECT plugin FROM mysql.user WHERE User = ? AND Host = ?";
    connection.first(query, (name.user.as_str(), name.host.as_str())).await
}

/// The accounts that bear the mark of this very resource.
///
/// # Errors
/// If the server cannot be asked.
pub async fn marked(
    connection: &mut Connection,
    owner: &Owner,
    id: &str,
) -> Result<Vec<(AccountName, UserMark)>, Error> {
    let query = "SELECT USER, HOST, CAST(ATTRIBUTE AS CHAR) FROM information_schema.USER_ATTRIBUTES WHERE ATTRIBUTE IS NOT NULL";
    let rows: Vec<(String, String, String)> = connection.rows(query, ()).await?;
    let found = rows.into_iter().filter_map(|(user, host, attribute)| {
        let mark = UserMark::from_attribute(&attribute).filter(|found| found.mark.is_of(owner, id))?;
        let user = Name::new(NameKind::User, &user).ok()?;
        let host = Name::new(NameKind::Host, &host).ok()?;
        Some((AccountName { user, host }, mark))
    });
    Ok(found.collect())
}

/// MySQL's tables compare as their collations want; names of accounts are compared here, exactly.
fn is(name: &AccountName, user: &str, host: &str) -> bool {
    user == name.user.as_str() && host == name.host.as_str()
}

async fn mark(connection: &mut Connection, name: &AccountName) -> Result<Option<UserMark>, Error> {
    let query = "SELECT USER, HOST, CAST(ATTRIBUTE AS CHAR) FROM information_schema.USER_ATTRIBUTES WHERE USER = ? AND HOST = ?";
    let rows: Vec<(String, String, Option<String>)> =
        connection.rows(query, (name.user.as_str(), name.host.as_str())).await?;
    let attribute = rows
        .into_iter()
        .find(|(user, host, _)| is(name, user, host))
        .and_then(|(.., attribute)| attribute);
    Ok(attribute.as_deref().and_then(UserMark::from_attribute))
}

/// Account, privilege, schema, table, column.
type Given = (String, String, String, Option<String>, Option<String>);

async fn rights(connection: &mut Connection, name: &AccountName) -> Result<Rights, Error> {
    let query = "SELECT GRANTEE, PRIVILEGE_TYPE, TABLE_SCHEMA, NULL, NULL FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = ? \
         UNION ALL SELECT GRANTEE, PRIVILEGE_TYPE, TABLE_SCHEMA, TABLE_NAME, NULL FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE = ? \
         UNION ALL SELECT GRANTEE, PRIVILEGE_TYPE, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMN_PRIVILEGES WHERE GRANTEE = ?";
    // This is how information_schema writes an account; it quotes nothing inside.
    let grantee = format!("'{}'@'{}'", name.user, name.host);
    let rows: Vec<Given> = connection.rows(query, (&grantee, &grantee, &grantee)).await?;
    let rights =
        rows.into_iter()
            .filter(|(found, ..)| *found == grantee)
            .filter_map(|(_, privilege, schema, table, column)| {
                let schema = if table.is_some() {
                    schema
                } else {
                    literal_schema(&schema)?
                };
                let object = object(&schema, table.as_deref(), column.as_deref())?;
                let privilege = object.privilege(&privilege)?;
                Some(Right { object, privilege })
            });
    Ok(rights.collect())
}

/// The schema that a pattern stands for, if it stands for one only: that is how we write them.
fn literal_schema(pattern: &str) -> Option<String> {
    let mut schema = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => schema.push(characters.next()?),
            '%' | '_' => return None,
            _ => schema.push(character),
        }
    }
    Some(schema)
}

async fn login(connector: &Connector, name: &AccountName, credentials: &Credentials) -> Result<Login, Error> {
    let mut connection = match connector.connect(credentials).await {
        Ok(connection) => connection,
        Err(error @ Error::Authentication { .. }) => {
            return Ok(if error.code() == Some(LOCKED) {
                Login::Accepted
            } else {
                Login::Refused
            });
        }
        Err(error) => return Err(error),
    };
    // A user of the same name for a nearer host would have answered in place of this one.
    let current: Option<String> = connection.first("SELECT CURRENT_USER()", ()).await?;
    connection.close().await;
    let expected = format!("{}@{}", name.user, name.host);
    Ok(if current.is_some_and(|current| current == expected) {
        Login::Accepted
    } else {
        Login::Refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_read_back_as_the_schema_it_was_written_for() {
        assert_eq!(literal_schema(r"my\_shop\%\\x").as_deref(), Some(r"my_shop%\x"));
        assert_eq!(literal_schema("plain").as_deref(), Some("plain"));
    }

    #[test]
    fn a_pattern_for_many_schemas_is_nobody_s_grant_of_ours() {
        assert_eq!(literal_schema("my_shop"), None);
        assert_eq!(literal_schema("shop%"), None);
    }
}
