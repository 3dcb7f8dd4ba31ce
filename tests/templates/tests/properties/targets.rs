//! Prevents: a site that is up and that nobody reaches, because the load balancer asks at another door; web tasks that are all
//! replaced while the database fails over; and visitors who are cut off by a deployment.

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::support::{each, unless};

const FILE: &str = "modules/load-balancer.yaml";
const GROUP: &str = "Resources/TargetGroup/Properties";
const PLANTED: &str = "load-balancer: TargetGroup (AWS::ElasticLoadBalancingV2::TargetGroup)";
const TARGETS: &str = "AWS::ElasticLoadBalancingV2::TargetGroup";
const SERVICE: &str = "AWS::ECS::Service";
/// A failover of RDS between zones takes 60 to 120 s.
const FAILOVER_SECONDS: f64 = 120.0;
/// What most requests need to end; reports take longer, and are asked again.
const REQUEST_SECONDS: f64 = 30.0;

fn seed(property: &str, value: Value) -> Seed {
    Seed::set(FILE, &format!("{GROUP}/{property}"), value)
}

/// The container that a service shows to the load balancer, as its task definition describes it.
fn shown<'a>(deployment: &'a Deployment, service: &Resource, join: &Value) -> Option<&'a Value> {
    let definition = deployment.owner(service.properties.at("TaskDefinition"))?;
    let containers = definition.properties.at("ContainerDefinitions").listed();
    containers
        .into_iter()
        .find(|container| container.at("Name") == join.at("ContainerName"))
}

/// What is wrong with a service at a load balancer that it has joined, if anything.
fn each_joined(deployment: &Deployment, judge: impl Fn(&Resource, &Value) -> Option<String>) -> Vec<Finding> {
    each(deployment, &[SERVICE], |service| {
        let joined = service.properties.at("LoadBalancers").listed();
        joined.into_iter().find_map(|join| judge(service, join))
    })
}

fn reached(deployment: &Deployment) -> Vec<Finding> {
    each_joined(deployment, |service, join| {
        let port = join.at("ContainerPort").text();
        let Some(container) = shown(deployment, service, join) else {
            return Some(format!("has no container {}", join.at("ContainerName")));
        };
        let mut opened = container.at("PortMappings").listed().into_iter();
        if !opened.any(|mapping| mapping.at("ContainerPort").text() == port) {
            return Some(format!("is asked at port {port}, which its container does not open"));
        }
        let group = deployment.owner(join.at("TargetGroupArn"))?;
        let asked = group.properties.at("Port").text();
        unless(asked == port, || {
            format!("listens at port {port}, and is asked at {asked}")
        })
    })
}

#[test]
fn the_load_balancer_asks_where_the_container_listens() {
    proven(
        reached,
        &seed("Port", json!(80)),
        "mautic-services: WebService (AWS::ECS::Service): listens at port 8080, and is asked at 80",
    );
}

fn started(deployment: &Deployment) -> Vec<Finding> {
    each_joined(deployment, |service, join| {
        let start = shown(deployment, service, join)?
            .at("HealthCheck/StartPeriod")
            .number()?;
        let grace = service.properties.at("HealthCheckGracePeriodSeconds").number();
        unless(grace.is_some_and(|grace| grace >= start), || {
            format!(
                "may take {start} s to start, and is judged after {}",
                grace.unwrap_or_default()
            )
        })
    })
}

#[test]
fn a_task_is_not_judged_before_it_may_have_started() {
    proven(
        started,
        &Seed::set(
            "modules/mautic-services.yaml",
            "Resources/WebService/Properties/HealthCheckGracePeriodSeconds",
            json!(60),
        ),
        "mautic-services: WebService (AWS::ECS::Service): may take 180 s to start, and is judged after 60",
    );
}

fn patient(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[TARGETS], |group| {
        let number = |name: &str| group.properties.at(name).number().unwrap_or_default();
        let interval = number("HealthCheckIntervalSeconds");
        let patience = interval * number("UnhealthyThresholdCount");
        unless(
            patience >= FAILOVER_SECONDS && number("HealthCheckTimeoutSeconds") < interval,
            || format!("gives a task up after {patience} s, while the database fails over"),
        )
    })
}

#[test]
fn a_failover_of_the_database_replaces_no_task() {
    proven(
        patient,
        &seed("UnhealthyThresholdCount", json!(2)),
        &format!("{PLANTED}: gives a task up after 60 s, while the database fails over"),
    );
}

fn judged(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[TARGETS], |group| {
        let (path, codes) = (
            group.properties.at("HealthCheckPath").text(),
            group.properties.at("Matcher/HttpCode").text(),
        );
        // Apache alone answers a file, whatever became of PHP behind it; an error page is no answer.
        let is_php = path.starts_with('/') && !path.contains('.');
        unless(is_php && codes.split([',', '-']).all(|code| code < "400"), || {
            format!("takes {codes} of {path} for healthy")
        })
    })
}

#[test]
fn a_task_is_healthy_when_mautic_itself_answers() {
    proven(
        judged,
        &seed("HealthCheckPath", json!("/robots.txt")),
        &format!("{PLANTED}: takes 200-399 of /robots.txt for healthy"),
    );
    proven(
        judged,
        &seed("Matcher", json!({"HttpCode": "200-499"})),
        &format!("{PLANTED}: takes 200-499 of /s/login for healthy"),
    );
}

fn attribute(group: &Resource, key: &str) -> String {
    let attributes = group.properties.at("TargetGroupAttributes").listed();
    let found = attributes.into_iter().find(|one| one.at("Key") == key);
    found.map(|one| one.at("Value").text()).unwrap_or_default()
}

fn drained(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[TARGETS], |group| {
        let delay = attribute(group, "deregistration_delay.timeout_seconds")
            .parse()
            .unwrap_or(300.0);
        let is_long_enough = deployment.environment() == "dev" || delay >= REQUEST_SECONDS;
        // Longer than a task has to stop, and a deployment waits for nobody.
        unless(is_long_enough && delay <= 120.0, || {
            format!("lets a task leave for {delay} s")
        })
    })
}

#[test]
fn a_task_that_leaves_ends_its_requests_in_test_and_production() {
    proven(
        drained,
        &Seed::set(FILE, "Mappings/Environment/prod/DeregistrationDelay", json!("5")),
        &format!("{PLANTED}: lets a task leave for 5 s"),
    );
}

/// Sessions are in the cache, so that any task serves anybody; who wants visitors to stay says so.
fn stays(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[TARGETS], |group| {
        let (wanted, set) = (
            deployment.parameter("StickySessions"),
            attribute(group, "stickiness.enabled"),
        );
        unless(set == wanted, || {
            format!("stickiness is {set}, with StickySessions={wanted}")
        })
    })
}

#[test]
fn visitors_stay_with_a_task_by_choice() {
    proven(
        stays,
        &seed("TargetGroupAttributes/2/Value", json!("true")),
        &format!("{PLANTED}: stickiness is true, with StickySessions=false"),
    );
}
