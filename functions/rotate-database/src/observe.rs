//! What is there: the account, its second password, and which passwords open it.

use database::quoting::identifier;
use database::{Connection, Connector, Credentials};
use rotation::{Malformed, Secret};

use crate::error::Error;

/// `ER_ACCOUNT_HAS_BEEN_LOCKED`, which MySQL says only to whoever has given the right password.
const LOCKED: u16 = 3118;

/// What came of a log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// It works.
    Accepted,
    /// The password is right, but nobody may log in.
    Locked,
    /// It does not work.
    Refused,
}

/// A user's name and the hosts that it may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    user: String,
    host: String,
}

impl Account {
    /// As statements name it.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("{}@{}", identifier(&self.user), identifier(&self.host))
    }
}

/// Tries a secret's password.
///
/// # Errors
/// If the server cannot be asked, or the secret names no user.
pub async fn login(connector: &Connector, secret: &Secret) -> Result<Login, Error> {
    match connector.connect(&credentials(secret)?).await {
        Ok(connection) => {
            connection.close().await;
            Ok(Login::Accepted)
        }
        Err(database::Error::Authentication { code: LOCKED, .. }) => Ok(Login::Locked),
        Err(database::Error::Authentication { .. }) => Ok(Login::Refused),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn credentials(secret: &Secret) -> Result<Credentials, Malformed> {
    Ok(Credentials::new(secret.username()?, secret.password()?))
}

/// The account of this name, and whether it has a second password.
///
/// # Errors
/// If there is none, if there are several, or if the server knows no second passwords.
pub async fn account(connection: &mut Connection, user: &str) -> Result<(Account, bool), Error> {
    let query = "SELECT User, Host, COALESCE(JSON_CONTAINS_PATH(User_attributes, 'one', '$.additional_password'), 0) \
                 FROM mysql.user WHERE User = ?";
    let rows = connection.rows(query, (user,)).await;
    let rows: Vec<(String, String, i64)> = rows.map_err(Error::about_second_passwords)?;
    // MySQL's tables compare as their collations want.
    let found = rows.into_iter().filter(|(name, ..)| name == user);
    let mut found = found.map(|(user, host, second)| (Account { user, host }, second == 1));
    match (found.next(), found.next()) {
        (Some(account), None) => Ok(account),
        (None, _) => Err(Error::NoAccount(user.to_owned())),
        (Some((one, _)), Some((other, _))) => Err(Error::SeveralAccounts {
            user: user.to_owned(),
            one: one.host,
            other: other.host,
        }),
    }
}
