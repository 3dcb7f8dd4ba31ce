//! What several suites share.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::Value;
use template_properties::proof::Finding;
use template_properties::value::Look;
use template_properties::{Deployment, NESTED, Resource, Template, Templates};

/// What is wrong with one thing, if anything.
pub fn of_one(thing: impl Display, wrong: Option<String>) -> Vec<Finding> {
    wrong.map(|wrong| Finding::new(thing, wrong)).into_iter().collect()
}

/// What is wrong with each resource of these types, if anything.
pub fn each(deployment: &Deployment, kinds: &[&str], judge: impl Fn(&Resource) -> Option<String>) -> Vec<Finding> {
    deployment
        .of_type(kinds)
        .filter_map(|resource| judge(resource).map(|wrong| Finding::new(resource, wrong)))
        .collect()
}

/// What is wrong with each declaration of a section of each file, if anything: the file, the name and the declaration.
pub fn each_declared(
    templates: &Templates,
    section: &str,
    judge: impl Fn(&str, &str, &Value) -> Option<String>,
) -> Vec<Finding> {
    let declared = templates
        .iter()
        .flat_map(|template| template.section(section).map(move |entry| (template, entry)));
    let judged = declared.filter_map(|(template, (name, value))| {
        judge(&template.file, name, value).map(|wrong| Finding::new(format!("{}: {name}", template.file), wrong))
    });
    judged.collect()
}

/// Every nested stack: the template that nests it, its name and its declaration.
pub fn nested(templates: &Templates) -> Vec<(&Template, &str, &Value)> {
    let resources = templates
        .iter()
        .flat_map(|one| one.section("Resources").map(move |(name, value)| (one, name, value)));
    resources
        .filter(|(_, _, declared)| declared.at("Type") == NESTED)
        .collect()
}

/// The remark, unless all is well.
pub fn unless(is_well: bool, wrong: impl FnOnce() -> String) -> Option<String> {
    (!is_well).then(wrong)
}

/// The texts, sorted, each once.
pub fn set<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    texts.into_iter().map(Into::into).collect()
}

/// The policies that give an identity permissions: statements of a role, of a policy or of a managed policy.
pub fn statements(resource: &Resource) -> Vec<&Value> {
    let inline = resource
        .properties
        .at("Policies")
        .listed()
        .into_iter()
        .map(|policy| policy.at("PolicyDocument"));
    inline
        .chain([resource.properties.at("PolicyDocument")])
        .flat_map(|document| document.at("Statement").listed())
        .collect()
}

/// What a role may do: its own policies and those attached to it.
pub fn role_statements<'a>(deployment: &'a Deployment, role: &'a Resource) -> Vec<&'a Value> {
    let attached = attached(deployment, role);
    std::iter::once(role).chain(attached).flat_map(statements).collect()
}

/// The policies that name a role.
pub fn attached<'a>(deployment: &'a Deployment, role: &Resource) -> Vec<&'a Resource> {
    let reference = role.reference();
    deployment
        .of_type(&["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"])
        .filter(|policy| policy.properties.at("Roles").texts().contains(&reference))
        .collect()
}

/// The actions of a statement.
pub fn actions(statement: &Value) -> Vec<String> {
    statement.at("Action").texts()
}

/// Whether the statement allows.
pub fn allows(statement: &Value) -> bool {
    statement.at("Effect") == "Allow"
}

/// The services that a statement names as its principal.
pub fn services(statement: &Value) -> Vec<String> {
    statement.at("Principal/Service").texts()
}

/// `FailureResponderFunction` as `failure-responder-function`.
pub fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| letters[before]);
        let follows_lower = before.is_some_and(|before| !before.is_ascii_uppercase());
        // The last capital of several begins the next word: CPUUtilization is cpu-utilization.
        let begins_word = before.is_some() && letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && (follows_lower || begins_word) {
            text.push('-');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[test]
fn kebab_case_keeps_abbreviations_together() {
    assert_eq!(
        kebab("DatabaseCPUUtilizationTooHigh"),
        "database-cpu-utilization-too-high"
    );
    assert_eq!(kebab("SesDomain"), "ses-domain");
}
