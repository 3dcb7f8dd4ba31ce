//! Prevents: a stack that waited an hour for a function which had died, and another hour for its rollback.
//!
//! Every custom resource is answered: by its function, or within seconds by the failure responder.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::support::{actions, allows, attached, role_statements, set, unless};

/// One invocation and five continuations (R10).
const INVOCATIONS: f64 = 6.0;
/// Seconds before the limit at which the runtime hands over.
const HANDOVER: f64 = 8.0;
const RESPONDER: &str = "<foundation.FailureResponderFunction.Arn>";
const SES: &str = "modules/ses.yaml";
const BOUNCES: &str = "modules/bounces.yaml";
const DOMAIN: &str = "ses: SesDomain (Custom::SesDomain)";

/// What is wrong with each custom resource, given its function.
fn each_custom(deployment: &Deployment, judge: impl Fn(&Resource, &Resource) -> Option<String>) -> Vec<Finding> {
    let custom = deployment.resources().filter(|resource| resource.is_custom());
    let judged = custom.filter_map(|resource| {
        let function = deployment.owner(resource.properties.at("ServiceToken"));
        let wrong = match function {
            Some(function) => judge(resource, function),
            None => Some("nobody of the stack answers for it".to_owned()),
        };
        wrong.map(|wrong| Finding::new(resource, wrong))
    });
    judged.collect()
}

fn invocations<'a>(deployment: &'a Deployment, function: &Resource) -> Vec<&'a Resource> {
    let reference = function.reference();
    let all = deployment.of_type(&["AWS::Lambda::EventInvokeConfig"]);
    all.filter(|one| one.properties.at("FunctionName") == reference.as_str())
        .collect()
}

fn waits(deployment: &Deployment) -> Vec<Finding> {
    each_custom(deployment, |resource, function| {
        let role = deployment.owner(function.properties.at("Role"))?;
        let invocations = invocations(deployment, function);
        let policies = attached(deployment, role);
        let within = |module: &str| policies.iter().any(|policy| policy.module == module);
        if invocations.len() != 1 || !within(&function.module) || !within(&resource.module) {
            return Some(
                "its function lacks a policy or an invoke configuration, or knows nothing of this module".to_owned(),
            );
        }
        // Another module's stack is complete when its outputs are known; what this one adds to the role is not.
        let needed = invocations
            .iter()
            .chain(&policies)
            .filter(|one| one.module == resource.module);
        let needed = set(needed.map(|one| one.logical_id.clone()));
        let missing: Vec<String> = needed.difference(&set(resource.depends_on.clone())).cloned().collect();
        unless(missing.is_empty(), || format!("does not wait for {missing:?}"))
    })
}

#[test]
fn each_waits_for_its_functions_policy_and_invoke_configuration() {
    for (index, name) in ["SesDomainPolicy", "SesDomainInvocation"].into_iter().enumerate() {
        let seed = Seed::remove(SES, &format!("Resources/SesDomain/DependsOn/{index}"));
        proven(waits, &seed, &format!("{DOMAIN}: does not wait for [\"{name}\"]"));
    }
    proven(
        waits,
        &Seed::remove(SES, "Resources/SesDomainInvocation"),
        &format!("{DOMAIN}: its function lacks a policy or an invoke configuration, or knows nothing of this module"),
    );
}

#[test]
fn one_whose_function_is_another_modules_waits_for_what_its_own_module_adds_to_the_role() {
    let user = "bounces: User (Custom::DatabaseUser)";
    proven(
        waits,
        &Seed::remove(BOUNCES, "Resources/User/DependsOn"),
        &format!("{user}: does not wait for [\"DatabaseInitPolicy\"]"),
    );
    proven(
        waits,
        &Seed::remove(BOUNCES, "Resources/DatabaseInitPolicy"),
        &format!("{user}: its function lacks a policy or an invoke configuration, or knows nothing of this module"),
    );
}

#[test]
fn each_is_answered_by_a_function_of_the_stack() {
    let token = json!("arn:aws:lambda:eu-central-1:123456789012:function:other");
    proven(
        waits,
        &Seed::set(SES, "Resources/SesDomain/Properties/ServiceToken", token),
        &format!("{DOMAIN}: nobody of the stack answers for it"),
    );
}

fn reports(deployment: &Deployment) -> Vec<Finding> {
    each_custom(deployment, |_, function| {
        invocations(deployment, function).into_iter().find_map(|one| {
            let found = &one.properties;
            let destination = found.at("DestinationConfig/OnFailure/Destination").text();
            if found.at("MaximumRetryAttempts") != &json!(0) || destination != RESPONDER {
                return Some(format!("its function is retried, or reports to '{destination}'"));
            }
            unless(!one.depends_on.is_empty(), || {
                "Lambda refuses a destination that the role may not call yet".to_owned()
            })
        })
    })
}

#[test]
fn its_function_is_never_retried_and_reports_to_the_responder() {
    let invocation = "Resources/SesDomainInvocation";
    let retried = format!("{DOMAIN}: its function is retried, or reports to");
    proven(
        reports,
        &Seed::set(SES, &format!("{invocation}/Properties/MaximumRetryAttempts"), json!(2)),
        &format!("{retried} '{RESPONDER}'"),
    );
    proven(
        reports,
        &Seed::remove(SES, &format!("{invocation}/Properties/DestinationConfig")),
        &format!("{retried} ''"),
    );
    proven(
        reports,
        &Seed::remove(SES, &format!("{invocation}/DependsOn")),
        &format!("{DOMAIN}: Lambda refuses a destination that the role may not call yet"),
    );
}

fn calls(deployment: &Deployment) -> Vec<Finding> {
    each_custom(deployment, |_, function| {
        let role = deployment.owner(function.properties.at("Role"))?;
        let statements = role_statements(deployment, role)
            .into_iter()
            .filter(|one| allows(one) && actions(one).iter().any(|action| action == "lambda:InvokeFunction"));
        let called: BTreeSet<String> = statements
            .flat_map(|statement| statement.at("Resource").texts())
            .collect();
        // Itself only where it waits longer than one invocation; whether it does, its list of calls knows.
        let known = set([function.attribute("Arn"), RESPONDER.to_owned()]);
        let is_exact = called.contains(RESPONDER) && called.is_subset(&known);
        unless(is_exact, || format!("its function may call {called:?}"))
    })
}

#[test]
fn its_function_may_call_the_responder_and_itself_and_nothing_else() {
    let database = "database-init: Database (Custom::Database)";
    let path = "Resources/DatabaseInitPolicy/Properties/PolicyDocument/Statement/2/Resource";
    for targets in [
        json!(["<ses.SesDomainFunction.Arn>", RESPONDER]),
        json!(["<database-init.DatabaseInitFunction.Arn>"]),
    ] {
        let text = set(targets.texts());
        let seed = Seed::set("modules/database-init.yaml", path, targets);
        proven(calls, &seed, &format!("{database}: its function may call {text:?}"));
    }
}

fn in_time(deployment: &Deployment) -> Vec<Finding> {
    each_custom(deployment, |resource, function| {
        let limit = function.properties.at("Timeout").number()?;
        let wait = resource.properties.at("WaitSeconds").number().unwrap_or(limit);
        let Some(timeout) = resource.properties.at("ServiceTimeout").number() else {
            return Some("CloudFormation waits an hour".to_owned());
        };
        if (timeout - (wait + 60.0).max(120.0)).abs() > 0.5 || timeout > 3600.0 {
            return Some(format!("waits {wait} s, CloudFormation {timeout} s"));
        }
        unless(wait <= INVOCATIONS * (limit - HANDOVER), || {
            format!("waits {wait} s, longer than six invocations can")
        })
    })
}

#[test]
fn cloudformation_waits_a_minute_longer_than_the_resource_does() {
    proven(
        in_time,
        &Seed::set(SES, "Mappings/ServiceTimeout/600/Seconds", json!(600)),
        &format!("{DOMAIN}: waits 600 s, CloudFormation 600 s"),
    );
    proven(
        in_time,
        &Seed::remove(SES, "Resources/SesDomain/Properties/ServiceTimeout"),
        &format!("{DOMAIN}: CloudFormation waits an hour"),
    );
}

#[test]
fn nothing_waits_longer_than_its_invocations_can() {
    proven(
        in_time,
        &Seed::set(SES, "Resources/SesDomainFunction/Properties/Timeout", json!(300)),
        &format!("{DOMAIN}: waits 3540 s, longer than six invocations can"),
    );
}

fn reconciles(deployment: &Deployment) -> Vec<Finding> {
    each_custom(deployment, |resource, _| {
        unless(resource.properties.get("Nonce").is_some(), || "has no Nonce".to_owned())
    })
}

#[test]
fn each_can_be_made_to_reconcile() {
    proven(
        reconciles,
        &Seed::remove(SES, "Resources/SesDomain/Properties/Nonce"),
        &format!("{DOMAIN}: has no Nonce"),
    );
}

/// A secret in a property is a secret in the stack's events, and in everybody's console.
fn tells_secrets(deployment: &Deployment) -> Vec<Finding> {
    let is_secret = |value: &Value| {
        value.text().contains("{{resolve:secretsmanager") || value.text().contains("{{resolve:ssm-secure")
    };
    each_custom(deployment, |resource, _| {
        let told = resource
            .properties
            .scalars()
            .into_iter()
            .find(|(_, value)| is_secret(value));
        told.map(|(path, _)| format!("is told a secret in {path}"))
    })
}

#[test]
fn none_is_told_a_secret() {
    let secret = json!("{{resolve:secretsmanager:mautic:SecretString:password}}");
    proven(
        tells_secrets,
        &Seed::set(SES, "Resources/SesDomain/Properties/Password", secret),
        &format!("{DOMAIN}: is told a secret in /Password"),
    );
}
