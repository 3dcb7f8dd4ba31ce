//! What CloudFormation tells about one resource at one moment.

use std::fmt;
use std::time::Duration;

/// The type of a nested stack, and of a stack's events about itself.
pub const STACK_TYPE: &str = "AWS::CloudFormation::Stack";

/// A resource's or stack's status, such as `CREATE_COMPLETE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Status(String);

impl Status {
    /// The status spelled as CloudFormation spells it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// CloudFormation's own spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `CREATE_FAILED`, `DELETE_FAILED`, `UPDATE_ROLLBACK_FAILED` and their like.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.0.ends_with("_FAILED")
    }

    /// Work that has not ended.
    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        self.0.ends_with("_IN_PROGRESS")
    }

    /// A rollback, whether it runs, ended or failed.
    #[must_use]
    pub fn is_rollback(&self) -> bool {
        self.0.contains("ROLLBACK")
    }

    /// Whether a stack with this status has done what was asked of it.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.0.ends_with("_COMPLETE") && !self.is_rollback()
    }

    /// Whether a stack's own event with this status opens an operation that a user asked for.
    #[must_use]
    pub fn opens_operation(&self) -> bool {
        matches!(
            self.0.as_str(),
            "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS" | "IMPORT_IN_PROGRESS"
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// One stack event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Unique within the stack.
    pub id: String,
    /// The ARN of the stack that the resource belongs to.
    pub stack_id: String,
    /// The resource's name in the template; the stack's name in its events about itself.
    pub logical_id: String,
    /// The resource's id; empty until it is known.
    pub physical_id: String,
    /// Such as `AWS::RDS::DBInstance`.
    pub resource_type: String,
    /// What the resource has come to.
    pub status: Status,
    /// Why, in CloudFormation's or the resource's words; often empty.
    pub reason: String,
    /// Since the Unix epoch, by CloudFormation's clock.
    pub at: Duration,
}

impl Event {
    /// An event of the stack about itself, not about one of its resources.
    #[must_use]
    pub fn is_about_its_stack(&self) -> bool {
        self.resource_type == STACK_TYPE && self.physical_id == self.stack_id
    }

    /// The ARN of the nested stack that this event tells of, once it is known.
    #[must_use]
    pub fn nested_stack(&self) -> Option<&str> {
        if self.resource_type != STACK_TYPE || self.physical_id == self.stack_id {
            return None;
        }
        if self.physical_id.starts_with("arn:") {
            return Some(&self.physical_id);
        }
        // A nested stack that failed at once may be known from the reason only.
        let words = self.reason.strip_prefix("Embedded stack ")?;
        words.split_whitespace().next().filter(|word| word.starts_with("arn:"))
    }

    /// Whether a function of the template's own decides when the resource is ready.
    #[must_use]
    pub fn is_custom_resource(&self) -> bool {
        is_custom_resource(&self.resource_type)
    }

    /// The second `..._IN_PROGRESS` of a resource, which says only that the request was sent.
    #[must_use]
    pub fn is_echo(&self) -> bool {
        self.status.is_in_progress() && self.reason.ends_with(" Initiated") && !self.is_about_its_stack()
    }
}

/// Whether a resource type is a custom resource's.
#[must_use]
pub fn is_custom_resource(resource_type: &str) -> bool {
    resource_type.starts_with("Custom::") || resource_type == "AWS::CloudFormation::CustomResource"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_apart_by_its_ending() {
        let judged: Vec<(&str, bool, bool, bool)> = [
            "CREATE_COMPLETE",
            "UPDATE_ROLLBACK_COMPLETE",
            "ROLLBACK_FAILED",
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        ]
        .into_iter()
        .map(|text| {
            let status = Status::new(text);
            (text, status.is_success(), status.is_failure(), status.is_in_progress())
        })
        .collect();
        assert_eq!(
            judged,
            [
                ("CREATE_COMPLETE", true, false, false),
                ("UPDATE_ROLLBACK_COMPLETE", false, false, false),
                ("ROLLBACK_FAILED", false, true, false),
                ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", false, false, true),
            ]
        );
    }

    #[test]
    fn a_nested_stack_is_known_by_its_arn_only() {
        let mut event = crate::testing::event("root", "Database", "CREATE_IN_PROGRESS", 1);
        event.resource_type = STACK_TYPE.to_owned();
        event.physical_id = String::new();
        assert_eq!(event.nested_stack(), None);
        event.physical_id = crate::testing::arn("database");
        assert_eq!(event.nested_stack(), Some(crate::testing::arn("database").as_str()));
        event.physical_id.clone_from(&event.stack_id);
        assert_eq!(event.nested_stack(), None);
        event.physical_id = String::new();
        event.reason = "Embedded stack arn:aws:x:stack/db/1 was not successfully created".to_owned();
        assert_eq!(event.nested_stack(), Some("arn:aws:x:stack/db/1"));
    }
}
