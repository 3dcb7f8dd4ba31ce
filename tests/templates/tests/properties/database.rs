//! Prevents: a database without backups, one that is replaced by mistake, or one whose figures do not fit each other.

use serde_json::json;
use template_properties::combinations::ALL;
use template_properties::proof::{Finding, Seed, proven, proven_of_files};
use template_properties::value::Look;
use template_properties::{Deployment, Templates};

use crate::environments::mapped;
use crate::support::{each, unless};

const INSTANCE: &str = "AWS::RDS::DBInstance";

fn has_backups(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[INSTANCE], |instance| {
        let found = &instance.properties;
        let days = found.at("BackupRetentionPeriod").number().unwrap_or(0.0);
        unless(
            days >= 1.0 && found.at("DeleteAutomatedBackups") == &json!(false),
            || "no automated backups, or they go with it".to_owned(),
        )
    })
}

#[test]
fn no_database_is_without_backups() {
    let wrong = "database: DatabaseInstance (AWS::RDS::DBInstance): no automated backups, or they go with it";
    proven(has_backups, &mapped("dev/BackupRetentionDays", json!(0)), wrong);
    let kept = "Resources/DatabaseInstance/Properties/DeleteAutomatedBackups";
    proven(has_backups, &Seed::remove("modules/database.yaml", kept), wrong);
}

fn names_its_generation(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[INSTANCE], |instance| {
        let parts = ["Application", "Environment", "DatabaseGeneration"].map(|name| deployment.parameter(name));
        let name = instance.properties.at("DBInstanceIdentifier").text();
        unless(name == parts.join("-"), || format!("is named {name}"))
    })
}

#[test]
fn a_new_generation_is_the_only_way_to_another_instance() {
    let path = "Resources/DatabaseInstance/Properties/DBInstanceIdentifier";
    proven(
        names_its_generation,
        &Seed::set("modules/database.yaml", path, json!("mautic")),
        "database: DatabaseInstance (AWS::RDS::DBInstance): is named mautic",
    );
}

fn snapshots(deployment: &Deployment) -> Vec<Finding> {
    let is_restored = !deployment.parameter("DatabaseSnapshot").is_empty();
    let mut found = each(deployment, &[INSTANCE], |instance| {
        let names = ["KmsKeyId", "MasterUsername"];
        let odd = names
            .into_iter()
            .find(|name| instance.properties.get(name).is_some() == is_restored);
        odd.map(|name| format!("{name} beside a snapshot, or neither"))
    });
    let adopts = is_restored || deployment.parameter("AdoptExistingDatabase") == "true";
    found.extend(each(
        deployment,
        &["Custom::Database", "Custom::DatabaseUser"],
        |resource| {
            let said = resource.properties.at("AdoptExisting").is_true();
            unless(said == adopts, || format!("AdoptExisting is {said}"))
        },
    ));
    found
}

#[test]
fn a_snapshot_brings_its_own_key_and_master() {
    proven(
        snapshots,
        &Seed::set(
            "modules/database.yaml",
            "Resources/DatabaseInstance/Properties/MasterUsername",
            json!("admin"),
        ),
        "database: DatabaseInstance (AWS::RDS::DBInstance): MasterUsername beside a snapshot, or neither",
    );
}

#[test]
fn what_a_snapshot_contains_is_adopted() {
    let adopt = json!({"Ref": "AdoptExisting"});
    proven(
        snapshots,
        &Seed::set(
            "modules/database.yaml",
            "Resources/DatabaseInit/Properties/Parameters/AdoptExisting",
            adopt,
        ),
        "database-init: Database (Custom::Database): AdoptExisting is false",
    );
}

fn support(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[INSTANCE], |instance| {
        let version = instance.properties.at("EngineVersion").text();
        let support = instance.properties.at("EngineLifecycleSupport").text();
        let wanted = if version.starts_with("8.0.") {
            "open-source-rds-extended-support"
        } else {
            "open-source-rds-extended-support-disabled"
        };
        unless(support == wanted, || format!("{version} with {support}"))
    })
}

#[test]
fn only_mysql_8_0_pays_for_extended_support() {
    proven(
        support,
        &Seed::set(
            "modules/database.yaml",
            "Mappings/Engine/8.4/LifecycleSupport",
            json!("open-source-rds-extended-support"),
        ),
        "database: DatabaseInstance (AWS::RDS::DBInstance): 8.4.11 with open-source-rds-extended-support",
    );
    let reaches = |version: &str| {
        let instances = ALL.made.iter().flat_map(|deployment| deployment.of_type(&[INSTANCE]));
        instances
            .into_iter()
            .any(|instance| instance.properties.at("EngineVersion").text().starts_with(version))
    };
    assert!(
        reaches("8.0.") && reaches("8.4."),
        "both lines are among the combinations"
    );
}

fn families(deployment: &Deployment) -> Vec<Finding> {
    let lines: Vec<String> = deployment
        .of_type(&[INSTANCE])
        .map(|instance| format!("mysql{}", &instance.properties.at("EngineVersion").text()[..3]))
        .collect();
    each(deployment, &["AWS::RDS::DBParameterGroup"], |group| {
        let family = group.properties.at("Family").text();
        unless(lines.contains(&family), || format!("{family} for {lines:?}"))
    })
}

#[test]
fn the_parameter_group_is_of_the_engines_line() {
    proven(
        families,
        &Seed::set("modules/database.yaml", "Mappings/Engine/8.0/Family", json!("mysql8.4")),
        "database: ParameterGroup (AWS::RDS::DBParameterGroup): mysql8.4 for [\"mysql8.0\"]",
    );
}

fn insights(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[INSTANCE], |instance| {
        let found = &instance.properties;
        let has_months = found.at("EnablePerformanceInsights").is_true()
            && found.at("PerformanceInsightsRetentionPeriod").number() >= Some(465.0);
        unless(found.at("DatabaseInsightsMode") != "advanced" || has_months, || {
            "advanced Database Insights without 465 days of Performance Insights".to_owned()
        })
    })
}

#[test]
fn advanced_insights_have_the_fifteen_months_that_they_demand() {
    let path = "Resources/DatabaseInstance/Properties/PerformanceInsightsRetentionPeriod";
    proven(
        insights,
        &Seed::set("modules/database.yaml", path, json!(7)),
        "database: DatabaseInstance (AWS::RDS::DBInstance): advanced Database Insights without 465 days of Performance Insights",
    );
}

fn thresholds(templates: &Templates) -> Vec<Finding> {
    let mapping = |file: &str| {
        let template = templates.file(file).expect("a template of the database");
        template.body.at("Mappings/Environment").clone()
    };
    let (sizes, limits) = (
        mapping("modules/database.yaml"),
        mapping("modules/database-alarms.yaml"),
    );
    let judged = sizes
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(environment, figures)| {
            let figure = |name: &str| figures.at(name).number().unwrap_or_default();
            let connections = (figure("MaxConnections") * 0.8).floor();
            let storage = (figure("AllocatedStorage") * f64::from(1 << 30) / 20.0).floor();
            let limit = |name: &str| limits.at(environment).at(name).number().unwrap_or_default();
            let is_right = (limit("ManyConnections") - connections).abs() < 0.5
                && (limit("LowStorageBytes") - storage).abs() < 0.5;
            unless(is_right, || {
                format!("alarms at {connections} connections and {storage} free bytes are wanted")
            })
            .map(|wrong| Finding::new(environment, wrong))
        });
    judged.collect()
}

#[test]
fn the_databases_alarms_fire_at_four_fifths_of_the_connections_and_a_twentieth_of_the_storage() {
    proven_of_files(
        thresholds,
        &mapped("prod/MaxConnections", json!(1000)),
        "prod: alarms at 800 connections and 5368709120 free bytes are wanted",
    );
}
