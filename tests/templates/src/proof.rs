//! Proving a property: a planted violation is found, and nothing is found in any deployment.

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};
use std::sync::Mutex;

use serde_json::{Map, Value};

use crate::combinations::{ALL, DRAWN, TEMPLATES, sample};
use crate::deployment::Deployment;
use crate::parameters::{Parameters, shown};
use crate::template::Templates;

/// A thing, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding(String);

impl Finding {
    /// A finding reads "thing: what is wrong".
    #[must_use]
    pub fn new(thing: impl Display, wrong: impl Display) -> Self {
        Self(format!("{thing}: {wrong}"))
    }
}

/// A violation that a test plants: the templates with one change.
#[derive(Debug)]
pub struct Seed(Templates);

impl Seed {
    /// Sets what stands at a path such as `Resources/EventTopic/Properties/KmsMasterKeyId`.
    ///
    /// # Panics
    /// If the path leads nowhere: the template has changed, and the seed must follow.
    #[must_use]
    pub fn set(file: &str, path: &str, value: Value) -> Self {
        Self(set(&TEMPLATES, file, path, value))
    }

    /// Sets something besides.
    ///
    /// # Panics
    /// As [`Seed::set`].
    #[must_use]
    pub fn and_set(self, file: &str, path: &str, value: Value) -> Self {
        Self(set(&self.0, file, path, value))
    }

    /// Removes what stands at a path.
    ///
    /// # Panics
    /// If nothing does.
    #[must_use]
    pub fn remove(file: &str, path: &str) -> Self {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        Self(TEMPLATES.with(file, |template| {
            let removed = match target(&mut template.body, parent, file) {
                Value::Object(entries) => entries.shift_remove(name),
                Value::Array(items) => Some(items.remove(name.parse().expect("an index"))),
                other => panic!("{file}: {parent} is {other}"),
            };
            assert!(removed.is_some(), "{file} has no {path}: what shall the seed remove?");
        }))
    }

    /// Replaces a piece of the text, comments included, which must be there.
    ///
    /// # Panics
    /// If it is not.
    #[must_use]
    pub fn text(file: &str, old: &str, new: &str) -> Self {
        Self(TEMPLATES.with(file, |template| {
            assert!(
                template.source.contains(old),
                "{file} does not contain {old:?}: what shall the seed replace?"
            );
            *template = crate::Template::parse(file, template.source.replacen(old, new, 1));
        }))
    }

    /// The changed templates.
    #[must_use]
    pub fn templates(&self) -> &Templates {
        &self.0
    }
}

fn set(templates: &Templates, file: &str, path: &str, value: Value) -> Templates {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    templates.with(file, |template| match target(&mut template.body, parent, file) {
        Value::Object(entries) => _ = entries.insert(name.to_owned(), value),
        Value::Array(items) if name == "-" => items.push(value),
        Value::Array(items) => items[name.parse::<usize>().expect("an index")] = value,
        other => panic!("{file}: {parent} is {other}"),
    })
}

fn target<'a>(body: &'a mut Value, path: &str, file: &str) -> &'a mut Value {
    if path.is_empty() {
        return body;
    }
    path.split('/').fold(body, |value, step| {
        let found = match value {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            Value::Object(entries) => Some(entries.entry(step).or_insert_with(|| Value::Object(Map::new()))),
            _ => None,
        };
        found.unwrap_or_else(|| panic!("{file} has no {path}: what shall the seed change?"))
    })
}

/// Proves a property of deployments: planted, the violation is found with exactly this text; and no deployment has one.
///
/// # Panics
/// If either fails, with every finding and how many deployments have it.
pub fn proven<P: Fn(&Deployment) -> Vec<Finding>>(property: P, seed: &Seed, expected: &str) {
    let mut others = BTreeSet::new();
    let is_caught = sample(seed.templates()).iter().any(|(name, parameters)| {
        match Deployment::resolve(seed.templates(), name, parameters) {
            Ok(deployment) => others.extend(property(&deployment).into_iter().map(|finding| finding.0)),
            Err(error) => _ = others.insert(format!("({name} is not resolved: {error})")),
        }
        others.contains(expected)
    });
    assert!(is_caught, "{}", missed(expected, &others));
    holds(property);
}

/// Proves a property of the template files themselves.
///
/// # Panics
/// As [`proven`].
pub fn proven_of_files(property: impl Fn(&Templates) -> Vec<Finding>, seed: &Seed, expected: &str) {
    let others = property(seed.templates())
        .into_iter()
        .map(|finding| finding.0)
        .collect::<BTreeSet<_>>();
    assert!(others.contains(expected), "{}", missed(expected, &others));
    report(
        property(&TEMPLATES)
            .into_iter()
            .map(|finding| (finding, "cloudformation/".to_owned())),
    );
}

fn missed(expected: &str, others: &BTreeSet<String>) -> String {
    let others = others.iter().map(String::as_str).collect::<Vec<_>>().join("\n  ");
    format!("the planted violation is not found:\n  {expected}\nbut\n  {others}")
}

/// Properties that hold: with several seeds, a property need not be shown to hold several times. By their types' names,
/// which functions have of their own and closures do not.
static HELD: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

/// Holds in every combination, in every parameter file and in the sets that were drawn.
///
/// # Panics
/// If not.
fn holds<P: Fn(&Deployment) -> Vec<Finding>>(property: P) {
    let name = type_name::<P>();
    if HELD.lock().expect("nobody panics in here").contains(name) {
        return;
    }
    report(ALL.made.iter().flat_map(|deployment| {
        let findings = property(deployment).into_iter();
        findings.map(|finding| (finding, deployment.name.clone()))
    }));
    if let Some((drawn, finding)) = DRAWN
        .made
        .iter()
        .find_map(|one| Some((one, property(one).into_iter().next()?)))
    {
        let least = smallest(&drawn.given, |deployment| property(deployment).contains(&finding));
        panic!("\n{} [proptest drew {}]", finding.0, shown(&least));
    }
    if !name.contains("{{closure}}") {
        HELD.lock().expect("nobody panics in here").insert(name);
    }
}

/// The parameters without those that a finding does not need: what is left shows its cause.
fn smallest(given: &Parameters, is_found: impl Fn(&Deployment) -> bool) -> Parameters {
    let mut least = given.clone();
    for name in given.keys() {
        let mut fewer = least.clone();
        fewer.remove(name);
        if Deployment::resolve(&TEMPLATES, "smaller", &fewer).is_ok_and(|deployment| is_found(&deployment)) {
            least = fewer;
        }
    }
    least
}

/// One line a finding, however many places have it.
fn report(findings: impl Iterator<Item = (Finding, String)>) {
    let mut places: BTreeMap<Finding, (usize, String)> = BTreeMap::new();
    for (finding, place) in findings {
        places.entry(finding).or_insert((0, place)).0 += 1;
    }
    let mut text = String::new();
    for (finding, (times, first)) in &places {
        write!(text, "\n{} [{times} times, first: {first}]", finding.0).expect("a String takes everything");
    }
    assert!(places.is_empty(), "{text}");
}
