//! The combinations are worth the name: all of them resolve, and every feature is among them.

use std::collections::BTreeSet;

use template_properties::combinations::{ALL, DRAWN, MEETING, Resolved, TEMPLATES, environments, parameter_files};
use template_properties::features::{Feature, GROUPS};

fn broken(resolved: &Resolved) -> String {
    let lines = resolved.broken.iter().map(|(name, error)| format!("{name}: {error}"));
    lines.take(20).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_combination_resolves() {
    assert!(
        ALL.broken.is_empty(),
        "{} do not, such as\n{}",
        ALL.broken.len(),
        broken(&ALL)
    );
}

#[test]
fn every_set_that_proptest_drew_resolves() {
    assert!(
        DRAWN.broken.is_empty(),
        "{} do not, such as\n{}",
        DRAWN.broken.len(),
        broken(&DRAWN)
    );
    assert!(DRAWN.made.len() >= 100, "only {} sets", DRAWN.made.len());
}

#[test]
fn every_feature_is_reached_in_every_environment_but_production_without_notice() {
    let names: Vec<Vec<&str>> = ALL
        .made
        .iter()
        .map(|deployment| deployment.name.split(", ").collect())
        .collect();
    let features = || GROUPS.iter().flat_map(|(_, features)| *features);
    let mut missing = Vec::new();
    for environment in environments(&TEMPLATES) {
        for feature in features() {
            if !names
                .iter()
                .any(|name| name[0] == environment && name.contains(&feature.name))
            {
                missing.push(format!("{environment}: {}", feature.name));
            }
        }
    }
    assert_eq!(missing, ["prod: nobody"]);
}

/// What a combination's name says was chosen: the environment, then of each group the feature, or nothing.
fn choices(name: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = name.split(", ").collect();
    let of_group = |(_, group): &(&str, &'static [Feature])| {
        let chosen = group.iter().find(|feature| words.contains(&feature.name));
        chosen.map_or("", |feature| feature.name)
    };
    let is_environment = environments(&TEMPLATES).iter().any(|one| one == words[0]);
    is_environment.then(|| std::iter::once(words[0]).chain(GROUPS.iter().map(of_group)).collect())
}

/// Every four different numbers below a limit, in their order.
fn fours(limit: usize) -> impl Iterator<Item = [usize; 4]> {
    (0..limit).flat_map(move |a| {
        (a + 1..limit).flat_map(move |b| (b + 1..limit).flat_map(move |c| (c + 1..limit).map(move |d| [a, b, c, d])))
    })
}

#[test]
fn every_four_choices_meet_but_production_and_nobody_to_tell() {
    assert_eq!(MEETING, 4);
    let made: Vec<Vec<&str>> = ALL.made.iter().filter_map(|one| choices(&one.name)).collect();
    let axes = GROUPS.len() + 1;
    let values = |axis: usize| made.iter().map(|row| row[axis]).collect::<BTreeSet<_>>();
    let values: Vec<_> = (0..axes).map(values).collect();
    assert_eq!(
        values.iter().skip(1).map(BTreeSet::len).sum::<usize>(),
        GROUPS.iter().map(|(_, group)| group.len() + 1).sum::<usize>()
    );
    let mut apart = Vec::new();
    for four in fours(axes) {
        let met: BTreeSet<[&str; 4]> = made.iter().map(|row| four.map(|axis| row[axis])).collect();
        let [a, b, c, d] = four.map(|axis| &values[axis]);
        let all = a.iter().flat_map(|a| {
            b.iter()
                .flat_map(move |b| c.iter().flat_map(move |c| d.iter().map(move |d| [*a, *b, *c, *d])))
        });
        apart.extend(all.filter(|one| !met.contains(one)));
    }
    let (refused, missing): (Vec<_>, Vec<_>) = apart
        .into_iter()
        .partition(|one| one.contains(&"prod") && one.contains(&"nobody"));
    assert!(
        missing.is_empty(),
        "the rules keep apart, or nobody combines: {missing:?}"
    );
    assert!(!refused.is_empty(), "the rules let production tell nobody");
    // Of half a million: few enough to resolve them all in each run.
    assert!(made.len() < 1_000, "{} combinations", made.len());
}

#[test]
fn the_parameter_files_are_dev_local_prod_and_test() {
    let files: Vec<String> = parameter_files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(files, ["dev.json", "local.json", "prod.json", "test.json"]);
    let made = ALL
        .made
        .iter()
        .filter(|deployment| files.contains(&deployment.name))
        .count();
    assert_eq!(made, 4, "a rule refuses a parameter file");
}
