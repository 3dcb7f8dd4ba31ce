//! Prevents: a password in a task definition that everybody may read, a container that could change its own program, and a
//! deployment that nobody stops.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Placeholder, Resource};

use crate::support::{actions, allows, each, role_statements, unless};

const DEFINITION: &str = "AWS::ECS::TaskDefinition";
const SERVICE: &str = "AWS::ECS::Service";
/// Where the seeds are planted: beside what is there, so that they do not depend on how the modules are cut.
const FILE: &str = "modules/ecs-cluster.yaml";
const PLANTED: &str = "ecs-cluster: Planted (AWS::ECS::TaskDefinition)";

/// A task definition of one container, good but for what is given.
fn container(changes: Value) -> Seed {
    let mut container = json!({
        "Name": "web",
        "User": "33:33",
        "ReadonlyRootFilesystem": true,
        "LinuxParameters": {"Capabilities": {"Drop": ["ALL"]}},
        "StopTimeout": 60,
        "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": {"Ref": "InsightsLogGroup"}}},
    });
    if let (Value::Object(container), Value::Object(changes)) = (&mut container, changes) {
        container.extend(changes);
    }
    let properties = json!({
        "ContainerDefinitions": [container],
        "ExecutionRoleArn": {"Fn::GetAtt": ["ExecutionRole", "Arn"]},
        "TaskRoleArn": "<ses.SesDomainRole.Arn>",
    });
    Seed::set(
        FILE,
        "Resources/Planted",
        json!({"Type": DEFINITION, "Properties": properties}),
    )
}

/// What is wrong with each container of each task definition.
fn each_container(deployment: &Deployment, judge: impl Fn(&Value) -> Option<String>) -> Vec<Finding> {
    each(deployment, &[DEFINITION], |definition| {
        definition
            .properties
            .at("ContainerDefinitions")
            .listed()
            .into_iter()
            .find_map(&judge)
    })
}

/// The ARN in `ARN:key::`, and the key.
fn secret_and_key(text: &str) -> Option<(&str, &str)> {
    let (arn, key) = text.strip_suffix("::")?.rsplit_once(':')?;
    (!key.is_empty()).then_some((arn, key))
}

fn key_by_key(deployment: &Deployment) -> Vec<Finding> {
    each_container(deployment, |container| {
        container.at("Secrets").listed().into_iter().find_map(|secret| {
            let (name, from) = (secret.at("Name").text(), secret.at("ValueFrom").text());
            let Some((arn, _)) = secret_and_key(&from) else {
                return Some(format!("{name} is given the whole of {from}"));
            };
            // RDS rotates the master's password by itself: a running task would keep the old one.
            let is_master = Placeholder::parse(arn)
                .is_some_and(|found| found.attribute.as_deref() == Some("MasterUserSecret.SecretArn"));
            is_master.then(|| format!("{name} is given the master's password"))
        })
    })
}

#[test]
fn secrets_are_injected_key_by_key() {
    let secret = |from: &str| container(json!({"Secrets": [{"Name": "DB", "ValueFrom": from}]}));
    proven(
        key_by_key,
        &secret("<database-init.ApplicationSecret>"),
        &format!("{PLANTED}: DB is given the whole of <database-init.ApplicationSecret>"),
    );
}

#[test]
fn no_task_receives_the_masters_password() {
    let from = "<database.DatabaseInstance.MasterUserSecret.SecretArn>:password::";
    proven(
        key_by_key,
        &container(json!({"Secrets": [{"Name": "DB", "ValueFrom": from}]})),
        &format!("{PLANTED}: DB is given the master's password"),
    );
}

fn plain_secrets(deployment: &Deployment) -> Vec<Finding> {
    each_container(deployment, |container| {
        container.at("Environment").listed().into_iter().find_map(|variable| {
            let (name, value) = (variable.at("Name").text(), variable.at("Value").text());
            let sounds_secret = ["PASSWORD", "SECRET", "TOKEN", "CREDENTIAL"]
                .iter()
                .any(|word| name.contains(word));
            let is_secret = value.contains("{{resolve:") || sounds_secret && !name.ends_with("_ARN");
            is_secret.then(|| format!("{name} stands in the task definition"))
        })
    })
}

#[test]
fn no_secret_stands_in_a_task_definition() {
    for (name, value) in [
        ("MAUTIC_DB_PASSWORD", "geheim"),
        ("DB", "{{resolve:secretsmanager:mautic:SecretString:password}}"),
    ] {
        proven(
            plain_secrets,
            &container(json!({"Environment": [{"Name": name, "Value": value}]})),
            &format!("{PLANTED}: {name} stands in the task definition"),
        );
    }
}

fn confined(deployment: &Deployment) -> Vec<Finding> {
    let has_shell = deployment.parameter("EcsExec") == "true";
    each_container(deployment, |container| {
        let user = container.at("User").text();
        // ECS Exec puts its agent into the container, and needs a root file system that can be written.
        if !has_shell && !container.at("ReadonlyRootFilesystem").is_true() {
            return Some("may change its own program".to_owned());
        }
        if user.is_empty() || user == "root" || user.split(':').next() == Some("0") {
            return Some(format!("runs as '{user}'"));
        }
        let drops = container.at("LinuxParameters/Capabilities/Drop").texts();
        let is_confined = drops == ["ALL"] && !container.at("Privileged").is_true();
        unless(is_confined, || "keeps capabilities".to_owned())
    })
}

#[test]
fn containers_cannot_change_their_own_program() {
    let seed = container(json!({"ReadonlyRootFilesystem": false}));
    proven(confined, &seed, &format!("{PLANTED}: may change its own program"));
}

#[test]
fn containers_run_as_somebody_without_rights() {
    proven(
        confined,
        &container(json!({"User": "0:0"})),
        &format!("{PLANTED}: runs as '0:0'"),
    );
    proven(
        confined,
        &container(json!({"Privileged": true})),
        &format!("{PLANTED}: keeps capabilities"),
    );
    proven(
        confined,
        &container(json!({"LinuxParameters": {}})),
        &format!("{PLANTED}: keeps capabilities"),
    );
}

fn logged(deployment: &Deployment) -> Vec<Finding> {
    each_container(deployment, |container| {
        let log = container.at("LogConfiguration");
        let group = deployment.owner(log.at("Options/awslogs-group"));
        let is_ours = group.is_some_and(|group| group.kind == "AWS::Logs::LogGroup");
        unless(log.at("LogDriver") == "awslogs" && is_ours, || {
            "logs to no group of the stack".to_owned()
        })
    })
}

#[test]
fn containers_log_to_a_group_of_the_stack() {
    let options = json!({"awslogs-group": "/ecs/mautic", "awslogs-create-group": "true"});
    let log = json!({"LogConfiguration": {"LogDriver": "awslogs", "Options": options}});
    proven(
        logged,
        &container(log),
        &format!("{PLANTED}: logs to no group of the stack"),
    );
}

fn stops(deployment: &Deployment) -> Vec<Finding> {
    each_container(deployment, |container| {
        let seconds = container.at("StopTimeout").number();
        unless(seconds.is_some_and(|seconds| (30.0..=120.0).contains(&seconds)), || {
            format!(
                "has '{}' s to stop, of Fargate's 120",
                container.at("StopTimeout").text()
            )
        })
    })
}

#[test]
fn containers_have_time_to_finish_what_they_do() {
    let seed = container(json!({"StopTimeout": 300}));
    proven(
        stops,
        &seed,
        &format!("{PLANTED}: has '300' s to stop, of Fargate's 120"),
    );
}

fn roles(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[DEFINITION], |definition| {
        let (execution, task) = (
            definition.properties.at("ExecutionRoleArn"),
            definition.properties.at("TaskRoleArn"),
        );
        let are_ours = [execution, task].iter().all(|role| {
            deployment
                .owner(role)
                .is_some_and(|owner| owner.kind == "AWS::IAM::Role")
        });
        unless(are_ours && execution != task, || {
            format!("runs with {} and is started with {}", task.text(), execution.text())
        })
    })
}

#[test]
fn what_starts_a_task_and_what_it_may_do_are_two_roles() {
    let arn = json!({"Fn::GetAtt": ["ExecutionRole", "Arn"]});
    proven(
        roles,
        &container(json!({})).and_set(FILE, "Resources/Planted/Properties/TaskRoleArn", arn),
        &format!(
            "{PLANTED}: runs with <ecs-cluster.ExecutionRole.Arn> and is started with <ecs-cluster.ExecutionRole.Arn>"
        ),
    );
}

/// The secrets that a role's tasks are injected are those that it may read.
fn injected(deployment: &Deployment) -> Vec<Finding> {
    let definitions: Vec<&Resource> = deployment.of_type(&[DEFINITION]).collect();
    let roles: BTreeSet<String> = definitions
        .iter()
        .map(|one| one.properties.at("ExecutionRoleArn").text())
        .collect();
    let judged = roles.iter().filter_map(|arn| {
        let role = deployment.owner(&json!(arn))?;
        let own = definitions
            .iter()
            .filter(|one| one.properties.at("ExecutionRoleArn").text() == *arn);
        let secrets = own.flat_map(|one| one.properties.at("ContainerDefinitions").listed());
        let secrets = secrets.flat_map(|container| container.at("Secrets").listed());
        let needed: BTreeSet<String> = secrets
            .filter_map(|secret| Some(secret_and_key(&secret.at("ValueFrom").text())?.0.to_owned()))
            .collect();
        let reading = role_statements(deployment, role).into_iter().filter(|statement| {
            allows(statement)
                && actions(statement)
                    .iter()
                    .any(|action| action == "secretsmanager:GetSecretValue")
        });
        let readable: BTreeSet<String> = reading.flat_map(|statement| statement.at("Resource").texts()).collect();
        unless(needed == readable, || {
            format!("injects {needed:?}, may read {readable:?}")
        })
        .map(|wrong| Finding::new(role, wrong))
    });
    judged.collect()
}

#[test]
fn ecs_reads_exactly_the_secrets_that_it_injects() {
    let read = json!({"Statement": [
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "<ses.Other>"},
    ]});
    let role = json!({"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": read}]}});
    let secret = json!({"Secrets": [{"Name": "A", "ValueFrom": "<ses.One>:a::"}]});
    let seed = container(secret).and_set(FILE, "Resources/PlantedRole", role).and_set(
        FILE,
        "Resources/Planted/Properties/ExecutionRoleArn",
        json!({"Fn::GetAtt": ["PlantedRole", "Arn"]}),
    );
    proven(
        injected,
        &seed,
        "ecs-cluster: PlantedRole (AWS::IAM::Role): injects {\"<ses.One>\"}, may read {\"<ses.Other>\"}",
    );
}

fn service(properties: &Value) -> Seed {
    Seed::set(
        FILE,
        "Resources/Planted",
        json!({"Type": SERVICE, "Properties": properties}),
    )
}

fn deployed_safely(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SERVICE], |service| {
        let found = service.properties.at("DeploymentConfiguration");
        let breaker = found.at("DeploymentCircuitBreaker");
        if service.properties.get("DesiredCount").is_some() {
            return Some("names DesiredCount: an update undoes what scaling did".to_owned());
        }
        if !(breaker.at("Enable").is_true() && breaker.at("Rollback").is_true()) {
            return Some("does not go back by itself".to_owned());
        }
        let percent = ["MinimumHealthyPercent", "MaximumPercent"].map(|name| found.at(name).text());
        if percent != ["100", "200"] {
            return Some(format!("replaces its tasks by {percent:?} percent"));
        }
        let is_scaled = deployment
            .of_type(&["AWS::ApplicationAutoScaling::ScalableTarget"])
            .any(|target| {
                target
                    .properties
                    .at("ResourceId")
                    .text()
                    .ends_with(&service.attribute("Name"))
            });
        unless(is_scaled, || {
            "is not scaled, so nothing says how many tasks there are".to_owned()
        })
    })
}

#[test]
fn a_service_that_fails_goes_back_by_itself_and_never_has_fewer_tasks() {
    let planted = "ecs-cluster: Planted (AWS::ECS::Service)";
    let breaker = json!({"Enable": true, "Rollback": true});
    let good = json!({"DeploymentCircuitBreaker": breaker, "MinimumHealthyPercent": 100, "MaximumPercent": 200});
    let careless = json!({"DeploymentCircuitBreaker": breaker, "MinimumHealthyPercent": 0, "MaximumPercent": 200});
    for (properties, wrong) in [
        (
            json!({"DesiredCount": 2}),
            "names DesiredCount: an update undoes what scaling did",
        ),
        (json!({}), "does not go back by itself"),
        (
            json!({"DeploymentConfiguration": careless}),
            "replaces its tasks by [\"0\", \"200\"] percent",
        ),
        (
            json!({"DeploymentConfiguration": good}),
            "is not scaled, so nothing says how many tasks there are",
        ),
    ] {
        proven(deployed_safely, &service(&properties), &format!("{planted}: {wrong}"));
    }
}

/// Alarms that stop a deployment are alarms of the stack: ECS takes any name, and waits for none.
fn watched_deployments(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SERVICE], |service| {
        let alarms = service.properties.at("DeploymentConfiguration/Alarms");
        let strange = alarms.at("AlarmNames").listed().into_iter().find(|name| {
            deployment
                .owner(name)
                .is_none_or(|owner| owner.kind != "AWS::CloudWatch::Alarm")
        });
        let is_behind_balancer = !service.properties.at("LoadBalancers").listed().is_empty();
        if is_behind_balancer && !(alarms.at("Enable").is_true() && alarms.at("Rollback").is_true()) {
            return Some("is deployed past every alarm".to_owned());
        }
        strange.map(|name| format!("waits for {}, which is no alarm of the stack", name.text()))
    })
}

#[test]
fn alarms_stop_a_deployment_of_the_site() {
    let planted = "ecs-cluster: Planted (AWS::ECS::Service)";
    proven(
        watched_deployments,
        &service(&json!({"LoadBalancers": [{"ContainerName": "web"}]})),
        &format!("{planted}: is deployed past every alarm"),
    );
    let alarms = json!({"Alarms": {"Enable": true, "Rollback": true, "AlarmNames": ["site-errors"]}});
    proven(
        watched_deployments,
        &service(&json!({"DeploymentConfiguration": alarms})),
        &format!("{planted}: waits for site-errors, which is no alarm of the stack"),
    );
}
