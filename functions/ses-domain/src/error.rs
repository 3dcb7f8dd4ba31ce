//! What can go wrong, in words for the operator.

use std::error::Error as StdError;

use aws_sdk_route53::error::{ProvideErrorMetadata, SdkError};
use custom_resource::AwsError;
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
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The SDK's builders insist on required fields; all of ours are set, so this is never seen.
    #[error("the function has a defect: its request {action} is incomplete ({problem}); update the function")]
    Incomplete {
        /// The call as IAM spells it.
        action: &'static str,
        /// What the builder says.
        problem: String,
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
        let described = AwsError::of(action, thing);
        move |error| Self::Aws(remedied(described(error)))
    }

    /// Whether AWS did not allow it, or not yet.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::Aws(error) if error.is_denied())
    }
}

/// The remedies that have to do with a zone's role.
fn remedied(error: AwsError) -> AwsError {
    let remedy = match error.code() {
        Some("NoSuchHostedZone") => "give the id of a zone that exists, in this account or in RoleArn's".to_owned(),
        Some(_) if error.is_denied() => format!(
            "allow {} on it to the function's role, or to RoleArn's if one is given",
            error.action()
        ),
        // Not answered at all, or by STS before it was asked.
        None => "if RoleArn is given, let the function's role assume it (sts:AssumeRole, and RoleArn's trust policy); \
                 else check that the function reaches AWS"
            .to_owned(),
        Some(_) => return error,
    };
    error.with_remedy(remedy)
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
