//! CloudFormation's envelope: any JSON is read or refused, and neither way shows what it holds.
//!
//! The input is the event's JSON.

use custom_resource::{Event, LONGEST_PHYSICAL_ID, PhysicalId};
use serde_json::Value;

use crate::secrets;

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Value>(input) else {
        return;
    };
    match Event::parse(event.clone()) {
        Ok(parsed) => taken(&event, &parsed),
        Err(malformed) => refused(&event, &malformed.to_string()),
    }
}

/// What is taken is what stands there.
fn taken(event: &Value, parsed: &Event) {
    let text = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
    assert_eq!(parsed.request_type().to_string(), text("RequestType"));
    assert_eq!(parsed.request_id(), text("RequestId"));
    assert_eq!(parsed.resource_type(), text("ResourceType"));
    assert_eq!(parsed.scope().stack_id(), text("StackId"));
    assert_eq!(parsed.scope().logical_id(), text("LogicalResourceId"));
    let shown = format!("{parsed:?}");
    let may_be_shown: String = [
        "RequestType",
        "RequestId",
        "ResourceType",
        "StackId",
        "LogicalResourceId",
    ]
    .map(|member| format!("{:?} ", text(member)))
    .concat();
    for secret in secrets(event) {
        assert!(
            !shown.contains(&secret) || may_be_shown.contains(&secret),
            "{shown} shows {secret}"
        );
    }
    let placeholder = PhysicalId::placeholder(parsed.scope().stack_id(), parsed.scope().logical_id());
    assert!(
        (1..=LONGEST_PHYSICAL_ID).contains(&placeholder.as_str().len()),
        "{placeholder}"
    );
}

/// The message names members, and no value.
fn refused(event: &Value, message: &str) {
    for secret in secrets(event) {
        assert!(!message.contains(&secret), "`{message}` shows {secret}");
    }
    assert!(message.lines().count() == 1, "{message}");
}
