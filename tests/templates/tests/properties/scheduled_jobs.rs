//! Prevents: a job that never ran and was never missed, one that runs twice at once, or one that Spot takes back half-way.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use template_properties::Deployment;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;

use crate::support::{each, set, unless};

const SCHEDULE: &str = "AWS::Scheduler::Schedule";
/// Where the seeds are planted: beside what is there.
const FILE: &str = "modules/ecs-cluster.yaml";
const PLANTED: &str = "ecs-cluster: Planted (AWS::Scheduler::Schedule)";

/// A schedule, good but for what is given for its target.
fn schedule(changes: &[(&str, Value)]) -> Seed {
    let mut target = json!({
        "Arn": {"Fn::GetAtt": ["Cluster", "Arn"]},
        "DeadLetterConfig": {"Arn": "<ecs-cluster.PlantedQueue.Arn>"},
        "RetryPolicy": {"MaximumEventAgeInSeconds": 300, "MaximumRetryAttempts": 3},
        "Input": "{\"containerOverrides\": [{\"name\": \"job\", \"command\": [\"job\", \"mautic:import\"]}]}",
        "EcsParameters": {"LaunchType": "FARGATE", "TaskDefinitionArn": "<ecs-cluster.PlantedTask>"},
    });
    for (name, value) in changes {
        target[*name] = value.clone();
    }
    let containers = json!({"ContainerDefinitions": [{"Name": "job"}]});
    Seed::set(
        FILE,
        "Resources/Planted",
        json!({"Type": SCHEDULE, "Properties": {"Target": target}}),
    )
    .and_set(
        FILE,
        "Resources/PlantedQueue",
        json!({"Type": "AWS::SQS::Queue", "Properties": {}}),
    )
    .and_set(
        FILE,
        "Resources/PlantedTask",
        json!({"Type": "AWS::ECS::TaskDefinition", "Properties": containers}),
    )
}

fn missed(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SCHEDULE], |schedule| {
        let target = schedule.properties.at("Target");
        let queue = deployment.owner(target.at("DeadLetterConfig/Arn"));
        if queue.is_none_or(|queue| queue.kind != "AWS::SQS::Queue") {
            return Some("is lost without a word: no queue of the stack takes what failed".to_owned());
        }
        let is_bounded = target
            .at("RetryPolicy/MaximumEventAgeInSeconds")
            .number()
            .is_some_and(|age| age <= 3600.0);
        unless(is_bounded, || {
            "is tried for a day, beside those that follow it".to_owned()
        })
    })
}

#[test]
fn a_job_that_could_not_start_is_kept_in_a_queue() {
    proven(
        missed,
        &schedule(&[("DeadLetterConfig", json!({}))]),
        &format!("{PLANTED}: is lost without a word: no queue of the stack takes what failed"),
    );
}

#[test]
fn a_job_that_could_not_start_is_not_tried_for_a_day() {
    proven(
        missed,
        &schedule(&[("RetryPolicy", json!({"MaximumRetryAttempts": 185}))]),
        &format!("{PLANTED}: is tried for a day, beside those that follow it"),
    );
}

fn alone_and_kept(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SCHEDULE], |schedule| {
        let ecs = schedule.properties.at("Target/EcsParameters");
        if ecs.at("TaskCount").number().is_some_and(|count| count > 1.0) {
            return Some(format!("starts {} tasks at once", ecs.at("TaskCount").text()));
        }
        let providers = ecs.at("CapacityProviderStrategy").listed();
        let is_spot = providers.iter().any(|one| one.at("CapacityProvider") != "FARGATE");
        let is_kept = ecs.at("LaunchType") == "FARGATE" || !providers.is_empty() && !is_spot;
        unless(is_kept, || "may be taken back by Spot".to_owned())
    })
}

#[test]
fn a_job_is_one_task() {
    let ecs = json!({"LaunchType": "FARGATE", "TaskCount": 2, "TaskDefinitionArn": "<ecs-cluster.PlantedTask>"});
    proven(
        alone_and_kept,
        &schedule(&[("EcsParameters", ecs)]),
        &format!("{PLANTED}: starts 2 tasks at once"),
    );
}

#[test]
fn a_job_never_runs_on_spot() {
    for ecs in [
        json!({"CapacityProviderStrategy": [{"CapacityProvider": "FARGATE_SPOT"}]}),
        json!({}),
    ] {
        proven(
            alone_and_kept,
            &schedule(&[("EcsParameters", ecs)]),
            &format!("{PLANTED}: may be taken back by Spot"),
        );
    }
}

/// The override names a container that the task has: otherwise ECS refuses the run, every time.
fn meets_its_container(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SCHEDULE], |schedule| {
        let target = schedule.properties.at("Target");
        let Some(definition) = deployment.owner(target.at("EcsParameters/TaskDefinitionArn")) else {
            return Some("starts no task of the stack".to_owned());
        };
        let Ok(input) = serde_json::from_str::<Value>(&target.at("Input").text()) else {
            return Some("its input is no JSON".to_owned());
        };
        let containers = definition.properties.at("ContainerDefinitions").listed();
        let overrides = input.at("containerOverrides").listed();
        let strange = overrides
            .iter()
            .find(|one| !containers.iter().any(|known| known.at("Name") == one.at("name")));
        if let Some(one) = strange {
            return Some(format!(
                "calls the container {}, which {definition} does not have",
                one.at("name")
            ));
        }
        let command = overrides
            .first()
            .map(|one| one.at("command").texts())
            .unwrap_or_default();
        unless(
            command.first().is_some_and(|first| first == "job") && command.len() >= 2,
            || format!("runs {command:?}"),
        )
    })
}

#[test]
fn a_job_calls_a_container_that_its_task_has() {
    let input = |container: &str, command: &str| {
        let text = format!("{{\"containerOverrides\": [{{\"name\": \"{container}\", \"command\": [{command}]}}]}}");
        schedule(&[("Input", json!(text))])
    };
    proven(
        meets_its_container,
        &input("web", "\"job\", \"mautic:import\""),
        &format!(
            "{PLANTED}: calls the container \"web\", which ecs-cluster: PlantedTask (AWS::ECS::TaskDefinition) does not have"
        ),
    );
    proven(
        meets_its_container,
        &input("job", "\"mautic:import\""),
        &format!("{PLANTED}: runs [\"mautic:import\"]"),
    );
    proven(
        meets_its_container,
        &schedule(&[("Input", json!("{"))]),
        &format!("{PLANTED}: its input is no JSON"),
    );
}

/// What Mautic leaves to cron, by what decides whether it runs. Source: Mautic's own list of cron jobs, and the names of its
/// console commands.
const FREQUENT: [&str; 4] = [
    "mautic:broadcasts:send",
    "mautic:messages:send",
    "mautic:webhooks:process",
    "mautic:import",
];
const REGULAR: [&str; 7] = [
    "mautic:segments:update",
    "mautic:campaigns:update",
    "mautic:campaigns:trigger",
    "mautic:reports:scheduler",
    "mautic:contacts:scheduled_export",
    "mautic:campaigns:summarize",
    "mautic:custom-field:create-column",
];
const NIGHTLY: [&str; 2] = ["mautic:maintenance:cleanup", "mautic:unusedip:delete"];
const MAILBOX: [&str; 1] = ["mautic:email:fetch"];
const MAXMIND: [&str; 3] = [
    "mautic:iplookup:download",
    "mautic:donotsell:download",
    "mautic:max-mind:purge",
];

/// The jobs that the parameters ask for.
fn wanted(deployment: &Deployment) -> Vec<&'static str> {
    let minutes = deployment.parameter("JobMinutes");
    let (frequent, regular) = minutes.split_once('-').unwrap_or(("5", "15"));
    let optional = deployment.parameter("OptionalJobs");
    let asks = |name: &str| optional == name || optional == "both";
    let (frequent, regular) = (frequent != "off", regular != "off");
    let nightly = deployment.parameter("NightlyHour") != "off";
    let families: [(bool, &[&str]); 5] = [
        (frequent, &FREQUENT),
        (regular, &REGULAR),
        (nightly, &NIGHTLY),
        (frequent && asks("mailbox"), &MAILBOX),
        (nightly && asks("maxmind"), &MAXMIND),
    ];
    let chosen = families.iter().filter(|(is_wanted, _)| *is_wanted);
    chosen.flat_map(|(_, jobs)| *jobs).copied().collect()
}

fn complete(deployment: &Deployment) -> Vec<Finding> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for schedule in deployment.of_type(&[SCHEDULE]) {
        let input = serde_json::from_str::<Value>(&schedule.properties.at("Target/Input").text()).unwrap_or_default();
        let command = input.at("containerOverrides/0/command/1").text();
        *times.entry(command).or_default() += 1;
    }
    let wanted = set(wanted(deployment));
    let missing = wanted.iter().filter(|job| !times.contains_key(*job));
    let missing = missing.map(|job| Finding::new(job, "is not scheduled"));
    let strange = times.keys().filter(|job| !wanted.contains(*job));
    let strange = strange.map(|job| Finding::new(job, "is scheduled, and nobody asks for it"));
    let twice = times.iter().filter(|(_, count)| **count > 1);
    let twice = twice.map(|(job, count)| Finding::new(job, format!("has {count} schedules")));
    missing.chain(strange).chain(twice).collect()
}

#[test]
fn every_job_of_mautics_that_is_asked_for_has_one_schedule() {
    let file = "modules/mautic-schedules.yaml";
    proven(
        complete,
        &Seed::remove(file, "Resources/SendReports"),
        "mautic:reports:scheduler: is not scheduled",
    );
    proven(
        complete,
        &Seed::remove(file, "Resources/FetchMailbox/Condition"),
        "mautic:email:fetch: is scheduled, and nobody asks for it",
    );
    proven(complete, &schedule(&[]), "mautic:import: has 2 schedules");
}
