//! What a handler is: typed properties in, typed attributes out, three verbs.

use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::identity::{PhysicalId, Scope};

/// One type of custom resource, such as `Custom::Database`.
///
/// The runtime calls exactly one verb per event and answers CloudFormation in every case. It repeats events: Lambda
/// delivers an asynchronous event more than once, a Delete may arrive beside a Create that still runs, a rollback
/// updates back to what was. Therefore a handler:
///
/// - leaves [`Scope::owner`] on what it makes, in the same step that makes it where the service allows that;
/// - treats what bears its own mark as its own earlier work (a repeated create or update succeeds);
/// - looks for its mark once more before a long create ends: a Delete may have come meanwhile and taken it away, and then
///   nothing may be left; and asks [`is_withdrawn`](crate::is_withdrawn) after its first step, if it has no other way to
///   learn that its Delete came before it;
/// - refuses what bears no mark or a foreign one, unless its properties say that it may adopt;
/// - deletes only what bears its mark, and is content when it is gone;
/// - never destroys in `update` what the old properties need: CloudFormation deletes the old id after the new one
///   stands, or comes back to it when the update fails.
pub trait CustomResource: Send + Sync {
    /// The resource's properties. Parsed leniently, since CloudFormation sends `"true"` and `"600"`; without the
    /// runtime's own `ServiceToken`, `ServiceTimeout`, `Nonce` and `ParameterNames`, so that `deny_unknown_fields` is safe.
    /// Stacks go on sending a shape that a template once wrote: `testing::kept_shapes` holds the type to all of them.
    type Properties: DeserializeOwned + Send + Sync;
    /// What `Fn::GetAtt` reads: a struct of strings, numbers, booleans and lists of these.
    type Attributes: Serialize + Send;
    /// Its `Display` becomes the reason that the operator reads: the thing, the value, the remedy; never a secret.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The id, from nothing but what defines the resource's identity. A different id on Update means: create the new
    /// one, CloudFormation deletes the old one later.
    fn physical_id(&self, scope: &Scope, properties: &Self::Properties) -> PhysicalId;

    /// Whether this handler could have made that id. Deleting an unknown one succeeds and touches nothing.
    fn recognises(&self, id: &PhysicalId) -> bool;

    /// The largest attributes that these properties can yield. A response is refused beyond 4,096 bytes, so the runtime
    /// measures these before anything is changed.
    fn largest_attributes(&self, properties: &Self::Properties) -> Self::Attributes;

    /// Whether `error` means that AWS does not allow the function something. A policy that was attached seconds ago may
    /// not be known everywhere yet, so a Create or an Update that was denied something is called again, from the start,
    /// for up to half a minute. The same goes for other things that a stack has just made, and that IAM does not show yet.
    fn was_denied(&self, error: &Self::Error) -> bool {
        let _ = error;
        false
    }

    /// Makes the resource, or finds that an earlier delivery of this event has made it.
    ///
    /// # Errors
    /// What kept it from being made; becomes the reason of the failure.
    fn create(
        &self,
        request: &Request,
        properties: Self::Properties,
    ) -> impl Future<Output = Result<Outcome<Self::Attributes>, Self::Error>> + Send;

    /// Brings the resource to `properties`. `old` is `None` if the old properties no longer parse.
    ///
    /// # Errors
    /// What kept it from being changed; becomes the reason of the failure.
    fn update(
        &self,
        request: &Request,
        properties: Self::Properties,
        old: Option<Self::Properties>,
    ) -> impl Future<Output = Result<Outcome<Self::Attributes>, Self::Error>> + Send;

    /// Removes what this resource made, and nothing else. `properties` is `None` if they do not parse: act from
    /// [`Request::id`] alone.
    ///
    /// # Errors
    /// What kept it from being removed; becomes the reason of the failure.
    fn delete(
        &self,
        request: &Request,
        properties: Option<Self::Properties>,
    ) -> impl Future<Output = Result<Deletion, Self::Error>> + Send;
}

/// How a create or an update ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<A> {
    /// The resource stands.
    Done(Answer<A>),
    /// More time is needed: the function is invoked again with this state, at most five times. The state travels in
    /// the event, so it holds no secret and is no proof of anything: read the started task again.
    Continue(Value),
}

/// How a delete ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// Nothing of this resource's making is left.
    Done,
    /// More time is needed; as [`Outcome::Continue`].
    Continue(Value),
}

/// A resource's attributes, and whether CloudFormation may show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<A> {
    pub(crate) attributes: A,
    pub(crate) no_echo: bool,
}

impl<A> Answer<A> {
    /// Attributes that anyone may see who may describe the stack.
    #[must_use]
    pub fn new(attributes: A) -> Self {
        Self {
            attributes,
            no_echo: false,
        }
    }

    /// Masks the attributes wherever CloudFormation would show them. Secrets still do not belong there.
    #[must_use]
    pub fn no_echo(mut self) -> Self {
        self.no_echo = true;
        self
    }
}

/// What a handler may know about the event besides its properties.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) scope: Scope,
    pub(crate) id: PhysicalId,
    pub(crate) event_id: String,
    pub(crate) state: Option<Value>,
    pub(crate) deadline: Instant,
}

impl Request {
    /// The resource's place in its stack.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The physical id: of what is to be made, changed or removed.
    #[must_use]
    pub fn id(&self) -> &PhysicalId {
        &self.id
    }

    /// CloudFormation's id of this request; the same when the event is delivered twice or continued, so it serves as an
    /// idempotency token.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.event_id
    }

    /// What the previous invocation handed to [`Outcome::Continue`].
    #[must_use]
    pub fn state(&self) -> Option<&Value> {
        self.state.as_ref()
    }

    /// When the handler is cut off; what the answer itself needs is already taken off.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The time that the handler has left. One that waits should return [`Outcome::Continue`] while a few seconds remain.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
