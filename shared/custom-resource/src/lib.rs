//! CloudFormation custom resources on Lambda: from the request's envelope to exactly one response.
//!
//! A stack waits, an hour by default, for whoever makes its custom resource to answer. A [`CustomResource`] is a handler
//! that knows nothing of that: typed properties in, typed attributes out, three verbs. The [`Runtime`] around it reads the
//! envelope before anything inside it is believed, checks that the answer will fit before anything is changed, keeps
//! panic, error and deadline from ending in silence, and delivers one response, patiently. Physical ids follow from the
//! properties, so that what failed half-way can be found again; [`Owner`] marks tell what a stack made from what it only
//! met. Work longer than one invocation [continues](Outcome::Continue) in a further one. Neither log nor reason shows a
//! property's value or the response's URL.
//!
//! ```
//! use custom_resource::{
//!     Answer, CustomResource, Deletion, Error, InvalidPhysicalId, Outcome, PhysicalId, Request, Runtime, Scope,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize)]
//! #[serde(rename_all = "PascalCase", deny_unknown_fields)]
//! struct Properties { name: Name, #[serde(default)] loud: bool }
//!
//! /// A name that can be identified: one too long for a physical id is refused like any malformed property.
//! #[derive(Deserialize)]
//! #[serde(try_from = "String")]
//! struct Name(PhysicalId);
//!
//! impl TryFrom<String> for Name {
//!     type Error = InvalidPhysicalId;
//!     fn try_from(name: String) -> Result<Self, InvalidPhysicalId> {
//!         Ok(Self(PhysicalId::new(format!("greeting:{name}"))?))
//!     }
//! }
//!
//! #[derive(Serialize)]
//! #[serde(rename_all = "PascalCase")]
//! struct Attributes { text: String }
//!
//! /// `Custom::Greeting`: a greeting. There is nothing to make, so there is nothing to remove.
//! struct Greeting;
//!
//! impl CustomResource for Greeting {
//!     type Properties = Properties;
//!     type Attributes = Attributes;
//!     type Error = std::convert::Infallible;
//!
//!     fn physical_id(&self, _: &Scope, properties: &Properties) -> PhysicalId {
//!         properties.name.0.clone()
//!     }
//!     fn recognises(&self, id: &PhysicalId) -> bool {
//!         id.as_str().starts_with("greeting:")
//!     }
//!     fn largest_attributes(&self, properties: &Properties) -> Attributes {
//!         let mark = if properties.loud { "!" } else { "." };
//!         Attributes { text: properties.name.0.as_str().replace("greeting:", "Hello, ") + mark }
//!     }
//!     async fn create(&self, _: &Request, wanted: Properties) -> Result<Outcome<Attributes>, Self::Error> {
//!         Ok(Outcome::Done(Answer::new(self.largest_attributes(&wanted))))
//!     }
//!     async fn update(
//!         &self, request: &Request, wanted: Properties, _: Option<Properties>,
//!     ) -> Result<Outcome<Attributes>, Self::Error> {
//!         self.create(request, wanted).await
//!     }
//!     async fn delete(&self, _: &Request, _: Option<Properties>) -> Result<Deletion, Self::Error> {
//!         Ok(Deletion::Done)
//!     }
//! }
//!
//! /// What the function's `main` awaits, under `#[tokio::main(flavor = "current_thread")]`.
//! async fn serve() -> Result<(), Error> {
//!     Runtime::new().on("Custom::Greeting", Greeting).run().await
//! }
//!
//! # #[cfg(feature = "testing")]
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! // With the feature `testing`: what CloudFormation sends, and what it gets.
//! use custom_resource::testing;
//! use serde_json::json;
//!
//! let runtime = Runtime::new().on("Custom::Greeting", Greeting);
//! let run = testing::create("Custom::Greeting", json!({"Name": "world", "Loud": "true"})).send(&runtime).await;
//! assert_eq!(run.response().status(), "SUCCESS");
//! assert_eq!(run.response().physical_id(), "greeting:world");
//! assert_eq!(run.response().attribute("Text"), "Hello, world!");
//!
//! let run = testing::create("Custom::Greeting", json!({"Name": "world", "Loud": "very"})).send(&runtime).await;
//! assert_eq!(run.response().status(), "FAILED");
//! assert_eq!(
//!     run.response().reason(),
//!     "The property `Loud` must be true or false, but is another string; correct it in the template."
//! );
//! # });
//! ```
//!
//! # What it does not do
//!
//! - It cannot answer for a process that is gone, out of memory or blocked in its only thread. Give the function an
//!   on-failure destination that calls [`Event::fail`], and `MaximumRetryAttempts: 0`, so that no failed Create runs again.
//! - It keeps no state and takes no lock: that repeated and concurrent events converge is for the handler to see to, with
//!   what [`CustomResource`] says of marks.
//! - It does not undo. A create that fails leaves what it made to the Delete that follows; an update that fails to another
//!   identity leaves it marked, for the next attempt to find.
//! - It hides what it logs itself; what a handler logs, or writes into its errors and attributes, is the handler's affair.
//!
//! # What the template says to the runtime
//!
//! Four properties never reach a handler: `ServiceToken` and `ServiceTimeout`, which are CloudFormation's; `Nonce`, whose
//! change makes CloudFormation send an update, so that the resource is looked at again; and `ParameterNames`, as in
//! `ParameterNames: {Name: GreetingName}`: a reason that names the property `Name` goes on to say that the stack's parameter
//! for it is `GreetingName`. The README beside this crate's manifest shows the whole wiring.
//!
//! # Time
//!
//! Eight seconds of every invocation belong to the answer, or half of it where the function's `Timeout` is below 16 s; the
//! handler has [what remains](Request::remaining). Give the function 30 s or more, and the resource a `ServiceTimeout` of
//! its longest wait and a minute. Where an AWS knows new policies at once, as an emulated one does, the variable
//! `POLICY_PROPAGATION_SECONDS` shortens the half minute in which a denied Create or Update is tried again.

mod aws;
mod aws_error;
mod continuation;
mod deadline;
mod delivery;
mod event;
mod guard;
mod handling;
mod identity;
mod lenient;
mod logging;
mod names;
mod plan;
mod properties;
mod resource;
mod response;
mod runtime;
#[cfg(feature = "testing")]
pub mod testing;
mod trust;
mod withdrawal;

/// The README's code is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use aws::aws_config;
pub use aws_error::{AwsError, reason};
pub use continuation::MOST_CONTINUATIONS;
pub use delivery::Undelivered;
pub use event::{Event, MalformedEvent, RequestType};
pub use identity::{InvalidPhysicalId, LONGEST_PHYSICAL_ID, NotAStack, NotAnOwner, Owner, PhysicalId, Scope};
pub use logging::init_log;
pub use properties::blank_as_none;
pub use resource::{Answer, CustomResource, Deletion, Outcome, Request};
pub use response::LARGEST_RESPONSE;
pub use runtime::{Error, Runtime, Unanswered};
pub use withdrawal::is_withdrawn;
