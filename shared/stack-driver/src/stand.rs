//! What is done with a stack that stands: follow it, explain its last failure, delete it.

use crate::cloud::{Cloud, CloudError, Stack};
use crate::command_line::own_name;
use crate::error::DriverError;
use crate::event::Event;
use crate::follow::{Ending, Follower, JUST_BEFORE};
use crate::journal::Journal;
use crate::report;
use crate::root_cause::root_cause;
use crate::screen::{say, say_line};
use crate::steps::confirm;
use crate::style::{Style, duration};
use crate::summary::shell_line;
use crate::verdict::{Verdict, ended, no_stack};
use std::time::{Duration, Instant};

/// What `delete` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteOptions {
    /// The stack's name or ARN.
    pub stack: String,
    /// Whether to follow the deletion to its end.
    pub wait: bool,
    /// Nobody is asked.
    pub yes: bool,
    /// The role that CloudFormation assumes.
    pub role_arn: Option<String>,
}

pub(crate) async fn find(cloud: &Cloud, stack: &str) -> Result<Stack, DriverError> {
    cloud.stack(stack).await?.ok_or_else(|| no_stack(cloud, stack))
}

/// Follows the operation that runs on a stack.
///
/// # Errors
/// There is no such stack, or AWS does not answer.
pub async fn follow(cloud: &Cloud, stack: &str, setup: Option<String>, style: Style) -> Result<Verdict, DriverError> {
    let found = find(cloud, stack).await?;
    if !found.status.is_in_progress() {
        say_line(&format!(
            "Nothing is going on: the stack {} is {}.",
            found.name, found.status
        ));
        return Ok(if found.status.is_success() {
            Verdict::Done
        } else {
            Verdict::Failed
        });
    }
    let (follower, ending) = watch(cloud, &found, style).await?;
    ended(cloud, &found.name, &follower, ending, setup, style).await
}

/// Shows the operation that runs on a stack, from its beginning to its end.
///
/// # Errors
/// AWS does not answer.
pub async fn watch<'a>(cloud: &'a Cloud, stack: &Stack, style: Style) -> Result<(Follower<'a>, Ending), DriverError> {
    let mut began = Duration::ZERO;
    cloud
        .events_until(&stack.id, |event| {
            began = event.at;
            event.is_about_its_stack() && event.status.opens_operation()
        })
        .await?;
    let mut follower = Follower::new(cloud, &stack.id, began.saturating_sub(JUST_BEFORE), style)?;
    let ending = follower.follow(&mut None).await?;
    Ok((follower, ending))
}

/// Deletes a stack.
///
/// # Errors
/// It is protected, or AWS refuses.
pub async fn delete(cloud: &Cloud, options: &DeleteOptions, style: Style) -> Result<Verdict, DriverError> {
    let Some(stack) = cloud
        .stack(&options.stack)
        .await?
        .filter(|stack| stack.status.as_str() != "DELETE_COMPLETE")
    else {
        say_line(&format!("There is no stack {}: nothing to delete.", options.stack));
        return Ok(Verdict::Done);
    };
    if stack.termination_protection {
        return Err(DriverError::TerminationProtection { stack: stack.name });
    }
    if !options.yes {
        confirm(&format!("Delete the stack {} ({})?", stack.name, stack.status))?;
    }
    let start = Instant::now();
    let since = cloud.latest_event(&stack.id).await?;
    let mut follower = Follower::new(cloud, &stack.id, since, style)?;
    cloud.delete_stack(&stack.id, options.role_arn.as_deref()).await?;
    if !options.wait {
        say_line(&format!(
            "The stack {} is being deleted. Follow it: {} follow --stack {}",
            stack.name,
            own_name(),
            stack.name
        ));
        return Ok(Verdict::Done);
    }
    let ending = follower.follow(&mut None).await?;
    let verdict = ended(cloud, &stack.name, &follower, ending, None, style).await?;
    say_line(&format!("{} in all", duration(start.elapsed())));
    Ok(verdict)
}

/// Explains a stack's last failure.
///
/// # Errors
/// There is no such stack, or AWS does not answer.
pub async fn why(cloud: &Cloud, stack: &str, style: Style) -> Result<Verdict, DriverError> {
    let found = find(cloud, stack).await?;
    let shell = shell_line(None, cloud.endpoint());
    let mut operations = Operations::default();
    cloud.events_until(&found.id, |event| operations.note(event)).await?;
    for operation in operations.finished() {
        let journal = whole(cloud, &found, &operation).await?;
        if let Some(cause) = root_cause(&journal) {
            say_line(&format!("{} is {}\n", found.name, found.status));
            say(&report::root_cause(&cause, &found.name, shell.as_deref(), style));
            return Ok(Verdict::Done);
        }
    }
    say_line(&format!(
        "No failure: the stack {} is {}, and no operation among its events has failed.",
        found.name, found.status
    ));
    Ok(Verdict::Done)
}

/// The events of an operation in the root stack and in all that is nested in it.
async fn whole(cloud: &Cloud, stack: &Stack, operation: &[Event]) -> Result<Journal, CloudError> {
    let times = || operation.iter().map(|event| event.at);
    let began = times().min().unwrap_or_default().saturating_sub(JUST_BEFORE);
    let ended = times().max().unwrap_or_default();
    let mut journal = Journal::new(&stack.id, began);
    journal.take(operation.to_vec());
    let mut asked = vec![stack.id.clone()];
    while let Some(next) = journal.all_stacks().into_iter().find(|stack| !asked.contains(stack)) {
        let events = cloud.events_after(&next, began).await?;
        journal.take(events.into_iter().filter(|event| event.at <= ended).collect());
        asked.push(next);
    }
    Ok(journal)
}

/// Cuts a stack's events, newest first, into operations, until one holds a failure.
#[derive(Debug, Default)]
struct Operations {
    whole: Vec<Vec<Event>>,
    current: Vec<Event>,
}

impl Operations {
    /// Whether enough was read.
    fn note(&mut self, event: &Event) -> bool {
        self.current.push(event.clone());
        if !(event.is_about_its_stack() && event.status.opens_operation()) {
            return false;
        }
        let operation = std::mem::take(&mut self.current);
        let failed = operation.iter().any(|event| event.status.is_failure());
        self.whole.push(operation);
        failed
    }

    /// The operations, the newest first; the last may lack its beginning.
    fn finished(self) -> impl Iterator<Item = Vec<Event>> {
        self.whole
            .into_iter()
            .chain([self.current])
            .filter(|operation| !operation.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{because, event, own};

    #[test]
    fn events_are_cut_where_operations_begin_and_reading_stops_at_a_failure() {
        let newest_first = [
            own("root", "UPDATE_COMPLETE", 30, ""),
            own("root", "UPDATE_IN_PROGRESS", 29, "User Initiated"),
            own("root", "UPDATE_ROLLBACK_COMPLETE", 20, ""),
            own("root", "UPDATE_ROLLBACK_IN_PROGRESS", 18, ""),
            because("root", "Topic", "UPDATE_FAILED", 17, "why not"),
            own("root", "UPDATE_IN_PROGRESS", 16, "User Initiated"),
            event("root", "Topic", "CREATE_COMPLETE", 4),
        ];
        let mut operations = Operations::default();
        let read = newest_first.iter().position(|event| operations.note(event));
        let sizes: Vec<usize> = operations.finished().map(|operation| operation.len()).collect();
        assert_eq!((read, sizes), (Some(5), vec![2, 4]));
    }
}
