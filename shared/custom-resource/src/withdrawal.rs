//! Whether anybody still wants what a Create has just made.

use aws_sdk_cloudformation::Client;

use crate::aws_error::AwsError;
use crate::identity::Scope;

const ACTION: &str = "cloudformation:DescribeStackResource";

/// Whether CloudFormation has begun to delete the resource, or has done so.
///
/// A Delete that arrives before the Create that it cancels has made anything finds nothing, succeeds, and is never sent
/// again: what that Create makes afterwards would stay for ever. Therefore a handler that cannot leave a note for its
/// Create asks this **after** it made the first thing that bears its mark, and before it goes on. CloudFormation records
/// `DELETE_IN_PROGRESS` before it sends the Delete. So either that is seen here, and the Create takes back what it made;
/// or the Delete is sent later, and finds the mark. A repeated delivery of a Create that has long succeeded sees
/// `CREATE_COMPLETE`, and undoes nothing.
///
/// The function's role needs `cloudformation:DescribeStackResource` on its own stack.
///
/// # Errors
/// [`AwsError`] if CloudFormation does not tell.
pub async fn is_withdrawn(client: &Client, scope: &Scope) -> Result<bool, AwsError> {
    let answer = client
        .describe_stack_resource()
        .stack_name(scope.stack_id())
        .logical_resource_id(scope.logical_id())
        .send()
        .await;
    match answer {
        Ok(found) => {
            let status = found
                .stack_resource_detail()
                .and_then(|resource| resource.resource_status());
            Ok(status.is_some_and(|status| status.as_str().starts_with("DELETE_") && status.as_str() != KEPT))
        }
        Err(error) => {
            let error = AwsError::of(ACTION, format!("stack {}", scope.stack_id()))(error);
            if error.code() == Some("ValidationError") && error.to_string().contains(GONE) {
                return Ok(true);
            }
            Err(error)
        }
    }
}

/// The status of a resource that its `DeletionPolicy` keeps: no Delete is sent for it.
const KEPT: &str = "DELETE_SKIPPED";
/// CloudFormation's words for a stack, or a resource in it, that is no longer there; they have no code of their own.
const GONE: &str = "does not exist";

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::error::ErrorMetadata;
    use aws_sdk_cloudformation::operation::describe_stack_resource::{
        DescribeStackResourceError, DescribeStackResourceOutput,
    };
    use aws_sdk_cloudformation::types::StackResourceDetail;
    use aws_smithy_mocks::{Rule, mock, mock_client};

    use super::*;

    const STACK: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/5a1c0d70";

    async fn asked(rule: &Rule) -> Result<bool, String> {
        let client = mock_client!(aws_sdk_cloudformation, [rule]);
        let scope = Scope::new(STACK, "Thing").expect("a stack");
        is_withdrawn(&client, &scope).await.map_err(|error| error.to_string())
    }

    async fn with_status(status: &str) -> bool {
        let detail = StackResourceDetail::builder().resource_status(status.into()).build();
        let rule = mock!(Client::describe_stack_resource)
            .match_requests(|request| {
                request.stack_name() == Some(STACK) && request.logical_resource_id() == Some("Thing")
            })
            .then_output(move || {
                DescribeStackResourceOutput::builder()
                    .stack_resource_detail(detail.clone())
                    .build()
            });
        asked(&rule).await.expect("an answer")
    }

    async fn refused(code: &'static str, message: &'static str) -> Result<bool, String> {
        let rule = mock!(Client::describe_stack_resource).then_error(move || {
            DescribeStackResourceError::generic(ErrorMetadata::builder().code(code).message(message).build())
        });
        asked(&rule).await
    }

    #[tokio::test]
    async fn a_resource_is_withdrawn_once_its_delete_has_begun() {
        for status in ["DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_FAILED"] {
            assert!(with_status(status).await, "{status}");
        }
    }

    #[tokio::test]
    async fn one_that_is_made_or_stands_or_is_kept_is_not() {
        for status in [
            "CREATE_IN_PROGRESS",
            "CREATE_COMPLETE",
            "CREATE_FAILED",
            "UPDATE_IN_PROGRESS",
            "DELETE_SKIPPED",
        ] {
            assert!(!with_status(status).await, "{status}");
        }
    }

    #[tokio::test]
    async fn a_stack_or_a_resource_that_is_gone_wants_nothing() {
        for message in [
            "Stack 'shop' does not exist",
            "Resource Thing does not exist for stack shop",
        ] {
            assert_eq!(refused("ValidationError", message).await, Ok(true), "{message}");
        }
    }

    #[tokio::test]
    async fn a_role_that_may_not_ask_is_told_so() {
        let reason = refused("AccessDenied", "not authorized").await.expect_err("no answer");
        assert_eq!(
            reason,
            format!(
                "cloudformation:DescribeStackResource for stack {STACK} failed: AccessDenied: not authorized; allow \
                 cloudformation:DescribeStackResource on it to the function's role"
            )
        );
    }
}
