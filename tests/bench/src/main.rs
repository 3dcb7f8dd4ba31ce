//! `make bench`: prints one line a comparison; exits 1 when a goal is missed.

use bench::aws::Harness;
use bench::jobs::{self, Job};
use bench::report::{Comparison, median};
use bench::sample::{Program, Sample, SampleError, cold_start};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const SAMPLES: usize = 25;
const PACKAGE_BUDGET_MB: f64 = 4.0;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let servers = local_servers::mysql();
    let mysql = servers.last().ok_or("no MySQL server")?;
    let harness = Harness::start().await?;
    let python = root.join(".local/venv/bin/python");
    let environment = jobs::environment(mysql, &harness, &root.join(".local/venv"));
    println!(
        "MySQL {}, {SAMPLES} cold starts a contender in turn; AWS endpoints answer at once, MySQL over TLS is real",
        mysql.version
    );
    let mut reached = true;
    for job in jobs::all(mysql, &harness) {
        let ours = Program {
            path: root.join("target/lambda-release").join(job.name).join("bootstrap"),
            arguments: Vec::new(),
        };
        let script = root.join("tests/bench/python").join(job.name.replace('-', "_") + ".py");
        let theirs = Program {
            path: python.clone(),
            arguments: vec![script.to_string_lossy().into_owned()],
        };
        let (ours, theirs) = alternate(&ours, &theirs, &job, &harness, &environment).await?;
        let mut comparisons = compare(job.name, &ours, &theirs);
        comparisons.push(package(&root, job.name)?);
        for comparison in comparisons {
            println!("{comparison}");
            reached &= comparison.reached();
        }
    }
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes the samples in turn, so that a busy minute of the machine falls on both.
async fn alternate(
    ours: &Program,
    theirs: &Program,
    job: &Job,
    harness: &Harness,
    environment: &[(String, String)],
) -> Result<(Vec<Sample>, Vec<Sample>), SampleError> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        for (program, samples) in [(ours, &mut first), (theirs, &mut second)] {
            harness.prepare(job.event.to_string(), job.secret.to_string());
            samples.push(cold_start(program, harness, environment).await?);
        }
    }
    Ok((first, second))
}

fn compare(name: &str, ours: &[Sample], theirs: &[Sample]) -> Vec<Comparison> {
    let compare = |what: &str, unit, goal, value: fn(&Sample) -> f64| Comparison {
        name: format!("{name}-cold-{what}"),
        ours: median(ours.iter().map(value)),
        other: median(theirs.iter().map(value)),
        unit,
        goal,
    };
    vec![
        compare("wall", "ms", 25.0, |sample| sample.wall.as_secs_f64() * 1e3),
        compare("cpu", "ms", 40.0, |sample| sample.cpu.as_secs_f64() * 1e3),
        compare("memory", "MiB", 4.0, |sample| memory_mib(sample.memory_kib)),
    ]
}

/// The package for arm64, as it is shipped, against its budget.
fn package(root: &Path, name: &str) -> Result<Comparison, Box<dyn Error>> {
    let zip: PathBuf = root.join("dist/aws/functions").join(format!("{name}.zip"));
    let bytes = fs::metadata(&zip)
        .map_err(|error| format!("{}: {error}: run make package first", zip.display()))?
        .len();
    Ok(Comparison {
        name: format!("{name}-package"),
        ours: megabytes(bytes),
        other: PACKAGE_BUDGET_MB,
        unit: "MB",
        goal: 1.0,
    })
}

fn memory_mib(kib: u64) -> f64 {
    u32::try_from(kib).map_or(f64::INFINITY, f64::from) / 1024.0
}

fn megabytes(bytes: u64) -> f64 {
    u32::try_from(bytes).map_or(f64::INFINITY, f64::from) / 1e6
}
