//! One process from its start to its end: initialisation, one event cold, the same event once more while it is warm.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;

use crate::aws::{Answer, Harness, Moment};
use crate::jobs::{Job, Stage, StageError};

/// The longest that either contender may take for one step.
const PATIENCE: Duration = Duration::from_secs(30);

/// What one process cost.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// CPU time from the start until it asked for its first event.
    pub init_cpu: Duration,
    /// Wall-clock time from the start until CloudFormation had its answer.
    pub cold_wall: Duration,
    /// CPU time from the start until it asked for its second event.
    pub cold_cpu: Duration,
    /// The peak of resident memory until then, in KiB.
    pub memory_kib: u64,
    /// Wall-clock time of the second event, until CloudFormation had its answer.
    pub warm_wall: Duration,
    /// CPU time of the second event.
    pub warm_cpu: Duration,
    /// How many calls to AWS an event took.
    pub calls: usize,
}

/// A contender: what to start.
#[derive(Debug, Clone)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The authorities that it trusts for AWS's endpoints.
    pub authorities: PathBuf,
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
    /// The stage could not be set, or shows that the job was not done.
    #[error(transparent)]
    Stage(#[from] StageError),
}

/// Starts `program` cold, lets it do `job` twice, each time on an empty stage, and measures it.
///
/// # Errors
/// When it cannot be started, takes longer than 30 seconds, answers something else than SUCCESS, or did not do the job.
pub async fn measure(
    program: &Program,
    job: Job,
    stage: &Stage<'_>,
    environment: &[(String, String)],
) -> Result<Sample, SampleError> {
    stage.clear().await?;
    let started = Instant::now();
    let run = Run::start(program, environment)?;
    run.ready(stage.harness).await?;
    let init_cpu = run.cpu()?;
    let cold = run.invoke(job, stage).await?;
    let (cold_cpu, memory_kib, calls) = (run.cpu()?, run.memory()?, stage.harness.calls());
    stage.check(job).await?;
    stage.clear().await?;
    let again = Instant::now();
    let warm = run.invoke(job, stage).await?;
    let warm_cpu = run.cpu()?.saturating_sub(cold_cpu);
    stage.check(job).await?;
    Ok(Sample {
        init_cpu,
        cold_wall: cold - started,
        cold_cpu,
        memory_kib,
        warm_wall: warm - again,
        warm_cpu,
        calls,
    })
}

/// A running contender, which ends with this.
pub(crate) struct Run<'a> {
    program: &'a Program,
    child: Child,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl<'a> Run<'a> {
    /// Starts a process.
    pub(crate) fn start(program: &'a Program, environment: &[(String, String)]) -> Result<Self, SampleError> {
        let child = spawn(program, environment).map_err(|source| SampleError::Process {
            program: program.path.clone(),
            source,
        })?;
        Ok(Self { program, child })
    }
}

impl Run<'_> {
    fn failed(&self, answer: impl Into<String>) -> SampleError {
        SampleError::Failed {
            program: self.program.path.clone(),
            answer: answer.into(),
        }
    }

    fn unreadable(&self, source: impl Into<io::Error>) -> SampleError {
        SampleError::Process {
            program: self.program.path.clone(),
            source: source.into(),
        }
    }

    async fn moment(&self, harness: &Harness) -> Result<Moment, SampleError> {
        let moment = tokio::time::timeout(PATIENCE, harness.moment()).await;
        moment.map_err(|_| self.failed(format!("no sign of it within {} s", PATIENCE.as_secs())))
    }

    pub(crate) async fn ready(&self, harness: &Harness) -> Result<(), SampleError> {
        match self.moment(harness).await? {
            Moment::Ready => Ok(()),
            Moment::Finished(answer) => Err(self.failed(answer.body)),
        }
    }

    /// Hands it the job's event and waits until it is idle again; when CloudFormation had its answer.
    async fn invoke(&self, job: Job, stage: &Stage<'_>) -> Result<Instant, SampleError> {
        if !stage.harness.hand(job.event(stage).to_string()) {
            return Err(self.failed("it no longer waits for an event"));
        }
        let Moment::Finished(Answer { at, body, .. }) = self.moment(stage.harness).await? else {
            return Err(self.failed("it asked for the next event before it had finished this one"));
        };
        if !body.contains("SUCCESS") {
            return Err(self.failed(body));
        }
        self.ready(stage.harness).await?;
        Ok(at)
    }

    /// Hands it an event that only Lambda hears the end of, and waits until it is idle again.
    pub(crate) async fn carry_out(&self, harness: &Harness, event: String) -> Result<(), SampleError> {
        if !harness.hand(event) {
            return Err(self.failed("it no longer waits for an event"));
        }
        match self.moment(harness).await? {
            Moment::Finished(Answer { ended_well: true, .. }) => self.ready(harness).await,
            Moment::Finished(answer) => Err(self.failed(answer.body)),
            Moment::Ready => Err(self.failed("it asked for the next event before it had finished this one")),
        }
    }

    /// CPU time of all its threads, those that have ended too, as the kernel's scheduler counts it.
    pub(crate) fn cpu(&self) -> Result<Duration, SampleError> {
        let now = || -> Result<Duration, Errno> {
            let pid = i32::try_from(self.child.id()).map_err(|_| Errno::EINVAL)?;
            Ok(clock_getcpuclockid(Pid::from_raw(pid))?.now()?.into())
        };
        now().map_err(|error| self.unreadable(error))
    }

    /// The peak of resident memory, in KiB.
    pub(crate) fn memory(&self) -> Result<u64, SampleError> {
        let path = Path::new("/proc").join(self.child.id().to_string()).join("status");
        let status = std::fs::read_to_string(path).map_err(|error| self.unreadable(error))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = peak.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| self.unreadable(io::Error::other("its status names no VmHWM")))
    }
}

fn spawn(program: &Program, environment: &[(String, String)]) -> io::Result<Child> {
    Command::new(&program.path)
        .args(&program.arguments)
        .env_clear()
        .envs(environment.iter().cloned())
        // The SDK for Rust and Python's own TLS read the first, boto3 the second.
        .env("SSL_CERT_FILE", &program.authorities)
        .env("AWS_CA_BUNDLE", &program.authorities)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}
