//! CloudFormation custom resources on Lambda: from the request's envelope to exactly one response.

mod aws;
mod identity;
mod resource;

pub use aws::aws_config;
pub use identity::{
    InvalidPhysicalId, LONGEST_PHYSICAL_ID, NotAStack, NotAnOwner, Owner, PhysicalId, Scope,
};
pub use resource::{Answer, CustomResource, Deletion, Outcome, Request};
