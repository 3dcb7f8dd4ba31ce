//! Prevents: production without a standby, without protection, or deleted with its only copy.
//!
//! Rules judge parameters and cannot read mappings; what follows from the environment is held here.

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven, proven_of_files};
use template_properties::value::Look;
use template_properties::{Deployment, Resource, Templates};

use crate::support::{each, each_declared, unless};

const INSTANCE: &str = "AWS::RDS::DBInstance";
const CACHE: &str = "AWS::ElastiCache::ReplicationGroup";

fn of_environment(
    deployment: &Deployment,
    environment: &str,
    kinds: &[&str],
    judge: impl Fn(&Resource) -> Option<String>,
) -> Vec<Finding> {
    if deployment.environment() == environment {
        each(deployment, kinds, judge)
    } else {
        Vec::new()
    }
}

fn production_databases(deployment: &Deployment) -> Vec<Finding> {
    of_environment(deployment, "prod", &[INSTANCE], |instance| {
        let found = &instance.properties;
        let odd = ["MultiAZ", "DeletionProtection"]
            .into_iter()
            .find(|name| !found.at(name).is_true());
        if let Some(name) = odd {
            return Some(format!("{name} is {}", found.at(name)));
        }
        let days = found.at("BackupRetentionPeriod").number()?;
        let least = if deployment.parameter("DatabaseBackupDays").is_empty() {
            35.0
        } else {
            1.0
        };
        unless(days >= least, || format!("backups for {days} days"))
    })
}

/// The database's figures by environment, one of them changed.
pub fn mapped(name: &str, value: Value) -> Seed {
    Seed::set("modules/database.yaml", &format!("Mappings/Environment/{name}"), value)
}

#[test]
fn production_has_a_standby_protection_and_five_weeks_of_backups() {
    let instance = "database: DatabaseInstance (AWS::RDS::DBInstance)";
    for (seed, wrong) in [
        (mapped("prod/MultiAZ", json!("false")), "MultiAZ is \"false\""),
        (
            mapped("prod/DeletionProtection", json!("false")),
            "DeletionProtection is \"false\"",
        ),
        (mapped("prod/BackupRetentionDays", json!(7)), "backups for 7 days"),
    ] {
        proven(production_databases, &seed, &format!("{instance}: {wrong}"));
    }
}

/// What else production protects: type, where it says so, and the value.
const PROTECTED: [(&str, &str); 1] = [(
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "deletion_protection.enabled",
)];

fn production_is_protected(deployment: &Deployment) -> Vec<Finding> {
    let judged = PROTECTED.iter().flat_map(|(kind, name)| {
        of_environment(deployment, "prod", &[kind], |resource| {
            let attributes = resource.properties.at("LoadBalancerAttributes").listed();
            let value = attributes
                .iter()
                .find(|one| one.at("Key") == *name)
                .map(|one| one.at("Value").text());
            let chosen = deployment.parameter("LoadBalancerDeletionProtection");
            unless(chosen == "false" || value.as_deref() == Some("true"), || {
                format!("{name} is {value:?}")
            })
        })
    });
    judged.collect()
}

#[test]
fn productions_load_balancer_cannot_be_deleted_by_mistake() {
    proven(
        production_is_protected,
        &Seed::set(
            "modules/load-balancer.yaml",
            "Mappings/Environment/prod/DeletionProtection",
            json!("false"),
        ),
        "load-balancer: LoadBalancer (AWS::ElasticLoadBalancingV2::LoadBalancer): deletion_protection.enabled is \
         Some(\"false\")",
    );
}

/// None of the checkers sees it: a failover of the cache is refused without somebody to fail over to, after many minutes.
fn failover_has_a_replica(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[CACHE], |group| {
        let found = &group.properties;
        let replicas = match found.at("NumCacheClusters") {
            Value::Null => found.at("ReplicasPerNodeGroup").number().unwrap_or(0.0),
            nodes => nodes.number().unwrap_or(1.0) - 1.0,
        };
        let fails_over = found.at("AutomaticFailoverEnabled").is_true();
        let spans_zones = found.at("MultiAZEnabled").is_true();
        if fails_over && replicas < 1.0 && found.at("NumNodeGroups").number().unwrap_or(1.0) < 2.0 {
            return Some(format!("fails over to one of {replicas} replicas"));
        }
        unless(!spans_zones || (fails_over && replicas >= 1.0), || {
            "spans zones with nothing in the second".to_owned()
        })
    })
}

fn cache(properties: &Value) -> Seed {
    Seed::set(
        "modules/ses.yaml",
        "Resources/Cache",
        json!({"Type": CACHE, "Properties": properties}),
    )
}

#[test]
fn a_failover_of_the_cache_has_a_replica_to_go_to() {
    let text = "ses: Cache (AWS::ElastiCache::ReplicationGroup)";
    for (properties, wrong) in [
        (
            json!({"AutomaticFailoverEnabled": true, "NumCacheClusters": 1}),
            "fails over to one of 0 replicas",
        ),
        (
            json!({"AutomaticFailoverEnabled": true, "NumNodeGroups": 1}),
            "fails over to one of 0 replicas",
        ),
        (
            json!({"MultiAZEnabled": true, "NumCacheClusters": 1}),
            "spans zones with nothing in the second",
        ),
    ] {
        proven(failover_has_a_replica, &cache(&properties), &format!("{text}: {wrong}"));
    }
}

fn production_caches(deployment: &Deployment) -> Vec<Finding> {
    of_environment(deployment, "prod", &[CACHE], |group| {
        let found = &group.properties;
        let odd = ["AutomaticFailoverEnabled", "MultiAZEnabled"]
            .into_iter()
            .find(|name| !found.at(name).is_true());
        if let Some(name) = odd {
            return Some(format!("{name} is {}", found.at(name)));
        }
        let is_chosen = !deployment.parameter("CacheSnapshotDays").is_empty();
        unless(
            is_chosen || found.at("SnapshotRetentionLimit").number() >= Some(1.0),
            || "no snapshots".to_owned(),
        )
    })
}

#[test]
fn productions_cache_survives_a_zone_and_is_kept_in_snapshots() {
    let text = "ses: Cache (AWS::ElastiCache::ReplicationGroup)";
    let good = json!({"AutomaticFailoverEnabled": true, "MultiAZEnabled": true});
    for (properties, wrong) in [
        (json!({"MultiAZEnabled": true}), "AutomaticFailoverEnabled is null"),
        (json!({"AutomaticFailoverEnabled": true}), "MultiAZEnabled is null"),
        (good, "no snapshots"),
    ] {
        proven(production_caches, &cache(&properties), &format!("{text}: {wrong}"));
    }
}

fn small_in_development(deployment: &Deployment) -> Vec<Finding> {
    of_environment(deployment, "dev", &[INSTANCE], |instance| {
        let left_blank = |names: &[&str]| names.iter().all(|name| deployment.parameter(name).is_empty());
        let wanted = [
            ("DBInstanceClass", "db.t4g.small", "DatabaseInstanceClass"),
            ("MultiAZ", "false", "DatabaseMultiAZ"),
            ("DeletionProtection", "false", "DatabaseDeletionProtection"),
            ("EnablePerformanceInsights", "false", "DatabaseInsights"),
        ];
        let mut odd = wanted.into_iter().filter(|(name, value, parameter)| {
            left_blank(&[parameter]) && instance.properties.at(name).text() != *value
        });
        odd.next()
            .map(|(name, _, _)| format!("{name} is {}", instance.properties.at(name)))
    })
}

#[test]
fn a_development_database_is_small_and_can_be_deleted() {
    proven(
        small_in_development,
        &mapped("dev/InstanceClass", json!("db.r7g.16xlarge")),
        "database: DatabaseInstance (AWS::RDS::DBInstance): DBInstanceClass is \"db.r7g.16xlarge\"",
    );
}

/// What holds data or the key to it, and the deletion policies that keep it.
const STATEFUL: [(&str, &[&str]); 8] = [
    ("AWS::Backup::BackupVault", &["Retain", "RetainExceptOnCreate"]),
    ("AWS::DynamoDB::Table", &["Retain", "RetainExceptOnCreate"]),
    ("AWS::EFS::FileSystem", &["Retain", "RetainExceptOnCreate"]),
    (CACHE, &["Snapshot"]),
    ("AWS::KMS::Key", &["RetainExceptOnCreate"]),
    (INSTANCE, &["Snapshot"]),
    ("AWS::S3::Bucket", &["RetainExceptOnCreate"]),
    ("AWS::ECR::Repository", &["Retain", "RetainExceptOnCreate"]),
];

/// What holds only what a deployment makes again: images, and the context that they are built from.
const MADE_AGAIN: [(&str, &str); 2] = [(IMAGE, "Repository"), (IMAGE, "BuildBucket")];
const IMAGE: &str = "modules/mautic-image.yaml";

fn survives(templates: &Templates) -> Vec<Finding> {
    each_declared(templates, "Resources", |file, logical_id, declared| {
        if MADE_AGAIN.contains(&(file, logical_id)) {
            let policies = ["DeletionPolicy", "UpdateReplacePolicy"].map(|name| declared.at(name).text());
            return unless(policies == ["Delete", "Delete"], || {
                format!("can be made again, but has {policies:?}")
            });
        }
        let (_, kept) = STATEFUL.iter().find(|(kind, _)| declared.at("Type") == *kind)?;
        let (deleted, replaced) = (
            declared.at("DeletionPolicy").text(),
            declared.at("UpdateReplacePolicy").text(),
        );
        if !kept.contains(&deleted.as_str()) {
            return Some(format!("DeletionPolicy '{deleted}', not one of {kept:?}"));
        }
        unless(replaced == "Snapshot" || replaced == "Retain", || {
            format!("UpdateReplacePolicy '{replaced}'")
        })
    })
}

#[test]
fn what_holds_data_outlives_its_stack() {
    proven_of_files(
        survives,
        &Seed::set(
            "modules/database.yaml",
            "Resources/DatabaseInstance/DeletionPolicy",
            json!("Delete"),
        ),
        "modules/database.yaml: DatabaseInstance: DeletionPolicy 'Delete', not one of [\"Snapshot\"]",
    );
}

#[test]
fn what_can_be_made_again_goes_with_its_stack_and_nothing_else_does() {
    proven_of_files(
        survives,
        &Seed::set(IMAGE, "Resources/Repository/DeletionPolicy", json!("Retain")),
        &format!("{IMAGE}: Repository: can be made again, but has [\"Retain\", \"Delete\"]"),
    );
    let other = json!({"Type": "AWS::ECR::Repository", "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"});
    proven_of_files(
        survives,
        &Seed::set(IMAGE, "Resources/OtherRepository", other),
        &format!(
            "{IMAGE}: OtherRepository: DeletionPolicy 'Delete', not one of [\"Retain\", \"RetainExceptOnCreate\"]"
        ),
    );
}

#[test]
fn what_holds_data_outlives_its_replacement() {
    proven_of_files(
        survives,
        &Seed::remove("modules/foundation.yaml", "Resources/DataKey/UpdateReplacePolicy"),
        "modules/foundation.yaml: DataKey: UpdateReplacePolicy ''",
    );
}
