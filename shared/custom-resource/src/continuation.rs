//! Goes on in a further invocation of the same function, for work that outlasts one.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::Value;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::event::Event;

/// How often an event is continued. Lambda itself stops a function that invokes itself after about 16 rounds.
pub const MOST_CONTINUATIONS: u64 = 5;

/// Why an event is not continued. Becomes a reason.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NotContinued {
    #[error(
        "{resource_type} was not ready after {} invocations, the most that are made; look whether what it waits for goes on \
         at all, then update the stack again, or raise the function's Timeout",
        MOST_CONTINUATIONS + 1
    )]
    TooOften { resource_type: String },
    #[error(
        "{resource_type} needs more time, but its function could not invoke itself ({error}); its role needs \
         lambda:InvokeFunction on `{function}`"
    )]
    NotInvoked {
        resource_type: String,
        error: String,
        function: String,
    },
}

/// Invokes `function` with the same event and `state`, without waiting for what it does.
pub(crate) async fn invoke_again(
    client: &Client,
    function: &str,
    event: &Event,
    state: &Value,
    deadline: Instant,
) -> Result<(), NotContinued> {
    let payload = Blob::new(event.continue_with(state).to_string());
    let invocation = client
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::Event)
        .payload(payload)
        .send();
    let error = match timeout_at(deadline, invocation).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error
            .code()
            .map_or_else(|| "no answer from Lambda".to_owned(), ToOwned::to_owned),
        Err(_) => "no answer from Lambda in time".to_owned(),
    };
    Err(NotContinued::NotInvoked {
        resource_type: event.resource_type.clone(),
        error,
        function: function.to_owned(),
    })
}

/// Whether `event` may be continued once more.
pub(crate) fn allowed(event: &Event) -> Result<(), NotContinued> {
    if event.continued() < MOST_CONTINUATIONS {
        return Ok(());
    }
    Err(NotContinued::TooOften {
        resource_type: event.resource_type.clone(),
    })
}
