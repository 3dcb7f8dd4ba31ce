//! Prevents: a rule that was set to count for the editors' sake, and from then on refused nobody; and a log with passwords.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use regex::Regex;
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

/// What somebody does: in words, at which path, which managed rules it breaks, and the rule of ours that refuses it.
type Deed = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const CORE: &str = "core-rule-set";
const SQL: &str = "sql-database";
const DEEDS: [Deed; 11] = [
    (
        "an editor saves a mail with scripts, code and links",
        "/s/emails/edit/7",
        &[
            (CORE, "CrossSiteScripting_BODY"),
            (CORE, "SizeRestrictions_BODY"),
            (CORE, "GenericRFI_BODY"),
            (SQL, "SQLi_BODY"),
            ("php-app", "PHPHighRiskMethodsVariables_BODY"),
        ],
        "",
    ),
    (
        "a programme writes a page by the API",
        "/api/pages/new",
        &[(CORE, "CrossSiteScripting_BODY"), (CORE, "SizeRestrictions_BODY")],
        "",
    ),
    (
        "a visitor sends a form with a file and a website",
        "/form/submit",
        &[(CORE, "SizeRestrictions_BODY"), (CORE, "GenericRFI_BODY")],
        "",
    ),
    (
        "a mail proxy without a name fetches a pixel",
        "/email/6b04ceb7e06a6739209454.gif",
        &[(CORE, "NoUserAgent_HEADER"), (CORE, "SizeRestrictions_QUERYSTRING")],
        "",
    ),
    (
        "a page tells which address it has",
        "/mtracking.gif",
        &[
            (CORE, "GenericRFI_QUERYARGUMENTS"),
            (CORE, "SizeRestrictions_QUERYSTRING"),
        ],
        "",
    ),
    (
        "a mail's link is followed",
        "/r/0123456789abcdef",
        &[(CORE, "NoUserAgent_HEADER")],
        "",
    ),
    (
        "somebody guesses at the sign-in in SQL",
        "/s/login",
        &[(SQL, "SQLi_BODY")],
        "AttackInBody",
    ),
    (
        "a form carries SQL",
        "/form/submit",
        &[(SQL, "SQLi_BODY")],
        "AttackInBody",
    ),
    (
        "somebody floods the sign-in with text",
        "/s/login",
        &[(CORE, "SizeRestrictions_BODY")],
        "LargeBody",
    ),
    (
        "a nameless robot reads pages",
        "/welcome",
        &[(CORE, "NoUserAgent_HEADER")],
        "StrangeQuery",
    ),
    (
        "an editor's browser asks for the machine's keys",
        "/s/emails/edit/7",
        &[(CORE, "EC2MetaDataSSRF_BODY")],
        "Common",
    ),
];

/// Patterns are compiled once: a thousand deployments ask the same.
static PATTERNS: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);

/// Whether a statement holds for a request at this path, labelled so far. Rates are not exceeded.
fn matches(statement: &Value, path: &str, labels: &[String]) -> bool {
    let parts = |kind: &str| statement.at(kind).at("Statements").listed();
    match statement.keys().as_slice() {
        ["RegexMatchStatement"] => {
            let pattern = statement.at("RegexMatchStatement/RegexString").text();
            let mut patterns = PATTERNS.lock().expect("nobody panics in here");
            let made = patterns.entry(pattern);
            made.or_insert_with_key(|pattern| Regex::new(pattern).expect("a pattern"))
                .is_match(path)
        }
        ["LabelMatchStatement"] => labels.contains(&statement.at("LabelMatchStatement/Key").text()),
        ["NotStatement"] => !matches(statement.at("NotStatement/Statement"), path, labels),
        ["AndStatement"] => parts("AndStatement").iter().all(|one| matches(one, path, labels)),
        ["OrStatement"] => parts("OrStatement").iter().any(|one| matches(one, path, labels)),
        ["RateBasedStatement"] => false,
        other => panic!("WAF's {other:?} is not played here yet"),
    }
}

/// The rule that refuses a deed, or none: the rules in their order, as WAF judges them.
fn refused_by(rules: &[&Value], (_, path, broken, _): &Deed) -> String {
    let mut ordered = rules.to_vec();
    ordered.sort_by_key(|rule| rule.at("Priority").as_i64());
    let mut labels = Vec::new();
    for rule in ordered {
        let managed = MANAGED.iter().find(|(name, _)| group(rule).at("Name") == *name);
        let is_refused = if let Some((_, namespace)) = managed {
            let counted = group(rule).at("RuleActionOverrides").listed();
            let own = broken.iter().filter(|(broken, _)| broken == namespace);
            labels.extend(own.clone().map(|(_, name)| label(namespace, name)));
            let blocks = |name: &str| !counted.iter().any(|one| one.at("Name") == name);
            rule.at("OverrideAction/None").is_object() && own.into_iter().any(|(_, name)| blocks(name))
        } else {
            let is_met = matches(rule.at("Statement"), path, &labels);
            if is_met {
                labels.extend(rule.at("RuleLabels").listed().iter().map(|one| one.at("Name").text()));
            }
            is_met && rule.at("Action/Block").is_object()
        };
        if is_refused {
            return rule.at("Name").text();
        }
    }
    String::new()
}

fn deeds(deployment: &Deployment) -> Vec<Finding> {
    let counts = deployment.parameter("WebFirewallMode") == "count";
    each(deployment, &[ACL], |acl| {
        let rules = acl.properties.at("Rules").listed();
        DEEDS.iter().find_map(|deed| {
            let (found, wanted) = (refused_by(&rules, deed), if counts { "" } else { deed.3 });
            unless(found == wanted, || {
                format!("{}: refused by '{found}', not by '{wanted}'", deed.0)
            })
        })
    })
}

#[test]
fn what_mautic_does_by_design_passes_and_attacks_beside_it_do_not() {
    let is_caught = |seed: Seed, wrong: &str| proven(deeds, &seed, &format!("{TEXT}: {wrong}"));
    let label = |key: &str| json!({"LabelMatchStatement": {"Scope": "LABEL", "Key": key}});
    let statements = |rule: usize| format!("{RULES}/{rule}/Statement/AndStatement/Statements");
    is_caught(
        Seed::set(
            FILE,
            &format!("{}/1/NotStatement/Statement", statements(10)),
            label("mautic:form"),
        ),
        "an editor saves a mail with scripts, code and links: refused by 'AttackInBody', not by ''",
    );
    is_caught(
        Seed::remove(FILE, &format!("{}/2", statements(11))),
        "a visitor sends a form with a file and a website: refused by 'LargeBody', not by ''",
    );
    is_caught(
        Seed::set(
            FILE,
            &format!("{RULES}/2/Statement/RegexMatchStatement/RegexString"),
            json!("^/r/"),
        ),
        "a mail proxy without a name fetches a pixel: refused by 'StrangeQuery', not by ''",
    );
    // The sign-in would be an editor, too.
    is_caught(
        Seed::remove(FILE, &format!("{}/1", statements(0))),
        "somebody guesses at the sign-in in SQL: refused by '', not by 'AttackInBody'",
    );
    is_caught(
        Seed::set(
            FILE,
            &format!("{RULES}/1/Statement/RegexMatchStatement/RegexString"),
            json!("^/s/login"),
        ),
        "a visitor sends a form with a file and a website: refused by 'LargeBody', not by ''",
    );
}
