//! CloudFormation custom resources on Lambda: from the request's envelope to exactly one response.

mod aws;
mod continuation;
mod deadline;
mod delivery;
mod event;
mod guard;
mod handling;
mod identity;
mod lenient;
mod logging;
mod plan;
mod properties;
mod resource;
mod response;
mod runtime;
#[cfg(feature = "testing")]
pub mod testing;

pub use aws::aws_config;
pub use continuation::MOST_CONTINUATIONS;
pub use delivery::Undelivered;
pub use event::{Event, MalformedEvent, RequestType};
pub use identity::{InvalidPhysicalId, LONGEST_PHYSICAL_ID, NotAStack, NotAnOwner, Owner, PhysicalId, Scope};
pub use logging::init_log;
pub use properties::blank_as_none;
pub use resource::{Answer, CustomResource, Deletion, Outcome, Request};
pub use response::LARGEST_RESPONSE;
pub use runtime::{Error, Runtime, Unanswered};
