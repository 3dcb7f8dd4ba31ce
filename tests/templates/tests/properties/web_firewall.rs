//! Prevents: a rule that was set to count for the editors' sake, and from then on refused nobody; and a log with passwords.

use serde_json::{Value, json};
use template_properties::Deployment;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;

use crate::support::{each, set, unless};

const FILE: &str = "modules/web-firewall.yaml";
const ACL: &str = "AWS::WAFv2::WebACL";
const RULES: &str = "Resources/WebAcl/Properties/Rules";
const TEXT: &str = "web-firewall: WebAcl (AWS::WAFv2::WebACL)";
/// The groups that issue 3 names, each with the namespace of its labels.
/// Source: docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
const MANAGED: [(&str, &str); 5] = [
    ("AWSManagedRulesCommonRuleSet", "core-rule-set"),
    ("AWSManagedRulesKnownBadInputsRuleSet", "known-bad-inputs"),
    ("AWSManagedRulesSQLiRuleSet", "sql-database"),
    ("AWSManagedRulesPHPRuleSet", "php-app"),
    ("AWSManagedRulesAmazonIpReputationList", "amazon-ip-list"),
];

fn group(rule: &Value) -> &Value {
    rule.at("Statement/ManagedRuleGroupStatement")
}

fn managed(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ACL], |acl| {
        let rules = acl.properties.at("Rules").listed();
        let found = set(rules
            .iter()
            .map(|rule| group(rule).at("Name").text())
            .filter(|name| !name.is_empty()));
        let missing: Vec<&str> = MANAGED
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !found.contains(*name))
            .collect();
        unless(missing.is_empty(), || format!("lacks {missing:?}"))
    })
}

#[test]
fn every_managed_group_is_there() {
    proven(
        managed,
        &Seed::set(
            FILE,
            &format!("{RULES}/8/Statement/ManagedRuleGroupStatement/Name"),
            json!("Other"),
        ),
        &format!("{TEXT}: lacks [\"AWSManagedRulesSQLiRuleSet\"]"),
    );
}

fn severity(deployment: &Deployment) -> Vec<Finding> {
    let counts = deployment.parameter("WebFirewallMode") == "count";
    let (ours, theirs) = if counts { ("Count", "Count") } else { ("Block", "None") };
    each(deployment, &[ACL], |acl| {
        acl.properties.at("Rules").listed().into_iter().find_map(|rule| {
            let labels = !rule.at("RuleLabels").is_null();
            let wanted = match (labels, group(rule).is_null()) {
                (true, _) => ("Action", "Count"),
                (false, true) => ("Action", ours),
                (false, false) => ("OverrideAction", theirs),
            };
            unless(rule.at(wanted.0).at(wanted.1).is_object(), || {
                format!("{} does not {}", rule.at("Name").text(), wanted.1)
            })
        })
    })
}

#[test]
fn rules_refuse_unless_everything_only_counts() {
    proven(
        severity,
        &Seed::set(FILE, &format!("{RULES}/10/Action"), json!({"Count": {}})),
        &format!("{TEXT}: AttackInBody does not Block"),
    );
}

/// The label that a rule of a managed group leaves: the part that it looks at is spelt otherwise there.
fn label(namespace: &str, rule: &str) -> String {
    let (name, part) = rule.rsplit_once('_').unwrap_or((rule, ""));
    let part = match part {
        "BODY" => "Body",
        "HEADER" => "Header",
        "QUERYARGUMENTS" => "QueryArguments",
        "QUERYSTRING" => "QueryString",
        other => other,
    };
    format!("awswaf:managed:aws:{namespace}:{name}_{part}")
}

fn let_through(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ACL], |acl| {
        let rules = acl.properties.at("Rules").listed();
        rules.iter().find_map(|rule| {
            let (_, namespace) = MANAGED.iter().find(|(name, _)| group(rule).at("Name") == *name)?;
            let counted = group(rule).at("RuleActionOverrides").listed();
            counted.into_iter().find_map(|counted| {
                let label = label(namespace, &counted.at("Name").text());
                let is_refused = rules.iter().any(|later| {
                    later.at("Priority").number() > rule.at("Priority").number()
                        && later.at("Statement").to_string().contains(&format!("\"{label}\""))
                });
                unless(is_refused, || format!("nothing refuses {label}"))
            })
        })
    })
}

#[test]
fn what_a_managed_group_only_counts_is_refused_by_a_later_rule_of_ours() {
    let overrides = format!("{RULES}/7/Statement/ManagedRuleGroupStatement/RuleActionOverrides/0/Name");
    proven(
        let_through,
        &Seed::set(FILE, &overrides, json!("EC2MetaDataSSRF_BODY")),
        &format!("{TEXT}: nothing refuses awswaf:managed:aws:core-rule-set:EC2MetaDataSSRF_Body"),
    );
    proven(
        let_through,
        &Seed::set(FILE, &format!("{RULES}/11/Priority"), json!(9)),
        &format!("{TEXT}: nothing refuses awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"),
    );
}

fn log(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::WAFv2::LoggingConfiguration"], |log| {
        let redacted = log.properties.at("RedactedFields").listed();
        let redacted = set(redacted.iter().map(|field| field.at("SingleHeader/Name").text()));
        if redacted != set(["authorization", "cookie"]) {
            return Some(format!("hides {redacted:?}"));
        }
        let group = deployment
            .of_type(&["AWS::Logs::LogGroup"])
            .find(|group| group.module == log.module)?;
        let name = group.properties.at("LogGroupName").text();
        unless(name.starts_with("aws-waf-logs-"), || {
            format!("WAF refuses the group {name}")
        })
    })
}

#[test]
fn refused_requests_are_logged_without_credentials_where_waf_can() {
    let text = "web-firewall: Logging (AWS::WAFv2::LoggingConfiguration)";
    proven(
        log,
        &Seed::remove(FILE, "Resources/Logging/Properties/RedactedFields/0"),
        &format!("{text}: hides {{\"cookie\"}}"),
    );
    proven(
        log,
        &Seed::set(FILE, "Resources/LogGroup/Properties/LogGroupName", json!("waf")),
        &format!("{text}: WAF refuses the group waf"),
    );
}
