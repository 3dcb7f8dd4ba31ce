//! A whole rotation: the four steps one after the other, each in a process that starts cold, as it is after weeks without
//! one. What waits for a service is no part of it; there is nothing to wait for here. One step comes twice to its process:
//! what that costs, once it is warm, counts for itself.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::jobs::Stage;
use crate::sample::{Program, Run, SampleError};
use crate::secret::{NEW, ROTATED_ARN};

/// The function's name, which is our crate's, and the Python module's with underscores.
pub const NAME: &str = "rotate-database";
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
/// The step that comes twice. It does the same each time, unlike the others: it signs in with the new password.
const TWICE: &str = "testSecret";

/// What one rotation cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rotation {
    /// CPU time of all four processes, from their starts until each asked for its next event.
    pub cpu: Duration,
    /// CPU time of the dearest step.
    pub dearest_step: Duration,
    /// CPU time of the dearest process until it asked for its event.
    pub init_cpu: Duration,
    /// CPU time of a step in a process that has carried it out before.
    pub warm_step: Duration,
    /// Wall-clock time, likewise.
    pub wall: Duration,
    /// The largest peak of resident memory, in KiB.
    pub memory_kib: u64,
    /// How many calls to AWS it took.
    pub calls: usize,
}

/// Lets `program` rotate the secret on a fresh stage, and measures it.
///
/// # Errors
/// When a step fails or takes longer than 30 seconds, or when the user has not both passwords afterwards.
pub async fn measure(
    program: &Program,
    stage: &Stage<'_>,
    environment: &[(String, String)],
) -> Result<Rotation, SampleError> {
    stage.begin_rotation().await?;
    let (mut rotation, mut repeated) = (Rotation::default(), 0);
    for step in STEPS {
        let started = Instant::now();
        let run = Run::start(program, environment)?;
        run.ready(stage.harness).await?;
        rotation.init_cpu = rotation.init_cpu.max(run.cpu()?);
        let event = json!({"Step": step, "SecretId": ROTATED_ARN, "ClientRequestToken": NEW}).to_string();
        run.carry_out(stage.harness, event.clone()).await?;
        rotation.wall += started.elapsed();
        let cpu = run.cpu()?;
        rotation.cpu += cpu;
        rotation.dearest_step = rotation.dearest_step.max(cpu);
        rotation.memory_kib = rotation.memory_kib.max(run.memory()?);
        if step == TWICE {
            let before = stage.harness.calls();
            run.carry_out(stage.harness, event).await?;
            rotation.warm_step = run.cpu()?.saturating_sub(cpu);
            repeated = stage.harness.calls() - before;
        }
    }
    rotation.calls = stage.harness.calls() - repeated;
    stage.check_rotation().await?;
    Ok(rotation)
}
