//! How a run ended, and what is said about it.

use crate::cloud::Cloud;
use crate::error::DriverError;
use crate::follow::{Ending, Follower};
use crate::inspect::inspect;
use crate::journal::Journal;
use crate::report;
use crate::root_cause::root_cause;
use crate::screen::{say, say_line};
use crate::style::{Style, Tone};
use crate::summary::shell_line;
use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// What was asked for stands.
    Done,
    /// The operation failed; the root cause was printed.
    Failed,
    /// The user left; the stack may go on.
    Interrupted,
}

impl Verdict {
    /// 0, 1, or 130 as shells use it for Ctrl-C.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Failed => ExitCode::FAILURE,
            Self::Interrupted => ExitCode::from(130),
        }
    }
}

/// Says how a deployment ended: the summary, or the root cause.
///
/// # Errors
/// The summary cannot be gathered, or the AWS CLI refused.
pub async fn ended(
    cloud: &Cloud,
    stack: &str,
    follower: &Follower<'_>,
    ending: Ending,
    setup: Option<String>,
    style: Style,
) -> Result<Verdict, DriverError> {
    match ending {
        Ending::Interrupted => {
            say(&format!(
                "\n{}",
                report::interrupted(stack, follower.has_begun(), style)
            ));
            Ok(Verdict::Interrupted)
        }
        Ending::NothingBegun(status) if status.success() => {
            say_line(&format!("\nNothing to deploy: the stack {stack} is up to date.\n"));
            summarise(cloud, stack, setup, style).await?;
            Ok(Verdict::Done)
        }
        Ending::NothingBegun(status) => Err(DriverError::CliRefused(status)),
        Ending::Finished(status) if status.as_str() == "DELETE_COMPLETE" => {
            say_line(&format!(
                "\n{}",
                style.paint(Tone::Good, &format!("The stack {stack} is deleted."))
            ));
            Ok(Verdict::Done)
        }
        Ending::Finished(status) if status.is_success() => {
            say_line("");
            summarise(cloud, follower.journal().map_or(stack, Journal::root), setup, style).await?;
            Ok(Verdict::Done)
        }
        Ending::Finished(status) => {
            say_line(&format!(
                "\n{}\n",
                style.paint(Tone::Bad, &format!("{stack} is {status}"))
            ));
            if let Some(cause) = follower.journal().and_then(root_cause) {
                say(&report::root_cause(
                    &cause,
                    stack,
                    shell_line(setup.as_deref(), cloud.endpoint()).as_deref(),
                    style,
                ));
            }
            say(&report::next_step(&status, stack, style));
            Ok(Verdict::Failed)
        }
    }
}

/// Prints what stands.
///
/// # Errors
/// There is no such stack, or AWS cannot be asked.
pub async fn summarise(cloud: &Cloud, stack: &str, setup: Option<String>, style: Style) -> Result<(), DriverError> {
    let found = cloud.stack(stack).await?.ok_or_else(|| no_stack(cloud, stack))?;
    say(&inspect(cloud, &found, setup).await?.render(style));
    Ok(())
}

/// The error for a stack that is not there.
#[must_use]
pub fn no_stack(cloud: &Cloud, stack: &str) -> DriverError {
    let place = cloud.endpoint().or(cloud.region()).unwrap_or("this region");
    DriverError::NoStack {
        stack: stack.to_owned(),
        place: place.to_owned(),
    }
}
