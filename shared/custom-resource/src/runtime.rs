//! The runtime: one event in, one answer out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant as Clock, SystemTime};

use aws_sdk_lambda::Client;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use thiserror::Error;
use tokio::sync::OnceCell;
use tracing::Instrument;

use crate::aws::aws_config;
use crate::continuation::{allowed, invoke_again};
use crate::deadline::Deadlines;
use crate::delivery::{Undelivered, deliver};
use crate::event::{Event, MalformedEvent, RequestType};
use crate::guard::{Fault, guarded};
use crate::handling::{Handle, Step, Time, removed};
use crate::identity::PhysicalId;
use crate::resource::CustomResource;
use crate::response::failure;
use crate::{logging, names};

/// What ends a function's `main`.
pub use lambda_runtime::Error;

/// Why CloudFormation has no answer from this invocation. The function fails with it, so that its failure destination can
/// answer instead.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unanswered {
    /// The event does not say to whom the answer goes.
    #[error(transparent)]
    Malformed(#[from] MalformedEvent),
    /// The answer did not arrive.
    #[error(transparent)]
    Undelivered(#[from] Undelivered),
}

impl From<Unanswered> for Diagnostic {
    fn from(error: Unanswered) -> Self {
        Self {
            error_type: "Unanswered".into(),
            error_message: error.to_string(),
        }
    }
}

/// How long AWS's services may go on denying what a new policy allows. IAM names no limit
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>); a role
/// that CloudFormation has just made is usually known everywhere within 10 s.
const PROPAGATION: Duration = Duration::from_secs(30);
/// The variable that shortens this, in seconds, where policies are known at once: an emulated AWS.
const PROPAGATION_VARIABLE: &str = "POLICY_PROPAGATION_SECONDS";

fn propagation(variable: Option<&str>) -> Duration {
    let seconds = variable.and_then(|text| text.parse().ok());
    seconds.map_or(PROPAGATION, |seconds| Duration::from_secs(seconds).min(PROPAGATION))
}

/// Where the lines of this invocation stand; ends the reason of every failure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LogPlace(pub(crate) Option<(String, String)>);

impl LogPlace {
    fn from_env() -> Self {
        let group = std::env::var("AWS_LAMBDA_LOG_GROUP_NAME").ok();
        Self(group.zip(std::env::var("AWS_LAMBDA_LOG_STREAM_NAME").ok()))
    }

    fn hint(&self) -> String {
        let hint = |(group, stream): &(String, String)| format!(" See log group {group}, stream {stream}.");
        self.0.as_ref().map(hint).unwrap_or_default()
    }
}

/// What an invocation knows besides its event.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) function: String,
    pub(crate) deadlines: Deadlines,
    pub(crate) log: LogPlace,
    /// How long a denial may be that of a policy still on its way.
    pub(crate) propagation: Duration,
    /// Made when first needed: most functions never continue.
    pub(crate) lambda: Arc<OnceCell<Client>>,
}

/// The custom resources of a function, by type.
#[derive(Default)]
pub struct Runtime {
    handlers: BTreeMap<String, Box<dyn Handle>>,
}

/// The types that it answers for.
impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runtime").field(&self.handlers.keys()).finish()
    }
}

impl Runtime {
    /// A runtime without handlers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `handler` answer for `resource_type`, such as `Custom::Database`.
    #[must_use]
    pub fn on(mut self, resource_type: &str, handler: impl CustomResource + 'static) -> Self {
        self.handlers.insert(resource_type.to_owned(), Box::new(handler));
        self
    }

    /// Serves Lambda's invocations; returns only if Lambda's runtime interface fails. Installs the function's log, and a
    /// panic hook that shows a panic's place but not its message.
    ///
    /// # Errors
    /// Those of [`lambda_runtime::run`].
    ///
    /// # Panics
    /// Outside Lambda: its environment variables are missing.
    pub async fn run(self) -> Result<(), Error> {
        logging::init_log();
        let (runtime, log, lambda) = (&self, &LogPlace::from_env(), &Arc::default());
        let propagation = propagation(std::env::var(PROPAGATION_VARIABLE).ok().as_deref());
        lambda_runtime::Runtime::new(service_fn(move |event: LambdaEvent<Value>| async move {
            let invocation = Invocation {
                function: event.context.invoked_function_arn.clone(),
                deadlines: Deadlines::until(event.context.deadline()),
                log: log.clone(),
                propagation,
                lambda: Arc::clone(lambda),
            };
            runtime.invoke(event.payload, &invocation).await
        }))
        .run()
        .await
    }

    /// Handles one event: exactly one answer, or one further invocation.
    pub(crate) async fn invoke(&self, event: Value, invocation: &Invocation) -> Result<(), Unanswered> {
        let event = Event::parse(event)?;
        let span = logging::span(&event);
        self.answer(&event, invocation).instrument(span).await
    }

    async fn answer(&self, event: &Event, invocation: &Invocation) -> Result<(), Unanswered> {
        let began = Clock::now();
        tracing::info!("received");
        let (outcome, body) = match self.handle(event, invocation).await {
            Ok(None) => {
                tracing::info!(outcome = "CONTINUE", milliseconds = milliseconds(began), "continued");
                return Ok(());
            }
            Ok(Some(body)) => ("SUCCESS", body),
            Err(failed) => (
                "FAILED",
                failure(
                    event,
                    &failed.physical_id,
                    &failed.cause,
                    &format!(
                        "{}{}",
                        names::of(event.properties(), &failed.cause),
                        invocation.log.hint()
                    ),
                ),
            ),
        };
        let handled = milliseconds(began);
        let attempts = deliver(&event.url, &body, invocation.deadlines.answer)
            .await
            .inspect_err(|error| tracing::error!(outcome, %error, "not answered"))?;
        tracing::info!(
            outcome,
            attempts,
            handled,
            milliseconds = milliseconds(began),
            "answered"
        );
        Ok(())
    }

    /// The body of a success, or `None` if a further invocation goes on.
    async fn handle(&self, event: &Event, invocation: &Invocation) -> Result<Option<String>, Failed> {
        let made_as = OnceLock::new();
        let result = match self.step(event, invocation, &made_as).await {
            Ok(Step::Succeeded(body)) => Ok(Some(body)),
            Ok(Step::Continue(state)) => go_on(event, invocation, &state).await.map(|()| None),
            Err(cause) => Err(cause),
        };
        result.map_err(|cause| {
            let id = made_as.into_inner().map(|id| id.to_string());
            Failed {
                physical_id: id.unwrap_or_else(|| event.failure_id()),
                cause,
            }
        })
    }

    async fn step(
        &self,
        event: &Event,
        invocation: &Invocation,
        made_as: &OnceLock<PhysicalId>,
    ) -> Result<Step, String> {
        let Some(handler) = self.handlers.get(&event.resource_type) else {
            return self.unknown_type(event);
        };
        let deadline = invocation.deadlines.handler;
        let time = Time {
            deadline,
            propagation: invocation.propagation,
        };
        match guarded(handler.handle(event, time, made_as), deadline).await {
            Ok(result) => result,
            Err(fault) => Err(explain(fault, event)),
        }
    }

    fn unknown_type(&self, event: &Event) -> Result<Step, String> {
        if event.request_type == RequestType::Delete {
            return removed(event);
        }
        let known: Vec<&str> = self.handlers.keys().map(String::as_str).collect();
        Err(format!(
            "The function does not know the resource type {}, only {}; correct the resource's Type or its ServiceToken",
            event.resource_type,
            known.join(", ")
        ))
    }
}

async fn go_on(event: &Event, invocation: &Invocation, state: &Value) -> Result<(), String> {
    allowed(event).map_err(|error| error.to_string())?;
    let client = invocation
        .lambda
        .get_or_init(async || Client::new(&aws_config().await))
        .await;
    invoke_again(
        client,
        &invocation.function,
        event,
        state,
        invocation.deadlines.hand_over,
    )
    .await
    .map_err(|error| error.to_string())
}

impl Event {
    /// Answers `FAILED` in the stead of a function that died, before `end`, when this invocation is killed itself: `cause`,
    /// cut where the response would be too large, then `hint`, which is kept whole. The physical id is the event's own, or
    /// for a Create the [placeholder](PhysicalId::placeholder). CloudFormation takes the first answer to a request, so
    /// that one too many does no harm.
    ///
    /// # Errors
    /// [`Undelivered`] if the answer did not arrive.
    pub async fn fail(&self, cause: &str, hint: &str, end: SystemTime) -> Result<(), Undelivered> {
        let body = failure(self, &self.failure_id(), cause, hint);
        let answered = async {
            let attempts = deliver(&self.url, &body, Deadlines::until(end).answer)
                .await
                .inspect_err(|error| tracing::error!(outcome = "FAILED", %error, "not answered"))?;
            tracing::info!(outcome = "FAILED", attempts, "answered");
            Ok(())
        };
        answered.instrument(logging::span(self)).await
    }
}

struct Failed {
    physical_id: String,
    cause: String,
}

fn explain(fault: Fault, event: &Event) -> String {
    let (resource, verb) = (&event.resource_type, event.request_type);
    match fault {
        Fault::Panicked => format!(
            "The function has a defect: it panicked during the {verb} of {resource}, and how far it came is not known; \
             the log names the place in its code; update the function"
        ),
        Fault::TimedOut => format!(
            "The function was cut off during the {verb} of {resource}, since the time of its invocation had run out but for what \
             this answer needs; look for what it waited for, or raise its Timeout"
        ),
    }
}

fn milliseconds(since: Clock) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_tried_again_for_half_a_minute_or_less() {
        for (variable, seconds) in [
            (None, 30),
            (Some("1"), 1),
            (Some("0"), 0),
            (Some("600"), 30),
            (Some("soon"), 30),
        ] {
            assert_eq!(propagation(variable), Duration::from_secs(seconds), "{variable:?}");
        }
    }
}
