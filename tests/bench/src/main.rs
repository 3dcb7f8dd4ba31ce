//! `make bench`: prints one line a comparison, and which goals are missed. It fails only where it cannot measure.

use std::error::Error;
use std::fs;
use std::path::Path;

use bench::aws::Harness;
use bench::jobs::{Job, Stage, environment, site_packages};
use bench::report::{Comparison, median};
use bench::rotation::{self, Rotation};
use bench::sample::{Program, Sample, SampleError, measure};
use bench::tls::{Trust, acceptor};

/// Of each contender for each job; the median of an odd number is one of them.
const SAMPLES: usize = 31;
const PACKAGE_BUDGET_MB: f64 = 4.0;
const INIT_CPU_BUDGET_MS: f64 = 3.0;
const WARM_BUDGET_MS: f64 = 5.0;
const ROTATION_STEP_BUDGET_MS: f64 = 10.0;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let servers = local_servers::mysql();
    let mysql = servers.last().ok_or("no MySQL server: run make servers")?;
    let site_packages = site_packages(&root.join(".local/venv")).ok_or("no boto3 and PyMySQL: run make setup")?;
    let trust = Trust::write(
        &root.join("target/bench"),
        &root.join("shared/custom-resource/data/amazon-roots.pem"),
        &site_packages.join("botocore/cacert.pem"),
        &root.join("shared/database/data/rds/eu-central-1.pem"),
        &mysql.ca_file,
    )?;
    let harness = Harness::start(acceptor(mysql)?).await?;
    let environment = environment(&harness, &trust, &site_packages);
    let stage = Stage {
        harness: &harness,
        mysql,
    };
    println!(
        "{SAMPLES} processes a contender, in turn; medians; MySQL {} and AWS's endpoints over TLS, all on this machine",
        mysql.version
    );
    let mut comparisons = Vec::new();
    for job in Job::ALL {
        let (ours, theirs) = alternate(job, &contenders(&root, &trust, job.name()), &stage, &environment).await?;
        println!(
            "{}: {} calls to AWS, Python {}",
            job.name(),
            ours[0].calls,
            theirs[0].calls
        );
        comparisons.extend(compare(job, &ours, &theirs));
        comparisons.push(package(&root, job.name())?);
    }
    let programs = contenders(&root, &trust, rotation::NAME);
    comparisons.extend(compare_rotations(&programs, &stage, &environment).await?);
    comparisons.push(package(&root, rotation::NAME)?);
    report(&comparisons);
    stage.clear().await?;
    Ok(())
}

fn report(comparisons: &[Comparison]) {
    for comparison in comparisons {
        println!("{comparison}");
    }
    let missed: Vec<_> = comparisons.iter().filter(|one| !one.reached()).collect();
    let names: Vec<_> = missed.iter().map(|one| one.name.as_str()).collect();
    match names.as_slice() {
        [] => println!("all {} goals are met", comparisons.len()),
        names => println!(
            "{} of {} goals are missed: {}",
            names.len(),
            comparisons.len(),
            names.join(", ")
        ),
    }
}

/// Our shipped binary, built for this machine, and the Python function.
fn contenders(root: &Path, trust: &Trust, name: &str) -> [Program; 2] {
    let script = root.join("tests/bench/python").join(name.replace('-', "_") + ".py");
    [
        Program {
            path: root.join("target/lambda-release").join(name).join("bootstrap"),
            arguments: Vec::new(),
            authorities: trust.amazon.clone(),
        },
        Program {
            path: root.join(".local/venv/bin/python"),
            arguments: vec![script.to_string_lossy().into_owned()],
            authorities: trust.public.clone(),
        },
    ]
}

/// Takes the samples in turn, so that a busy minute of the machine falls on both. The first of each warms the disk's cache
/// and does not count.
async fn alternate(
    job: Job,
    [ours, theirs]: &[Program; 2],
    stage: &Stage<'_>,
    environment: &[(String, String)],
) -> Result<(Vec<Sample>, Vec<Sample>), SampleError> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for round in 0..=SAMPLES {
        for (program, samples) in [(ours, &mut first), (theirs, &mut second)] {
            let sample = measure(program, job, stage, environment).await?;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    Ok((first, second))
}

fn compare(job: Job, ours: &[Sample], theirs: &[Sample]) -> Vec<Comparison> {
    let line = |what: &str, unit, other: f64, goal, value: fn(&Sample) -> f64| Comparison {
        name: format!("{}-{what}", job.name()),
        ours: median(ours.iter().map(value)),
        other,
        unit,
        goal,
    };
    let beside = |what: &str, unit, goal, value: fn(&Sample) -> f64| {
        line(what, unit, median(theirs.iter().map(value)), goal, value)
    };
    let within = |what: &str, budget, value: fn(&Sample) -> f64| line(what, "ms", budget, 1.0, value);
    vec![
        beside("cold-wall", "ms", 25.0, |sample| sample.cold_wall.as_secs_f64() * 1e3),
        beside("cold-cpu", "ms", 40.0, |sample| sample.cold_cpu.as_secs_f64() * 1e3),
        beside("cold-memory", "MiB", 4.0, |sample| memory_mib(sample.memory_kib)),
        beside("warm-wall", "ms", 1.0, |sample| sample.warm_wall.as_secs_f64() * 1e3),
        beside("warm-cpu", "ms", 1.0, |sample| sample.warm_cpu.as_secs_f64() * 1e3),
        within("init-cpu-budget", INIT_CPU_BUDGET_MS, |sample| {
            sample.init_cpu.as_secs_f64() * 1e3
        }),
        within("warm-cpu-budget", WARM_BUDGET_MS, |sample| {
            sample.warm_cpu.as_secs_f64() * 1e3
        }),
    ]
}

/// Whole rotations, in turn like the other samples.
async fn compare_rotations(
    [ours, theirs]: &[Program; 2],
    stage: &Stage<'_>,
    environment: &[(String, String)],
) -> Result<Vec<Comparison>, SampleError> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for round in 0..=SAMPLES {
        for (program, samples) in [(ours, &mut first), (theirs, &mut second)] {
            let sample = rotation::measure(program, stage, environment).await?;
            if round > 0 {
                samples.push(sample);
            }
        }
    }
    println!(
        "{}: {} calls to AWS, Python {}",
        rotation::NAME,
        first[0].calls,
        second[0].calls
    );
    let line = |what: &str, unit, goal, value: fn(&Rotation) -> f64| Comparison {
        name: format!("{}-{what}", rotation::NAME),
        ours: median(first.iter().map(value)),
        other: median(second.iter().map(value)),
        unit,
        goal,
    };
    let step = |rotation: &Rotation| rotation.dearest_step.as_secs_f64() * 1e3;
    Ok(vec![
        line("cpu", "ms", 20.0, |rotation| rotation.cpu.as_secs_f64() * 1e3),
        line("wall", "ms", 1.0, |rotation| rotation.wall.as_secs_f64() * 1e3),
        line("memory", "MiB", 4.0, |rotation| memory_mib(rotation.memory_kib)),
        Comparison {
            other: ROTATION_STEP_BUDGET_MS,
            ..line("step-cpu-budget", "ms", 1.0, step)
        },
    ])
}

/// The package for arm64, as it is shipped, against its budget.
fn package(root: &Path, name: &str) -> Result<Comparison, Box<dyn Error>> {
    let zip = root.join("dist/aws/functions").join(format!("{name}.zip"));
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
