//! Prevents: logs that are kept for ever, groups that nobody writes to, and a network whose traffic nobody recorded.

use std::collections::BTreeSet;

use serde_json::json;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Placeholder};

use crate::support::{each, of_one, unless};

const GROUP: &str = "AWS::Logs::LogGroup";

fn retained(deployment: &Deployment) -> Vec<Finding> {
    let chosen = match (
        deployment.parameter("LogRetentionDays"),
        deployment.environment().as_str(),
    ) {
        (days, _) if !days.is_empty() => days,
        (_, "dev") => "7".to_owned(),
        (_, "test") => "30".to_owned(),
        _ => "365".to_owned(),
    };
    each(deployment, &[GROUP], |group| {
        let days = group.properties.at("RetentionInDays").text();
        unless(days == chosen, || format!("kept '{days}' days, not {chosen}"))
    })
}

#[test]
fn every_log_is_kept_for_the_environments_time() {
    let group = "ses: SesDomainLogGroup (AWS::Logs::LogGroup)";
    proven(
        retained,
        &Seed::remove(
            "modules/ses.yaml",
            "Resources/SesDomainLogGroup/Properties/RetentionInDays",
        ),
        &format!("{group}: kept '' days, not 7"),
    );
    proven(
        retained,
        &Seed::set(
            "modules/foundation.yaml",
            "Mappings/Environment/prod/LogRetentionDays",
            json!(30),
        ),
        &format!("{group}: kept '30' days, not 365"),
    );
}

/// Services that write to a group because of its name. Source: each service's page on logging.
const BY_NAME: [(&str, &str); 4] = [
    ("/aws/rds/instance/", "AWS::RDS::DBInstance"),
    ("/aws/ecs/containerinsights/", "AWS::ECS::Cluster"),
    ("aws-waf-logs-", "AWS::WAFv2::LoggingConfiguration"),
    ("/aws/codebuild/", "AWS::CodeBuild::Project"),
];
/// What reads a group, which is no use of it.
const READERS: [&str; 6] = [
    template_properties::NESTED,
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
];

/// Everything that a resource names, but for those that only read.
fn named(deployment: &Deployment) -> BTreeSet<Placeholder> {
    let writers = deployment
        .resources()
        .filter(|one| !READERS.contains(&one.kind.as_str()));
    let values = writers.flat_map(|one| one.properties.leaves());
    let texts = values.filter_map(|value| value.as_str());
    texts
        .flat_map(Placeholder::all)
        .map(|found| Placeholder {
            attribute: None,
            ..found
        })
        .collect()
}

fn written(deployment: &Deployment) -> Vec<Finding> {
    let named = named(deployment);
    each(deployment, &[GROUP], |group| {
        let name = group.properties.at("LogGroupName").text();
        let by_name = BY_NAME.iter().find(|(prefix, _)| name.starts_with(prefix));
        let is_known = by_name.is_some_and(|(_, kind)| deployment.of_type(&[kind]).next().is_some());
        let reference = Placeholder::parse(&group.reference()).expect("its own placeholder");
        unless(is_known || named.contains(&reference), || {
            "nobody writes to it".to_owned()
        })
    })
}

#[test]
fn every_log_group_is_written_to() {
    let group = json!({"Type": GROUP, "Properties": {"LogGroupName": "/mautic/nothing"}});
    proven(
        written,
        &Seed::set("modules/ses.yaml", "Resources/NothingLogGroup", group),
        "ses: NothingLogGroup (AWS::Logs::LogGroup): nobody writes to it",
    );
}

/// RDS would make the group itself, unencrypted and never emptied.
fn exported(deployment: &Deployment) -> Vec<Finding> {
    let groups: Vec<String> = deployment
        .of_type(&[GROUP])
        .map(|group| group.properties.at("LogGroupName").text())
        .collect();
    each(deployment, &["AWS::RDS::DBInstance"], |instance| {
        let name = instance.properties.at("DBInstanceIdentifier").text();
        let logs = instance.properties.at("EnableCloudwatchLogsExports").texts();
        let mut missing = logs
            .into_iter()
            .map(|log| format!("/aws/rds/instance/{name}/{log}"))
            .filter(|one| !groups.contains(one));
        missing.next().map(|group| format!("makes {group} itself"))
    })
}

#[test]
fn every_log_that_the_database_exports_has_its_group() {
    proven(
        exported,
        &Seed::set(
            "modules/database.yaml",
            "Resources/DatabaseInstance/Properties/EnableCloudwatchLogsExports/-",
            json!("general"),
        ),
        "database: DatabaseInstance (AWS::RDS::DBInstance): makes /aws/rds/instance/mautic-dev-1/general itself",
    );
}

/// What flow logs record of the VPC, new or existing, into a group of the stack. What the module lets choose, the root does
/// not offer: there the environment decides.
fn recorded(deployment: &Deployment) -> Vec<Finding> {
    let wanted = if deployment.environment() == "prod" {
        "ALL"
    } else {
        "REJECT"
    };
    let vpc = deployment
        .module("networking")
        .map(|network| network.outputs["VpcId"].text());
    let vpc = vpc.unwrap_or_default();
    let flows = deployment.of_type(&["AWS::EC2::FlowLog"]).filter(|flow| {
        let owns = |name: &str, kind: &str| {
            let owner = deployment.owner(flow.properties.at(name));
            owner.is_some_and(|owner| owner.kind == kind)
        };
        flow.properties.at("ResourceType") == "VPC"
            && flow.properties.at("ResourceId") == vpc.as_str()
            && owns("LogGroupName", GROUP)
            && owns("DeliverLogsPermissionArn", "AWS::IAM::Role")
    });
    let traffic: Vec<String> = flows.map(|flow| flow.properties.at("TrafficType").text()).collect();
    let wrong = unless(traffic == [wanted], || format!("{traffic:?} is recorded, not {wanted}"));
    of_one(format!("networking: {vpc}"), wrong)
}

#[test]
fn the_traffic_of_every_vpc_is_recorded_all_of_it_in_production() {
    let (file, flow) = ("modules/networking.yaml", "Resources/FlowLog/Properties");
    let chosen = "Resources/Networking/Properties/Parameters/FlowLogTraffic";
    let nothing = "networking: <networking.Vpc>: [] is recorded, not REJECT";
    for (seed, wrong) in [
        (Seed::remove(file, "Resources/FlowLog"), nothing),
        (Seed::set("mautic.yaml", chosen, json!("NONE")), nothing),
        (Seed::set(file, &format!("{flow}/LogGroupName"), json!("/vpc")), nothing),
        (
            Seed::set(file, &format!("{flow}/ResourceId"), json!({"Ref": "VpcId"})),
            nothing,
        ),
        (
            Seed::remove(file, "Resources/FlowLog"),
            "networking: vpc-0123456789abcdef0: [] is recorded, not REJECT",
        ),
        (
            Seed::set("mautic.yaml", chosen, json!("ACCEPT")),
            "networking: <networking.Vpc>: [\"ACCEPT\"] is recorded, not REJECT",
        ),
        (
            Seed::set(file, "Mappings/Environment/prod/FlowLogTraffic", json!("REJECT")),
            "networking: <networking.Vpc>: [\"REJECT\"] is recorded, not ALL",
        ),
    ] {
        proven(recorded, &seed, wrong);
    }
}
