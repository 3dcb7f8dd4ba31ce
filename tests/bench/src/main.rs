//! `make bench`: prints one line a comparison, and which goals are missed. It fails only where it cannot measure.

use std::error::Error;
use std::path::Path;

use bench::aws::Harness;
use bench::budgets::{COLD_CPU_MS, INIT_CPU_MS, MEMORY_MIB, WARM_CPU_MS, mib, ms, packages, within};
use bench::jobs::{Job, Stage, environment, site_packages};
use bench::report::{Comparison, median};
use bench::rotation::{self, Rotation};
use bench::sample::{Program, Sample, SampleError, measure};
use bench::tls::{Trust, acceptor};

/// Of each contender for each job; the median of an odd number is one of them.
const SAMPLES: usize = 31;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let servers = local_servers::mysql();
    let mysql = servers.last().ok_or("no MySQL server: run make servers")?;
    let site_packages = site_packages(&root.join(".local/venv")).ok_or("no boto3 and PyMySQL: run make setup")?;
    let trust = Trust::write(&root, &site_packages, mysql)?;
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
    }
    let programs = contenders(&root, &trust, rotation::NAME);
    comparisons.extend(compare_rotations(&programs, &stage, &environment).await?);
    comparisons.extend(packages(&root)?);
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
    let name = |what: &str| format!("{}-{what}", job.name());
    let own = |value: fn(&Sample) -> f64| median(ours.iter().map(value));
    let beside = |what: &str, unit, goal, value: fn(&Sample) -> f64| Comparison {
        name: name(what),
        ours: own(value),
        other: median(theirs.iter().map(value)),
        unit,
        goal,
    };
    let budget = |what: &str, budget, value: fn(&Sample) -> f64| {
        within(name(&format!("{what}-budget")), own(value), "ms", budget)
    };
    vec![
        beside("cold-wall", "ms", 25.0, |sample| ms(sample.cold_wall)),
        beside("cold-cpu", "ms", 40.0, |sample| ms(sample.cold_cpu)),
        beside("cold-memory", "MiB", 4.0, |sample| mib(sample.memory_kib)),
        beside("warm-wall", "ms", 1.0, |sample| ms(sample.warm_wall)),
        beside("warm-cpu", "ms", 1.0, |sample| ms(sample.warm_cpu)),
        budget("init-cpu", INIT_CPU_MS, |sample| ms(sample.init_cpu)),
        budget("warm-cpu", WARM_CPU_MS, |sample| ms(sample.warm_cpu)),
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
    let name = |what: &str| format!("{}-{what}", rotation::NAME);
    let own = |value: fn(&Rotation) -> f64| median(first.iter().map(value));
    let beside = |what: &str, unit, goal, value: fn(&Rotation) -> f64| Comparison {
        name: name(what),
        ours: own(value),
        other: median(second.iter().map(value)),
        unit,
        goal,
    };
    let [init, dearest_step, warm_step] = [
        own(|rotation| ms(rotation.init_cpu)),
        own(|rotation| ms(rotation.dearest_step)),
        own(|rotation| ms(rotation.warm_step)),
    ];
    let memory = own(|rotation| mib(rotation.memory_kib));
    Ok(vec![
        beside("cpu", "ms", 20.0, |rotation| ms(rotation.cpu)),
        beside("wall", "ms", 1.0, |rotation| ms(rotation.wall)),
        beside("memory", "MiB", 4.0, |rotation| mib(rotation.memory_kib)),
        within(name("init-cpu-budget"), init, "ms", INIT_CPU_MS),
        within(name("step-cpu-budget"), dearest_step, "ms", COLD_CPU_MS),
        within(name("warm-cpu-budget"), warm_step, "ms", WARM_CPU_MS),
        within(name("memory-budget"), memory, "MiB", MEMORY_MIB),
    ])
}
