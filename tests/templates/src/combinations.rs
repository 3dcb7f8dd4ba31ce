//! What the properties run over: every environment with every feature; every three features of different groups in every
//! environment, and every four in one of them; the parameter files as they are shipped; and sets that proptest draws.
//!
//! All combinations of all features would be half a million, which differ from these only where five or more choices meet.
//! In the sets that are drawn all groups meet, others in each run.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::thread;

use serde_json::Value;

use crate::covering;
use crate::deployment::{Deployment, Refusal, refusals};
use crate::draw;
use crate::features::{self, Feature};
use crate::parameters::Parameters;
use crate::template::{Templates, project};
use crate::value::Look;

/// Sets that proptest draws in one run.
const DRAWS: usize = 150;

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
    let mut choices = combinations(&TEMPLATES);
    choices.extend(parameter_files());
    resolve(&TEMPLATES, &choices)
});

/// Parameter sets that proptest drew, others in each run.
pub static DRAWN: LazyLock<Resolved> = LazyLock::new(|| resolve(&TEMPLATES, &draw::sets(&TEMPLATES, DRAWS)));

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

/// How many choices meet in every way that the rules allow; which environment it is, is one of them.
pub const MEETING: usize = 4;

/// A name and parameters for each environment, alone and with each feature, and for rows of features of all groups in which
/// any [`MEETING`] choices stand together. To have none of a group is a choice, too.
///
/// # Panics
/// If a row of the covering array is no row.
#[must_use]
pub fn combinations(templates: &Templates) -> Vec<(String, Parameters)> {
    let environments = environments(templates);
    let mut made = Vec::new();
    for environment in &environments {
        made.push(choice(environment, &[]));
        made.extend(features().map(|feature| choice(environment, &[feature])));
    }
    // The first value of a group is none of its features.
    let groups = features::GROUPS.iter().map(|(_, group)| group.len() + 1);
    let sizes: Vec<usize> = std::iter::once(environments.len()).chain(groups).collect();
    let chosen = |row: &[Option<usize>]| -> Vec<&'static Feature> {
        let groups = features::GROUPS.iter().zip(&row[1..]);
        groups
            .filter_map(|((_, group), value)| group.get(value.unwrap_or_default().checked_sub(1)?))
            .collect()
    };
    let is_accepted = |row: &[Option<usize>]| {
        let mut candidates = (0..environments.len()).filter(|index| row[0].is_none_or(|decided| decided == *index));
        candidates.any(|index| {
            let (_, given) = choice(&environments[index], &chosen(row));
            // A template's fault is no refusal: it is found when the row is resolved.
            refusals(templates, &given).map_or(true, |refused| refused.is_empty())
        })
    };
    for row in covering::rows(&sizes, MEETING, is_accepted) {
        let row: Vec<Option<usize>> = row.into_iter().map(Some).collect();
        let environment = &environments[row[0].expect("a row has a value for each axis")];
        made.push(choice(environment, &chosen(&row)));
    }
    made
}

fn features() -> impl Iterator<Item = &'static Feature> {
    features::GROUPS.iter().flat_map(|(_, group)| *group)
}

/// The name and the parameters of an environment with features.
fn choice(environment: &str, chosen: &[&Feature]) -> (String, Parameters) {
    let names = std::iter::once(environment).chain(chosen.iter().map(|feature| feature.name));
    let mut parameters = minimal(environment);
    parameters.extend(chosen.iter().flat_map(|feature| owned(feature.parameters)));
    (names.collect::<Vec<_>>().join(", "), parameters)
}

/// Enough to meet a planted violation: every environment, and every feature in one of them.
#[must_use]
pub fn sample(templates: &Templates) -> Vec<(String, Parameters)> {
    let environments = environments(templates);
    let alone = environments.iter().map(|environment| choice(environment, &[]));
    let in_turn = features()
        .enumerate()
        .map(|(index, feature)| choice(&environments[index % environments.len()], &[feature]));
    alone.chain(in_turn).collect()
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
