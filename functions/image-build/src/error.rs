//! What can go wrong, in words for the operator.

use custom_resource::AwsError;
use thiserror::Error;

use crate::plan::Refusal;

/// Why an event failed: the thing, the value, the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// A call to AWS failed.
    #[error(transparent)]
    Aws(Box<AwsError>),
    /// The plan refuses to go on.
    #[error("image {tag} of repository {repository} {refusal}{}", log_of(log))]
    Refused {
        /// The image's tag.
        tag: String,
        /// The repository's name.
        repository: String,
        /// Why.
        refusal: Box<Refusal>,
        /// The end of the build's log; empty where there is none.
        log: String,
    },
    /// A Delete came first.
    #[error("the image was deleted before its build {0} had ended, and that was stopped; create the stack again")]
    Withdrawn(String),
    /// A request that the SDK itself does not build.
    #[error("the function has a defect: {0}; update the function")]
    Defect(String),
}

fn log_of(log: &str) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!(". The log ends: {log}")
    }
}

impl From<AwsError> for Error {
    fn from(error: AwsError) -> Self {
        Self::Aws(Box::new(error))
    }
}

/// How CodeBuild says that the account builds as much as it may: there is room again once a build ends.
const NO_ROOM: &str = "AccountLimitExceededException";
/// CodeBuild's words for a role that has just been made.
const NEW_ROLE: &str = "not authorized to perform: sts:AssumeRole";

impl Error {
    /// Whether AWS did not allow it, or not yet.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::Aws(error) if error.is_denied() || error.to_string().contains(NEW_ROLE))
    }

    /// Whether nothing was wrong but that the time was over.
    pub(crate) fn is_about_time(&self) -> bool {
        matches!(self, Self::Refused { refusal, .. } if matches!(**refusal, Refusal::NoTime { .. }))
    }

    /// Whether the same may succeed in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Aws(error) => error.is_unanswered() || error.code() == Some(NO_ROOM),
            _ => false,
        }
    }
}
