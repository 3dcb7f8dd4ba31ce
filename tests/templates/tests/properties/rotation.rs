//! Prevents: a rotation that nobody rolls out or that rotates at once, a secret that its function refuses, and a new key of
//! Mautic's.

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven, proven_of_files};
use template_properties::value::Look;
use template_properties::{Deployment, Resource, Templates};

use crate::alarms::ALARM;
use crate::support::{each, each_declared, of_one, unless};

const SCHEDULE: &str = "AWS::SecretsManager::RotationSchedule";
const SECRET: &str = "AWS::SecretsManager::Secret";
const BASE: &str = "modules/mautic-base.yaml";
const ROTATION: &str = "modules/rotation.yaml";
const ROLLOUT: &str = "modules/rotation-rollout.yaml";
/// The one of the four schedules that the seeds change, and what stands for it in a finding.
const BOUNCES: &str = "Resources/BouncesSchedule";
const FOUND: &str = "rotation: BouncesSchedule (AWS::SecretsManager::RotationSchedule)";

/// It encrypts what Mautic knows of other systems: whatever is encrypted with another one cannot be read.
fn holds_the_key(secret: &Value) -> bool {
    secret.at("GenerateSecretString/GenerateStringKey") == "secret_key"
}

fn the_key_is_kept(templates: &Templates) -> Vec<Finding> {
    each_declared(templates, "Resources", |_, _, declared| {
        let is_it = declared.at("Type") == SECRET && holds_the_key(declared.at("Properties"));
        let [deleted, replaced] = ["DeletionPolicy", "UpdateReplacePolicy"].map(|name| declared.at(name).text());
        let is_kept = ["Retain", "RetainExceptOnCreate"].contains(&deleted.as_str()) && replaced == "Retain";
        unless(!is_it || is_kept, || {
            format!("holds secret_key, and has DeletionPolicy '{deleted}', UpdateReplacePolicy '{replaced}'")
        })
    })
}

#[test]
fn mautics_key_outlives_its_stack_and_its_replacement() {
    for (name, policies) in [
        ("DeletionPolicy", ["Delete", "Retain"]),
        ("UpdateReplacePolicy", ["RetainExceptOnCreate", "Delete"]),
    ] {
        let [deleted, replaced] = policies;
        proven_of_files(
            the_key_is_kept,
            &Seed::set(BASE, &format!("Resources/ApplicationSecret/{name}"), json!("Delete")),
            &format!(
                "{BASE}: ApplicationSecret: holds secret_key, and has DeletionPolicy '{deleted}', UpdateReplacePolicy \
                 '{replaced}'"
            ),
        );
    }
}

fn the_key_stays(deployment: &Deployment) -> Vec<Finding> {
    let keys = deployment
        .of_type(&[SECRET])
        .filter(|secret| holds_the_key(&secret.properties));
    let mut found = each(deployment, &[SCHEDULE], |schedule| {
        let secret = deployment.owner(schedule.properties.at("SecretId"))?;
        unless(!holds_the_key(&secret.properties), || {
            format!("rotates secret_key in {secret}")
        })
    });
    if keys.count() != 1 {
        found.push(Finding::new("the installation", "has not one secret with secret_key"));
    }
    found
}

#[test]
fn mautics_key_is_there_once_and_never_rotated() {
    let schedule = json!({"Type": SCHEDULE, "Properties": {"SecretId": {"Ref": "ApplicationSecret"}}});
    proven(
        the_key_stays,
        &Seed::set(BASE, "Resources/Planted", schedule),
        "mautic-base: Planted (AWS::SecretsManager::RotationSchedule): rotates secret_key in mautic-base: ApplicationSecret \
         (AWS::SecretsManager::Secret)",
    );
    let path = "Resources/ApplicationSecret/Properties/GenerateSecretString/GenerateStringKey";
    proven(
        the_key_stays,
        &Seed::set(BASE, path, json!("key")),
        "the installation: has not one secret with secret_key",
    );
}

/// A deployment that rotated would do so beside the rollout of whatever else it changes.
fn waits_for_its_window(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SCHEDULE], |schedule| {
        let immediately = schedule.properties.at("RotateImmediatelyOnUpdate");
        unless(immediately.text() == "false", || {
            format!("RotateImmediatelyOnUpdate is {immediately}: a deployment would rotate")
        })
    })
}

#[test]
fn a_deployment_rotates_nothing() {
    let path = format!("{BOUNCES}/Properties/RotateImmediatelyOnUpdate");
    proven(
        waits_for_its_window,
        &Seed::set(ROTATION, &path, json!(true)),
        &format!("{FOUND}: RotateImmediatelyOnUpdate is true: a deployment would rotate"),
    );
    proven(
        waits_for_its_window,
        &Seed::remove(ROTATION, &path),
        &format!("{FOUND}: RotateImmediatelyOnUpdate is null: a deployment would rotate"),
    );
}

/// Secrets Manager tests a schedule as soon as it is there, and rotates in the next window.
fn comes_last(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SCHEDULE], |schedule| {
        unless(schedule.depends_on.iter().any(|name| name == "Rollout"), || {
            format!("waits for {:?}, not for Rollout", schedule.depends_on)
        })
    })
}

#[test]
fn a_schedule_comes_after_what_rolls_its_rotations_out() {
    proven(
        comes_last,
        &Seed::remove(ROTATION, &format!("{BOUNCES}/DependsOn")),
        &format!("{FOUND}: waits for [], not for Rollout"),
    );
}

fn variables(function: &Resource) -> &Value {
    function.properties.at("Environment/Variables")
}

/// The old credential of a secret that rotation-rollout does not know stays good for ever, and ends every later rotation.
fn is_rolled_out(deployment: &Deployment) -> Vec<Finding> {
    let functions = || deployment.of_type(&["AWS::Lambda::Function"]);
    let rotations = functions().find_map(|function| variables(function).get("ROTATIONS"));
    let rotations = rotations.map(Look::text).unwrap_or_default();
    let heard: Vec<String> = deployment
        .of_type(&["AWS::Events::Rule"])
        .map(|rule| rule.properties.at("EventPattern"))
        .filter(|pattern| pattern.at("detail-type").texts() == ["Secret Label Updated"])
        .flat_map(|pattern| pattern.at("resources").texts())
        .collect();
    each(deployment, &[SCHEDULE], |schedule| {
        let [secret, function] = ["SecretId", "RotationLambdaARN"].map(|name| schedule.properties.at(name).text());
        let pair = format!("{secret}={function}");
        if !rotations.split(',').any(|one| one == pair) {
            return Some(format!("{pair} is not among ROTATIONS"));
        }
        unless(heard.contains(&secret), || {
            format!("no rule hears that the label of {secret} has moved")
        })
    })
}

#[test]
fn every_secret_that_rotates_is_rolled_out_by_the_function_that_rotates_it() {
    let pair = "<bounces.UserSecret>=<rotate-database.RotateDatabaseFunction.Arn>";
    let variable = "Resources/RotationRolloutFunction/Properties/Environment/Variables/ROTATIONS/Fn::Join/1/1";
    let other = json!({"Fn::Sub": "${BouncesSecretArn}=${RotateCacheArn}"});
    for seed in [Seed::remove(ROLLOUT, variable), Seed::set(ROLLOUT, variable, other)] {
        proven(is_rolled_out, &seed, &format!("{FOUND}: {pair} is not among ROTATIONS"));
    }
    proven(
        is_rolled_out,
        &Seed::remove(ROLLOUT, "Resources/MovedLabels/Properties/EventPattern/resources/1"),
        &format!("{FOUND}: no rule hears that the label of <bounces.UserSecret> has moved"),
    );
}

/// A function refuses a secret that its environment does not name; the master's it reads, and never rotates.
fn is_accepted(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SCHEDULE], |schedule| {
        let Some(function) = deployment.owner(schedule.properties.at("RotationLambdaARN")) else {
            return Some("no function of the stack rotates it".to_owned());
        };
        let names = variables(function).keys();
        let mut rotated = names
            .into_iter()
            .filter(|name| name.ends_with("_SECRET_ARN") && *name != "MASTER_SECRET_ARN");
        let secret = schedule.properties.at("SecretId").text();
        unless(
            rotated.any(|name| variables(function).at(name).text() == secret),
            || format!("{function} is not told of {secret}"),
        )
    })
}

#[test]
fn every_function_is_told_of_the_secrets_that_it_rotates() {
    let function = "rotate-database: RotateDatabaseFunction (AWS::Lambda::Function)";
    proven(
        is_accepted,
        &Seed::remove(
            "modules/rotate-database.yaml",
            "Resources/RotateDatabaseFunction/Properties/Environment/Variables/BOUNCES_SECRET_ARN",
        ),
        &format!("{FOUND}: {function} is not told of <bounces.UserSecret>"),
    );
    proven(
        is_accepted,
        &Seed::set(
            ROTATION,
            &format!("{BOUNCES}/Properties/SecretId"),
            json!({"Ref": "MasterSecretArn"}),
        ),
        &format!("{FOUND}: {function} is not told of <database.DatabaseInstance.MasterUserSecret.SecretArn>"),
    );
    proven(
        is_accepted,
        &Seed::set(
            ROTATION,
            &format!("{BOUNCES}/Properties/RotationLambdaARN"),
            json!("arn:aws:lambda:eu-central-1:123456789012:function:another"),
        ),
        &format!("{FOUND}: no function of the stack rotates it"),
    );
}

/// A metric that is told at each look says nothing when nobody looks.
fn silence_is_heard(deployment: &Deployment) -> Vec<Finding> {
    let mut alarms = deployment.of_type(&[ALARM]).map(|alarm| &alarm.properties);
    let is_heard = alarms.any(|alarm| {
        let seconds = alarm.at("Period").number().zip(alarm.at("EvaluationPeriods").number());
        alarm.at("Namespace") == "MauticServer/Rotation"
            && alarm.at("TreatMissingData") == "breaching"
            && seconds.is_some_and(|(period, times)| period * times <= 3600.0)
    });
    let wrong = unless(is_heard, || {
        "no alarm tells that it has not looked for an hour".to_owned()
    });
    of_one("rotation-rollout", wrong)
}

#[test]
fn a_rollout_that_does_not_look_is_found_out_within_an_hour() {
    let alarm = "Resources/SecretsOverdueAlarm/Properties";
    for (name, value) in [
        ("TreatMissingData", json!("notBreaching")),
        ("EvaluationPeriods", json!(5)),
    ] {
        proven(
            silence_is_heard,
            &Seed::set(ROLLOUT, &format!("{alarm}/{name}"), value),
            "rotation-rollout: no alarm tells that it has not looked for an hour",
        );
    }
}
