//! Prevents: an alarm that vanished without a word, because its topic's key did not know who publishes.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::support::{actions, allows, each, services, set};

/// What publishes by itself: type, where it names the topic, and the service that does it.
const PUBLISHERS: [(&str, &str, &str); 6] = [
    ("AWS::CloudWatch::Alarm", "AlarmActions", "cloudwatch.amazonaws.com"),
    (
        "AWS::CloudWatch::CompositeAlarm",
        "AlarmActions",
        "cloudwatch.amazonaws.com",
    ),
    ("AWS::RDS::EventSubscription", "SnsTopicArn", "events.rds.amazonaws.com"),
    (
        "AWS::SES::ConfigurationSetEventDestination",
        "EventDestination/SnsDestination/TopicARN",
        "ses.amazonaws.com",
    ),
    ("AWS::Events::Rule", "Targets", "events.amazonaws.com"),
    (
        "AWS::Backup::BackupVault",
        "Notifications/SNSTopicArn",
        "backup.amazonaws.com",
    ),
];
const KEY_USE: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

/// The topics that a publisher names, each with the service.
fn publishers(deployment: &Deployment) -> Vec<(&Resource, &'static str, &Resource)> {
    let mut found = Vec::new();
    for (kind, path, service) in PUBLISHERS {
        for resource in deployment.of_type(&[kind]) {
            for target in resource.properties.at(path).listed() {
                let target = if target.is_object() { target.at("Arn") } else { target };
                let topic = deployment.owner(target).filter(|owner| owner.kind == "AWS::SNS::Topic");
                found.extend(topic.map(|topic| (resource, service, topic)));
            }
        }
    }
    found
}

/// The services that the statements let do all of these.
fn allowed<'a>(statements: impl IntoIterator<Item = &'a Value>, wanted: &[&str]) -> BTreeSet<String> {
    let matching = statements.into_iter().filter(|statement| {
        let actions = actions(statement);
        allows(statement) && wanted.iter().all(|action| actions.iter().any(|one| one == action))
    });
    matching.flat_map(services).collect()
}

fn topic_publishers(deployment: &Deployment, topic: &Resource) -> BTreeSet<String> {
    let policies = deployment.of_type(&["AWS::SNS::TopicPolicy"]);
    let own = policies.filter(|policy| policy.properties.at("Topics").texts().contains(&topic.reference()));
    allowed(
        own.flat_map(|policy| policy.properties.at("PolicyDocument/Statement").listed()),
        &["sns:Publish"],
    )
}

fn key_users(deployment: &Deployment, topic: &Resource) -> BTreeSet<String> {
    let key = deployment.owner(topic.properties.at("KmsMasterKeyId"));
    allowed(
        key.into_iter()
            .flat_map(|key| key.properties.at("KeyPolicy/Statement").listed()),
        &KEY_USE,
    )
}

fn may_publish(deployment: &Deployment) -> Vec<Finding> {
    let mut found = Vec::new();
    for (resource, service, topic) in publishers(deployment) {
        if !topic_publishers(deployment, topic).contains(service) {
            found.push(Finding::new(
                resource,
                format!("{topic} does not let {service} publish"),
            ));
        }
        if !key_users(deployment, topic).contains(service) {
            found.push(Finding::new(
                resource,
                format!("the key of {topic} does not let {service} use it"),
            ));
        }
    }
    found
}

#[test]
fn whoever_publishes_is_in_the_topics_policy() {
    let policy = "Resources/EventTopicPolicy/Properties/PolicyDocument/Statement/0/Principal/Service";
    proven(
        may_publish,
        &Seed::set("modules/ses.yaml", policy, json!("sns.amazonaws.com")),
        "ses: EventDestination (AWS::SES::ConfigurationSetEventDestination): ses: EventTopic (AWS::SNS::Topic) does not let \
         ses.amazonaws.com publish",
    );
}

#[test]
fn whoever_publishes_is_in_the_policy_of_the_topics_key() {
    let policy = "Resources/NotificationKey/Properties/KeyPolicy/Statement/1/Principal/Service";
    proven(
        may_publish,
        &Seed::set(
            "modules/foundation.yaml",
            policy,
            json!(["ses.amazonaws.com", "events.rds.amazonaws.com"]),
        ),
        "foundation: FailureResponderFailedAlarm (AWS::CloudWatch::Alarm): the key of foundation: AlarmTopic \
         (AWS::SNS::Topic) does not let cloudwatch.amazonaws.com use it",
    );
}

fn may_encrypt(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::SNS::Topic"], |topic| {
        let (publishers, users) = (topic_publishers(deployment, topic), key_users(deployment, topic));
        let missing: Vec<&String> = publishers.difference(&users).collect();
        (!missing.is_empty()).then(|| format!("its key does not know {missing:?}"))
    })
}

#[test]
fn whom_a_topic_lets_publish_its_key_lets_encrypt() {
    let path = "Resources/AlarmTopicPolicy/Properties/PolicyDocument/Statement/0/Principal/Service";
    proven(
        may_encrypt,
        &Seed::set("modules/foundation.yaml", path, json!("budgets.amazonaws.com")),
        "foundation: AlarmTopic (AWS::SNS::Topic): its key does not know [\"budgets.amazonaws.com\"]",
    );
}

/// Topics, event rules and schedules deliver to encrypted queues with the queue's key, as themselves.
fn may_deliver(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::SQS::Queue"], |queue| {
        let policies = deployment.of_type(&["AWS::SQS::QueuePolicy"]);
        let own = policies.filter(|policy| policy.properties.at("Queues").texts().contains(&queue.reference()));
        let statements = own.flat_map(|policy| policy.properties.at("PolicyDocument/Statement").listed());
        let senders = allowed(statements, &["sqs:SendMessage"]);
        let key = deployment.owner(queue.properties.at("KmsMasterKeyId"));
        let users = allowed(
            key.into_iter()
                .flat_map(|key| key.properties.at("KeyPolicy/Statement").listed()),
            &KEY_USE,
        );
        let missing: Vec<&String> = senders.difference(&users).collect();
        (!missing.is_empty()).then(|| format!("its key does not know {missing:?}"))
    })
}

#[test]
fn whom_a_queue_lets_send_its_key_lets_encrypt() {
    let queue = json!({"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Ref": "NotificationKeyArn"}}});
    let statement =
        json!({"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sqs:SendMessage"});
    let policy = json!({"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": [statement]}});
    proven(
        may_deliver,
        &Seed::set("modules/ses.yaml", "Resources/Queue", queue).and_set(
            "modules/ses.yaml",
            "Resources/QueuePolicy",
            json!({"Type": "AWS::SQS::QueuePolicy", "Properties": policy}),
        ),
        "ses: Queue (AWS::SQS::Queue): its key does not know [\"iot.amazonaws.com\"]",
    );
}

/// Services that name no source when they publish: with a condition they would fall silent.
/// Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-key-policy.html, aws-backup notifications.
const SOURCELESS: [&str; 2] = ["backup.amazonaws.com", "events.amazonaws.com"];
const SOURCES: [&str; 5] = [
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "kms:EncryptionContext:aws:logs:arn",
    "kms:ViaService",
];
/// What services reach through a policy of the resource's own.
const GUARDED: [(&str, &str); 5] = [
    ("AWS::KMS::Key", "KeyPolicy"),
    ("AWS::SNS::TopicPolicy", "PolicyDocument"),
    ("AWS::SQS::QueuePolicy", "PolicyDocument"),
    ("AWS::S3::BucketPolicy", "PolicyDocument"),
    ("AWS::Logs::ResourcePolicy", "PolicyDocument"),
];

fn sources_are_held(deployment: &Deployment) -> Vec<Finding> {
    let mut found = Vec::new();
    for (kind, path) in GUARDED {
        for resource in deployment.of_type(&[kind]) {
            for statement in resource.properties.at(path).at("Statement").listed() {
                let services = set(services(statement));
                let with_source = services.iter().any(|service| !SOURCELESS.contains(&service.as_str()));
                let tests = statement.at("Condition").as_object().into_iter().flatten();
                let keys: Vec<&str> = tests.flat_map(|(_, test)| test.keys()).collect();
                let names_source = keys.iter().any(|key| SOURCES.contains(key));
                if with_source && !names_source {
                    let sid = statement.at("Sid").text();
                    found.push(Finding::new(
                        resource,
                        format!("{sid}: any account may come through {services:?}"),
                    ));
                }
            }
        }
    }
    found
}

#[test]
fn services_that_send_a_source_are_held_to_it() {
    proven(
        sources_are_held,
        &Seed::remove(
            "modules/foundation.yaml",
            "Resources/NotificationKey/Properties/KeyPolicy/Statement/1/Condition",
        ),
        "foundation: NotificationKey (AWS::KMS::Key): PublishersOfThisAccount: any account may come through \
         {\"cloudwatch.amazonaws.com\", \"events.rds.amazonaws.com\", \"ses.amazonaws.com\"}",
    );
}
