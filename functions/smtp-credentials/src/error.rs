//! What can go wrong, in words for the operator.

use custom_resource::AwsError;
use thiserror::Error;

use crate::plan::Refusal;

/// Why an event failed: the thing, the value, the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// A call to AWS failed, and left nothing behind.
    #[error(transparent)]
    Aws(Box<AwsError>),
    /// The plan refuses to go on.
    #[error("IAM user {user} {refusal}")]
    Refused {
        /// The user.
        user: String,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// A key was made, its password could not be written, and the key could not be deleted either.
    #[error(
        "{cause}. The access key {key} that was made for it could not be deleted again ({left}): delete it with \
         aws iam delete-access-key --user-name {user} --access-key-id {key}"
    )]
    KeyLeft {
        /// What kept the secret from being written.
        cause: Box<Self>,
        /// The key that nobody can use.
        key: String,
        /// Whose it is.
        user: String,
        /// What kept it from being deleted.
        left: Box<AwsError>,
    },
    /// Secrets Manager did not answer in the time after which another delivery may think the key forgotten.
    #[error("secret {secret} was not written within {seconds} s; try again")]
    NotInTime {
        /// The secret.
        secret: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Another delivery of this event wrote its own key first.
    #[error("another delivery of this event has written secret {0} at the same time; update the stack again")]
    Overtaken(String),
    /// A Delete ran beside this Create or Update.
    #[error(
        "the access keys of IAM user {0} were deleted while they were being set up; create the stack again if this was \
         not intended"
    )]
    Deleted(String),
    /// Something else keeps changing what we change.
    #[error(
        "the access keys of IAM user {user} or its secret changed {rounds} times while they were being set up; find out \
         who else changes them, and update the stack again"
    )]
    Contended {
        /// The user.
        user: String,
        /// How often we tried.
        rounds: usize,
    },
}

impl From<AwsError> for Error {
    fn from(error: AwsError) -> Self {
        Self::Aws(Box::new(error))
    }
}

impl Error {
    /// Whether AWS did not allow it, or not yet; or does not know the user yet, whom CloudFormation has just made.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Aws(error) => error.is_denied() || error.code() == Some("NoSuchEntity"),
            Self::Refused { refusal, .. } => {
                matches!(**refusal, Refusal::NoUser | Refusal::NotOurs { found: None, .. })
            }
            _ => false,
        }
    }
}
