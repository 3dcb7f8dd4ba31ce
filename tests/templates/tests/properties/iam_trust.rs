//! Prevents: a role that another account's resources could use, through a service that works for everybody.

use serde_json::{Value, json};
use template_properties::Deployment;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;

use crate::iam_policy::ROLE;
use crate::support::{each, services, unless};

const ASSUME: &str = "Resources/MonitoringRole/Properties/AssumeRolePolicyDocument/Statement/0";
const MONITORING: &str = "database: MonitoringRole (AWS::IAM::Role)";

fn only_services(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ROLE], |role| {
        let statements = role.properties.at("AssumeRolePolicyDocument/Statement").listed();
        let odd = statements.iter().find(|statement| {
            statement.at("Principal").keys() != ["Service"] || statement.at("Action") != "sts:AssumeRole"
        });
        odd.map(|statement| format!("lets {} {}", statement.at("Principal"), statement.at("Action").text()))
    })
}

#[test]
fn only_a_service_assumes_a_role() {
    proven(
        only_services,
        &Seed::set(
            "modules/database.yaml",
            &format!("{ASSUME}/Principal"),
            json!({"AWS": "*"}),
        ),
        &format!("{MONITORING}: lets {{\"AWS\":\"*\"}} sts:AssumeRole"),
    );
}

/// Services that name no source when they assume a role, and why nobody else's resource can come through.
/// Source: docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html and the services' own pages.
const SOURCELESS: [(&str, &str); 2] = [
    (
        "lambda.amazonaws.com",
        "a function takes a role only if its maker may pass it (iam:PassRole), and Lambda sends neither account nor ARN",
    ),
    (
        "backup.amazonaws.com",
        "a plan takes a role only if its maker may pass it (iam:PassRole), and Backup sends neither account nor ARN",
    ),
];

/// The account of every deployment here.
const ACCOUNT: &str = "123456789012";
const SOURCES: [&str; 2] = ["aws:SourceAccount", "aws:SourceArn"];

fn held_to_a_source(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ROLE], |role| {
        let statements = role.properties.at("AssumeRolePolicyDocument/Statement").listed();
        statements.into_iter().find_map(|statement| {
            let services = services(statement);
            let is_sourceless = services
                .iter()
                .all(|service| SOURCELESS.iter().any(|(known, _)| known == service));
            // A source that every account has is none.
            let is_ours = |value: &&Value| value.text().contains(ACCOUNT) || deployment.owner(value).is_some();
            let tests = statement.at("Condition").as_object().into_iter().flatten();
            let sources = tests.flat_map(|(_, test)| SOURCES.map(|key| test.get(key)));
            let names = sources.flatten().flat_map(Look::listed).any(|value| is_ours(&value));
            unless(is_sourceless || names, || {
                format!("any account may come through {services:?}")
            })
        })
    })
}

#[test]
fn a_service_that_names_its_source_is_held_to_this_account() {
    proven(
        held_to_a_source,
        &Seed::remove("modules/database.yaml", &format!("{ASSUME}/Condition")),
        &format!("{MONITORING}: any account may come through [\"monitoring.rds.amazonaws.com\"]"),
    );
    proven(
        held_to_a_source,
        &Seed::set(
            "modules/database.yaml",
            &format!("{ASSUME}/Condition"),
            json!({"StringLike": {"aws:SourceAccount": "*"}}),
        ),
        &format!("{MONITORING}: any account may come through [\"monitoring.rds.amazonaws.com\"]"),
    );
}

/// AWS's own policies change without us, and are wider than one stack; those that are used, each with its reason.
const MANAGED: [(&str, &str); 3] = [
    (
        "AmazonRDSEnhancedMonitoringRole",
        "its log group, RDSOSMetrics, is shared by the whole account",
    ),
    (
        "AWSBackupServiceRolePolicyForBackup",
        "what a backup needs of each service is AWS's to say",
    ),
    (
        "AWSBackupServiceRolePolicyForRestores",
        "what a restore needs of each service is AWS's to say",
    ),
];

fn managed(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ROLE], |role| {
        let policies = role.properties.at("ManagedPolicyArns").texts();
        let strange = policies.into_iter().find(|arn| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            arn.contains(":aws:policy/") && !MANAGED.iter().any(|(known, _)| *known == name)
        });
        strange.map(|arn| format!("has {arn}"))
    })
}

#[test]
fn no_role_has_a_policy_of_awss_without_a_reason() {
    let arns = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
    proven(
        managed,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/SesDomainRole/Properties/ManagedPolicyArns",
            arns,
        ),
        "ses: SesDomainRole (AWS::IAM::Role): has arn:aws:iam::aws:policy/AdministratorAccess",
    );
}

/// A role without a policy can do nothing: a leftover. Its policies may stand in another module.
fn useless(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ROLE], |role| {
        let own = ["Policies", "ManagedPolicyArns"]
            .iter()
            .any(|name| !role.properties.at(name).listed().is_empty());
        unless(own || !crate::support::attached(deployment, role).is_empty(), || {
            "may do nothing".to_owned()
        })
    })
}

#[test]
fn every_role_may_do_something() {
    proven(
        useless,
        &Seed::remove(
            "modules/database.yaml",
            "Resources/MonitoringRole/Properties/ManagedPolicyArns",
        ),
        &format!("{MONITORING}: may do nothing"),
    );
}
