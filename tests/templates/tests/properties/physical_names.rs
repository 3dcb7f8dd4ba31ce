//! Prevents: a stack that can be made once, in one partition, because a name or an ARN was written out.

use serde_json::json;
use template_properties::proof::{Finding, Seed, proven, proven_of_files};
use template_properties::value::Look;
use template_properties::{Deployment, Templates};

fn partitions(templates: &Templates) -> Vec<Finding> {
    let mut found = Vec::new();
    for template in templates.iter() {
        for (number, line) in template.lines().filter(|(_, line)| !line.trim_start().starts_with('#')) {
            if ["arn:aws:", "arn:aws-cn:", "arn:aws-us-gov:"]
                .iter()
                .any(|arn| line.contains(arn))
            {
                let place = format!("{}:{number}", template.file);
                found.push(Finding::new(
                    place,
                    "works in one partition only: write ${AWS::Partition}",
                ));
            }
        }
    }
    found
}

#[test]
fn no_arn_names_a_partition() {
    let seed = Seed::text(
        "modules/ses.yaml",
        "Resources:\n",
        "Resources:\n  # one\n  X: arn:aws:s3:::bucket\n",
    );
    let line = seed
        .templates()
        .file("modules/ses.yaml")
        .unwrap()
        .lines()
        .find(|(_, line)| line.contains("arn:aws:"))
        .unwrap()
        .0;
    proven_of_files(
        partitions,
        &seed,
        &format!("modules/ses.yaml:{line}: works in one partition only: write ${{AWS::Partition}}"),
    );
}

/// Names that another service must know, each with who.
const NAMED: [(&str, &str); 8] = [
    (
        "BackupVaultName",
        "required by its type; part of the stack's id keeps two apart",
    ),
    ("RestoreTestingPlanName", "required by its type"),
    (
        "RestoreTestingSelectionName",
        "required by its type, unique within its plan",
    ),
    ("DBInstanceIdentifier", "RDS logs to groups of this name"),
    (
        "LogGroupName",
        "services write to groups of exactly this name, or the resource names one that is there",
    ),
    ("UserName", "what a client signs in as"),
    ("MetricName", "a metric is found by its name"),
    (
        "Name",
        "Route 53's record, CloudWatch's query: the name is what it is for",
    ),
];
/// Types whose name is a label within their parent, or what they are for.
const LABELLED: [&str; 7] = [
    "AWS::IAM::Policy",
    "AWS::Route53::RecordSet",
    "AWS::Logs::QueryDefinition",
    "AWS::CloudWatch::Dashboard",
    "AWS::WAFv2::WebACL",
    "AWS::Logs::ResourcePolicy",
    "AWS::Scheduler::Schedule",
];

fn physical_names(deployment: &Deployment) -> Vec<Finding> {
    let judged = deployment
        .resources()
        .filter(|one| !one.is_custom() && !LABELLED.contains(&one.kind.as_str()));
    let mut found = Vec::new();
    for resource in judged {
        let kind = resource.kind.rsplit("::").next().unwrap_or_default();
        for (name, value) in resource.properties.as_object().into_iter().flatten() {
            let is_name = *name == "Name" || *name == format!("{kind}Name") || *name == format!("{kind}Identifier");
            let is_known = NAMED.iter().any(|(known, _)| known == name && *known != "Name");
            let is_from_others = value.text().contains('<');
            if is_name && !is_known && !is_from_others {
                found.push(Finding::new(resource, format!("{name} is {value}")));
            }
        }
    }
    found
}

/// A name that is given cannot be given twice: a replacement fails, and so does a second installation.
#[test]
fn no_physical_name_is_given_but_where_another_service_must_know_it() {
    proven(
        physical_names,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/EventTopic/Properties/TopicName",
            json!("mautic-events"),
        ),
        "ses: EventTopic (AWS::SNS::Topic): TopicName is \"mautic-events\"",
    );
}
