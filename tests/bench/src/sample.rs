//! One cold start: spawn, one event, CloudFormation's answer, and what the process had used by then.

use crate::aws::{Answer, Harness};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io};

/// What one cold start cost, from the spawn to the function's answer to the Runtime API.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Wall-clock time until CloudFormation had its answer.
    pub wall: Duration,
    /// CPU time of all the process's threads.
    pub cpu: Duration,
    /// The peak of resident memory, in KiB.
    pub memory_kib: u64,
}

/// A contender: what to start.
#[derive(Debug, Clone)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// Why a sample could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The process could not be started or read.
    #[error("{}: {source}", program.display())]
    Process {
        /// Which.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It answered CloudFormation with something else than SUCCESS, or not at all.
    #[error("{} did not do its job: {answer}", program.display())]
    Failed {
        /// Which.
        program: PathBuf,
        /// The answer's body, or what was missing.
        answer: String,
    },
}

/// Starts `program` cold for `event` and measures it.
///
/// # Errors
/// When it cannot be started, or does not answer SUCCESS within 30 seconds.
pub async fn cold_start(
    program: &Program,
    harness: &Harness,
    environment: &[(String, String)],
) -> Result<Sample, SampleError> {
    let process = |source| SampleError::Process {
        program: program.path.clone(),
        source,
    };
    let started = Instant::now();
    let mut child = spawn(program, environment).map_err(process)?;
    let answer = tokio::time::timeout(Duration::from_secs(30), harness.answer()).await;
    let usage = usage(child.id());
    child.kill().map_err(process)?;
    child.wait().map_err(process)?;
    let failed = |answer: String| SampleError::Failed {
        program: program.path.clone(),
        answer,
    };
    let Answer { at, body } = answer.map_err(|_| failed("no answer within 30 s".to_owned()))?;
    if !body.contains("SUCCESS") {
        return Err(failed(body));
    }
    let (cpu, memory_kib) = usage.map_err(process)?;
    Ok(Sample {
        wall: at - started,
        cpu,
        memory_kib,
    })
}

fn spawn(program: &Program, environment: &[(String, String)]) -> io::Result<Child> {
    Command::new(&program.path)
        .args(&program.arguments)
        .env_clear()
        .envs(environment.iter().cloned())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// CPU time to the nanosecond from the scheduler's own counters, summed over the threads; the peak of resident memory.
fn usage(pid: u32) -> io::Result<(Duration, u64)> {
    let process = Path::new("/proc").join(pid.to_string());
    let mut nanoseconds = 0;
    for thread in fs::read_dir(process.join("task"))? {
        let counters = fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += first_number(&counters);
    }
    let status = fs::read_to_string(process.join("status"))?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .map_or(0, first_number);
    Ok((Duration::from_nanos(nanoseconds), peak))
}

fn first_number(text: &str) -> u64 {
    text.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}
