//! A call to AWS that failed, in words for the operator.

use std::error::Error as StdError;
use std::fmt::Debug;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use thiserror::Error;

/// How AWS's services spell that a role may not do something.
const DENIALS: [&str; 4] = [
    "AccessDenied",
    "AccessDeniedException",
    "NotAuthorized",
    "UnauthorizedOperation",
];
/// How they spell that they were asked too often.
const THROTTLES: [&str; 3] = ["Throttling", "ThrottlingException", "TooManyRequestsException"];
/// How they spell that they could not answer now, by no fault of the caller's. Each service has its own spelling beside the
/// common ones (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html>): ECS and ECR `ServerException`,
/// S3 `InternalError`, `RequestTimeout` and `SlowDown` (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).
const OUTAGES: [&str; 7] = [
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "RequestTimeout",
    "ServerException",
    "ServiceUnavailable",
    "SlowDown",
];

/// A call to AWS that failed: the call, what it was about, AWS's reason, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{action} for {thing} failed: {reason}; {remedy}")]
pub struct AwsError {
    action: &'static str,
    thing: String,
    code: Option<String>,
    reason: String,
    remedy: String,
}

impl AwsError {
    /// Describes the failure of `action`, as IAM spells it, for `thing`.
    pub fn of<E, R>(action: &'static str, thing: impl Into<String>) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
        R: Debug + 'static,
    {
        let thing = thing.into();
        move |error| {
            let code = error.code().map(str::to_owned);
            Self {
                remedy: remedy(action, code.as_deref()),
                reason: reason(&error),
                action,
                thing,
                code,
            }
        }
    }

    /// With another remedy, for a handler that knows better.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// AWS's code; `None` if the call was not answered.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The call, as IAM spells it.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// Whether the caller's policies do not allow it, or not yet: also where it was STS that said so, before the call.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match &self.code {
            Some(code) => DENIALS.contains(&code.as_str()),
            None => self.reason.contains("AccessDenied"),
        }
    }

    /// Whether AWS did not answer, or not now, so that the same call may succeed in a moment. The SDK itself asks again after
    /// such answers, but gives up within seconds
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>): ask on where there is time to wait.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        match self.code() {
            Some(code) => THROTTLES.contains(&code) || OUTAGES.contains(&code),
            None => !self.is_denied(),
        }
    }
}

fn remedy(action: &str, code: Option<&str>) -> String {
    match code {
        Some(code) if DENIALS.contains(&code) => format!("allow {action} on it to the function's role"),
        Some(code) if THROTTLES.contains(&code) => "the account's request rate was exhausted: try again".to_owned(),
        Some(_) => "correct what it names, or try again".to_owned(),
        None => "check that the function reaches AWS".to_owned(),
    }
}

/// AWS's code and message, or what kept the call from being answered.
#[must_use]
pub fn reason<E, R>(error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + StdError + 'static,
    R: Debug + 'static,
{
    match (error.code(), error.message()) {
        // AWS's sentences end with a full stop; ours go on.
        (Some(code), Some(message)) => format!("{code}: {}", message.trim_end_matches('.')),
        (Some(code), None) => code.to_owned(),
        _ => causes(error),
    }
}

/// An error and what caused it, from the outside in: no answer from STS shows only at the innermost.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error: &&(dyn StdError + 'static)| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::error::ErrorMetadata;
    use aws_sdk_cloudformation::operation::describe_stack_resource::DescribeStackResourceError;

    use super::*;

    type Failure = SdkError<DescribeStackResourceError, ()>;

    fn of(error: Failure) -> AwsError {
        AwsError::of("cloudformation:DescribeStackResource", "stack shop")(error)
    }

    fn refused(code: &str) -> AwsError {
        let meta = ErrorMetadata::builder().code(code).message("No.").build();
        of(SdkError::service_error(DescribeStackResourceError::generic(meta), ()))
    }

    #[test]
    fn a_refusal_names_the_call_the_reason_and_the_remedy() {
        let refusals = [
            (
                "AccessDenied",
                "allow cloudformation:DescribeStackResource on it to the function's role",
            ),
            ("Throttling", "the account's request rate was exhausted: try again"),
            ("ValidationError", "correct what it names, or try again"),
        ];
        for (code, remedy) in refusals {
            let text = format!("cloudformation:DescribeStackResource for stack shop failed: {code}: No; {remedy}");
            assert_eq!(refused(code).to_string(), text);
            assert_eq!(refused(code).is_denied(), code == "AccessDenied");
        }
    }

    #[test]
    fn a_call_that_was_not_answered_tells_every_cause() {
        let unanswered = of(SdkError::timeout_error("no route to host"));
        assert_eq!(
            unanswered.to_string(),
            "cloudformation:DescribeStackResource for stack shop failed: request has timed out: no route to host; check \
             that the function reaches AWS"
        );
        assert!(unanswered.is_unanswered() && !unanswered.is_denied());
    }

    #[test]
    fn who_is_asked_too_often_or_is_out_of_order_may_answer_in_a_moment() {
        for code in THROTTLES.into_iter().chain(OUTAGES) {
            assert!(refused(code).is_unanswered(), "{code}");
        }
        for code in ["AccessDenied", "ValidationError", "ResourceNotFoundException"] {
            assert!(!refused(code).is_unanswered(), "{code}");
        }
    }

    #[test]
    fn a_role_that_sts_does_not_give_out_is_a_denial_too() {
        let denied = of(SdkError::construction_failure(
            "AccessDenied: not authorized to perform: sts:AssumeRole",
        ));
        assert!(denied.is_denied() && !denied.is_unanswered());
    }

    #[test]
    fn a_handler_may_know_a_better_remedy() {
        let text = refused("AccessDenied").with_remedy("ask the zone's owner").to_string();
        assert!(
            text.ends_with("failed: AccessDenied: No; ask the zone's owner"),
            "{text}"
        );
    }
}
