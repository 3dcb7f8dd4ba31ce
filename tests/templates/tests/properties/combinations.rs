//! The combinations are worth the name: all of them resolve, and every feature is among them.

use template_properties::combinations::{ALL, DRAWN, Resolved, TEMPLATES, environments, parameter_files};
use template_properties::features::GROUPS;

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

#[test]
fn every_two_features_of_different_groups_meet() {
    let names: Vec<Vec<&str>> = ALL
        .made
        .iter()
        .map(|deployment| deployment.name.split(", ").collect())
        .collect();
    let mut apart = Vec::new();
    for (index, (_, group)) in GROUPS.iter().enumerate() {
        let others = || GROUPS[index + 1..].iter().flat_map(|(_, features)| *features);
        for (one, other) in group.iter().flat_map(|one| others().map(move |other| (one, other))) {
            if !names
                .iter()
                .any(|name| name.contains(&one.name) && name.contains(&other.name))
            {
                apart.push(format!("{} and {}", one.name, other.name));
            }
        }
    }
    assert!(apart.is_empty(), "the rules keep apart, or nobody combines: {apart:?}");
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
