//! What a function may cost, whatever others cost: the budgets of the project, each as a comparison with a goal of 1.

use std::path::Path;
use std::{fs, io};

use crate::report::Comparison;

/// CPU time until the first question for an event, in ms.
pub const INIT_CPU_MS: f64 = 3.0;
/// CPU time until the end of the first event, of what is no custom resource, in ms.
pub const COLD_CPU_MS: f64 = 10.0;
/// CPU time of a further event, in ms.
pub const WARM_CPU_MS: f64 = 5.0;
/// The peak of resident memory of what is no custom resource, in MiB.
pub const MEMORY_MIB: f64 = 16.0;
/// The size of a package, in MB.
const PACKAGE_MB: f64 = 4.0;

/// Our figure beside a budget.
#[must_use]
pub fn within(name: String, ours: f64, unit: &'static str, budget: f64) -> Comparison {
    Comparison {
        name,
        ours,
        other: budget,
        unit,
        goal: 1.0,
    }
}

/// Every function's package for arm64, as `make package` left it below `root`, against its budget.
///
/// # Errors
/// When there are none.
pub fn packages(root: &Path) -> io::Result<Vec<Comparison>> {
    let folder = root.join("dist/aws/functions");
    let named = |error: io::Error| {
        let text = format!("{}: {error}: run make package first", folder.display());
        io::Error::new(error.kind(), text)
    };
    let mut packages = Vec::new();
    for entry in fs::read_dir(&folder).map_err(named)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().replace(".zip", "-package");
        packages.push(within(name, megabytes(entry.metadata()?.len()), "MB", PACKAGE_MB));
    }
    packages.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(packages)
}

/// KiB as MiB.
#[must_use]
pub fn mib(kib: u64) -> f64 {
    u32::try_from(kib).map_or(f64::INFINITY, f64::from) / 1024.0
}

/// A time as ms.
#[must_use]
pub fn ms(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    u32::try_from(bytes).map_or(f64::INFINITY, f64::from) / 1e6
}
