//! What can go wrong, in words for the operator.

use rotation::Malformed;
use thiserror::Error;

use crate::plan::Refusal;

/// `ER_BAD_FIELD_ERROR`: the column in which MySQL keeps second passwords is not there.
const NO_COLUMN: u16 = 1054;
/// `ER_PARSE_ERROR`: the clause about them is not known.
const NOT_PARSED: u16 = 1064;

/// Why a step failed: the thing, the value, the remedy.
#[derive(Debug, Error)]
pub enum Error {
    /// The server, the way to it, or the master's secret.
    #[error(transparent)]
    Database(Box<database::Error>),
    /// The secret lacks a member.
    #[error("the secret {0}; write it anew with username, password, host and port")]
    Content(#[from] Malformed),
    /// The plan refuses to go on.
    #[error("user `{user}` {refusal}")]
    Refused {
        /// The user.
        user: String,
        /// Why.
        refusal: Refusal,
    },
    /// There is no such user.
    #[error("there is no user `{0}`; deploy the stack with another value of Reconcile, which makes it")]
    NoAccount(String),
    /// Which one is meant cannot be told.
    #[error("there are several users `{user}`, from `{one}` and from `{other}`; drop all but the one that is used")]
    SeveralAccounts {
        /// The user.
        user: String,
        /// Where it comes from.
        one: String,
        /// Where it also comes from.
        other: String,
    },
    /// Neither `MariaDB` nor MySQL before 8.0.14 can do this.
    #[error(
        "the server knows no second password of a user, so that the old one would end with the new one; nothing was changed: \
         use MySQL 8.0.14 or newer"
    )]
    NoSecondPasswords,
    /// Another step is at work.
    #[error("another rotation is at work on this server, and was not done after {0} s; try again")]
    Busy(u64),
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

impl Error {
    /// What it means that a server refuses a query or a statement about second passwords: perhaps that it knows none, which is
    /// told from this and not from its version. Nothing has been changed then.
    #[must_use]
    pub fn about_second_passwords(error: database::Error) -> Self {
        match error.code() {
            Some(NO_COLUMN | NOT_PARSED) => Self::NoSecondPasswords,
            _ => error.into(),
        }
    }

    /// Whether the same may succeed in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Database(error) => error.is_transient(),
            Self::Busy(_) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(code: u16) -> database::Error {
        database::Error::Statement {
            address: "db:3306".to_owned(),
            code,
            reason: format!("MySQL error {code}: its words"),
        }
    }

    #[test]
    fn a_server_without_the_column_or_the_clause_knows_no_second_passwords() {
        for code in [NO_COLUMN, NOT_PARSED] {
            let error = Error::about_second_passwords(rejected(code));
            assert_eq!(
                error.to_string(),
                "the server knows no second password of a user, so that the old one would end with the new one; nothing was \
                 changed: use MySQL 8.0.14 or newer"
            );
            assert!(!error.may_pass(), "it will not learn them in a moment");
        }
    }

    #[test]
    fn whatever_else_a_server_rejects_is_told_in_its_own_words() {
        for code in [0, 1045, 1396, 3894] {
            let error = Error::about_second_passwords(rejected(code));
            assert_eq!(
                error.to_string(),
                format!("db:3306 rejects a statement (MySQL error {code}: its words)")
            );
        }
        let busy = database::Error::Transient {
            address: "db:3306".to_owned(),
            reason: "MySQL error 1205: lock wait".to_owned(),
        };
        assert!(Error::about_second_passwords(busy).may_pass());
    }
}
