//! Prevents: a role that drifted from its function: calls that fail in production only, and rights that nobody uses.
//!
//! `functions/NAME/api-calls.txt` lists what the function's tests recorded, and what Lambda or another service calls with
//! its role; `tests/recorded-calls` holds list and code together, this suite list and role.

use std::collections::{BTreeMap, BTreeSet};

use recorded_calls::Calls;
use serde_json::json;
use template_properties::combinations::{ALL, TEMPLATES, resolve, sample};
use template_properties::proof::Seed;
use template_properties::value::Look;
use template_properties::{Deployment, Templates};

use crate::support::{actions, allows, role_statements};

const FUNCTION: &str = "AWS::Lambda::Function";

/// Function -> every action that its role allows in any of the deployments.
fn allowed<'a>(deployments: impl IntoIterator<Item = &'a Deployment>) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for deployment in deployments {
        for function in deployment.of_type(&[FUNCTION]) {
            let role = deployment
                .owner(function.properties.at("Role"))
                .expect("a role of the stack");
            let statements = role_statements(deployment, role)
                .into_iter()
                .filter(|statement| allows(statement));
            found
                .entry(name(&function.properties.at("Code").text()))
                .or_default()
                .extend(statements.flat_map(actions));
        }
    }
    found
}

/// `../functions/ses-domain.zip` is the package of `ses-domain`.
fn name(code: &str) -> String {
    code.rsplit('/')
        .next()
        .unwrap_or(code)
        .trim_end_matches(".zip")
        .to_owned()
}

/// What role and list do not agree on, one line each.
fn discrepancies(allowed: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (function, actions) in allowed {
        let calls = match Calls::read(function) {
            Ok(calls) => calls,
            Err(error) => {
                found.push(format!("{function}: {error}"));
                continue;
            }
        };
        let listed: BTreeSet<String> = calls.actions().into_iter().map(str::to_owned).collect();
        let path = format!("functions/{function}/api-calls.txt");
        found.extend(
            actions
                .difference(&listed)
                .map(|action| format!("{function}: the role allows {action}, which {path} lacks")),
        );
        found.extend(
            listed
                .difference(actions)
                .map(|action| format!("{function}: {path} lists {action}, which the role never allows")),
        );
    }
    found
}

#[test]
fn each_functions_role_allows_exactly_the_calls_that_its_code_makes() {
    let found = discrepancies(&allowed(&ALL.made));
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn of(seed: &Seed) -> Vec<String> {
    discrepancies(&allowed(&resolve(seed.templates(), &sample(seed.templates())).made))
}

#[test]
fn a_right_that_no_call_needs_is_found() {
    let path = "Resources/SesDomainPolicy/Properties/PolicyDocument/Statement/0/Action/-";
    let found = of(&Seed::set("modules/ses.yaml", path, json!("ses:SendEmail")));
    let text = "ses-domain: the role allows ses:SendEmail, which functions/ses-domain/api-calls.txt lacks";
    assert!(found.iter().any(|line| line == text), "{found:#?}");
}

#[test]
fn a_call_without_a_right_is_found() {
    let found = of(&Seed::remove(
        "modules/ses.yaml",
        "Resources/SesDomainPolicy/Properties/PolicyDocument/Statement/2",
    ));
    let text = "ses-domain: functions/ses-domain/api-calls.txt lists ses:GetAccount, which the role never allows";
    assert!(found.iter().any(|line| line == text), "{found:#?}");
}

#[test]
fn every_function_that_can_be_called_has_its_place_in_a_template() {
    let placed = |templates: &Templates| -> BTreeSet<String> {
        let resources = templates.iter().flat_map(|template| template.section("Resources"));
        let functions = resources.filter(|(_, declared)| declared.at("Type") == FUNCTION);
        functions
            .map(|(_, declared)| name(&declared.at("Properties/Code").text()))
            .collect()
    };
    let written = Calls::functions().expect("functions/ is there");
    assert_eq!(placed(&TEMPLATES), written);
}
