//! From an event to the one answer that it gets: plan, check the answer's size, call the handler, judge what came of it.

use std::sync::OnceLock;
use std::time::Duration;

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::event::{Event, RequestType};
use crate::identity::PhysicalId;
use crate::plan::{Plan, plan};
use crate::resource::{Answer, CustomResource, Deletion, Outcome, Request};
use crate::response::{AttributesError, data, success};

use tokio::time::{Instant, sleep};

/// What came of an event.
#[derive(Debug)]
pub(crate) enum Step {
    /// The body of a success.
    Succeeded(String),
    /// A further invocation goes on from this state.
    Continue(Value),
}

/// A handler of any type, as the runtime keeps it.
pub(crate) trait Handle: Send + Sync {
    /// Handles `event` in this `time`. As soon as it is known, the id that a failed Create answers with stands in
    /// `made_as`: a panic later on must not lose it. An error is the reason of a failure.
    fn handle<'a>(
        &'a self,
        event: &'a Event,
        time: Time,
        made_as: &'a OnceLock<PhysicalId>,
    ) -> BoxFuture<'a, Result<Step, String>>;
}

/// A handler's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    /// When it is cut off.
    pub(crate) deadline: Instant,
    /// How long a new policy may take until every service of AWS knows it.
    pub(crate) propagation: Duration,
}

/// How many times the handler is called again while a policy may still be on its way.
const REPEATS: u32 = 10;

impl<H: CustomResource> Handle for H {
    fn handle<'a>(
        &'a self,
        event: &'a Event,
        time: Time,
        made_as: &'a OnceLock<PhysicalId>,
    ) -> BoxFuture<'a, Result<Step, String>> {
        Box::pin(async move {
            let plan = plan(self, event).map_err(reason)?;
            if let (RequestType::Create, Plan::Create { answer_as, .. }) = (event.request_type, &plan) {
                // Set once per event.
                let _ = made_as.set(answer_as.clone());
            }
            check_size(self, event, &plan).map_err(|error| format!("{error}; nothing was changed"))?;
            patiently(self, event, time, plan).await
        })
    }
}

fn reason(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Measures the largest answer that the plan can lead to, `NoEcho` included.
fn check_size<H: CustomResource>(
    handler: &H,
    event: &Event,
    plan: &Plan<H::Properties>,
) -> Result<(), AttributesError> {
    let (Some(properties), Some(id)) = (plan.properties(), plan.answer_as()) else {
        return Ok(());
    };
    let largest = data(&handler.largest_attributes(properties))?;
    success(event, id.as_str(), &largest, true).map(drop)
}

/// Why a handler failed.
struct Failure {
    reason: String,
    denied: bool,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        let denied = false;
        Self { reason, denied }
    }
}

/// Calls the handler; and again, from the start, while what it was denied may be allowed by a policy that has just been
/// attached. A stack makes a function's role and calls the function within seconds, and IAM is slower than that.
async fn patiently<H: CustomResource>(
    handler: &H,
    event: &Event,
    time: Time,
    mut plan: Plan<H::Properties>,
) -> Result<Step, String> {
    let pause = time.propagation / REPEATS;
    let new = event.request_type != RequestType::Delete && event.continued() == 0;
    let end = time.deadline.min(Instant::now() + time.propagation);
    loop {
        match apply(handler, event, time.deadline, plan).await {
            Err(failure) if failure.denied && new && Instant::now() + pause < end => {
                tracing::warn!("denied, perhaps by a policy that is still new: tried again");
            }
            other => return other.map_err(|failure| failure.reason),
        }
        sleep(pause).await;
        plan = crate::plan::plan(handler, event).map_err(reason)?;
    }
}

async fn apply<H: CustomResource>(
    handler: &H,
    event: &Event,
    deadline: Instant,
    plan: Plan<H::Properties>,
) -> Result<Step, Failure> {
    let failure = |error: H::Error| Failure {
        denied: handler.was_denied(&error),
        reason: error.to_string(),
    };
    let request = |id| Request {
        scope: event.scope.clone(),
        id,
        event_id: event.request_id.clone(),
        state: event
            .continuation
            .as_ref()
            .map(|continuation| continuation.state.clone()),
        deadline,
    };
    match plan {
        Plan::Create {
            id,
            answer_as,
            properties,
        } => {
            let outcome = handler.create(&request(id), properties).await.map_err(failure)?;
            Ok(made(event, &answer_as, outcome)?)
        }
        Plan::Update { id, properties, old } => {
            let request = request(id);
            let outcome = handler.update(&request, properties, old).await.map_err(failure)?;
            Ok(made(event, request.id(), outcome)?)
        }
        Plan::Delete { id, properties } => match handler.delete(&request(id), properties).await.map_err(failure)? {
            Deletion::Done => Ok(removed(event)?),
            Deletion::Continue(state) => Ok(Step::Continue(state)),
        },
        Plan::LeaveAlone => Ok(removed(event)?),
    }
}

fn made<A: Serialize>(event: &Event, id: &PhysicalId, outcome: Outcome<A>) -> Result<Step, String> {
    match outcome {
        Outcome::Done(Answer { attributes, no_echo }) => {
            let data = data(&attributes).map_err(reason)?;
            success(event, id.as_str(), &data, no_echo)
                .map(Step::Succeeded)
                .map_err(reason)
        }
        Outcome::Continue(state) => Ok(Step::Continue(state)),
    }
}

/// A Delete answers with the id that it came with, whatever was derived from it.
pub(crate) fn removed(event: &Event) -> Result<Step, String> {
    success(event, &event.failure_id(), &Map::new(), false)
        .map(Step::Succeeded)
        .map_err(reason)
}
