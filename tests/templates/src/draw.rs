//! Parameter sets that proptest draws: features from the table, and then any parameter with any value that its
//! constraints allow, as far as the root's rules agree.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::option::{self, weighted};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;
use regex::Regex;
use serde_json::Value;

use crate::combinations::{environments, minimal, owned};
use crate::deployment::refusals;
use crate::features::GROUPS;
use crate::parameters::{Parameters, matches, shown};
use crate::template::Templates;
use crate::value::Look;

/// How often a parameter is drawn that no feature chose.
const SHARE: f64 = 0.1;
/// Patterns that let through what no such thing can be: narrower here.
const NARROWER: [(&str, &str); 5] = [
    (
        r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])",
        "([a-z0-9]{1,8}(-[a-z0-9]{1,4})?[.]){1,3}[a-z][a-z0-9]{1,6}",
    ),
    (
        r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}/(1[6-9]|20)",
        "10[.][1-9][0-9]?[.]0[.]0/(1[6-9]|20)",
    ),
    (
        r"[^@\s]+@[^@\s]+\.[^@\s]+",
        "[a-z0-9._+-]{1,12}@[a-z0-9]{1,12}[.][a-z]{2,6}",
    ),
    // No label has two hyphens in its third and fourth place but an international one.
    (r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "[a-z0-9]{1,8}(-[a-z0-9]{1,4})?"),
    (".+", "[A-Za-z0-9/:-]{1,20}"),
];
static LOOK_AHEAD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\(\?[=!][^)]*\)").expect("a valid pattern"));

/// So many sets, each with a name that shows all of it.
///
/// # Panics
/// If the rules leave next to nothing.
#[must_use]
pub fn sets(templates: &Templates, count: usize) -> Vec<(String, Parameters)> {
    let mut runner = TestRunner::default();
    let strategy = sets_of(templates);
    let drawn = (0..count).map(|_| {
        let parameters = strategy
            .new_tree(&mut runner)
            .expect("the rules leave enough")
            .current();
        (format!("drawn {}", shown(&parameters)), parameters)
    });
    drawn.collect()
}

/// A set that the rules accept.
fn sets_of(templates: &Templates) -> impl Strategy<Value = Parameters> {
    let features: Vec<_> = GROUPS.iter().map(|_| option::of(any::<Index>())).collect();
    let parameters: Vec<_> = templates
        .root()
        .section("Parameters")
        .filter(|(name, _)| *name != "Environment")
        .collect();
    let values: Vec<_> = parameters
        .into_iter()
        .map(|(name, declared)| {
            let name = name.to_owned();
            weighted(SHARE, value(declared)).prop_map(move |value| value.map(|value| (name.clone(), value)))
        })
        .collect();
    let drawn = (select(environments(templates)), features, values);
    let sets = drawn.prop_map(|(environment, features, values)| {
        let mut parameters = minimal(&environment);
        for ((_, group), chosen) in GROUPS.iter().zip(features) {
            let feature = chosen.map(|index: Index| index.get(group));
            parameters.extend(feature.into_iter().flat_map(|feature| owned(feature.parameters)));
        }
        parameters.extend(
            values
                .into_iter()
                .flatten()
                .map(|(name, value)| (name, Value::from(value))),
        );
        parameters
    });
    sets.prop_filter("the rules refuse it", |parameters| {
        // A template's fault is no refusal: it is found when the set is resolved.
        refusals(templates, parameters).map_or(true, |refused| refused.is_empty())
    })
}

/// Any value that a parameter's constraints allow.
///
/// # Panics
/// If its pattern is none.
pub fn value(declared: &Value) -> BoxedStrategy<String> {
    if declared.get("AllowedValues").is_some() {
        return select(declared.at("AllowedValues").texts()).boxed();
    }
    if let Some(pattern) = declared.at("AllowedPattern").as_str() {
        let drawn = string_regex(&generating(pattern)).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let pattern = pattern.to_owned();
        return drawn
            .prop_filter("it looks ahead", move |text| matches(&pattern, text))
            .boxed();
    }
    if declared.at("Type") == "Number" {
        let limit = |name: &str, otherwise: i64| declared.at(name).as_i64().unwrap_or(otherwise);
        return (limit("MinValue", 0)..=limit("MaxValue", 1000))
            .prop_map(|number| number.to_string())
            .boxed();
    }
    let longest = declared
        .at("MaxLength")
        .as_u64()
        .and_then(|length| length.try_into().ok())
        .unwrap_or(40usize);
    vec(select(('a'..='z').collect::<Vec<_>>()), 1..=longest)
        .prop_map(String::from_iter)
        .boxed()
}

/// The pattern without what a generator does not know: anchors and looking ahead.
fn generating(pattern: &str) -> String {
    let plain = LOOK_AHEAD.replace_all(pattern, "");
    let narrowed = NARROWER
        .iter()
        .fold(plain.into_owned(), |text, (wide, narrow)| text.replace(wide, narrow));
    narrowed
        .replace(r"\d", "[0-9]")
        .replace(['^', '$'], "")
        .replace("[@", "[^@")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_drawn_from_a_pattern_matches_it() {
        let mut runner = TestRunner::deterministic();
        for pattern in [
            "^$|^Z[A-Z0-9]{1,31}$",
            r"^$|^[^@\s]+@[^@\s]+\.[^@\s]+$",
            "^arn:[a-z-]+:sns:.+$",
        ] {
            let strategy = value(&json!({"Type": "String", "AllowedPattern": pattern}));
            for _ in 0..50 {
                let drawn = strategy.new_tree(&mut runner).unwrap().current();
                assert!(matches(pattern, &drawn), "{drawn:?} against {pattern}");
            }
        }
    }

    #[test]
    fn the_drawn_sets_reach_every_parameter_and_every_feature() {
        let templates = Templates::load();
        let sets = sets(&templates, 800);
        let never: Vec<_> = templates
            .root()
            .section("Parameters")
            .filter(|(name, _)| !sets.iter().any(|(_, set)| set.contains_key(*name)))
            .collect();
        assert!(never.is_empty(), "never drawn: {never:?}");
        let unreached: Vec<_> = GROUPS
            .iter()
            .flat_map(|(_, group)| *group)
            .filter(|feature| {
                let wanted = owned(feature.parameters);
                !sets
                    .iter()
                    .any(|(_, set)| wanted.iter().all(|(name, value)| set.get(name) == Some(value)))
            })
            .collect();
        assert!(unreached.is_empty(), "never chosen: {unreached:?}");
    }
}
