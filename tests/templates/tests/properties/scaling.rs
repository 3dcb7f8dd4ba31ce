//! Prevents: a site that stays as small as it began, because what scales it looks at something else; and tasks that stay in
//! two zones when the third is back.

use std::collections::BTreeSet;

use serde_json::json;
use template_properties::Deployment;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;

use crate::support::{each, set, unless};

const FILE: &str = "modules/mautic-services.yaml";
const SERVICE: &str = "AWS::ECS::Service";
const TARGET: &str = "AWS::ApplicationAutoScaling::ScalableTarget";
const POLICY: &str = "AWS::ApplicationAutoScaling::ScalingPolicy";
const TRACKING: &str = "TargetTrackingScalingPolicyConfiguration/PredefinedMetricSpecification";

/// What a service is scaled by: CPU; a site by memory and requests, too.
fn scaled(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SERVICE], |service| {
        let name = service.attribute("Name");
        let is_its_own = |id: &str| id.starts_with("service/") && id.ends_with(&format!("/{name}"));
        let target = deployment
            .of_type(&[TARGET])
            .find(|target| is_its_own(&target.properties.at("ResourceId").text()))?;
        let policies = deployment
            .of_type(&[POLICY])
            .filter(|policy| policy.properties.at("ScalingTargetId") == target.reference().as_str());
        let metrics: BTreeSet<String> = policies
            .map(|policy| policy.properties.at(&format!("{TRACKING}/PredefinedMetricType")).text())
            .collect();
        let has_site = !service.properties.at("LoadBalancers").listed().is_empty();
        let wanted = if has_site {
            set([
                "ALBRequestCountPerTarget",
                "ECSServiceAverageCPUUtilization",
                "ECSServiceAverageMemoryUtilization",
            ])
        } else {
            set(["ECSServiceAverageCPUUtilization"])
        };
        unless(metrics == wanted, || {
            format!("is scaled by {metrics:?}, not by {wanted:?}")
        })
    })
}

#[test]
fn the_site_grows_with_cpu_memory_and_requests_and_workers_with_cpu() {
    proven(
        scaled,
        &Seed::remove(FILE, "Resources/WebMemoryScaling"),
        "mautic-services: WebService (AWS::ECS::Service): is scaled by {\"ALBRequestCountPerTarget\", \
         \"ECSServiceAverageCPUUtilization\"}, not by {\"ALBRequestCountPerTarget\", \
         \"ECSServiceAverageCPUUtilization\", \"ECSServiceAverageMemoryUtilization\"}",
    );
    proven(
        scaled,
        &Seed::set(
            FILE,
            "Resources/WorkerCPUScaling/Properties/ScalingTargetId",
            json!({"Ref": "WebScaling"}),
        ),
        "mautic-services: WorkerService (AWS::ECS::Service): is scaled by {}, not by \
         {\"ECSServiceAverageCPUUtilization\"}",
    );
}

/// Requests are counted by the load balancer and the target group that the service has joined.
fn counted(deployment: &Deployment) -> Vec<Finding> {
    let joined: BTreeSet<String> = deployment
        .of_type(&[SERVICE])
        .flat_map(|service| service.properties.at("LoadBalancers").listed())
        .filter_map(|joined| deployment.owner(joined.at("TargetGroupArn")))
        .map(|group| group.attribute("TargetGroupFullName"))
        .collect();
    let balancers: BTreeSet<String> = deployment
        .of_type(&["AWS::ElasticLoadBalancingV2::LoadBalancer"])
        .map(|balancer| balancer.attribute("LoadBalancerFullName"))
        .collect();
    each(deployment, &[POLICY], |policy| {
        let label = policy.properties.at(&format!("{TRACKING}/ResourceLabel")).text();
        let Some((balancer, group)) = label.split_once('/') else {
            return unless(label.is_empty(), || format!("counts requests of {label}"));
        };
        unless(balancers.contains(balancer) && joined.contains(group), || {
            format!("counts requests of {label}")
        })
    })
}

#[test]
fn requests_are_counted_where_the_service_is_reached() {
    let path = format!("Resources/WebRequestsScaling/Properties/{TRACKING}/ResourceLabel");
    proven(
        counted,
        &Seed::set(FILE, &path, json!("app/other/targetgroup/other")),
        "mautic-services: WebRequestsScaling (AWS::ApplicationAutoScaling::ScalingPolicy): counts requests of \
         app/other/targetgroup/other",
    );
}

fn rebalanced(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[SERVICE], |service| {
        unless(
            service.properties.at("AvailabilityZoneRebalancing") == "ENABLED",
            || "stays where it fled to from a zone".to_owned(),
        )
    })
}

#[test]
fn tasks_come_back_to_a_zone_that_had_failed() {
    proven(
        rebalanced,
        &Seed::remove(FILE, "Resources/WebService/Properties/AvailabilityZoneRebalancing"),
        "mautic-services: WebService (AWS::ECS::Service): stays where it fled to from a zone",
    );
}
