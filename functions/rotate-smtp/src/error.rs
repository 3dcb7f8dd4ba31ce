//! What can go wrong, in words for the operator.

use custom_resource::AwsError;
use rotation::Malformed;
use thiserror::Error;

/// IAM's code for a third key.
const FULL: &str = "LimitExceeded";

/// Why a step failed: the thing, the value, the remedy.
#[derive(Debug, Error)]
pub enum Error {
    /// A call to IAM failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The secret lacks a member.
    #[error("the secret {0}; write it anew with username, password, region, host and port")]
    Content(#[from] Malformed),
    /// Another delivery may be at work.
    #[error(
        "IAM user {user} has a key {key} that was made less than a minute ago and is in no version of the secret; try again"
    )]
    Busy {
        /// The user.
        user: String,
        /// The key.
        key: String,
    },
    /// The current key is not there.
    #[error(
        "the secret's current key {key} is none of IAM user {user}'s active keys, so that nothing was deleted; deploy the stack \
         with another value of Reconcile, which makes one"
    )]
    WrongCurrent {
        /// The user.
        user: String,
        /// The key.
        key: String,
    },
    /// IAM made a key and did not show it.
    #[error("IAM gave no key for user {0}; try again")]
    NoKey(String),
    /// The conversation broke off, or was not begun.
    #[error(transparent)]
    Connection(#[from] tls_connection::Error),
    /// The server says something else than it should.
    #[error("{address} answers `{answer}`; see what its own log or status says, and try again")]
    Unexpected {
        /// `host:port`.
        address: String,
        /// Its words.
        answer: String,
    },
    /// The server does not let the key in.
    #[error(
        "{address} does not let key {key} in ({answer}); IAM may take minutes to tell SES of a new key: rotate again, and if that \
         does not help, see whether the key is active"
    )]
    Refused {
        /// `host:port`.
        address: String,
        /// The key.
        key: String,
        /// Its words.
        answer: String,
    },
}

impl Error {
    /// Whether the same may succeed in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Refused { .. } | Self::Unexpected { .. } => true,
            Self::Connection(error) => matches!(error, tls_connection::Error::Network { .. }),
            // With both places taken, another delivery was faster; the next look sees what it made.
            Self::Aws(error) => error.code().is_none_or(|code| code == FULL),
            _ => false,
        }
    }
}
