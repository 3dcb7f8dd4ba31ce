//! What the function costs when it starts cold: one process, a batch of one report, and another one while it is warm.

use std::path::Path;

use serde_json::json;

use super::contenders::{report, rows};
use super::tables::Stage;
use crate::aws::Harness;
use crate::budgets::{COLD_CPU_MS, INIT_CPU_MS, MEMORY_MIB, WARM_CPU_MS, mib, ms, within};
use crate::jobs::{SECRET_ARN, lambda_environment};
use crate::report::{Comparison, median};
use crate::sample::{Program, Run};
use crate::tls::Trust;

/// Processes, of which the medians are taken; the first warms the disk's cache and does not count.
const SAMPLES: usize = 31;

/// What one process cost, in ms and MiB.
struct Start {
    init_cpu: f64,
    cold_cpu: f64,
    warm_cpu: f64,
    memory: f64,
}

/// Starts the release binary below `root` again and again, and compares what it costs with the budgets. Each process records
/// the bounces of two contacts from `first` on, who have none yet.
///
/// # Errors
/// When it cannot be started, fails, or did not record them.
pub async fn compare(
    root: &Path,
    stage: &Stage<'_>,
    harness: &Harness,
    trust: &Trust,
    first: usize,
) -> Result<Vec<Comparison>, Box<dyn std::error::Error>> {
    let program = Program {
        path: root.join("target/lambda-release/bounce-handler/bootstrap"),
        arguments: Vec::new(),
        authorities: trust.amazon.clone(),
    };
    let environment = [lambda_environment(harness), own_environment(stage, trust)].concat();
    let mut starts = Vec::new();
    for round in 0..=SAMPLES {
        let start = start(&program, stage, harness, &environment, first + 2 * round).await?;
        if round > 0 {
            starts.push(start);
        }
    }
    let budget = |what: &str, unit, budget, value: fn(&Start) -> f64| {
        let name = format!("bounce-handler-{what}-budget");
        within(name, median(starts.iter().map(value)), unit, budget)
    };
    Ok(vec![
        budget("init-cpu", "ms", INIT_CPU_MS, |start| start.init_cpu),
        budget("cold-cpu", "ms", COLD_CPU_MS, |start| start.cold_cpu),
        budget("warm-cpu", "ms", WARM_CPU_MS, |start| start.warm_cpu),
        budget("memory", "MiB", MEMORY_MIB, |start| start.memory),
    ])
}

async fn start(
    program: &Program,
    stage: &Stage<'_>,
    harness: &Harness,
    environment: &[(String, String)],
    contact: usize,
) -> Result<Start, Box<dyn std::error::Error>> {
    harness.prepare(stage.secret());
    let run = Run::start(program, environment)?;
    run.ready(harness).await?;
    let init_cpu = run.cpu()?;
    run.carry_out(harness, batch(contact)).await?;
    let (cold_cpu, memory) = (run.cpu()?, run.memory()?);
    run.carry_out(harness, batch(contact + 1)).await?;
    let warm_cpu = run.cpu()?.saturating_sub(cold_cpu);
    match rows(stage, contact, 2).await? {
        2 => {}
        found => return Err(format!("bounce-handler left {found} rows where 2 should be").into()),
    }
    Ok(Start {
        init_cpu: ms(init_cpu),
        cold_cpu: ms(cold_cpu),
        warm_cpu: ms(warm_cpu),
        memory: mib(memory),
    })
}

/// Lambda's event of a queue with one report.
fn batch(contact: usize) -> String {
    let record = json!({"messageId": format!("m{contact}"), "eventSource": "aws:sqs", "body": report(contact)});
    json!({"Records": [record]}).to_string()
}

fn own_environment(stage: &Stage<'_>, trust: &Trust) -> Vec<(String, String)> {
    let (server, place) = (stage.server(), stage.place());
    [
        ("DATABASE_HOST", server.host.clone()),
        ("DATABASE_PORT", server.port.to_string()),
        ("DATABASE_SECRET_ARN", SECRET_ARN.to_owned()),
        ("DATABASE_CA_BUNDLE", trust.databases.to_string_lossy().into_owned()),
        ("MAUTIC_SCHEMA", place.mautic.to_string()),
        ("BOUNCES_SCHEMA", place.own.to_string()),
        ("METRICS_NAMESPACE", "Bench".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}
