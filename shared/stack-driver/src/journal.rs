//! An operation's events, of the stack and of every stack nested in it, gathered into one story.

use crate::event::{Event, Status, is_custom_resource};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// Where a resource stands: the modules from the root down, then its logical id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<String>);

impl Path {
    /// `Database / Schema`; the root stack itself is `(stack)`.
    #[must_use]
    pub fn text(&self) -> String {
        if self.0.is_empty() {
            "(stack)".to_owned()
        } else {
            self.0.join(" / ")
        }
    }

    /// How many stacks stand above the resource.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    fn below(&self, logical_id: &str) -> Self {
        let mut names = self.0.clone();
        names.push(logical_id.to_owned());
        Self(names)
    }
}

/// One line of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Since the operation began.
    pub since_start: Duration,
    /// The resource.
    pub path: Path,
    /// Its type.
    pub resource_type: String,
    /// What it has come to.
    pub status: Status,
    /// Why; often empty.
    pub reason: String,
    /// How long the step took that ends here.
    pub took: Option<Duration>,
}

/// A resource on which the operation waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The resource.
    pub path: Path,
    /// Its type.
    pub resource_type: String,
    /// For how long already.
    pub elapsed: Duration,
}

impl Waiting {
    /// Whether it waits for a function of the template's own.
    #[must_use]
    pub fn is_custom_resource(&self) -> bool {
        is_custom_resource(&self.resource_type)
    }
}

/// The events of one operation on a stack.
///
/// Events may come in any order and more than once; those not younger than `since` belong to an earlier operation.
#[derive(Debug)]
pub struct Journal {
    root: String,
    since: Duration,
    modules: BTreeMap<String, Path>,
    resting: HashSet<String>,
    seen: HashSet<(String, String)>,
    begun: BTreeMap<Path, (Duration, String)>,
    events: Vec<Event>,
}

impl Journal {
    /// An empty journal of the stack with this ARN.
    #[must_use]
    pub fn new(root: &str, since: Duration) -> Self {
        Self {
            root: root.to_owned(),
            since,
            modules: BTreeMap::from([(root.to_owned(), Path(Vec::new()))]),
            resting: HashSet::new(),
            seen: HashSet::new(),
            begun: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// The ARN of the stack.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Events up to this moment belong to earlier operations.
    #[must_use]
    pub fn since(&self) -> Duration {
        self.since
    }

    /// The stacks that may have news: the root, and each nested one whose parent has not closed it.
    #[must_use]
    pub fn stacks_at_work(&self) -> Vec<String> {
        self.modules
            .keys()
            .filter(|stack| !self.resting.contains(*stack))
            .cloned()
            .collect()
    }

    /// Every stack that took part.
    #[must_use]
    pub fn all_stacks(&self) -> Vec<String> {
        self.modules.keys().cloned().collect()
    }

    /// Every event so far, in the order of their times.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Takes what was read and gives the lines to show for what is new, in the order of their times.
    pub fn take(&mut self, events: Vec<Event>) -> Vec<Row> {
        let mut fresh: Vec<Event> = events
            .into_iter()
            .filter(|event| event.at > self.since)
            .filter(|event| self.seen.insert((event.stack_id.clone(), event.id.clone())))
            .collect();
        // CloudFormation lists the newest first; what happened within one millisecond keeps that order, reversed.
        fresh.reverse();
        fresh.sort_by_key(|event| event.at);
        let first = self.events.first().or(fresh.first());
        let start = first.map_or(Duration::ZERO, |first| first.at);
        let rows = fresh.iter().filter_map(|event| self.note(event, start)).collect();
        self.events.extend(fresh);
        self.events.sort_by_key(|event| event.at);
        rows
    }

    /// The root stack's final status, once the operation has ended.
    #[must_use]
    pub fn outcome(&self) -> Option<&Status> {
        let last = self
            .events
            .iter()
            .rev()
            .find(|event| event.stack_id == self.root && event.is_about_its_stack())?;
        let open = last.status.is_in_progress();
        (!open).then_some(&last.status)
    }

    /// What the operation waits for at this moment, the longest wait first; a nested stack only if nothing in it is known to work.
    #[must_use]
    pub fn waiting(&self, now: Duration) -> Vec<Waiting> {
        let busy_inside = |path: &Path| {
            self.begun
                .keys()
                .any(|other| other != path && other.0.starts_with(&path.0))
        };
        let mut waiting: Vec<Waiting> = self
            .begun
            .iter()
            .filter(|(path, _)| path.depth() > 0 && !busy_inside(path))
            .map(|(path, (begun, resource_type))| Waiting {
                path: path.clone(),
                resource_type: resource_type.clone(),
                elapsed: now.saturating_sub(*begun),
            })
            .collect();
        waiting.sort_by(|a, b| b.elapsed.cmp(&a.elapsed).then_with(|| a.path.cmp(&b.path)));
        waiting
    }

    /// Where the resource of an event stands.
    #[must_use]
    pub fn path(&self, event: &Event) -> Path {
        let stack = self.modules.get(&event.stack_id).cloned().unwrap_or(Path(Vec::new()));
        if event.is_about_its_stack() {
            stack
        } else {
            stack.below(&event.logical_id)
        }
    }

    /// The time of the first and of the last event.
    #[must_use]
    pub fn span(&self) -> Option<(Duration, Duration)> {
        Some((self.events.first()?.at, self.events.last()?.at))
    }

    /// Learns from an event; the line to show, unless the parent's line already says it.
    fn note(&mut self, event: &Event, start: Duration) -> Option<Row> {
        self.learn_nested(event);
        let path = self.path(event);
        let took = self.measure(&path, event);
        let told_by_parent = event.is_about_its_stack() && event.stack_id != self.root;
        if told_by_parent || event.is_echo() {
            return None;
        }
        Some(Row {
            since_start: event.at.saturating_sub(start),
            path,
            resource_type: event.resource_type.clone(),
            status: event.status.clone(),
            reason: event.reason.clone(),
            took,
        })
    }

    fn learn_nested(&mut self, event: &Event) {
        let Some(nested) = event.nested_stack().map(str::to_owned) else {
            return;
        };
        let path = self.path(event);
        if event.status.is_in_progress() {
            self.resting.remove(&nested);
        } else {
            self.resting.insert(nested.clone());
        }
        self.modules.entry(nested).or_insert(path);
    }

    fn measure(&mut self, path: &Path, event: &Event) -> Option<Duration> {
        if event.status.is_in_progress() {
            let begun = (event.at, event.resource_type.clone());
            // The root's own clock runs from the beginning, through rollback and cleanup.
            let goes_on = event.is_about_its_stack() && !event.status.opens_operation();
            if event.is_echo() || goes_on {
                self.begun.entry(path.clone()).or_insert(begun);
            } else {
                self.begun.insert(path.clone(), begun);
            }
            return None;
        }
        self.begun.remove(path).map(|(begun, _)| event.at.saturating_sub(begun))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{arn, because, custom, event, nested, own};

    fn shown(rows: &[Row]) -> Vec<String> {
        rows.iter()
            .map(|row| {
                format!(
                    "{} {} {} {:?}",
                    row.since_start.as_secs(),
                    row.status,
                    row.path.text(),
                    row.took.map(|t| t.as_secs())
                )
            })
            .collect()
    }

    fn root() -> Journal {
        Journal::new(&arn("root"), Duration::from_secs(100))
    }

    #[test]
    fn rows_of_nested_stacks_bear_the_name_of_their_module() {
        let mut journal = root();
        let rows = journal.take(vec![
            own("root", "CREATE_IN_PROGRESS", 101, "User Initiated"),
            nested("root", "Database", "db", "CREATE_IN_PROGRESS", 102, ""),
        ]);
        assert_eq!(
            shown(&rows),
            [
                "0 CREATE_IN_PROGRESS (stack) None",
                "1 CREATE_IN_PROGRESS Database None"
            ]
        );
        assert_eq!(journal.stacks_at_work(), [arn("db"), arn("root")]);
        let rows = journal.take(vec![
            event("db", "Schema", "CREATE_COMPLETE", 109),
            event("db", "Schema", "CREATE_IN_PROGRESS", 104),
            own("db", "CREATE_IN_PROGRESS", 103, ""),
        ]);
        assert_eq!(
            shown(&rows),
            [
                "3 CREATE_IN_PROGRESS Database / Schema None",
                "8 CREATE_COMPLETE Database / Schema Some(5)"
            ]
        );
    }

    #[test]
    fn what_was_seen_and_what_is_older_than_the_operation_is_not_shown_again() {
        let mut journal = root();
        let old = event("root", "Topic", "CREATE_COMPLETE", 100);
        let new = event("root", "Topic", "UPDATE_COMPLETE", 105);
        assert_eq!(journal.take(vec![new.clone(), old]).len(), 1);
        assert_eq!(journal.take(vec![new]), []);
    }

    #[test]
    fn events_of_one_moment_keep_the_order_in_which_they_happened() {
        let mut journal = root();
        let newest_first = vec![
            event("root", "Topic", "CREATE_COMPLETE", 101),
            event("root", "Topic", "CREATE_IN_PROGRESS", 101),
        ];
        assert_eq!(
            shown(&journal.take(newest_first)),
            ["0 CREATE_IN_PROGRESS Topic None", "0 CREATE_COMPLETE Topic Some(0)"]
        );
    }

    #[test]
    fn the_echo_of_a_beginning_is_not_shown_and_does_not_restart_its_clock() {
        let mut journal = root();
        let rows = journal.take(vec![
            event("root", "Topic", "CREATE_IN_PROGRESS", 101),
            because(
                "root",
                "Topic",
                "CREATE_IN_PROGRESS",
                103,
                "Resource creation Initiated",
            ),
            event("root", "Topic", "CREATE_COMPLETE", 106),
        ]);
        assert_eq!(
            shown(&rows),
            ["0 CREATE_IN_PROGRESS Topic None", "5 CREATE_COMPLETE Topic Some(5)"]
        );
    }

    #[test]
    fn a_nested_stack_that_its_parent_closed_is_not_asked_again_until_it_is_reopened() {
        let mut journal = root();
        journal.take(vec![nested("root", "Ses", "ses", "CREATE_COMPLETE", 105, "")]);
        assert_eq!(journal.stacks_at_work(), [arn("root")]);
        journal.take(vec![nested("root", "Ses", "ses", "DELETE_IN_PROGRESS", 107, "")]);
        assert_eq!(journal.stacks_at_work(), [arn("root"), arn("ses")]);
        assert_eq!(journal.all_stacks(), [arn("root"), arn("ses")]);
    }

    #[test]
    fn the_outcome_is_the_roots_last_word_and_no_nested_stacks() {
        let mut journal = root();
        journal.take(vec![
            own("root", "UPDATE_IN_PROGRESS", 101, ""),
            own("db", "UPDATE_COMPLETE", 103, ""),
        ]);
        assert_eq!(journal.outcome(), None);
        journal.take(vec![own("root", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", 104, "")]);
        assert_eq!(journal.outcome(), None);
        journal.take(vec![own("root", "UPDATE_COMPLETE", 105, "")]);
        assert_eq!(journal.outcome(), Some(&Status::new("UPDATE_COMPLETE")));
    }

    #[test]
    fn the_operation_waits_for_what_began_and_has_not_ended() {
        let mut journal = root();
        journal.take(vec![
            own("root", "CREATE_IN_PROGRESS", 101, ""),
            nested("root", "Ses", "ses", "CREATE_IN_PROGRESS", 102, ""),
            custom("ses", "SesDomain", "CREATE_IN_PROGRESS", 110, ""),
            event("root", "Vpc", "CREATE_IN_PROGRESS", 103),
            event("root", "Key", "CREATE_IN_PROGRESS", 103),
            event("root", "Key", "CREATE_COMPLETE", 104),
        ]);
        let waiting: Vec<(String, u64, bool)> = journal
            .waiting(Duration::from_secs(130))
            .iter()
            .map(|wait| (wait.path.text(), wait.elapsed.as_secs(), wait.is_custom_resource()))
            .collect();
        assert_eq!(
            waiting,
            [("Vpc".to_owned(), 27, false), ("Ses / SesDomain".to_owned(), 20, true)]
        );
    }
}
