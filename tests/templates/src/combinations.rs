//! What the properties run over: every environment with every feature, alone and with every other one, the parameter
//! files as they are shipped, and sets that proptest draws.
//!
//! All combinations of all features would be tens of thousands, which differ from these only where three or more groups
//! meet. In the sets that are drawn all groups meet, others in each run.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::thread;

use serde_json::Value;

use crate::deployment::{Deployment, Refusal};
use crate::draw;
use crate::features::{self, Feature};
use crate::parameters::Parameters;
use crate::template::{Templates, project};
use crate::value::Look;

/// Groups that differ from their default at the same time.
const AT_ONCE: usize = 2;

/// The templates as they are.
pub static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::load);

/// What came of resolving many choices.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Those that CloudFormation would deploy.
    pub made: Vec<Deployment>,
    /// Those that a template's fault stops, with its text.
    pub broken: Vec<(String, String)>,
}

/// Every combination and every parameter file.
pub static ALL: LazyLock<Resolved> = LazyLock::new(|| {
    let mut choices = combinations(&TEMPLATES, AT_ONCE);
    choices.extend(parameter_files());
    resolve(&TEMPLATES, &choices)
});

/// Parameter sets that proptest drew, others in each run.
pub static DRAWN: LazyLock<Resolved> = LazyLock::new(|| resolve(&TEMPLATES, &draw::sets(&TEMPLATES)));

/// Resolves the choices on two threads; those that the rules refuse fall out.
///
/// # Panics
/// If resolving itself panics, as on a pattern that is none.
#[must_use]
pub fn resolve(templates: &Templates, choices: &[(String, Parameters)]) -> Resolved {
    let half = |part: &[(String, Parameters)]| {
        let mut resolved = Resolved::default();
        for (name, parameters) in part {
            match Deployment::resolve(templates, name, parameters) {
                Ok(deployment) => resolved.made.push(deployment),
                Err(Refusal::Rules(_)) => {}
                Err(Refusal::Template(error)) => resolved.broken.push((name.clone(), error.to_string())),
            }
        }
        resolved
    };
    let (first, second) = choices.split_at(choices.len() / 2);
    thread::scope(|scope| {
        let first = scope.spawn(|| half(first));
        let second = half(second);
        let mut all = first.join().expect("no panic on the other thread");
        all.made.extend(second.made);
        all.broken.extend(second.broken);
        all
    })
}

/// The values that Environment takes, from the template.
#[must_use]
pub fn environments(templates: &Templates) -> Vec<String> {
    templates.root().body.at("Parameters/Environment/AllowedValues").texts()
}

/// What an environment needs to be deployed at all.
#[must_use]
pub fn minimal(environment: &str) -> Parameters {
    let chosen = features::MINIMAL.iter().chain(features::production(environment));
    let mut parameters = owned(chosen);
    parameters.insert("Environment".to_owned(), environment.into());
    parameters
}

/// A name and parameters for each environment with up to so many features that are no default.
#[must_use]
pub fn combinations(templates: &Templates, at_once: usize) -> Vec<(String, Parameters)> {
    let mut made = Vec::new();
    for environment in environments(templates) {
        for chosen in choose(features::GROUPS.len(), at_once) {
            let names = std::iter::once(environment.as_str()).chain(chosen.iter().map(|feature| feature.name));
            let mut parameters = minimal(&environment);
            parameters.extend(chosen.iter().flat_map(|feature| owned(feature.parameters)));
            made.push((names.collect::<Vec<_>>().join(", "), parameters));
        }
    }
    made
}

/// Enough to meet a planted violation: every environment, and every feature in one of them.
#[must_use]
pub fn sample(templates: &Templates) -> Vec<(String, Parameters)> {
    let mut choices = combinations(templates, 0);
    for (index, feature) in features::GROUPS.iter().flat_map(|(_, group)| *group).enumerate() {
        let (environment, least) = &choices[index % environments(templates).len()];
        let name = format!("{environment}, {}", feature.name);
        let parameters = least.clone().into_iter().chain(owned(feature.parameters)).collect();
        choices.push((name, parameters));
    }
    choices
}

/// Every choice of one feature from each of the first groups, at most `left` of them no default.
fn choose(groups: usize, left: usize) -> Vec<Vec<&'static Feature>> {
    let Some((_, features)) = groups.checked_sub(1).map(|last| features::GROUPS[last]) else {
        return vec![Vec::new()];
    };
    let mut chosen = choose(groups - 1, left);
    if left > 0 {
        for feature in features {
            let with = choose(groups - 1, left - 1).into_iter().map(|mut others| {
                others.push(feature);
                others
            });
            chosen.extend(with);
        }
    }
    chosen
}

/// The environments as they are shipped.
///
/// # Panics
/// If a file is no such parameter file as the AWS CLI reads.
#[must_use]
pub fn parameter_files() -> Vec<(String, Parameters)> {
    let folder = project().join("cloudformation/environments");
    let listing = std::fs::read_dir(&folder).expect("cloudformation/environments is there");
    let mut files: BTreeMap<String, Parameters> = BTreeMap::new();
    for entry in listing {
        let path = entry.expect("a readable folder").path();
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let read: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let parameters = read.at("Parameters").as_object().cloned().expect("Parameters");
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        files.insert(name, parameters.into_iter().collect());
    }
    files.into_iter().collect()
}

/// Parameters from a table.
pub fn owned<'a>(table: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> Parameters {
    table
        .into_iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect()
}
