//! Prevents: a queue, a bucket or a key that everybody may use, because its own policy named nobody in particular.

use serde_json::{Value, json};
use template_properties::Deployment;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;

use crate::support::{actions, allows, each};

/// What carries a policy that says who may use it, and the property that holds it.
const POLICIES: [(&str, &str); 10] = [
    ("AWS::Backup::BackupVault", "AccessPolicy"),
    ("AWS::ECR::Repository", "RepositoryPolicyText"),
    ("AWS::EFS::FileSystem", "FileSystemPolicy"),
    ("AWS::KMS::Key", "KeyPolicy"),
    ("AWS::Logs::ResourcePolicy", "PolicyDocument"),
    ("AWS::S3::BucketPolicy", "PolicyDocument"),
    ("AWS::SNS::TopicInlinePolicy", "PolicyDocument"),
    ("AWS::SNS::TopicPolicy", "PolicyDocument"),
    ("AWS::SQS::QueuePolicy", "PolicyDocument"),
    ("AWS::SecretsManager::ResourcePolicy", "ResourcePolicy"),
];
/// The account of every deployment here.
const ACCOUNT: &str = "123456789012";
/// Conditions that make few of everybody.
const LIMITS: [&str; 4] = [
    "aws:PrincipalAccount",
    "aws:SourceAccount",
    "aws:SourceArn",
    "kms:CallerAccount",
];

/// A policy's statements; some types take it as text.
fn statements(policy: &Value) -> Vec<Value> {
    let parsed = policy.as_str().and_then(|text| serde_json::from_str(text).ok());
    let document: Value = parsed.unwrap_or_else(|| policy.clone());
    document.at("Statement").listed().into_iter().cloned().collect()
}

/// Whom a statement lets in that it should not.
fn stranger(statement: &Value) -> Option<String> {
    if statement.get("NotPrincipal").is_some() {
        return Some("everybody else".to_owned());
    }
    let tests = statement.at("Condition").as_object().into_iter().flatten();
    let is_limited = tests.flat_map(|(_, test)| test.keys()).any(|key| LIMITS.contains(&key));
    let principal = statement.at("Principal");
    let accounts = if principal.is_string() {
        principal.texts()
    } else {
        principal.at("AWS").texts()
    };
    let is_strange = |name: &String| {
        if name == "*" {
            !is_limited
        } else {
            !name.contains(ACCOUNT)
        }
    };
    accounts.into_iter().find(is_strange)
}

fn open_to_strangers(deployment: &Deployment) -> Vec<Finding> {
    let judged = POLICIES.iter().flat_map(|(kind, property)| {
        each(deployment, &[kind], |resource| {
            let statements = statements(resource.properties.at(property));
            statements.iter().filter(|one| allows(one)).find_map(|statement| {
                let who = stranger(statement)?;
                Some(format!("lets {who} {}", actions(statement).join(", ")))
            })
        })
    });
    judged.collect()
}

#[test]
fn nothing_lets_everybody_or_another_account_in() {
    let open = |principal: Value| json!({"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage"});
    let queue = "Resources/DeadLetterQueuePolicy/Properties/PolicyDocument/Statement/-";
    for (principal, who) in [
        (json!("*"), "*"),
        (json!({"AWS": ["*"]}), "*"),
        (json!({"AWS": "210987654321"}), "210987654321"),
    ] {
        proven(
            open_to_strangers,
            &Seed::set("modules/mautic-jobs.yaml", queue, open(principal)),
            &format!("mautic-jobs: DeadLetterQueuePolicy (AWS::SQS::QueuePolicy): lets {who} sqs:SendMessage"),
        );
    }
    let files = "Resources/FileSystem/Properties/FileSystemPolicy/Statement";
    proven(
        open_to_strangers,
        &Seed::set(
            "modules/file-system.yaml",
            &format!("{files}/-"),
            json!({"Effect": "Allow", "NotPrincipal": {"AWS": "nobody"}, "Action": "elasticfilesystem:ClientMount"}),
        ),
        "file-system: FileSystem (AWS::EFS::FileSystem): lets everybody else elasticfilesystem:ClientMount",
    );
}

/// Text is read like a document.
#[test]
fn a_policy_that_is_written_as_text_is_judged() {
    let text = "{\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"logs:PutLogEvents\"}]}";
    proven(
        open_to_strangers,
        &Seed::set(
            "modules/mautic-events.yaml",
            "Resources/EventLogPolicy/Properties/PolicyDocument",
            json!(text),
        ),
        "mautic-events: EventLogPolicy (AWS::Logs::ResourcePolicy): lets * logs:PutLogEvents",
    );
}
