//! Prevents: a plan that backs nothing up, and a restore that is tried for the first time on the day it is needed.

use std::collections::BTreeMap;

use serde_json::json;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::support::{each, set, unless};

const FILE: &str = "modules/backup.yaml";
/// What must be in every plan, each with the property that holds its tags.
const KEPT: [(&str, &str); 2] = [
    ("AWS::RDS::DBInstance", "Tags"),
    ("AWS::EFS::FileSystem", "FileSystemTags"),
];

/// The tags that a resource has in the end: its stack's and its own.
fn tags(deployment: &Deployment, resource: &Resource, property: &str) -> BTreeMap<String, String> {
    let mut tags = deployment
        .module(&resource.module)
        .map(|stack| stack.tags.clone())
        .unwrap_or_default();
    for tag in resource.properties.at(property).listed() {
        tags.insert(tag.at("Key").text(), tag.at("Value").text());
    }
    tags
}

fn selected(deployment: &Deployment) -> Vec<Finding> {
    let conditions: Vec<(String, String)> = deployment
        .of_type(&["AWS::Backup::BackupSelection"])
        .flat_map(|selection| selection.properties.at("BackupSelection/ListOfTags").listed())
        .map(|tag| (tag.at("ConditionKey").text(), tag.at("ConditionValue").text()))
        .collect();
    let judged = KEPT.iter().flat_map(|(kind, property)| {
        each(deployment, &[kind], |resource| {
            let tags = tags(deployment, resource, property);
            let is_selected = conditions.iter().any(|(key, value)| tags.get(key) == Some(value));
            unless(is_selected, || format!("has none of the tags {conditions:?}"))
        })
    });
    judged.collect()
}

#[test]
fn the_plan_selects_the_database_and_the_files() {
    let path = "Resources/Selection/Properties/BackupSelection/ListOfTags/0/ConditionValue";
    for thing in [
        "database: DatabaseInstance (AWS::RDS::DBInstance)",
        "file-system: FileSystem (AWS::EFS::FileSystem)",
    ] {
        proven(
            selected,
            &Seed::set(FILE, path, json!("other")),
            &format!("{thing}: has none of the tags [(\"Backup\", \"other\")]"),
        );
    }
}

fn retention(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::Backup::BackupPlan"], |plan| {
        let rules = plan.properties.at("BackupPlan/BackupPlanRule").listed();
        let days = |rule: &serde_json::Value| rule.at("Lifecycle/DeleteAfterDays").number();
        let kept: BTreeMap<String, Option<f64>> = rules
            .iter()
            .map(|rule| (rule.at("RuleName").text(), days(rule)))
            .collect();
        if set(kept.keys().cloned()) != set(["daily", "weekly", "monthly"]) {
            return Some(format!("rules {:?}", kept.keys()));
        }
        let forever = kept
            .iter()
            .find(|(_, days)| days.is_none())
            .map(|(name, _)| format!("{name} backups are kept for ever"));
        let copies = rules.iter().flat_map(|rule| rule.at("CopyActions").listed());
        let endless = copies
            .into_iter()
            .any(|copy| copy.at("Lifecycle/DeleteAfterDays").number().is_none());
        forever.or_else(|| unless(!endless, || "copies are kept for ever".to_owned()))
    })
}

#[test]
fn backups_are_daily_weekly_and_monthly_and_each_is_kept_for_a_stated_time() {
    let plan = "backup: Plan (AWS::Backup::BackupPlan)";
    let rules = "Resources/Plan/Properties/BackupPlan/BackupPlanRule";
    proven(
        retention,
        &Seed::remove(FILE, &format!("{rules}/1")),
        &format!("{plan}: rules [\"daily\", \"monthly\"]"),
    );
    proven(
        retention,
        &Seed::remove(FILE, &format!("{rules}/2/Lifecycle/DeleteAfterDays")),
        &format!("{plan}: monthly backups are kept for ever"),
    );
    proven(
        retention,
        &Seed::set(
            FILE,
            &format!("{rules}/0/CopyActions"),
            json!([{"DestinationBackupVaultArn": "arn:aws:backup:x"}]),
        ),
        &format!("{plan}: copies are kept for ever"),
    );
}

fn restores(deployment: &Deployment) -> Vec<Finding> {
    let mut found = each(deployment, &["AWS::Backup::RestoreTestingSelection"], |selection| {
        let overrides = selection.properties.at("RestoreMetadataOverrides");
        let is_database = selection.properties.at("ProtectedResourceType") == "RDS";
        let missing: Vec<&str> = ["dbSubnetGroupName", "vpcSecurityGroupIds"]
            .into_iter()
            .filter(|key| overrides.get(key).is_none())
            .collect();
        unless(!is_database || missing.is_empty(), || {
            format!("restores into the default VPC: no {missing:?}")
        })
    });
    let tried = set(deployment
        .of_type(&["AWS::Backup::RestoreTestingSelection"])
        .map(|one| one.properties.at("ProtectedResourceType").text()));
    let is_chosen = deployment.parameter("RestoreTests");
    let is_wanted = is_chosen == "true" || is_chosen.is_empty() && deployment.environment() != "dev";
    if is_wanted && tried != set(["EFS", "RDS"]) {
        found.push(Finding::new("restores", format!("only {tried:?} are tried")));
    }
    found
}

#[test]
fn a_restore_is_tried_in_the_installations_own_network() {
    proven(
        restores,
        &Seed::remove(
            FILE,
            "Resources/DatabaseRestoreTest/Properties/RestoreMetadataOverrides/dbSubnetGroupName",
        ),
        "backup: DatabaseRestoreTest (AWS::Backup::RestoreTestingSelection): restores into the default VPC: no \
         [\"dbSubnetGroupName\"]",
    );
}

#[test]
fn restores_of_database_and_files_are_tried_outside_development() {
    proven(
        restores,
        &Seed::remove(FILE, "Resources/FilesRestoreTest"),
        "restores: only {\"RDS\"} are tried",
    );
}
