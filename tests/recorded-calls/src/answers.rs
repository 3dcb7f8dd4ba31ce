//! What the clients of a test are answered.

use std::error::Error;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::operation::describe_stack_resource::{
    DescribeStackResourceError, DescribeStackResourceInput, DescribeStackResourceOutput,
};
use aws_sdk_cloudformation::types::{ResourceStatus, StackResourceDetail};
use aws_smithy_mocks::{MockResponse, Rule, RuleBuilder, mock};
use aws_smithy_types::error::ErrorMetadata;

/// An error as AWS gives it: code and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(pub &'static str, pub String);

/// A rule that answers an operation with what `answer` makes of it in `model`; a refusal becomes the operation's `error`.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use aws_sdk_secretsmanager::Client;
/// use aws_sdk_secretsmanager::operation::get_secret_value as operation;
/// use aws_smithy_mocks::{RuleMode, mock, mock_client};
/// use recorded_calls::{Refusal, rule};
///
/// /// A service that holds one secret, or none.
/// struct Model(Option<String>);
///
/// let answer = |model: &Model, _: &operation::GetSecretValueInput| {
///     let missing = || Refusal("ResourceNotFoundException", "There is no such secret.".to_owned());
///     let text = model.0.clone().ok_or_else(missing)?;
///     Ok(operation::GetSecretValueOutput::builder().secret_string(text).build())
/// };
/// let error = operation::GetSecretValueError::generic;
/// let get = rule(mock!(Client::get_secret_value), &Arc::new(Model(None)), answer, error);
/// let client = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&get]);
/// ```
#[must_use]
pub fn rule<M, I, O, E>(
    operation: RuleBuilder<I, O, E>,
    model: &Arc<M>,
    answer: impl Fn(&M, &I) -> Result<O, Refusal> + Send + Sync + 'static,
    error: impl Fn(ErrorMetadata) -> E + Send + Sync + 'static,
) -> Rule
where
    M: Send + Sync + 'static,
    I: Debug + Send + Sync + 'static,
    O: Debug + Send + Sync + 'static,
    E: Error + Send + Sync + 'static,
{
    let model = Arc::clone(model);
    operation.then_compute_response(move |input| match answer(&model, input) {
        Ok(output) => MockResponse::Output(output),
        Err(Refusal(code, message)) => {
            MockResponse::Error(error(ErrorMetadata::builder().code(code).message(message).build()))
        }
    })
}

/// As [`rule`], for a model that is locked while it answers.
///
/// # Panics
/// When the client calls after somebody has panicked with the lock in hand.
#[must_use]
pub fn locked_rule<M, I, O, E>(
    operation: RuleBuilder<I, O, E>,
    model: &Arc<Mutex<M>>,
    answer: impl Fn(&mut M, &I) -> Result<O, Refusal> + Send + Sync + 'static,
    error: impl Fn(ErrorMetadata) -> E + Send + Sync + 'static,
) -> Rule
where
    M: Send + 'static,
    I: Debug + Send + Sync + 'static,
    O: Debug + Send + Sync + 'static,
    E: Error + Send + Sync + 'static,
{
    let answer =
        move |model: &Mutex<M>, input: &I| answer(&mut model.lock().expect("nobody has panicked before"), input);
    rule(operation, model, answer, error)
}

/// CloudFormation, asked for the state of a resource: it is being made, or deleted once it is `withdrawn`.
#[must_use]
pub fn stack_resource(withdrawn: impl Fn() -> Result<bool, Refusal> + Send + Sync + 'static) -> Rule {
    let answer = move |(): &(), _: &DescribeStackResourceInput| {
        let status = if withdrawn()? {
            ResourceStatus::DeleteInProgress
        } else {
            ResourceStatus::CreateInProgress
        };
        let detail = StackResourceDetail::builder().resource_status(status).build();
        Ok(DescribeStackResourceOutput::builder()
            .stack_resource_detail(detail)
            .build())
    };
    rule(
        mock!(Client::describe_stack_resource),
        &Arc::new(()),
        answer,
        DescribeStackResourceError::generic,
    )
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::error::ProvideErrorMetadata;
    use aws_smithy_mocks::{RuleMode, mock_client};

    use super::*;

    /// The state that CloudFormation tells, or the code and the words with which it refuses.
    async fn state(rule: &Rule) -> Result<String, (String, String)> {
        let client = mock_client!(aws_sdk_cloudformation, RuleMode::MatchAny, [rule]);
        let told = client.describe_stack_resource().stack_name("shop").send().await;
        let told = told.map_err(|error| {
            let word = |text: Option<&str>| text.unwrap_or_default().to_owned();
            (word(error.code()), word(error.message()))
        })?;
        let detail = told.stack_resource_detail().expect("a resource");
        Ok(detail.resource_status().expect("a status").to_string())
    }

    #[tokio::test]
    async fn a_resource_is_being_made_until_it_is_withdrawn() {
        assert_eq!(
            state(&stack_resource(|| Ok(false))).await,
            Ok("CREATE_IN_PROGRESS".to_owned())
        );
        assert_eq!(
            state(&stack_resource(|| Ok(true))).await,
            Ok("DELETE_IN_PROGRESS".to_owned())
        );
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_with_its_code_and_words() {
        let denied = || Err(Refusal("AccessDenied", "not authorized".to_owned()));
        assert_eq!(
            state(&stack_resource(denied)).await,
            Err(("AccessDenied".to_owned(), "not authorized".to_owned()))
        );
    }

    #[tokio::test]
    async fn a_model_behind_a_lock_may_change_with_every_call() {
        let calls = Arc::new(Mutex::new(0_usize));
        let answer = |calls: &mut usize, input: &DescribeStackResourceInput| {
            assert_eq!(input.stack_name(), Some("shop"));
            *calls += 1;
            Err(Refusal("ValidationError", format!("call {calls}")))
        };
        let error = DescribeStackResourceError::generic;
        let rule = locked_rule(mock!(Client::describe_stack_resource), &calls, answer, error);
        for number in 1..3 {
            let expected = ("ValidationError".to_owned(), format!("call {number}"));
            assert_eq!(state(&rule).await, Err(expected));
        }
        assert_eq!(*calls.lock().expect("a count"), 2);
    }
}
