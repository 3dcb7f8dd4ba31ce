//! Prevents: an alarm that nobody heard, and one that nobody understood. That each has its runbook, `tests/docs` holds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::support::{each, unless};

pub const ALARM: &str = "AWS::CloudWatch::Alarm";
const COMPOSITE: &str = "AWS::CloudWatch::CompositeAlarm";
const TOPIC: &str = "<foundation.AlarmTopic>";

fn notifies(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ALARM, COMPOSITE], |alarm| {
        let [begins, ends] = ["AlarmActions", "OKActions"].map(|actions| alarm.properties.at(actions).texts());
        unless(begins == [TOPIC] && ends == [TOPIC], || {
            format!("notifies {begins:?} when it begins and {ends:?} when it is over")
        })
    })
}

#[test]
fn every_alarm_notifies_the_topic_of_the_foundation_when_it_begins_and_when_it_is_over() {
    for (actions, begins, ends) in [
        ("AlarmActions", vec![], vec![TOPIC]),
        ("OKActions", vec![TOPIC], vec![]),
    ] {
        let path = format!("Resources/BounceRateTooHighAlarm/Properties/{actions}");
        proven(
            notifies,
            &Seed::set("modules/ses-alarms.yaml", &path, json!([])),
            &format!(
                "ses-alarms: BounceRateTooHighAlarm (AWS::CloudWatch::Alarm): notifies {begins:?} when it begins and {ends:?} when \
                 it is over"
            ),
        );
    }
}

/// Whoever a topic's mails go to: of everything, or of what pages.
fn mailed(deployment: &Deployment, pages: bool) -> Vec<String> {
    let subscriptions = deployment.of_type(&["AWS::SNS::Subscription"]).filter(|one| {
        let found = &one.properties;
        found.at("TopicArn") == TOPIC && found.at("Protocol") == "email" && found.get("FilterPolicy").is_some() == pages
    });
    subscriptions.map(|one| one.properties.at("Endpoint").text()).collect()
}

fn heard(deployment: &Deployment) -> Vec<Finding> {
    let told = [("AlarmEmail", false), ("PagerEmail", true)]
        .into_iter()
        .filter_map(|(parameter, pages)| {
            let told = mailed(deployment, pages);
            let chosen: Vec<String> = Some(deployment.parameter(parameter))
                .filter(|address| !address.is_empty())
                .into_iter()
                .collect();
            unless(told == chosen, || format!("{told:?} is told, not {chosen:?}"))
                .map(|wrong| Finding::new(parameter, wrong))
        });
    told.collect()
}

#[test]
fn whoever_is_to_be_told_of_alarms_is_told_and_nobody_else() {
    let (foundation, monitoring) = ("modules/foundation.yaml", "modules/monitoring.yaml");
    for (seed, wrong) in [
        (
            Seed::remove(foundation, "Resources/AlarmSubscription"),
            "AlarmEmail: [] is told, not [\"alarms@example.com\"]",
        ),
        (
            Seed::remove(foundation, "Resources/AlarmSubscription/Condition"),
            "AlarmEmail: [\"\"] is told, not []",
        ),
        (
            Seed::remove(monitoring, "Resources/PagerSubscription"),
            "PagerEmail: [] is told, not [\"pager@example.com\"]",
        ),
        (
            Seed::remove(monitoring, "Resources/PagerSubscription/Condition"),
            "PagerEmail: [\"\"] is told, not []",
        ),
    ] {
        proven(heard, &seed, wrong);
    }
}

/// The window that a description promises in its first words, in seconds.
fn promised(description: &str) -> Option<f64> {
    let rest = description
        .strip_prefix("Over ")
        .or_else(|| description.strip_prefix("Within "))?;
    let (number, unit) = rest.split_once(' ')?;
    let seconds = match unit.split([' ', ',']).next()? {
        "minute" | "minutes" => 60.0,
        "hour" | "hours" => 3600.0,
        "day" | "days" => 86400.0,
        _ => return None,
    };
    let number = if matches!(number, "a" | "an") {
        1.0
    } else {
        number.parse().ok()?
    };
    Some(number * seconds)
}

/// Seconds between two values that an alarm judges; with several metrics, theirs.
fn period(alarm: &Resource) -> Option<f64> {
    let metrics = alarm.properties.at("Metrics").listed();
    let own = alarm.properties.at("Period").number();
    let others = metrics
        .iter()
        .filter_map(|metric| metric.at("MetricStat/Period").number());
    let expressions = metrics.iter().filter_map(|metric| metric.at("Period").number());
    own.into_iter().chain(others).chain(expressions).next()
}

fn named_after_the_fault(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ALARM, COMPOSITE], |alarm| {
        unless(alarm.logical_id.ends_with("Alarm"), || {
            "the name does not end in Alarm".to_owned()
        })
    })
}

#[test]
fn every_alarm_is_named_as_one() {
    let alarm = json!({"Type": ALARM, "Properties": {}});
    proven(
        named_after_the_fault,
        &Seed::set("modules/ses-alarms.yaml", "Resources/Bounces", alarm),
        "ses-alarms: Bounces (AWS::CloudWatch::Alarm): the name does not end in Alarm",
    );
}

fn says_window_and_effect(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ALARM], |alarm| {
        let text = alarm.properties.at("AlarmDescription").text();
        let sentences = text.split(". ").count();
        let Some(promised) = promised(&text).filter(|_| sentences >= 2 && text.chars().count() <= 1024) else {
            return Some(format!("description {text:?}"));
        };
        let judged = alarm.properties.at("EvaluationPeriods").number()? * period(alarm)?;
        unless((judged - promised).abs() < 1.0, || {
            format!("says {promised} s and judges {judged} s")
        })
    })
}

#[test]
fn every_alarms_description_says_the_window_that_it_judges() {
    proven(
        says_window_and_effect,
        &Seed::set(
            "modules/ses-alarms.yaml",
            "Resources/BounceRateTooHighAlarm/Properties/EvaluationPeriods",
            json!(2),
        ),
        "ses-alarms: BounceRateTooHighAlarm (AWS::CloudWatch::Alarm): says 3600 s and judges 7200 s",
    );
}

#[test]
fn every_alarms_description_says_window_and_effect() {
    let path = "Resources/BounceRateTooHighAlarm/Properties/AlarmDescription";
    proven(
        says_window_and_effect,
        &Seed::set("modules/ses-alarms.yaml", path, json!("Too many bounces")),
        "ses-alarms: BounceRateTooHighAlarm (AWS::CloudWatch::Alarm): description \"Too many bounces\"",
    );
}

fn says_what_silence_means(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ALARM], |alarm| {
        unless(alarm.properties.get("TreatMissingData").is_some(), || {
            "TreatMissingData is left to chance".to_owned()
        })
    })
}

#[test]
fn every_alarm_says_what_missing_data_means() {
    proven(
        says_what_silence_means,
        &Seed::remove(
            "modules/ses-alarms.yaml",
            "Resources/BounceRateTooHighAlarm/Properties/TreatMissingData",
        ),
        "ses-alarms: BounceRateTooHighAlarm (AWS::CloudWatch::Alarm): TreatMissingData is left to chance",
    );
}

fn functions_are_watched(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::Lambda::Function"], |function| {
        let dimension = json!([{"Name": "FunctionName", "Value": function.reference()}]);
        let watched: BTreeMap<String, &Resource> = deployment
            .of_type(&[ALARM])
            .filter(|alarm| alarm.properties.at("Dimensions") == &dimension)
            .map(|alarm| (alarm.properties.at("MetricName").text(), alarm))
            .collect();
        for metric in ["Errors", "Throttles", "Duration"] {
            if !watched.contains_key(metric) {
                return Some(format!("no alarm for {metric}"));
            }
        }
        let limit = function.properties.at("Timeout").number()? * 1000.0;
        let threshold = watched["Duration"].properties.at("Threshold").number()?;
        unless(threshold < limit, || {
            "the duration's alarm lies beyond the timeout".to_owned()
        })
    })
}

#[test]
fn every_function_is_watched_for_errors_throttles_and_duration() {
    proven(
        functions_are_watched,
        &Seed::remove("modules/ses-alarms.yaml", "Resources/SesDomainThrottledAlarm"),
        "ses: SesDomainFunction (AWS::Lambda::Function): no alarm for Throttles",
    );
}

#[test]
fn a_functions_duration_alarms_before_its_timeout() {
    proven(
        functions_are_watched,
        &Seed::set(
            "modules/ses-alarms.yaml",
            "Resources/SesDomainSlowAlarm/Properties/Threshold",
            json!(900_000),
        ),
        "ses: SesDomainFunction (AWS::Lambda::Function): the duration's alarm lies beyond the timeout",
    );
}

/// Metric, and half of what makes SES review an account.
const REVIEW: [(&str, f64); 2] = [("Reputation.BounceRate", 0.025), ("Reputation.ComplaintRate", 0.0005)];

fn reputation(deployment: &Deployment) -> Vec<Finding> {
    let alarms: Vec<&Resource> = deployment
        .of_type(&[ALARM])
        .filter(|alarm| alarm.properties.at("Namespace") == "AWS/SES")
        .collect();
    let missing = REVIEW.into_iter().filter(|(metric, threshold)| {
        !alarms.iter().any(|alarm| {
            let found = &alarm.properties;
            found.at("MetricName") == *metric
                && found.at("Threshold") == &json!(threshold)
                && found
                    .at("AlarmDescription")
                    .text()
                    .contains("<ses.SesDomain.ProductionAccessText>")
        })
    });
    missing
        .map(|(metric, threshold)| Finding::new(metric, format!("no alarm at {threshold} that names the sandbox")))
        .collect()
}

#[test]
fn bounces_alarm_at_half_of_what_ses_reviews_and_name_the_sandbox() {
    proven(
        reputation,
        &Seed::set(
            "modules/ses-alarms.yaml",
            "Resources/BounceRateTooHighAlarm/Properties/Threshold",
            json!(0.05),
        ),
        "Reputation.BounceRate: no alarm at 0.025 that names the sandbox",
    );
}

#[test]
fn complaints_alarm_at_half_of_what_ses_reviews_and_name_the_sandbox() {
    proven(
        reputation,
        &Seed::set(
            "modules/ses-alarms.yaml",
            "Resources/ComplaintRateTooHighAlarm/Properties/AlarmDescription",
            json!("Over an hour too much spam. SES may stop the account."),
        ),
        "Reputation.ComplaintRate: no alarm at 0.0005 that names the sandbox",
    );
}

/// The alarms that a composite alarm's rule names.
fn names_in_rule(rule: &str) -> Vec<String> {
    let pieces = rule.split(['(', ')']).map(|piece| piece.trim().trim_matches('"'));
    pieces
        .filter(|piece| piece.starts_with('<'))
        .map(str::to_owned)
        .collect()
}

fn composites_name_alarms(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[COMPOSITE], |composite| {
        let rule = composite.properties.at("AlarmRule").text();
        let named = names_in_rule(&rule);
        let strange: BTreeSet<&String> = named
            .iter()
            .filter(|name| {
                let owner = deployment.owner(&Value::from(name.as_str()));
                owner.is_none_or(|owner| owner.kind != ALARM && owner.kind != COMPOSITE)
            })
            .collect();
        unless(!named.is_empty() && strange.is_empty(), || {
            format!("names no alarm: {strange:?} in {rule}")
        })
    })
}

#[test]
fn a_composite_alarm_names_alarms_of_the_stack() {
    let path = "Resources/EverythingFailsAlarm";
    let composite = json!({"Type": COMPOSITE, "Properties": {"AlarmRule": "ALARM(\"<ses.EventTopic>\")"}});
    proven(
        composites_name_alarms,
        &Seed::set("modules/ses.yaml", path, composite),
        "ses: EverythingFailsAlarm (AWS::CloudWatch::CompositeAlarm): names no alarm: {\"<ses.EventTopic>\"} in \
         ALARM(\"<ses.EventTopic>\")",
    );
}
