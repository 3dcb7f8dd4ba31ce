//! The real `aws` command as a child process, its words shown as they come.

use crate::command_line::{CommandLine, own_name};
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// The AWS CLI cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// It did not start.
    #[error("the AWS CLI {program} cannot be started ({cause}): install it, or name it with --aws PATH")]
    NotStarted {
        /// What was tried.
        program: String,
        /// The operating system's words.
        cause: std::io::Error,
    },
    /// It could not be waited for.
    #[error("the AWS CLI's end cannot be awaited: {0}; look at the stack with `{me} follow`", me = own_name())]
    Lost(std::io::Error),
    /// It ended with an error.
    #[error("`aws {command}` ended with {status}; its own words stand above")]
    Refused {
        /// Its first words.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
}

/// A running AWS CLI.
#[derive(Debug)]
pub struct AwsCli {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl AwsCli {
    /// Starts the command; its output comes line by line.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(command: &CommandLine) -> Result<Self, CliError> {
        let mut child = Command::new(&command.program)
            .args(command.flat())
            .envs(command.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|cause| CliError::NotStarted {
                program: command.program.clone(),
                cause,
            })?;
        let (sender, lines) = mpsc::channel(64);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(forward(stdout, sender.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(forward(stderr, sender));
        }
        Ok(Self { child, lines })
    }

    /// The next line of output; `None` when it has ended.
    pub async fn next_line(&mut self) -> Option<String> {
        self.lines.recv().await
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The operating system does not tell.
    pub async fn end(&mut self) -> Result<ExitStatus, CliError> {
        self.child.wait().await.map_err(CliError::Lost)
    }

    /// Asks it to end; whether it was still running.
    pub async fn dismiss(mut self) -> bool {
        let running = matches!(self.child.try_wait(), Ok(None));
        let pid = self
            .child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        if running && let Some(pid) = pid {
            // Between the check and this the child may have ended; then there is nothing to do.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let _ = self.child.wait().await;
        }
        running
    }
}

async fn forward(output: impl AsyncRead + Unpin, sender: mpsc::Sender<String>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if !line.trim().is_empty() && sender.send(line).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> CommandLine {
        CommandLine::new("sh").with(["-c", script])
    }

    #[tokio::test]
    async fn its_words_come_line_by_line_and_its_end_is_told() {
        let mut cli = AwsCli::start(&shell("echo Waiting; echo; exit 3")).expect("sh starts");
        assert_eq!(cli.next_line().await.as_deref(), Some("Waiting"));
        assert_eq!(cli.next_line().await, None);
        assert_eq!(cli.end().await.expect("an end").code(), Some(3));
    }

    #[tokio::test]
    async fn one_that_still_waits_is_asked_to_end_and_has_time_to_tidy_up() {
        let tidied = std::env::temp_dir().join(format!("stack-driver-test-{}", std::process::id()));
        let script = "trap 'touch \"$0\"; exit' TERM; echo up; while :; do sleep 0.05; done";
        let command = shell(script).with([tidied.display().to_string()]);
        let mut cli = AwsCli::start(&command).expect("sh starts");
        assert_eq!(cli.next_line().await.as_deref(), Some("up"));
        assert!(cli.dismiss().await);
        assert!(std::fs::remove_file(tidied).is_ok(), "it was killed, not asked");
    }

    #[tokio::test]
    async fn one_that_does_not_exist_is_named_with_the_option_that_gives_its_path() {
        let error = AwsCli::start(&CommandLine::new("/nowhere/aws")).expect_err("no such program");
        assert_eq!(
            error.to_string(),
            "the AWS CLI /nowhere/aws cannot be started (No such file or directory (os error 2)): install it, or name it with \
             --aws PATH"
        );
    }
}
