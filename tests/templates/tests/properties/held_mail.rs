//! Prevents: an installation that was started from a snapshot of production, and writes to production's contacts.

use serde_json::{Value, json};
use template_properties::Deployment;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;

use crate::support::each;

const DEFINITION: &str = "AWS::ECS::TaskDefinition";
const SCHEDULE: &str = "AWS::Scheduler::Schedule";
/// Where the seeds are planted: beside what is there.
const FILE: &str = "modules/ecs-cluster.yaml";

/// What sends by itself: mail, or, for webhooks, to other systems; the mailbox is production's, too.
const SENDING: [&str; 7] = [
    "mautic:broadcasts:send",
    "mautic:messages:send",
    "mautic:webhooks:process",
    "mautic:email:fetch",
    "mautic:campaigns:trigger",
    "mautic:reports:scheduler",
    "mautic:contacts:scheduled_export",
];

/// As asked; and unasked where a snapshot brings contacts to an installation that is not production.
fn is_held(deployment: &Deployment) -> bool {
    match deployment.parameter("HoldMail").as_str() {
        "" => !deployment.parameter("DatabaseSnapshot").is_empty() && deployment.environment() != "prod",
        wish => wish == "true",
    }
}

/// The transport that Mautic is given, in words.
fn transport(container: &Value) -> Option<String> {
    let environment = container.at("Environment").listed();
    let value = |name: &str| {
        environment
            .iter()
            .find(|one| one.at("Name") == name)
            .map(|one| one.at("Value").text())
    };
    value("MAUTIC_SITE_URL")?;
    Some(value("MAUTIC_MAILER_DSN").unwrap_or_else(|| "SES".to_owned()))
}

fn discarded(deployment: &Deployment) -> Vec<Finding> {
    let wanted = if is_held(deployment) { "null://null" } else { "SES" };
    each(deployment, &[DEFINITION], |definition| {
        let containers = definition.properties.at("ContainerDefinitions").listed();
        let found = containers
            .into_iter()
            .filter_map(transport)
            .find(|found| found != wanted)?;
        Some(format!("sends by {found} instead of {wanted}"))
    })
}

fn definition(environment: &Value) -> Seed {
    let container = json!({"Name": "web", "Environment": environment});
    let properties = json!({"ContainerDefinitions": [container]});
    Seed::set(
        FILE,
        "Resources/Planted",
        json!({"Type": DEFINITION, "Properties": properties}),
    )
}

#[test]
fn every_task_discards_mail_that_is_held_and_no_other() {
    let planted = "ecs-cluster: Planted (AWS::ECS::TaskDefinition)";
    let site = json!({"Name": "MAUTIC_SITE_URL", "Value": "https://example.com"});
    proven(
        discarded,
        &definition(&json!([site])),
        &format!("{planted}: sends by SES instead of null://null"),
    );
    proven(
        discarded,
        &definition(&json!([site, {"Name": "MAUTIC_MAILER_DSN", "Value": "null://null"}])),
        &format!("{planted}: sends by null://null instead of SES"),
    );
}

fn waiting(deployment: &Deployment) -> Vec<Finding> {
    let held = is_held(deployment);
    each(deployment, &[SCHEDULE], |schedule| {
        let input = schedule.properties.at("Target/Input").text();
        let sends = SENDING.iter().any(|command| input.contains(command));
        let is_off = schedule.properties.at("State") == "DISABLED";
        match (held && sends, is_off) {
            (true, false) => Some("sends although mail is held".to_owned()),
            (false, true) => Some("never runs".to_owned()),
            _ => None,
        }
    })
}

#[test]
fn nothing_that_sends_is_started_while_mail_is_held_and_the_rest_is() {
    let planted = "ecs-cluster: Planted (AWS::Scheduler::Schedule)";
    let schedule = |command: &str, state: &str| {
        let input =
            format!("{{\"containerOverrides\": [{{\"name\": \"job\", \"command\": [\"job\", \"{command}\"]}}]}}");
        let properties = json!({"State": state, "Target": {"Input": input}});
        Seed::set(
            FILE,
            "Resources/Planted",
            json!({"Type": SCHEDULE, "Properties": properties}),
        )
    };
    proven(
        waiting,
        &schedule("mautic:broadcasts:send", "ENABLED"),
        &format!("{planted}: sends although mail is held"),
    );
    for command in ["mautic:broadcasts:send", "mautic:import"] {
        proven(
            waiting,
            &schedule(command, "DISABLED"),
            &format!("{planted}: never runs"),
        );
    }
}
