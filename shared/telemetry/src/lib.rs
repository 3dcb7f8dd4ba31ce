//! What a function says about its work besides its log: metrics, and pseudonyms for those whom a log must not name.
//!
//! A metric is a line on standard output in CloudWatch's embedded format, so that it costs no call and no right
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//!
//! ```
//! use telemetry::{Metric, Unit, embedded};
//!
//! let events = Metric::new("Events", Unit::Count, vec![2.0]);
//! let line = embedded("Mautic/prod/Bounces", 1_795_477_100_000, &[("Type", "Bounce")], &[events]);
//! let line: serde_json::Value = serde_json::from_str(&line)?;
//! assert_eq!((line["Type"].as_str(), line["Events"].as_f64()), (Some("Bounce"), Some(2.0)));
//! assert_eq!(telemetry::pseudonym("Jane@Example.com"), telemetry::pseudonym("jane@example.com"));
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt::Write;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The most values of one metric that a line may hold.
pub const MOST_VALUES: usize = 100;

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
}

/// A metric and its values; only the first [`MOST_VALUES`] of them are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric<'a> {
    name: &'a str,
    unit: Unit,
    values: Vec<f64>,
}

impl<'a> Metric<'a> {
    /// A metric by its name, which no dimension may have.
    #[must_use]
    pub fn new(name: &'a str, unit: Unit, values: Vec<f64>) -> Self {
        Self { name, unit, values }
    }
}

/// One line of metrics, all with the same dimensions; `timestamp` is in milliseconds since 1970.
#[must_use]
pub fn embedded(namespace: &str, timestamp: u64, dimensions: &[(&str, &str)], metrics: &[Metric<'_>]) -> String {
    let names: Vec<_> = dimensions.iter().map(|(name, _)| *name).collect();
    let declared = |metric: &Metric<'_>| {
        let unit = match metric.unit {
            Unit::Count => "Count",
            Unit::Seconds => "Seconds",
        };
        json!({"Name": metric.name, "Unit": unit})
    };
    let declared: Vec<_> = metrics.iter().map(declared).collect();
    let directive = json!({"Namespace": namespace, "Dimensions": [names], "Metrics": declared});
    let mut line = Map::new();
    line.insert(
        "_aws".into(),
        json!({"Timestamp": timestamp, "CloudWatchMetrics": [directive]}),
    );
    line.extend(
        dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value))),
    );
    for metric in metrics {
        let value = match metric.values.as_slice() {
            [one] => json!(one),
            values => json!(&values[..values.len().min(MOST_VALUES)]),
        };
        line.insert(metric.name.to_owned(), value);
    }
    Value::Object(line).to_string()
}

/// What a log shows instead of a mail address: the first twelve hexadecimal digits of the SHA-256 of its lower case.
/// Who knows the address finds its lines; who does not learns it from none of them but by guessing.
#[must_use]
pub fn pseudonym(address: &str) -> String {
    let digest = Sha256::digest(address.to_lowercase().as_bytes());
    digest[..6].iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_one_set_of_dimensions_and_all_values() {
        let metrics = [
            Metric::new("Lag", Unit::Seconds, vec![1.5, 2.0]),
            Metric::new("Malformed", Unit::Count, vec![0.0]),
        ];
        let line: Value = serde_json::from_str(&embedded("N", 7, &[("Type", "Bounce")], &metrics)).expect("JSON");
        assert_eq!(
            line,
            json!({
                "_aws": {"Timestamp": 7, "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [["Type"]],
                    "Metrics": [{"Name": "Lag", "Unit": "Seconds"}, {"Name": "Malformed", "Unit": "Count"}]}]},
                "Type": "Bounce", "Lag": [1.5, 2.0], "Malformed": 0.0,
            })
        );
    }

    #[test]
    fn no_more_values_than_cloudwatch_takes() {
        let line = embedded("N", 7, &[], &[Metric::new("Lag", Unit::Seconds, vec![1.0; 250])]);
        let line: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(line["Lag"].as_array().map(Vec::len), Some(MOST_VALUES));
    }

    #[test]
    fn a_pseudonym_is_what_sha256sum_gives() {
        // printf jane@example.com | sha256sum | cut -c1-12
        assert_eq!(pseudonym("jane@example.com"), "8c87b489ce35");
    }
}
