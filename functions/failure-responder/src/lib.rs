//! Answers CloudFormation when a custom resource's function died.
//!
//! A function that runs out of memory or time, or exits, cannot answer any more, and its stack would wait for
//! `ServiceTimeout`, up to an hour. Lambda however knows at once: it sends a record of the failed invocation to the
//! function's on-failure destination. This function is that destination. It reads three things of the [record](Record),
//! the event that nobody answered, the function, and [how it died](Death), and sends `FAILED` with what to do about it.
//!
//! ```
//! use failure_responder::{Death, Record};
//! use serde_json::json;
//!
//! let record = Record::parse(json!({
//!     "requestContext": {
//!         "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:things:$LATEST",
//!         "condition": "RetriesExhausted",
//!     },
//!     "requestPayload": {
//!         "RequestType": "Delete", "RequestId": "1", "ResponseURL": "https://example.com/", "LogicalResourceId": "Thing",
//!         "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/1", "ResourceType": "Custom::Thing",
//!         "PhysicalResourceId": "thing:cup",
//!     },
//!     "responsePayload": {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 30.00 seconds"},
//! }))?;
//! assert_eq!(record.death(), &Death::TimedOut { seconds: Some("30.00".into()) });
//! # Ok::<(), failure_responder::MalformedRecord>(())
//! ```
//!
//! What it does not do: it never shows a function's own error message, which may quote anything; it does not know whether
//! the function answered before it died, and need not: CloudFormation takes the first answer to a request and ignores a
//! second; and it repairs nothing. A Create is answered with a placeholder as its physical id, by which the function's
//! runtime later deletes what the dead one may have left behind.

mod record;

use std::time::SystemTime;

use custom_resource::Undelivered;
use lambda_runtime::Diagnostic;
use serde_json::Value;
use thiserror::Error;

pub use record::{Death, MalformedRecord, Record};

/// Why CloudFormation still has no answer.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NotAnswered {
    /// The record does not say what to answer, or to whom.
    #[error(transparent)]
    Malformed(#[from] MalformedRecord),
    /// The answer did not arrive.
    #[error(transparent)]
    Undelivered(#[from] Undelivered),
}

impl From<NotAnswered> for Diagnostic {
    fn from(error: NotAnswered) -> Self {
        Self {
            error_type: "NotAnswered".into(),
            error_message: error.to_string(),
        }
    }
}

/// Answers for the function whose failed invocation `record` describes, before `end`, when this invocation is killed.
///
/// # Errors
/// [`NotAnswered`] if the record is malformed or the answer did not arrive.
pub async fn respond(record: Value, end: SystemTime) -> Result<(), NotAnswered> {
    let record = Record::parse(record)?;
    Ok(record.event().fail(&record.cause(), &record.hint(), end).await?)
}
