//! What can go wrong, in words for the operator.

use std::error::Error as StdError;

use aws_sdk_route53::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error;

use crate::plan::PlanError;
use crate::settings::ZoneId;
use crate::zone::ZoneError;

/// Why an event failed: the thing, the value, the remedy.
#[derive(Debug, Error)]
pub enum Error {
    /// Something that is not ours is in the way.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// No zone can be used.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// A call to AWS failed.
    #[error("{action} for {thing} failed: {reason}; {remedy}")]
    Aws {
        /// The call as IAM spells it.
        action: &'static str,
        /// What it was about.
        thing: String,
        /// AWS's code and message.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The same step was refused again and again although nothing else changed.
    #[error("AWS refuses to {step}: {reason}; correct what it names and update the stack")]
    Refused {
        /// The step.
        step: String,
        /// AWS's reason.
        reason: String,
    },
    /// Somebody else keeps changing what we change.
    #[error(
        "{thing} changed {rounds} times while it was being set up; find out who else changes it, and update the stack again"
    )]
    Contended {
        /// What changed.
        thing: String,
        /// How often we tried.
        rounds: usize,
    },
    /// A Delete ran beside this Create or Update.
    #[error(
        "SES identity {0} was deleted while it was being set up; the DNS records written for it were removed again: \
         create the stack again if this was not intended"
    )]
    Deleted(String),
    /// SES has not found the records in time.
    #[error(
        "SES has not verified {domain} after {seconds} s: {pending}. Check that the registrar delegates {domain} to the \
         name servers of {place} and that these records can be seen from outside: {records}. If they can, update the \
         stack again or raise WaitSeconds; OnTimeout SUCCEED does not wait for it"
    )]
    Unverified {
        /// The domain.
        domain: String,
        /// How long was waited.
        seconds: u64,
        /// What is pending, with SES's status.
        pending: String,
        /// The zone, or where else the records should be.
        place: String,
        /// The records that SES looks for.
        records: String,
    },
}

impl Error {
    /// An error of a call to AWS.
    pub(crate) fn aws<E, R>(action: &'static str, thing: impl Into<String>) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
        R: std::fmt::Debug + 'static,
    {
        let thing = thing.into();
        move |error| Self::Aws {
            remedy: remedy(action, error.code().unwrap_or_default()),
            reason: reason(&error),
            action,
            thing,
        }
    }
}

/// AWS's code and message, or what kept the call from being answered.
pub(crate) fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + StdError + 'static,
    R: std::fmt::Debug + 'static,
{
    match (error.code(), error.message()) {
        // AWS's sentences end with a full stop; ours go on.
        (Some(code), Some(message)) => format!("{code}: {}", message.trim_end_matches('.')),
        (Some(code), None) => code.to_owned(),
        _ => causes(error),
    }
}

/// An error and what caused it, from the outside in: no answer from STS shows only at the innermost.
fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn remedy(action: &str, code: &str) -> String {
    match code {
        "AccessDenied" | "AccessDeniedException" | "NotAuthorized" => {
            format!("allow {action} on it to the function's role, or to RoleArn's if one is given")
        }
        "NoSuchHostedZone" => "give the id of a zone that exists, in this account or in RoleArn's".to_owned(),
        "Throttling" | "ThrottlingException" | "TooManyRequestsException" => {
            "the account's request rate was exhausted: try again".to_owned()
        }
        // Not answered at all, or by STS before it was asked.
        "" => "if RoleArn is given, let the function's role assume it (sts:AssumeRole, and RoleArn's trust policy); \
               else check that the function reaches AWS"
            .to_owned(),
        _ => "correct what it names, or try again".to_owned(),
    }
}

/// The zone as errors name it.
pub(crate) fn zone(id: &ZoneId) -> String {
    format!("hosted zone {id}")
}

#[cfg(test)]
mod tests {
    use aws_sdk_route53::error::ErrorMetadata;
    use aws_sdk_route53::operation::get_change::GetChangeError;

    use super::*;

    fn text(error: SdkError<GetChangeError, ()>) -> String {
        Error::aws("route53:GetChange", "change C1")(error).to_string()
    }

    fn refused(code: &str) -> SdkError<GetChangeError, ()> {
        let meta = ErrorMetadata::builder().code(code).message("No.").build();
        SdkError::service_error(GetChangeError::generic(meta), ())
    }

    #[test]
    fn a_refusal_names_the_call_the_reason_and_the_remedy() {
        assert_eq!(
            text(refused("AccessDenied")),
            "route53:GetChange for change C1 failed: AccessDenied: No; allow route53:GetChange on it to the function's role, \
             or to RoleArn's if one is given"
        );
        assert_eq!(
            text(refused("Throttling")),
            "route53:GetChange for change C1 failed: Throttling: No; the account's request rate was exhausted: try again"
        );
        assert_eq!(
            text(refused("InvalidInput")),
            "route53:GetChange for change C1 failed: InvalidInput: No; correct what it names, or try again"
        );
    }

    #[test]
    fn a_call_that_was_not_answered_tells_every_cause() {
        assert_eq!(
            text(SdkError::timeout_error("no route to host")),
            "route53:GetChange for change C1 failed: request has timed out: no route to host; if RoleArn is given, let the \
             function's role assume it (sts:AssumeRole, and RoleArn's trust policy); else check that the function reaches AWS"
        );
    }
}
