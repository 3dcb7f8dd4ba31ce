//! What can go wrong, in words for the operator.

use custom_resource::AwsError;
use rotation::Malformed;
use thiserror::Error;

use crate::plan::WrongCurrent;

/// Why a step failed: the thing, the value, the remedy.
#[derive(Debug, Error)]
pub enum Error {
    /// A call to ElastiCache failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The secret lacks a member.
    #[error("the secret {0}; write it anew with username and password")]
    Content(#[from] Malformed),
    /// The plan refuses to go on.
    #[error("ElastiCache user {user} {refusal}")]
    Refused {
        /// The user's id.
        user: String,
        /// Why.
        refusal: WrongCurrent,
    },
    /// There is no such user.
    #[error("there is no ElastiCache user {0}; correct CACHE_USER_ID in the function's template")]
    NoUser(String),
    /// ElastiCache is not done yet.
    #[error("ElastiCache is still changing user {user}; it takes minutes, and Secrets Manager tries again by itself")]
    InFlight {
        /// The user's id.
        user: String,
    },
    /// The cache does not let the user in, although ElastiCache is done.
    #[error(
        "{address} does not let user `{user}` in with the pending password, although ElastiCache changes nothing any more; \
         rotate again, which installs it"
    )]
    NotAccepted {
        /// `host:port`.
        address: String,
        /// The user's name.
        user: String,
    },
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
}

impl Error {
    /// Whether the same may succeed in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::InFlight { .. } | Self::NotAccepted { .. } | Self::Unexpected { .. } => true,
            Self::Connection(error) => matches!(error, tls_connection::Error::Network { .. }),
            Self::Aws(error) => error.code().is_none(),
            _ => false,
        }
    }
}
