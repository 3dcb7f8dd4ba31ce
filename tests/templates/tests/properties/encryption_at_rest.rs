//! Prevents: a volume, a log or a topic that was made readable, and could only be encrypted by making it anew.

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::support::{each, unless};

/// Type, and the property that names the key of the stack.
const KEYS: [(&str, &str); 8] = [
    ("AWS::Logs::LogGroup", "KmsKeyId"),
    ("AWS::SecretsManager::Secret", "KmsKeyId"),
    ("AWS::SNS::Topic", "KmsMasterKeyId"),
    ("AWS::SQS::Queue", "KmsMasterKeyId"),
    ("AWS::EFS::FileSystem", "KmsKeyId"),
    ("AWS::ElastiCache::ReplicationGroup", "KmsKeyId"),
    ("AWS::Backup::BackupVault", "EncryptionKeyArn"),
    ("AWS::DynamoDB::Table", "SSESpecification/KMSMasterKeyId"),
];

fn is_our_key(deployment: &Deployment, value: &Value) -> bool {
    deployment.owner(value).is_some_and(|key| key.kind == "AWS::KMS::Key")
}

fn names_a_key(deployment: &Deployment) -> Vec<Finding> {
    let judged = KEYS.iter().flat_map(|(kind, path)| {
        each(deployment, &[kind], |resource| {
            let key = resource.properties.at(path);
            unless(is_our_key(deployment, key), || format!("{path} is {key}"))
        })
    });
    judged.collect()
}

#[test]
fn logs_secrets_topics_queues_files_caches_and_vaults_name_a_key_of_the_stack() {
    proven(
        names_a_key,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/EventTopic/Properties/KmsMasterKeyId",
            json!("alias/aws/sns"),
        ),
        "ses: EventTopic (AWS::SNS::Topic): KmsMasterKeyId is \"alias/aws/sns\"",
    );
    proven(
        names_a_key,
        &Seed::remove("modules/ses.yaml", "Resources/SesDomainLogGroup/Properties/KmsKeyId"),
        "ses: SesDomainLogGroup (AWS::Logs::LogGroup): KmsKeyId is null",
    );
}

/// Every type that keeps data has a row above, or a property of its own below, or nothing to encrypt.
const OTHERS: [&str; 5] = [
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
    "AWS::KMS::Key",
    "AWS::CloudWatch::Dashboard",
    "AWS::Logs::QueryDefinition",
];
/// Parts of the names of types that keep data.
const KEEPERS: [&str; 12] = [
    "::DB",
    "Bucket",
    "Cache",
    "Cluster",
    "FileSystem",
    "LogGroup",
    "Queue",
    "Secret",
    "Stream",
    "Table",
    "Topic",
    "Vault",
];
/// Their names only: they keep nothing.
const NO_KEEPERS: [&str; 11] = [
    "AWS::EC2::RouteTable",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::ECS::Cluster",
    "AWS::ElastiCache::ParameterGroup",
    "AWS::ElastiCache::SubnetGroup",
    "AWS::ElastiCache::User",
    "AWS::ElastiCache::UserGroup",
    "AWS::RDS::DBParameterGroup",
    "AWS::RDS::DBSubnetGroup",
    "AWS::SecretsManager::RotationSchedule",
    "AWS::SecretsManager::SecretTargetAttachment",
];

fn unknown_keepers(deployment: &Deployment) -> Vec<Finding> {
    let judged = deployment.resources().filter_map(|resource| {
        let kind = resource.kind.as_str();
        let is_judged = KEYS.iter().any(|(known, _)| *known == kind) || OTHERS.contains(&kind);
        let is_keeper = KEEPERS.iter().any(|part| kind.contains(part)) && !kind.ends_with("Policy");
        let is_silent = NO_KEEPERS.contains(&kind) || resource.is_custom();
        (is_keeper && !is_judged && !is_silent).then(|| {
            Finding::new(
                resource,
                "may keep data, and no property of this suite says how it is encrypted",
            )
        })
    });
    judged.collect()
}

#[test]
fn a_new_kind_of_store_is_judged_before_it_is_used() {
    let stream = json!({"Type": "AWS::Kinesis::Stream", "Properties": {}});
    proven(
        unknown_keepers,
        &Seed::set("modules/ses.yaml", "Resources/EventStream", stream),
        "ses: EventStream (AWS::Kinesis::Stream): may keep data, and no property of this suite says how it is encrypted",
    );
}

fn switched_on(deployment: &Deployment) -> Vec<Finding> {
    let switches = [
        ("AWS::EFS::FileSystem", "Encrypted"),
        ("AWS::ElastiCache::ReplicationGroup", "AtRestEncryptionEnabled"),
    ];
    let judged = switches.iter().flat_map(|(kind, name)| {
        each(deployment, &[kind], |resource| {
            unless(resource.properties.at(name).is_true(), || {
                format!("{name} is {}", resource.properties.at(name))
            })
        })
    });
    judged.collect()
}

#[test]
fn file_systems_and_caches_are_encrypted() {
    let files = json!({"Type": "AWS::EFS::FileSystem", "Properties": {"KmsKeyId": {"Ref": "DataKeyArn"}}});
    proven(
        switched_on,
        &Seed::set("modules/ses.yaml", "Resources/Files", files),
        "ses: Files (AWS::EFS::FileSystem): Encrypted is null",
    );
    let cache = json!({"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": {"AtRestEncryptionEnabled": false}});
    proven(
        switched_on,
        &Seed::set("modules/ses.yaml", "Resources/Cache", cache),
        "ses: Cache (AWS::ElastiCache::ReplicationGroup): AtRestEncryptionEnabled is false",
    );
}

/// Without that the log group cannot be made, and with it the whole stack.
fn logs_may_use_their_key(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::Logs::LogGroup"], |group| {
        let key = deployment.owner(group.properties.at("KmsKeyId"))?;
        let statements = key.properties.at("KeyPolicy/Statement").listed();
        let knows = statements
            .iter()
            .any(|one| one.at("Principal/Service") == "logs.eu-central-1.amazonaws.com");
        unless(knows, || format!("{key} does not know CloudWatch Logs"))
    })
}

#[test]
fn a_logs_key_lets_cloudwatch_logs_use_it() {
    proven(
        logs_may_use_their_key,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/SesDomainLogGroup/Properties/KmsKeyId",
            json!({"Ref": "NotificationKeyArn"}),
        ),
        "ses: SesDomainLogGroup (AWS::Logs::LogGroup): foundation: NotificationKey (AWS::KMS::Key) does not know CloudWatch \
         Logs",
    );
}

fn databases(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::RDS::DBInstance"], |instance| {
        let found = &instance.properties;
        let mut keys = vec![("MasterUserSecret/KmsKeyId", found.at("MasterUserSecret/KmsKeyId"))];
        // A snapshot brings its own key; naming one beside it is an error.
        if found.get("DBSnapshotIdentifier").is_none() {
            keys.push(("KmsKeyId", found.at("KmsKeyId")));
        }
        if found.at("EnablePerformanceInsights").is_true() {
            keys.push(("PerformanceInsightsKMSKeyId", found.at("PerformanceInsightsKMSKeyId")));
        }
        if !found.at("StorageEncrypted").is_true() {
            return Some("StorageEncrypted is off".to_owned());
        }
        let odd = keys.iter().find(|(_, key)| *key != "<foundation.DataKey.Arn>");
        odd.map(|(name, key)| format!("{name} is {key}"))
    })
}

#[test]
fn the_database_is_encrypted() {
    proven(
        databases,
        &Seed::set(
            "modules/database.yaml",
            "Resources/DatabaseInstance/Properties/StorageEncrypted",
            json!(false),
        ),
        "database: DatabaseInstance (AWS::RDS::DBInstance): StorageEncrypted is off",
    );
}

#[test]
fn the_databases_secret_and_insights_are_encrypted_with_the_data_key() {
    for name in ["MasterUserSecret/KmsKeyId", "PerformanceInsightsKMSKeyId"] {
        let path = format!("Resources/DatabaseInstance/Properties/{name}");
        proven(
            databases,
            &Seed::set("modules/database.yaml", &path, json!("alias/aws/rds")),
            &format!("database: DatabaseInstance (AWS::RDS::DBInstance): {name} is \"alias/aws/rds\""),
        );
    }
}

fn bucket_fault(bucket: &Resource) -> Option<String> {
    let found = &bucket.properties;
    let blocked = found.at("PublicAccessBlockConfiguration").as_object();
    let is_private = blocked.is_some_and(|flags| flags.len() == 4 && flags.values().all(Look::is_true));
    let owners = found.at("OwnershipControls/Rules");
    if found.at("BucketEncryption").is_null() {
        return Some("no encryption".to_owned());
    }
    if !is_private {
        return Some("may become public".to_owned());
    }
    if owners != &json!([{"ObjectOwnership": "BucketOwnerEnforced"}]) {
        return Some("objects may belong to others".to_owned());
    }
    unless(!found.at("LifecycleConfiguration/Rules").listed().is_empty(), || {
        "keeps everything for ever".to_owned()
    })
}

#[test]
fn buckets_are_encrypted_private_of_one_owner_and_tidied() {
    let bucket = "Resources/LogBucket/Properties";
    let seeds = [
        (
            Seed::remove("modules/foundation.yaml", &format!("{bucket}/BucketEncryption")),
            "no encryption",
        ),
        (
            Seed::set(
                "modules/foundation.yaml",
                &format!("{bucket}/PublicAccessBlockConfiguration/BlockPublicPolicy"),
                json!(false),
            ),
            "may become public",
        ),
        (
            Seed::remove(
                "modules/foundation.yaml",
                &format!("{bucket}/PublicAccessBlockConfiguration/IgnorePublicAcls"),
            ),
            "may become public",
        ),
        (
            Seed::remove("modules/foundation.yaml", &format!("{bucket}/OwnershipControls")),
            "objects may belong to others",
        ),
        (
            Seed::remove("modules/foundation.yaml", &format!("{bucket}/LifecycleConfiguration")),
            "keeps everything for ever",
        ),
    ];
    for (seed, wrong) in seeds {
        proven(
            |deployment| each(deployment, &["AWS::S3::Bucket"], bucket_fault),
            &seed,
            &format!("foundation: LogBucket (AWS::S3::Bucket): {wrong}"),
        );
    }
}

fn keys_last(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::KMS::Key"], |key| {
        let found = &key.properties;
        unless(
            found.at("EnableKeyRotation").is_true() && found.at("PendingWindowInDays") == &json!(30),
            || "not rotated, or gone in less than 30 days".to_owned(),
        )
    })
}

#[test]
fn keys_are_rotated() {
    proven(
        keys_last,
        &Seed::remove(
            "modules/foundation.yaml",
            "Resources/DataKey/Properties/EnableKeyRotation",
        ),
        "foundation: DataKey (AWS::KMS::Key): not rotated, or gone in less than 30 days",
    );
}

#[test]
fn a_key_that_is_deleted_gives_the_longest_time_to_repent() {
    proven(
        keys_last,
        &Seed::set(
            "modules/foundation.yaml",
            "Resources/DataKey/Properties/PendingWindowInDays",
            json!(7),
        ),
        "foundation: DataKey (AWS::KMS::Key): not rotated, or gone in less than 30 days",
    );
}
