//! Follows an operation until it ends, beside the AWS CLI or alone.

use crate::aws_cli::{AwsCli, CliError};
use crate::cloud::{Cloud, CloudError};
use crate::command_line::own_name;
use crate::event::{Event, Status};
use crate::journal::Journal;
use crate::report;
use crate::screen::{say, say_line};
use crate::style::Style;
use std::cmp::Reverse;
use std::process::ExitStatus;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often AWS may be silent before the driver gives up, in rounds.
const PATIENCE: u32 = 10;
/// Event times are exact to the millisecond.
pub(crate) const JUST_BEFORE: Duration = Duration::from_millis(1);
/// After so long without an event the driver says what is waited for.
const QUIET: Duration = Duration::from_secs(10);

/// The operation can no longer be followed; it goes on by itself.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// CloudFormation does not answer.
    #[error("{0}. The stack goes on by itself: `{me} follow` shows it again", me = own_name())]
    Cloud(#[from] CloudError),
    /// The AWS CLI is lost.
    #[error(transparent)]
    Cli(#[from] CliError),
    /// Signals cannot be heard.
    #[error("the signals of this process cannot be handled: {0}")]
    Signals(std::io::Error),
}

/// How following ended.
#[derive(Debug)]
pub enum Ending {
    /// The operation has ended with this status.
    Finished(Status),
    /// Somebody pressed Ctrl-C, or asked this process to end.
    Interrupted,
    /// The AWS CLI ended, and no operation had begun.
    NothingBegun(ExitStatus),
}

/// Reads events and shows them.
#[derive(Debug)]
pub struct Follower<'a> {
    cloud: &'a Cloud,
    stack: String,
    since: Duration,
    style: Style,
    journal: Option<Journal>,
    last_event: Instant,
    last_word: Instant,
    failures: u32,
    interrupt: Signal,
    terminate: Signal,
}

impl<'a> Follower<'a> {
    /// Follows the events of a stack, by name or ARN, that are younger than `since`.
    ///
    /// # Errors
    /// Signals cannot be handled.
    pub fn new(cloud: &'a Cloud, stack: &str, since: Duration, style: Style) -> Result<Self, FollowError> {
        Ok(Self {
            cloud,
            stack: stack.to_owned(),
            since,
            style,
            journal: None,
            last_event: Instant::now(),
            last_word: Instant::now(),
            failures: 0,
            interrupt: signal(SignalKind::interrupt()).map_err(FollowError::Signals)?,
            terminate: signal(SignalKind::terminate()).map_err(FollowError::Signals)?,
        })
    }

    /// What was read.
    #[must_use]
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// Whether the operation has begun: a change set alone changes nothing.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        let opens = |event: &Event| event.is_about_its_stack() && event.status.opens_operation();
        self.journal
            .as_ref()
            .is_some_and(|journal| journal.events().iter().any(opens))
    }

    /// Shows events until the operation ends.
    ///
    /// # Errors
    /// CloudFormation does not answer for long, or the AWS CLI is lost.
    pub async fn follow(&mut self, cli: &mut Option<AwsCli>) -> Result<Ending, FollowError> {
        let pause = Duration::from_millis(if self.cloud.is_local() { 500 } else { 3_000 });
        loop {
            self.round(false).await?;
            if let Some(status) = self.outcome() {
                // What happened in nested stacks in the last moment.
                self.round(true).await?;
                return Ok(Ending::Finished(status));
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = self.interrupt.recv() => return Ok(Ending::Interrupted),
                _ = self.terminate.recv() => return Ok(Ending::Interrupted),
                line = line_of(cli) => match line {
                    Some(line) => say_line(&format!("        aws: {line}")),
                    None => if let Some(ending) = self.cli_ended(cli).await? { return Ok(ending) },
                },
            }
            self.break_silence();
        }
    }

    fn outcome(&self) -> Option<Status> {
        if !self.has_begun() {
            return None;
        }
        self.journal.as_ref()?.outcome().cloned()
    }

    async fn cli_ended(&mut self, cli: &mut Option<AwsCli>) -> Result<Option<Ending>, FollowError> {
        let Some(mut ended) = cli.take() else { return Ok(None) };
        let status = ended.end().await?;
        self.round(false).await?;
        Ok((!self.has_begun()).then_some(Ending::NothingBegun(status)))
    }

    /// Reads what is new and shows it; a passing failure is forgiven.
    async fn round(&mut self, all: bool) -> Result<(), FollowError> {
        match self.read(all).await {
            Ok(()) => self.failures = 0,
            Err(error) if error.is_passing() && self.failures < PATIENCE => {
                self.failures += 1;
                say_line(&format!("        {error}; trying again"));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn read(&mut self, all: bool) -> Result<(), CloudError> {
        let own = self
            .cloud
            .events_after(
                self.journal.as_ref().map_or(self.stack.as_str(), Journal::root),
                self.since,
            )
            .await?;
        let Some(first) = own.first() else { return Ok(()) };
        let root = first.stack_id.clone();
        let journal = self.journal.get_or_insert_with(|| Journal::new(&root, self.since));
        let known = journal.all_stacks();
        let before = journal.stacks_at_work();
        let mut rows = journal.take(own);
        let mut asked = vec![root];
        // What happened in a nested stack before this operation, and after the root's last one, is somebody else's.
        let began = journal
            .span()
            .map_or(self.since, |(first, _)| first.saturating_sub(JUST_BEFORE));
        loop {
            // Each that was or is at work, and each that is new: it may have ended already.
            let now = journal.stacks_at_work();
            let wanted =
                |stack: &&String| all || before.contains(stack) || now.contains(stack) || !known.contains(stack);
            let stacks = journal.all_stacks();
            let next = stacks
                .iter()
                .filter(wanted)
                .find(|stack| !asked.contains(stack))
                .cloned();
            let Some(stack) = next else { break };
            rows.extend(journal.take(self.cloud.events_after(&stack, began).await?));
            asked.push(stack);
        }
        // Within one millisecond a nested stack comes before the parent that reports its end.
        rows.sort_by_key(|row| (row.since_start, Reverse(row.path.depth().saturating_sub(1))));
        if !rows.is_empty() {
            self.last_event = Instant::now();
            self.last_word = self.last_event;
        }
        for row in rows {
            say(&report::row(&row, self.style));
        }
        Ok(())
    }

    fn break_silence(&mut self) {
        let Some(journal) = self.journal.as_ref().filter(|_| self.last_word.elapsed() >= QUIET) else {
            return;
        };
        let Some((first, _)) = journal.span() else { return };
        // CloudFormation's clock and this machine's may differ by more than the wait: only differences are used.
        let now = journal.events().last().map_or(first, |last| last.at) + self.last_event.elapsed();
        say(&report::waiting(
            now.saturating_sub(first),
            &journal.waiting(now),
            self.style,
        ));
        self.last_word = Instant::now();
    }
}

async fn line_of(cli: &mut Option<AwsCli>) -> Option<String> {
    match cli {
        Some(cli) => cli.next_line().await,
        None => std::future::pending().await,
    }
}
