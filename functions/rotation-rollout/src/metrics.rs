//! What an alarm goes by, in CloudWatch's embedded metric format.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::rollout::Found;

const NAMESPACE: &str = "MauticServer/Rotation";

/// The line of the log that is a metric: how many rollouts failed; how old the oldest overlap is, and how long ago the secret
/// that has waited longest was rotated, in seconds.
#[must_use]
pub fn line(function: &str, found: &Found, now: SystemTime) -> Value {
    let milliseconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    json!({
        "_aws": {
            "Timestamp": u64::try_from(milliseconds).unwrap_or_default(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Function"]],
                "Metrics": [
                    {"Name": "RolloutFailed", "Unit": "Count"},
                    {"Name": "OverlapSeconds", "Unit": "Seconds"},
                    {"Name": "SecretAgeSeconds", "Unit": "Seconds"},
                ],
            }],
        },
        "Function": function,
        "RolloutFailed": found.failed,
        "OverlapSeconds": found.oldest.as_secs(),
        "SecretAgeSeconds": found.age.as_secs(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_look_tells_failures_and_ages_none_included() {
        let found = Found {
            oldest: Duration::from_secs(90),
            age: Duration::from_hours(24),
            ..Found::default()
        };
        let line = line("shop-rollout", &found, UNIX_EPOCH + Duration::from_millis(1_500));
        assert_eq!(
            line.to_string(),
            "{\"_aws\":{\"Timestamp\":1500,\"CloudWatchMetrics\":[{\"Namespace\":\"MauticServer/Rotation\",\"Dimensions\":\
             [[\"Function\"]],\"Metrics\":[{\"Name\":\"RolloutFailed\",\"Unit\":\"Count\"},{\"Name\":\"OverlapSeconds\",\
             \"Unit\":\"Seconds\"},{\"Name\":\"SecretAgeSeconds\",\"Unit\":\"Seconds\"}]}]},\"Function\":\"shop-rollout\",\
             \"RolloutFailed\":0,\"OverlapSeconds\":90,\"SecretAgeSeconds\":86400}"
        );
    }
}
