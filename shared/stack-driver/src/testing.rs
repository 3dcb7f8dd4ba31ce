//! Short spellings for the events that tests write down.

use crate::event::{Event, STACK_TYPE, Status};
use std::time::Duration;

/// A stack's ARN.
pub fn arn(stack: &str) -> String {
    format!("arn:aws:cloudformation:eu-central-1:111122223333:stack/{stack}/0a1b")
}

/// An event of a resource, at a second of the story.
pub fn event(stack: &str, resource: &str, status: &str, second: u64) -> Event {
    Event {
        id: format!("{stack}-{resource}-{status}-{second}"),
        stack_id: arn(stack),
        logical_id: resource.to_owned(),
        physical_id: format!("{resource}-id"),
        resource_type: "AWS::SNS::Topic".to_owned(),
        status: Status::new(status),
        reason: String::new(),
        at: Duration::from_secs(second),
    }
}

/// The same with a reason.
pub fn because(stack: &str, resource: &str, status: &str, second: u64, reason: &str) -> Event {
    Event {
        reason: reason.to_owned(),
        ..event(stack, resource, status, second)
    }
}

/// The parent's event about a nested stack.
pub fn nested(parent: &str, module: &str, stack: &str, status: &str, second: u64, reason: &str) -> Event {
    Event {
        resource_type: STACK_TYPE.to_owned(),
        physical_id: arn(stack),
        ..because(parent, module, status, second, reason)
    }
}

/// A stack's event about itself.
pub fn own(stack: &str, status: &str, second: u64, reason: &str) -> Event {
    nested(stack, stack, stack, status, second, reason)
}

/// An event of a custom resource.
pub fn custom(stack: &str, resource: &str, status: &str, second: u64, reason: &str) -> Event {
    Event {
        resource_type: format!("Custom::{resource}"),
        ..because(stack, resource, status, second, reason)
    }
}
