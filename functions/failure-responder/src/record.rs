//! Lambda's record of an asynchronous invocation that failed
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).

use std::fmt;

use custom_resource::{Event, MalformedEvent};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// A failed invocation of a custom resource's function.
#[derive(Debug)]
pub struct Record {
    function: String,
    event: Event,
    death: Death,
}

/// How a function came to leave its event unanswered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Death {
    /// Lambda ended it.
    TimedOut {
        /// The function's time-out, as Lambda writes it.
        seconds: Option<String>,
    },
    /// The kernel ended it, for its memory as a rule.
    Killed,
    /// Its process ended.
    Exited {
        /// The exit status, as Lambda writes it.
        status: Option<String>,
    },
    /// It returned an error instead of an answer: its answer was refused, or its event was malformed.
    Failed,
    /// Lambda never started it.
    NeverRan {
        /// Lambda's word for the cause, such as `EventAgeExceeded`.
        condition: String,
    },
}

/// A record that cannot be answered. No message shows a value: the event holds a signed URL.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MalformedRecord {
    /// It is something else.
    #[error(
        "the event is not Lambda's record of a failed asynchronous invocation: {0}; invoke this function only as the \
         on-failure destination of a custom resource's function"
    )]
    NotARecord(&'static str),
    /// The failed invocation was not a custom resource's.
    #[error("the record's requestPayload cannot be answered: {0}")]
    Event(#[from] MalformedEvent),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    request_context: Context,
    request_payload: Value,
    #[serde(default)]
    response_payload: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    function_arn: String,
    condition: String,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// [`MalformedRecord`] if it is something else, or holds an event that cannot be answered.
    pub fn parse(record: Value) -> Result<Self, MalformedRecord> {
        for (member, missing) in [
            ("/requestContext/functionArn", "requestContext.functionArn is missing"),
            ("/requestContext/condition", "requestContext.condition is missing"),
            ("/requestPayload", "requestPayload is missing"),
        ] {
            record.pointer(member).ok_or(MalformedRecord::NotARecord(missing))?;
        }
        let wire: Wire = serde_json::from_value(record)
            .map_err(|_| MalformedRecord::NotARecord("a member of requestContext is not a string"))?;
        Ok(Self {
            function: function_name(&wire.request_context.function_arn).to_owned(),
            death: Death::of(wire.request_context.condition, wire.response_payload.as_ref()),
            event: Event::parse(wire.request_payload)?,
        })
    }

    /// The event that nobody answered.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// How the function died.
    #[must_use]
    pub fn death(&self) -> &Death {
        &self.death
    }

    /// What goes into the reason: the function, its death, the remedy.
    #[must_use]
    pub fn cause(&self) -> String {
        let (function, verb) = (&self.function, self.event.request_type());
        let (resource, death) = (self.event.resource_type(), &self.death);
        format!("The function {function} gave no answer to the {verb} of {resource}: {death}")
    }

    /// Where to read on. The log group has whatever name its template gave it, which only the function's settings tell.
    #[must_use]
    pub fn hint(&self) -> String {
        let function = &self.function;
        format!(
            " Its log: aws logs tail --since 1h $(aws lambda get-function-configuration --function-name {function} \
             --query LoggingConfig.LogGroup --output text)"
        )
    }
}

impl Death {
    fn of(condition: String, response: Option<&Value>) -> Self {
        if condition != "RetriesExhausted" {
            return Self::NeverRan { condition };
        }
        let text = |member| {
            response
                .and_then(|response| response[member].as_str())
                .unwrap_or_default()
        };
        let (kind, message) = (text("errorType"), text("errorMessage"));
        let after = |start: &str| message.split_once(start).map(|(_, rest)| rest);
        if kind == "Sandbox.Timedout" || message.contains("Task timed out") {
            let seconds = after("Task timed out after ").and_then(|rest| rest.split(' ').next());
            Self::TimedOut {
                seconds: seconds.filter(|text| is_plain(text)).map(ToOwned::to_owned),
            }
        } else if kind == "Runtime.OutOfMemory" || message.contains("signal: killed") {
            Self::Killed
        } else if kind == "Runtime.ExitError" || message.contains("Runtime exited") {
            let status = after("exit status ").filter(|text| is_plain(text));
            Self::Exited {
                status: status.map(ToOwned::to_owned),
            }
        } else {
            Self::Failed
        }
    }
}

/// A number, and nothing that a function could have slipped in.
fn is_plain(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { seconds } => {
                let after = seconds.as_ref().map(|seconds| format!(" after {seconds} seconds")).unwrap_or_default();
                write!(
                    f,
                    "Lambda ended it at its Timeout{after}; look in its log for what it waited for, or raise its Timeout"
                )
            }
            Self::Killed => f.write_str("it was killed, as a rule for lack of memory; raise its MemorySize"),
            Self::Exited { status } => {
                let with = status.as_ref().map(|status| format!(" with status {status}")).unwrap_or_default();
                write!(f, "its process ended{with}, which is a defect or a lack of memory; look in its log, or raise its MemorySize")
            }
            Self::Failed => f.write_str(
                "it failed, as when its answer cannot be delivered; look in its log for why, and whether it can reach S3",
            ),
            Self::NeverRan { condition } => write!(
                f,
                "Lambda did not start it ({condition}); look whether its reserved concurrency or the account's leaves room \
                 for it, then try again"
            ),
        }
    }
}

/// The name in `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`.
fn function_name(arn: &str) -> &str {
    arn.split(':').nth(6).filter(|name| !name.is_empty()).unwrap_or(arn)
}
