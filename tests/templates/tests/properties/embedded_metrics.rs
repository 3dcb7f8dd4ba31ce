//! Which metrics functions print themselves, in CloudWatch's embedded format: those that alarms and graphs may name.

use std::collections::BTreeSet;

use serde_json::Value;

const BOUNCES: &str = "../functions/bounce-handler.zip";

/// What a function prints in CloudWatch's embedded format, in the namespace that its template tells it.
#[derive(Debug)]
pub struct Embedded {
    /// The function's package.
    pub code: &'static str,
    /// The names of the metrics' dimensions.
    pub dimensions: &'static [&'static str],
    /// The metrics.
    pub metrics: &'static [&'static str],
}

const fn bounces(dimensions: &'static [&'static str], metrics: &'static [&'static str]) -> Embedded {
    Embedded {
        code: BOUNCES,
        dimensions,
        metrics,
    }
}

/// Those that there are. functions/bounce-handler/src/report.rs makes them.
pub const EMBEDDED: &[Embedded] = &[
    bounces(
        &[],
        &[
            "Messages",
            "Malformed",
            "OddRecipients",
            "Unknown",
            "Failed",
            "Repeated",
            "UnreadableDetails",
            "Lag",
        ],
    ),
    bounces(&["Type"], &["Events"]),
    bounces(&["Type", "SubType"], &["Recipients"]),
    bounces(&["Action"], &["Recipients"]),
    bounces(&["Correlation"], &["Recipients"]),
];

/// The lines that the function's own test expects of it.
const PRINTED: &str = include_str!("../../../../functions/bounce-handler/tests/metrics.jsonl");

#[test]
fn the_list_is_what_the_function_prints() {
    let printed: BTreeSet<(Vec<String>, Vec<String>)> = PRINTED
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("a line of metrics");
            let directive = &line["_aws"]["CloudWatchMetrics"][0];
            let texts = |list: &Value, of: fn(&Value) -> &Value| {
                let list = list.as_array().expect("a list").iter();
                list.map(|one| of(one).as_str().expect("a name").to_owned()).collect()
            };
            (
                texts(&directive["Dimensions"][0], |name| name),
                texts(&directive["Metrics"], |metric| &metric["Name"]),
            )
        })
        .collect();
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let listed = EMBEDDED.iter().filter(|one| one.code == BOUNCES);
    let listed = listed.map(|one| (owned(one.dimensions), owned(one.metrics))).collect();
    assert_eq!(printed, listed);
}
