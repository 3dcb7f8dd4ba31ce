//! Prevents: an alarm that never fires, because nobody publishes its metric, or not with these dimensions: CloudWatch takes
//! any name, and is silent about those that do not exist.

use serde_json::{Value, json};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::alarms::ALARM;
use crate::embedded_metrics::EMBEDDED;
use crate::metrics::{Owner, PUBLISHED, Published};
use crate::support::{each, set};

/// A metric as an alarm or a graph names it.
pub struct Metric<'a> {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its dimensions, in their order.
    pub dimensions: Vec<(String, &'a Value)>,
}

fn metric(from: &Value) -> Metric<'_> {
    let dimensions = from
        .at("Dimensions")
        .listed()
        .into_iter()
        .map(|one| (one.at("Name").text(), one.at("Value")));
    Metric {
        namespace: from.at("Namespace").text(),
        name: from.at("MetricName").text(),
        dimensions: dimensions.collect(),
    }
}

/// What an alarm looks at: one metric, or several and an expression.
fn metrics_of(alarm: &Resource) -> Vec<Metric<'_>> {
    let several = alarm.properties.at("Metrics").listed();
    let stats = several
        .into_iter()
        .map(|one| one.at("MetricStat/Metric"))
        .filter(|one| !one.is_null());
    let own = Some(&alarm.properties).filter(|own| own.get("MetricName").is_some());
    own.into_iter().chain(stats).map(metric).collect()
}

/// Whether a metric filter of the stack makes the metric, with these dimensions.
fn is_filtered(deployment: &Deployment, metric: &Metric<'_>) -> bool {
    let filters = deployment.of_type(&["AWS::Logs::MetricFilter"]);
    filters
        .flat_map(|filter| filter.properties.at("MetricTransformations").listed())
        .any(|made| {
            let is_meant = made.at("MetricName") == metric.name.as_str()
                && made.at("MetricNamespace") == metric.namespace.as_str();
            let names = || {
                made.at("Dimensions")
                    .listed()
                    .into_iter()
                    .map(|one| one.at("Key").text())
            };
            is_meant && set(names()) == set(metric.dimensions.iter().map(|(name, _)| name.clone()))
        })
}

/// Whether a function of the stack prints the metric into the namespace that it was told.
fn is_embedded(deployment: &Deployment, metric: &Metric<'_>) -> bool {
    deployment.of_type(&["AWS::Lambda::Function"]).any(|function| {
        function.properties.at("Environment/Variables/METRICS_NAMESPACE") == metric.namespace.as_str()
            && EMBEDDED.iter().any(|one| {
                function.properties.at("Code") == one.code
                    && one.metrics.contains(&metric.name.as_str())
                    && one.dimensions.iter().eq(metric.dimensions.iter().map(|(name, _)| name))
            })
    })
}

fn is_owned(deployment: &Deployment, value: &Value, owner: &Owner) -> bool {
    match owner {
        Owner::Reference(kind) => deployment
            .owner(value)
            .is_some_and(|found| found.kind == *kind && *value == json!(found.reference())),
        Owner::Attribute(kind, name) => deployment
            .owner(value)
            .is_some_and(|found| found.kind == *kind && *value == json!(found.attribute(name))),
        Owner::Property(kind, name) => deployment
            .of_type(&[kind])
            .any(|found| found.properties.at(name) == value),
        Owner::Within(kind) => deployment
            .of_type(&[kind])
            .any(|found| value.text().starts_with(&found.reference())),
        Owner::Parameter(name) => !value.text().is_empty() && value.text() == deployment.parameter(name),
        Owner::Constant(text) => value == *text,
    }
}

/// Whether a service publishes it for a resource of this deployment.
fn is_published(deployment: &Deployment, metric: &Metric<'_>, published: &Published) -> bool {
    published.namespace == metric.namespace
        && published.metrics.contains(&metric.name.as_str())
        && published.dimensions.len() == metric.dimensions.len()
        && published.dimensions.iter().all(|(name, owners)| {
            let value = metric
                .dimensions
                .iter()
                .find(|(asked, _)| asked == name)
                .map(|(_, value)| *value);
            value.is_some_and(|value| owners.iter().any(|owner| is_owned(deployment, value, owner)))
        })
}

/// Whether a metric filter, a function or a service makes the metric, for what this deployment has.
pub fn is_known(deployment: &Deployment, metric: &Metric<'_>) -> bool {
    let is_made = is_filtered(deployment, metric) || is_embedded(deployment, metric);
    is_made || PUBLISHED.iter().any(|one| is_published(deployment, metric, one))
}

fn alarms_of_nothing(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[ALARM], |alarm| {
        let metrics = metrics_of(alarm);
        let unknown = metrics.iter().find(|metric| !is_known(deployment, metric));
        if metrics.is_empty() {
            return Some("looks at nothing".to_owned());
        }
        unknown.map(|metric| {
            let dimensions = metric
                .dimensions
                .iter()
                .map(|(name, value)| format!("{name}={}", value.text()));
            format!(
                "nobody publishes {} {} for {:?} (tests/properties/metrics.rs has the table)",
                metric.namespace,
                metric.name,
                dimensions.collect::<Vec<_>>()
            )
        })
    })
}

fn is_caught(alarm: &str, path: &str, value: Value, expected: &str) {
    let expected = format!(
        "database-alarms: {alarm} (AWS::CloudWatch::Alarm): nobody publishes {expected} (tests/properties/metrics.rs has the table)"
    );
    proven(
        alarms_of_nothing,
        &Seed::set("modules/database-alarms.yaml", &format!("Resources/{path}"), value),
        &expected,
    );
}

#[test]
fn an_alarms_metric_exists() {
    is_caught(
        "DatabaseCPUUtilizationTooHighAlarm",
        "DatabaseCPUUtilizationTooHighAlarm/Properties/MetricName",
        json!("CpuUtilization"),
        "AWS/RDS CpuUtilization for [\"DBInstanceIdentifier=<database.DatabaseInstance>\"]",
    );
}

#[test]
fn an_alarms_dimension_is_one_that_the_metric_has() {
    is_caught(
        "DatabaseCPUUtilizationTooHighAlarm",
        "DatabaseCPUUtilizationTooHighAlarm/Properties/Dimensions/0/Name",
        json!("DBInstance"),
        "AWS/RDS CPUUtilization for [\"DBInstance=<database.DatabaseInstance>\"]",
    );
}

#[test]
fn an_alarms_dimension_names_a_resource_of_the_stack() {
    is_caught(
        "DatabaseCPUUtilizationTooHighAlarm",
        "DatabaseCPUUtilizationTooHighAlarm/Properties/Dimensions/0/Value",
        json!("mautic-prod"),
        "AWS/RDS CPUUtilization for [\"DBInstanceIdentifier=mautic-prod\"]",
    );
}

#[test]
fn an_alarm_on_a_log_names_the_metric_that_its_filter_makes() {
    is_caught(
        "DatabaseDeadlocksTooManyAlarm",
        "DatabaseDeadlocks/Properties/MetricTransformations/0/MetricName",
        json!("DeadLocks"),
        "mautic/prod/Database Deadlocks for []",
    );
}

#[test]
fn an_alarm_on_what_a_function_prints_names_its_metric_and_its_namespace() {
    let planted = |path: &str, value: Value| {
        Seed::set(
            "modules/bounces-alarms.yaml",
            &format!("Resources/BouncesLateAlarm/Properties/{path}"),
            value,
        )
    };
    let alarm = "bounces-alarms: BouncesLateAlarm (AWS::CloudWatch::Alarm): nobody publishes";
    let table = "(tests/properties/metrics.rs has the table)";
    proven(
        alarms_of_nothing,
        &planted("MetricName", json!("Delay")),
        &format!("{alarm} mautic/prod/Bounces Delay for [] {table}"),
    );
    proven(
        alarms_of_nothing,
        &planted("Namespace", json!("Bounces")),
        &format!("{alarm} Bounces Lag for [] {table}"),
    );
}

/// The other direction: a filter whose metric nobody looks at is paid for and not read.
fn unread(deployment: &Deployment) -> Vec<Finding> {
    let dashboards: String = deployment
        .of_type(&["AWS::CloudWatch::Dashboard"])
        // A search stands in the body as a text of its own, with its quotation marks escaped.
        .map(|dashboard| dashboard.properties.at("DashboardBody").text().replace("\\\"", "\""))
        .collect();
    let alarms: Vec<Metric<'_>> = deployment.of_type(&[ALARM]).flat_map(metrics_of).collect();
    each(deployment, &["AWS::Logs::MetricFilter"], |filter| {
        let mut made = filter.properties.at("MetricTransformations").listed().into_iter();
        let unread = made.find(|made| {
            let name = made.at("MetricName").text();
            !alarms.iter().any(|metric| metric.name == name) && !dashboards.contains(&format!("\"{name}\""))
        });
        unread.map(|made| {
            format!(
                "neither an alarm nor a dashboard reads {}",
                made.at("MetricName").text()
            )
        })
    })
}

#[test]
fn every_metric_made_of_a_log_is_read() {
    let made = json!([{"MetricNamespace": "x", "MetricName": "Unread", "MetricValue": "1"}]);
    let filter = json!({"LogGroupName": {"Ref": "ErrorLogGroup"}, "FilterPattern": "x", "MetricTransformations": made});
    proven(
        unread,
        &Seed::set(
            "modules/database.yaml",
            "Resources/Unread",
            json!({"Type": "AWS::Logs::MetricFilter", "Properties": filter}),
        ),
        "database: Unread (AWS::Logs::MetricFilter): neither an alarm nor a dashboard reads Unread",
    );
}

#[test]
fn an_alarm_looks_at_something() {
    let alarm = json!({"Type": ALARM, "Properties": {}});
    proven(
        alarms_of_nothing,
        &Seed::set("modules/ses.yaml", "Resources/NothingAlarm", alarm),
        "ses: NothingAlarm (AWS::CloudWatch::Alarm): looks at nothing",
    );
}
