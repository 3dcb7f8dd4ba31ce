//! What can go wrong, in words for the operator.

use custom_resource::AwsError;
use database::SecretError;
use thiserror::Error;

use crate::administrator::Fault;
use crate::plan::Refusal;

/// Why an event failed: the thing, the value, the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// A call to AWS failed.
    #[error(transparent)]
    Aws(Box<AwsError>),
    /// A secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The database, after it was looked into a moment before.
    #[error(transparent)]
    Database(Box<database::Error>),
    /// The plan refuses to go on.
    #[error("schema `{schema}` at {server} {refusal}{}", log_of(log))]
    Refused {
        /// The schema.
        schema: String,
        /// `host:port`.
        server: String,
        /// Why.
        refusal: Box<Refusal>,
        /// The end of the task's log; empty where there is none.
        log: String,
    },
    /// ECS did not start the task.
    #[error(
        "ECS started no task of {task_definition} in cluster {cluster}: {reasons}; nothing was changed: correct what it names, \
         or wait until there is room, and update the stack again"
    )]
    NotPlaced {
        /// The task definition.
        task_definition: String,
        /// The cluster.
        cluster: String,
        /// ECS's own words.
        reasons: String,
    },
    /// A Delete came first.
    #[error("the release was deleted before its task {0} had begun, and that was stopped; create the stack again")]
    Withdrawn(String),
    /// An installation that made another administrator.
    #[error(
        "schema `{schema}` was installed, but the administrator `{username}` of secret {secret} {fault}: the task must be given \
         this secret's ADMIN_USERNAME and ADMIN_PASSWORD, and the secret must not change meanwhile. Ask for a new password \
         at the site's login page, and update the stack again: what is installed stays"
    )]
    Administrator {
        /// The schema.
        schema: String,
        /// The administrator's name.
        username: String,
        /// The secret.
        secret: String,
        /// What is wrong.
        fault: Fault,
    },
    /// A request that the SDK itself does not build.
    #[error("the function has a defect: {0}; update the function")]
    Defect(String),
}

fn log_of(log: &str) -> String {
    if log.is_empty() {
        String::new()
    } else {
        format!(". The task's log ends: {log}")
    }
}

impl From<AwsError> for Error {
    fn from(error: AwsError) -> Self {
        Self::Aws(Box::new(error))
    }
}

impl From<database::Error> for Error {
    fn from(error: database::Error) -> Self {
        Self::Database(Box::new(error))
    }
}

/// How ECS says that it has no room for a task at the moment.
const NO_ROOM: [&str; 2] = ["Capacity is unavailable", "RESOURCE:"];
/// ECS's words for a role, its own service-linked one included, that has just been made.
const NEW_ROLE: &str = "nable to assume";

impl Error {
    /// Whether AWS did not allow it, or not yet.
    pub(crate) fn is_denied(&self) -> bool {
        match self {
            Self::Aws(error) => error.is_denied() || error.to_string().contains(NEW_ROLE),
            Self::Secret(error) => error.is_denied(),
            Self::Database(error) => secret_is_denied(error),
            Self::Refused { refusal, .. } => match &**refusal {
                Refusal::Unreadable(error) => secret_is_denied(error),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether nothing was wrong but that the time was over.
    pub(crate) fn is_about_time(&self) -> bool {
        matches!(self, Self::Refused { refusal, .. } if matches!(**refusal, Refusal::NoTime { .. }))
    }

    /// Whether the same may succeed in a moment.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Aws(error) => error.is_unanswered(),
            Self::NotPlaced { reasons, .. } => NO_ROOM.iter().any(|words| reasons.contains(words)),
            Self::Database(error) => error.is_transient(),
            _ => false,
        }
    }
}

fn secret_is_denied(error: &database::Error) -> bool {
    matches!(error, database::Error::Secret(error) if error.is_denied())
}
