//! Whether the mails of a test arrived: Mautic's waits in a queue until a worker sends it, and only SES knows of that.
//!
//! SES counts for the whole account, so that a busy account hides a mail that is missing; a test environment's does not.

use crate::aws_query::{Answer, AwsQuery};
use crate::smoke::outcome::Judgement;
use std::time::{Duration, Instant, SystemTime};

/// How long CloudWatch, and a worker that was just started, may take.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// How many mails were handed over.
    pub mails: u32,
    /// When the test began.
    pub since: SystemTime,
    /// Between two looks.
    pub pace: Duration,
    /// When to stop looking.
    pub patience: Duration,
}

/// Asks until SES has counted them.
pub async fn check(aws: AwsQuery<'_>, expected: &Expected) -> Judgement {
    let seconds = |time: SystemTime| {
        time.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs()
    };
    let since = (seconds(expected.since) / 60 * 60).to_string();
    let began = Instant::now();
    loop {
        // The minute that runs is counted, too.
        let until = (seconds(SystemTime::now()) + 60).to_string();
        let answer = aws.ask(&question(&since, &until)).await;
        let is_over = answer.is_err() || began.elapsed() >= expected.patience;
        if is_over || delivered(&answer) >= f64::from(expected.mails) {
            return judge(&answer, expected);
        }
        tokio::time::sleep(expected.pace).await;
    }
}

fn question<'a>(since: &'a str, until: &'a str) -> Vec<&'a str> {
    let metric = [
        "cloudwatch",
        "get-metric-statistics",
        "--namespace",
        "AWS/SES",
        "--metric-name",
        "Delivery",
    ];
    let sums = [
        "--statistics",
        "Sum",
        "--period",
        "60",
        "--start-time",
        since,
        "--end-time",
        until,
    ];
    metric.into_iter().chain(sums).collect()
}

/// How many SES has counted.
fn delivered(answer: &Answer) -> f64 {
    let points = answer.as_ref().ok().and_then(|answer| answer["Datapoints"].as_array());
    points
        .into_iter()
        .flatten()
        .filter_map(|point| point["Sum"].as_f64())
        .sum()
}

/// Judges the last answer.
fn judge(answer: &Answer, expected: &Expected) -> Judgement {
    let (mails, count) = (expected.mails, delivered(answer));
    let minutes = expected.patience.as_secs() / 60;
    if let Err(error) = answer {
        return Judgement::failed(
            format!("AWS did not say how many mails were delivered: {error}."),
            "The one who tests needs cloudwatch:GetMetricStatistics: docs/operations.md, Smoke test.",
        );
    }
    if count >= f64::from(mails) {
        return Judgement::passed(format!(
            "SES delivered {count} mails for this account since the test began; it sent {mails}."
        ));
    }
    if count == 0.0 {
        return Judgement::skipped(
            format!("CloudWatch counts no mail after {minutes} min; it may be late."),
            "Look at the metric Delivery of AWS/SES later.",
        );
    }
    Judgement::failed(
        format!("SES delivered {count} of {mails} mails within {minutes} min."),
        "Workers send what Mautic took: docs/runbooks/workers-too-few.md, docs/runbooks/mail-failures-too-many.md.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_query::refused;
    use serde_json::{Value, json};

    const TWO: Expected = Expected {
        mails: 2,
        since: SystemTime::UNIX_EPOCH,
        pace: Duration::ZERO,
        patience: PATIENCE,
    };

    fn judged(sums: &[f64]) -> Judgement {
        let points: Vec<Value> = sums.iter().map(|sum| json!({"Sum": sum})).collect();
        judge(&Ok(json!({"Datapoints": points})), &TWO)
    }

    #[test]
    fn mails_of_every_minute_are_counted() {
        let passed = |count: u32| {
            let seen = format!("SES delivered {count} mails for this account since the test began; it sent 2.");
            Judgement::passed(seen)
        };
        assert_eq!((judged(&[1.0, 1.0]), judged(&[40.0, 2.0])), (passed(2), passed(42)));
    }

    #[test]
    fn a_mail_that_mautic_kept_is_missed() {
        assert_eq!(
            judged(&[1.0]),
            Judgement::failed(
                "SES delivered 1 of 2 mails within 5 min.",
                "Workers send what Mautic took: docs/runbooks/workers-too-few.md, docs/runbooks/mail-failures-too-many.md."
            )
        );
    }

    #[test]
    fn metrics_that_are_late_prove_nothing() {
        assert_eq!(
            judged(&[]),
            Judgement::skipped(
                "CloudWatch counts no mail after 5 min; it may be late.",
                "Look at the metric Delivery of AWS/SES later."
            )
        );
    }

    #[test]
    fn who_may_not_read_metrics_is_told_what_is_needed() {
        assert_eq!(
            judge(&refused("AccessDenied"), &TWO),
            Judgement::failed(
                "AWS did not say how many mails were delivered: no (AccessDenied).",
                "The one who tests needs cloudwatch:GetMetricStatistics: docs/operations.md, Smoke test."
            )
        );
    }
}
