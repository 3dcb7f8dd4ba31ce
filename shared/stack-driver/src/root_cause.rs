//! Why an operation failed: the one failure that the others follow from.
//!
//! CloudFormation reports a failure once where it happened and again in every stack above ("Embedded stack ... was not
//! successfully created"), cancels what ran beside it, and may fail again while it rolls back. The root cause is the
//! earliest failure that is none of these echoes; of two at the same moment, the more deeply nested.

use crate::event::{Event, STACK_TYPE, Status};
use crate::journal::Journal;

/// A failure with what is needed to understand it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The modules and the logical id: `Database / Schema`.
    pub path: String,
    /// Such as `Custom::Database`.
    pub resource_type: String,
    /// Such as `CREATE_FAILED`.
    pub status: Status,
    /// The resource's own words.
    pub reason: String,
    /// The ARN of the stack that it belongs to.
    pub stack_id: String,
}

/// The first failure, and what failed besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootCause {
    /// The failure to look at.
    pub first: Failure,
    /// Failures of other resources, in the order of their times: they may have causes of their own.
    pub others: Vec<Failure>,
}

/// Finds the root cause of a failed operation; `None` if nothing failed.
#[must_use]
pub fn root_cause(journal: &Journal) -> Option<RootCause> {
    let mut failed: Vec<&Event> = journal
        .events()
        .iter()
        .filter(|event| event.status.is_failure())
        .collect();
    failed.sort_by_key(|event| (event.at, std::cmp::Reverse(journal.path(event).depth())));
    let real = |event: &&&Event| !is_echo(journal, event) && !event.is_about_its_stack();
    let first = failed
        .iter()
        .find(real)
        .or_else(|| failed.iter().find(|event| !is_cancelled(event)))?;
    let first_path = journal.path(first);
    let mut others: Vec<Failure> = Vec::new();
    for event in failed
        .iter()
        .filter(real)
        .filter(|event| journal.path(event) != first_path)
    {
        let failure = describe(journal, event);
        if !others.iter().any(|other| other.path == failure.path) {
            others.push(failure);
        }
    }
    Some(RootCause {
        first: describe(journal, first),
        others,
    })
}

fn describe(journal: &Journal, event: &Event) -> Failure {
    Failure {
        path: journal.path(event).text(),
        resource_type: event.resource_type.clone(),
        status: event.status.clone(),
        reason: if event.reason.is_empty() {
            "CloudFormation gave no reason.".to_owned()
        } else {
            event.reason.clone()
        },
        stack_id: event.stack_id.clone(),
    }
}

/// Failures that only repeat another one's: a nested stack's, when the failure inside it is known or is spoken of.
fn is_echo(journal: &Journal, event: &Event) -> bool {
    let fails_inside = |nested: &str| {
        let mut events = journal.events().iter();
        events.any(|inner| inner.stack_id == nested && inner.status.is_failure())
    };
    let is_nested = event.resource_type == STACK_TYPE;
    is_cancelled(event)
        || event.nested_stack().is_some_and(fails_inside)
        || (is_nested && repeats_a_nested_failure(&event.reason))
}

fn is_cancelled(event: &Event) -> bool {
    [
        "Resource creation cancelled",
        "Resource update cancelled",
        "Resource deletion cancelled",
        "Resource import cancelled",
    ]
    .iter()
    .any(|text| event.reason.starts_with(text))
}

fn repeats_a_nested_failure(reason: &str) -> bool {
    let embedded = reason.starts_with("Embedded stack ") && !reason.contains("does not exist");
    embedded || reason.starts_with("The following resource(s) failed to ")
}

/// What to do about reasons that CloudFormation leaves without a remedy.
#[must_use]
pub fn advice(reason: &str) -> Option<&'static str> {
    let text = reason.to_lowercase();
    let has = |part: &str| text.contains(part);
    if has("deletion protection") || has("deletionprotection") || has("deletion_protection") {
        return Some(
            "Deletion protection guards the data. Turn it off on purpose first (the parameter, or `aws rds modify-db-instance \
             --db-instance-identifier ID --no-deletion-protection --apply-immediately`), then delete again.",
        );
    }
    if has("terminationprotection") || has("termination protection") {
        return Some(
            "Termination protection guards the stack. Turn it off on purpose: `aws cloudformation \
             update-termination-protection --stack-name NAME --no-enable-termination-protection`.",
        );
    }
    if has("bucket you tried to delete is not empty") {
        return Some(
            "CloudFormation deletes only empty buckets: empty it (`aws s3 rm s3://BUCKET --recursive`) or keep it.",
        );
    }
    if has("by stack policy") {
        return Some(
            "It holds data, and a stack policy keeps it. If it is to be replaced or removed, take a backup and deploy with \
             --confirm-replacement Module/Resource (with make: CONFIRM_REPLACEMENT=Module/Resource).",
        );
    }
    if has("not authorized to perform") || has("accessdenied") || has("access denied") {
        return Some("The role or user that deploys lacks this permission: grant it, or deploy with --role-arn.");
    }
    if has("did not receive a response from your custom resource") {
        return Some(
            "The function died or could not reach S3: look into its log group, and at the S3 gateway endpoint.",
        );
    }
    if has("limitexceeded") || has("limit exceeded") || has("maximum number of") {
        return Some("An account's quota is used up: raise it in Service Quotas, or remove what is no longer needed.");
    }
    None
}

/// The log group and stream that a custom resource's reason names: "See log group G, stream S."
#[must_use]
pub fn log_stream(reason: &str) -> Option<(&str, &str)> {
    let after = reason.rsplit_once("See log group ")?.1;
    let (group, rest) = after.split_once(", stream ")?;
    let stream = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
    Some((group, stream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{arn, because, custom, event, nested, own};
    use std::time::Duration;

    /// Path and reason of the first failure, paths of the others.
    type Found = (String, String, Vec<String>);

    fn cause(events: Vec<Event>) -> Option<Found> {
        let mut journal = Journal::new(&arn("root"), Duration::ZERO);
        journal.take(events);
        root_cause(&journal).map(|cause| {
            (
                cause.first.path,
                cause.first.reason,
                cause.others.into_iter().map(|other| other.path).collect(),
            )
        })
    }

    fn found(path: &str, reason: &str, others: &[&str]) -> Found {
        (
            path.to_owned(),
            reason.to_owned(),
            others.iter().map(|&other| other.to_owned()).collect(),
        )
    }

    const EMBEDDED: &str = "Embedded stack arn:aws:cloudformation:eu-central-1:111122223333:stack/db/0a1b was not successfully \
                            created: The following resource(s) failed to create: [Schema].";

    #[test]
    fn the_resource_in_the_nested_stack_is_the_cause_not_the_stack_around_it() {
        let events = vec![
            own("root", "CREATE_IN_PROGRESS", 1, "User Initiated"),
            nested("root", "Database", "db", "CREATE_IN_PROGRESS", 2, ""),
            custom("db", "Schema", "CREATE_IN_PROGRESS", 3, ""),
            custom(
                "db",
                "Schema",
                "CREATE_FAILED",
                9,
                "The schema mautic exists already: set AdoptExisting.",
            ),
            own(
                "db",
                "CREATE_FAILED",
                10,
                "The following resource(s) failed to create: [Schema].",
            ),
            nested("root", "Database", "db", "CREATE_FAILED", 11, EMBEDDED),
            because("root", "Vpc", "CREATE_FAILED", 11, "Resource creation cancelled"),
            own(
                "root",
                "ROLLBACK_IN_PROGRESS",
                12,
                "The following resource(s) failed to create: [Database, Vpc].",
            ),
            own("root", "ROLLBACK_COMPLETE", 20, ""),
        ];
        assert_eq!(
            cause(events).expect("a cause"),
            found(
                "Database / Schema",
                "The schema mautic exists already: set AdoptExisting.",
                &[]
            )
        );
    }

    #[test]
    fn of_several_failures_the_earliest_leads_and_the_others_are_named() {
        let events = vec![
            own("root", "CREATE_IN_PROGRESS", 1, ""),
            nested("root", "Ses", "ses", "CREATE_IN_PROGRESS", 2, ""),
            because("root", "Topic", "CREATE_FAILED", 8, "Invalid parameter: DisplayName"),
            custom("ses", "Domain", "CREATE_FAILED", 7, "No public zone holds example.com."),
            because("ses", "Key", "CREATE_FAILED", 8, "Resource creation cancelled"),
            own("root", "ROLLBACK_IN_PROGRESS", 9, ""),
        ];
        assert_eq!(
            cause(events).expect("a cause"),
            found("Ses / Domain", "No public zone holds example.com.", &["Topic"])
        );
    }

    #[test]
    fn at_the_same_moment_the_deeper_failure_is_the_cause() {
        let events = vec![
            own("root", "CREATE_IN_PROGRESS", 1, ""),
            nested("root", "Ses", "ses", "CREATE_IN_PROGRESS", 2, ""),
            because("root", "Topic", "CREATE_FAILED", 7, "outer"),
            because("ses", "Domain", "CREATE_FAILED", 7, "inner"),
        ];
        assert_eq!(
            cause(events).expect("a cause"),
            found("Ses / Domain", "inner", &["Topic"])
        );
    }

    #[test]
    fn a_nested_stack_that_never_began_is_itself_the_cause() {
        let events = vec![
            own("root", "CREATE_IN_PROGRESS", 1, ""),
            nested(
                "root",
                "Database",
                "db",
                "CREATE_FAILED",
                3,
                "Parameters: [VpcId] must have values",
            ),
        ];
        assert_eq!(
            cause(events).expect("a cause"),
            found("Database", "Parameters: [VpcId] must have values", &[])
        );
    }

    #[test]
    fn a_failure_known_only_from_its_echo_is_still_reported() {
        let events = vec![
            own("root", "CREATE_IN_PROGRESS", 1, ""),
            nested("root", "Database", "db", "CREATE_FAILED", 3, EMBEDDED),
        ];
        assert_eq!(cause(events).expect("a cause"), found("Database", EMBEDDED, &[]));
    }

    #[test]
    fn a_failed_update_is_told_apart_from_the_failure_of_its_rollback() {
        let events = vec![
            own("root", "UPDATE_IN_PROGRESS", 1, "User Initiated"),
            custom("root", "User", "UPDATE_FAILED", 4, "The grant SUPER is refused."),
            because("root", "Topic", "UPDATE_FAILED", 5, "Resource update cancelled"),
            own(
                "root",
                "UPDATE_ROLLBACK_IN_PROGRESS",
                6,
                "The following resource(s) failed to update: [User, Topic].",
            ),
            custom("root", "User", "UPDATE_FAILED", 9, "The server is gone."),
            because("root", "Queue", "UPDATE_FAILED", 9, "Access denied"),
            own(
                "root",
                "UPDATE_ROLLBACK_FAILED",
                10,
                "The following resource(s) failed to update: [User, Queue].",
            ),
        ];
        assert_eq!(
            cause(events).expect("a cause"),
            found("User", "The grant SUPER is refused.", &["Queue"])
        );
    }

    #[test]
    fn a_failed_deletion_names_what_would_not_go() {
        let events = vec![
            own("root", "DELETE_IN_PROGRESS", 1, "User Initiated"),
            event("root", "Topic", "DELETE_COMPLETE", 2),
            because(
                "root",
                "Bucket",
                "DELETE_FAILED",
                3,
                "The bucket you tried to delete is not empty",
            ),
            own(
                "root",
                "DELETE_FAILED",
                4,
                "The following resource(s) failed to delete: [Bucket].",
            ),
        ];
        assert_eq!(
            cause(events).expect("a cause"),
            found("Bucket", "The bucket you tried to delete is not empty", &[])
        );
    }

    #[test]
    fn a_stack_that_failed_without_any_resource_speaks_for_itself() {
        let events = vec![own("root", "CREATE_FAILED", 2, "Rule ProdNeedsAlarmEmail failed")];
        assert_eq!(
            cause(events).expect("a cause"),
            found("(stack)", "Rule ProdNeedsAlarmEmail failed", &[])
        );
    }

    #[test]
    fn a_success_has_no_cause_of_failure() {
        assert!(cause(vec![own("root", "CREATE_COMPLETE", 2, "")]).is_none());
    }

    #[test]
    fn the_log_stream_is_read_from_the_reason() {
        assert_eq!(
            log_stream("No zone. See log group /aws/lambda/ses-domain, stream 2026/11/24/[$LATEST]0a1b."),
            Some(("/aws/lambda/ses-domain", "2026/11/24/[$LATEST]0a1b"))
        );
        assert_eq!(log_stream("See log group, please"), None);
    }

    #[test]
    fn advice_is_given_where_the_reason_lacks_a_remedy() {
        assert!(
            advice("Cannot delete protected DB Instance, please disable deletion protection")
                .is_some_and(|text| text.starts_with("Deletion protection guards"))
        );
        assert_eq!(advice("The schema mautic exists already: set AdoptExisting."), None);
    }
}
