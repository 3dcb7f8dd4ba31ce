//! What can go wrong, in words for the operator.

use custom_resource::AwsError;
use thiserror::Error;

use crate::event::MalformedEvent;
use crate::plan::Refusal;
use crate::secret::Malformed;

/// Why a step failed: the thing, the value, the remedy.
#[derive(Debug, Error)]
pub enum Error<E: std::error::Error + 'static> {
    /// The payload is no step of a rotation.
    #[error(transparent)]
    Event(#[from] MalformedEvent),
    /// The secret is none that this function rotates.
    #[error("secret {0} is none that this function rotates; name the function in the secret's own rotation only")]
    Stranger(String),
    /// A call to Secrets Manager failed.
    #[error(transparent)]
    Aws(Box<AwsError>),
    /// The labels do not allow the step.
    #[error("secret {secret} {refusal}")]
    Refused {
        /// The secret.
        secret: String,
        /// Why.
        refusal: Box<Refusal>,
    },
    /// A version's content cannot be used.
    #[error("secret {secret}, version {version}, {fault}; write it anew with all its members")]
    Content {
        /// The secret.
        secret: String,
        /// The version.
        version: String,
        /// What is wrong, without a value.
        fault: Malformed,
    },
    /// The pending version holds nothing.
    #[error(
        "secret {secret} has nothing in its pending version {version}; start the rotation again with aws secretsmanager rotate-secret"
    )]
    Unfilled {
        /// The secret.
        secret: String,
        /// The version.
        version: String,
    },
    /// Something never answered.
    #[error(
        "{step} of secret {secret} was broken off after {seconds} s, because what it waits for does not answer: see in the \
         function's log what it did last, and whether that service is up; the step is tried again by itself"
    )]
    Late {
        /// The step.
        step: crate::event::Step,
        /// The secret.
        secret: String,
        /// How long it was waited for.
        seconds: u128,
    },
    /// The service, or the way to it.
    #[error("{step} of secret {secret}: {cause}")]
    Target {
        /// The step.
        step: crate::event::Step,
        /// The secret.
        secret: String,
        /// What the target says.
        #[source]
        cause: E,
    },
}

impl<E: std::error::Error + 'static> From<AwsError> for Error<E> {
    fn from(error: AwsError) -> Self {
        Self::Aws(Box::new(error))
    }
}
