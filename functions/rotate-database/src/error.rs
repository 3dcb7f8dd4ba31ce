//! What can go wrong, in words for the operator.

use rotation::Malformed;
use thiserror::Error;

use crate::plan::Refusal;

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
    /// Whether the same may succeed in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Database(error) => error.is_transient(),
            Self::Busy(_) => true,
            _ => false,
        }
    }
}
