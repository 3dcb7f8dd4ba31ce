//! Prevents: a function that writes to another's log, borrows another's role, or reads another's secret.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::iam_policy::ROLE;
use crate::support::{actions, allows, each, role_statements, set, unless};

const FUNCTION: &str = "AWS::Lambda::Function";

fn own_log(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[FUNCTION], |function| {
        let group = deployment.owner(function.properties.at("LoggingConfig/LogGroup"))?;
        let role = deployment.owner(function.properties.at("Role"))?;
        let logs: Vec<&Value> = role_statements(deployment, role)
            .into_iter()
            .filter(|statement| {
                // Reading somebody else's log is another matter, of those who may name its resource.
                let makes = |action: &String| action.starts_with("logs:") && action != "logs:GetLogEvents";
                allows(statement) && actions(statement).iter().any(makes)
            })
            .collect();
        let allowed: Vec<Vec<String>> = logs.iter().map(|statement| actions(statement)).collect();
        if allowed != [["logs:CreateLogStream", "logs:PutLogEvents"]] {
            return Some(format!("log permissions {allowed:?}"));
        }
        let target = logs[0].at("Resource").texts();
        let names = [group.attribute("Arn"), format!("{}:*", group.attribute("Arn"))];
        unless(target.iter().all(|one| names.contains(one)), || {
            format!("logs to {group}, may write to {target:?}")
        })
    })
}

#[test]
fn no_function_may_make_log_groups_and_each_may_write_to_its_own() {
    let path = "Resources/SesDomainRole/Properties/Policies/0/PolicyDocument/Statement/0";
    let function = "ses: SesDomainFunction (AWS::Lambda::Function)";
    proven(
        own_log,
        &Seed::set(
            "modules/ses.yaml",
            &format!("{path}/Action/-"),
            json!("logs:CreateLogGroup"),
        ),
        &format!(
            "{function}: log permissions [[\"logs:CreateLogStream\", \"logs:PutLogEvents\", \"logs:CreateLogGroup\"]]"
        ),
    );
    proven(
        own_log,
        &Seed::set(
            "modules/ses.yaml",
            &format!("{path}/Resource"),
            json!("arn:aws:logs:eu-central-1:123456789012:*"),
        ),
        &format!(
            "{function}: logs to ses: SesDomainLogGroup (AWS::Logs::LogGroup), may write to \
             [\"arn:aws:logs:eu-central-1:123456789012:*\"]"
        ),
    );
}

fn own_role(deployment: &Deployment) -> Vec<Finding> {
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    for function in deployment.of_type(&[FUNCTION]) {
        *users.entry(function.properties.at("Role").text()).or_default() += 1;
    }
    each(deployment, &[FUNCTION], |function| {
        let role = function.properties.at("Role");
        if users[&role.text()] > 1 {
            return Some(format!("shares {}", role.text()));
        }
        let owner = deployment.owner(role);
        unless(owner.is_some_and(|owner| owner.module == function.module), || {
            "borrows another module's role".to_owned()
        })
    })
}

#[test]
fn every_function_has_a_role_of_its_own_in_its_module() {
    let path = "Resources/SesDomainFunction/Properties/Role";
    let function = "ses: SesDomainFunction (AWS::Lambda::Function)";
    proven(
        own_role,
        &Seed::set("modules/ses.yaml", path, json!("<foundation.FailureResponderRole.Arn>")),
        &format!("{function}: shares <foundation.FailureResponderRole.Arn>"),
    );
    proven(
        own_role,
        &Seed::set("modules/ses.yaml", path, json!("arn:aws:iam::123456789012:role/admin")),
        &format!("{function}: borrows another module's role"),
    );
}

/// The secrets that a function is told of: by the custom resources that it answers for, or by its environment.
fn told(deployment: &Deployment, token: &str, environment: &Value) -> BTreeSet<String> {
    let is_secret = |name: &str| name.ends_with("SecretArn") || name.ends_with("SECRET_ARN");
    let properties = deployment
        .resources()
        .filter(|resource| resource.properties.at("ServiceToken") == token)
        .flat_map(|resource| resource.properties.as_object().into_iter().flatten());
    let variables = environment.as_object().into_iter().flatten();
    let named = properties
        .chain(variables)
        .filter(|(name, value)| is_secret(name) && !value.text().is_empty());
    named.map(|(_, value)| value.text()).collect()
}

fn readable(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[FUNCTION], |function| {
        let role = deployment.owner(function.properties.at("Role"))?;
        let named = told(
            deployment,
            &function.attribute("Arn"),
            function.properties.at("Environment/Variables"),
        );
        let statements = role_statements(deployment, role);
        let reading = statements.into_iter().filter(|statement| {
            allows(statement)
                && actions(statement)
                    .iter()
                    .any(|action| action == "secretsmanager:GetSecretValue")
        });
        let readable: BTreeSet<String> = reading.flat_map(|statement| statement.at("Resource").texts()).collect();
        unless(named == readable, || {
            format!("is told of {named:?}, may read {readable:?}")
        })
    })
}

#[test]
fn a_function_reads_exactly_the_secrets_that_it_is_told_of() {
    let path = "Resources/DatabaseInitPolicy/Properties/PolicyDocument/Statement/0/Resource/-";
    proven(
        readable,
        &Seed::set("modules/database-init.yaml", path, json!("<cache.UserSecret>")),
        "database-init: DatabaseInitFunction (AWS::Lambda::Function): is told of \
         {\"<bounces.UserSecret>\", \"<database-init.ApplicationSecret>\", \
         \"<database.DatabaseInstance.MasterUserSecret.SecretArn>\"}, may read \
         {\"<bounces.UserSecret>\", \"<cache.UserSecret>\", \"<database-init.ApplicationSecret>\", \
         \"<database.DatabaseInstance.MasterUserSecret.SecretArn>\"}",
    );
}

fn mail_permissions(deployment: &Deployment) -> Vec<Finding> {
    let is_mail = |role: &&Resource| role.logical_id == "SesDomainRole";
    let Some(role) = deployment.of_type(&[ROLE]).find(is_mail) else {
        return vec![Finding::new("SesDomainRole", "is not there: has it been renamed?")];
    };
    let mut allowed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for statement in role_statements(deployment, role).into_iter().filter(|one| allows(one)) {
        for action in actions(statement) {
            allowed
                .entry(action)
                .or_default()
                .extend(statement.at("Resource").texts());
        }
    }
    let of = |action: &str| allowed.get(action).cloned().unwrap_or_default();
    let mut found = Vec::new();
    let identity = format!(
        "arn:aws:ses:eu-central-1:123456789012:identity/{}",
        deployment.parameter("Domain")
    );
    if set(of("ses:DeleteEmailIdentity")) != set([identity]) {
        found.push(Finding::new(
            role,
            format!("deletes {:?}", of("ses:DeleteEmailIdentity")),
        ));
    }
    let is_here = deployment.parameter("ExternalDns") != "true" && deployment.parameter("HostedZoneRoleArn").is_empty();
    let given = deployment.parameter("HostedZoneId");
    let zone = match (is_here, given.as_str()) {
        (false, _) => None,
        (true, "") => Some("arn:aws:route53:::hostedzone/*".to_owned()),
        (true, id) => Some(format!("arn:aws:route53:::hostedzone/{id}")),
    };
    let zones = of("route53:ChangeResourceRecordSets")
        .into_iter()
        .filter(|one| one.contains(":hostedzone/"));
    if set(zones.clone()) != set(zone) {
        found.push(Finding::new(role, format!("changes {:?}", zones.collect::<Vec<_>>())));
    }
    let wanted = deployment.parameter("HostedZoneRoleArn");
    if of("sts:AssumeRole").join(",") != wanted {
        found.push(Finding::new(
            role,
            format!("assumes {:?}, not {wanted:?}", of("sts:AssumeRole")),
        ));
    }
    found
}

#[test]
fn mail_permissions_name_the_domain_the_zone_that_is_given_and_the_role_that_is_given() {
    let role = "ses: SesDomainRole (AWS::IAM::Role)";
    let statements = "Resources/SesDomainPolicy/Properties/PolicyDocument/Statement";
    proven(
        mail_permissions,
        &Seed::set(
            "modules/ses.yaml",
            &format!("{statements}/0/Resource"),
            json!("arn:aws:ses:eu-central-1:123456789012:identity/*"),
        ),
        &format!("{role}: deletes [\"arn:aws:ses:eu-central-1:123456789012:identity/*\"]"),
    );
    proven(
        mail_permissions,
        &Seed::set(
            "modules/ses.yaml",
            "Conditions/IsDnsHere",
            json!({"Fn::Equals": ["a", "a"]}),
        ),
        &format!("{role}: changes [\"arn:aws:route53:::hostedzone/*\"]"),
    );
    proven(
        mail_permissions,
        &Seed::set(
            "modules/ses.yaml",
            "Conditions/HasHostedZoneRole",
            json!({"Fn::Equals": ["a", "b"]}),
        ),
        &format!("{role}: assumes [], not \"arn:aws:iam::210987654321:role/dns\""),
    );
}
