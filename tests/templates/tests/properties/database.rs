//! Prevents: a database without backups, one that is replaced by mistake, one that loses letters, fills up or is watched
//! otherwise than was chosen, or one whose figures do not fit each other.

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

fn texts(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[INSTANCE], |instance| {
        let Some(group) = deployment.owner(instance.properties.at("DBParameterGroupName")) else {
            return Some("has no parameter group".to_owned());
        };
        let names = ["character_set_server", "collation_server"];
        let [set, collation] = names.map(|name| group.properties.at("Parameters").at(name).text());
        let is_right = (set.as_str(), collation.as_str()) == ("utf8mb4", "utf8mb4_unicode_ci");
        unless(is_right, || {
            format!("keeps texts in '{set}', compared by '{collation}'")
        })
    })
}

#[test]
fn every_letter_of_every_script_is_kept() {
    let instance = "database: DatabaseInstance (AWS::RDS::DBInstance)";
    let parameter = |name: &str| format!("Resources/ParameterGroup/Properties/Parameters/{name}");
    let file = "modules/database.yaml";
    for (seed, wrong) in [
        (
            Seed::remove(file, &parameter("character_set_server")),
            "keeps texts in '', compared by 'utf8mb4_unicode_ci'",
        ),
        (
            Seed::set(file, &parameter("collation_server"), json!("utf8mb4_0900_ai_ci")),
            "keeps texts in 'utf8mb4', compared by 'utf8mb4_0900_ai_ci'",
        ),
        (
            Seed::remove(file, "Resources/DatabaseInstance/Properties/DBParameterGroupName"),
            "has no parameter group",
        ),
    ] {
        proven(texts, &seed, &format!("{instance}: {wrong}"));
    }
}

/// As chosen, both ends or neither; else by a tenth at least, which RDS demands.
fn grows(deployment: &Deployment) -> Vec<Finding> {
    let chosen = ["DatabaseStorage", "DatabaseMaxStorage"].map(|name| deployment.parameter(name));
    each(deployment, &[INSTANCE], |instance| {
        let found = ["AllocatedStorage", "MaxAllocatedStorage"].map(|name| instance.properties.at(name).text());
        let [start, end] = found.each_ref().map(|text| text.parse().unwrap_or(0.0));
        let is_right = if chosen.iter().all(String::is_empty) {
            start >= 20.0 && end >= start * 1.1
        } else {
            found == chosen
        };
        unless(is_right, || {
            format!("storage grows from '{}' to '{}'", found[0], found[1])
        })
    })
}

#[test]
fn the_storage_grows_by_itself_as_far_as_was_chosen() {
    let instance = "database: DatabaseInstance (AWS::RDS::DBInstance)";
    let file = "modules/database.yaml";
    let end = "Resources/DatabaseInstance/Properties/MaxAllocatedStorage";
    for (seed, wrong) in [
        (Seed::remove(file, end), "storage grows from '20' to ''"),
        (
            mapped("prod/MaxAllocatedStorage", json!(100)),
            "storage grows from '100' to '100'",
        ),
        (Seed::set(file, end, json!("500")), "storage grows from '400' to '500'"),
    ] {
        proven(grows, &seed, &format!("{instance}: {wrong}"));
    }
}

fn monitored(deployment: &Deployment) -> Vec<Finding> {
    let chosen = deployment.parameter("DatabaseMonitoringSeconds");
    each(deployment, &[INSTANCE], |instance| {
        let found = &instance.properties;
        let (interval, role) = (
            found.at("MonitoringInterval").text(),
            found.at("MonitoringRoleArn").text(),
        );
        unless(interval == chosen && role.is_empty() == (chosen == "0"), || {
            format!("is sampled every '{interval}' s by '{role}', not every {chosen} s")
        })
    })
}

#[test]
fn the_operating_system_is_sampled_as_often_as_was_chosen_and_by_a_role_only_then() {
    let instance = "database: DatabaseInstance (AWS::RDS::DBInstance)";
    let file = "modules/database.yaml";
    let property = |name: &str| format!("Resources/DatabaseInstance/Properties/{name}");
    let role = "<database.MonitoringRole.Arn>";
    for (seed, wrong) in [
        (
            Seed::remove(file, &property("MonitoringInterval")),
            format!("is sampled every '' s by '{role}', not every 15 s"),
        ),
        (
            Seed::set(file, &property("MonitoringInterval"), json!(60)),
            "is sampled every '60' s by '', not every 0 s".to_owned(),
        ),
        (
            Seed::remove(file, &property("MonitoringRoleArn")),
            "is sampled every '15' s by '', not every 15 s".to_owned(),
        ),
        (
            Seed::remove(file, "Resources/MonitoringRole/Condition").and_set(
                file,
                &property("MonitoringRoleArn"),
                json!({"Fn::GetAtt": ["MonitoringRole", "Arn"]}),
            ),
            format!("is sampled every '0' s by '{role}', not every 0 s"),
        ),
    ] {
        proven(monitored, &seed, &format!("{instance}: {wrong}"));
    }
}

fn keeps_its_master(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[INSTANCE], |instance| {
        let found = &instance.properties;
        let is_kept = found.at("ManageMasterUserPassword").is_true() && found.get("MasterUserPassword").is_none();
        unless(is_kept, || "its master's password is not RDS's to keep".to_owned())
    })
}

#[test]
fn rds_keeps_the_masters_password_and_no_template_has_one() {
    let wrong = "database: DatabaseInstance (AWS::RDS::DBInstance): its master's password is not RDS's to keep";
    for (name, value) in [
        ("ManageMasterUserPassword", json!(false)),
        ("MasterUserPassword", json!("{{resolve:ssm-secure:master}}")),
    ] {
        let path = format!("Resources/DatabaseInstance/Properties/{name}");
        proven(
            keeps_its_master,
            &Seed::set("modules/database.yaml", &path, value),
            wrong,
        );
    }
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
