//! The last scheduled job that ended, as the jobs' log tells it: what a test sees that may start nothing.

use crate::aws_query::{Answer, AwsQuery};
use crate::smoke::outcome::Judgement;
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Every schedule but the nightly ones comes around within it.
const WINDOW: Duration = Duration::from_hours(2);

/// The last line of a job, as the metric filters of cloudformation/modules/mautic-jobs.yaml know it.
const LAST_LINE: &str = "{ $.job = \"*\" && $.exit = * }";

/// Asks the log.
pub async fn check(aws: AwsQuery<'_>, group: &str) -> Judgement {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let since = now.saturating_sub(WINDOW).as_millis().to_string();
    let look = [
        "logs",
        "filter-log-events",
        "--log-group-name",
        group,
        "--start-time",
        &since,
        "--filter-pattern",
        LAST_LINE,
    ];
    judge(&aws.ask(&look).await)
}

/// Judges the newest of the lines.
fn judge(answer: &Answer) -> Judgement {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            return Judgement::failed(
                format!("AWS did not show the jobs' log: {error}."),
                "The one who tests needs logs:FilterLogEvents: docs/operations.md, Smoke test.",
            );
        }
    };
    let events = answer["events"].as_array().into_iter().flatten();
    let lines = events.filter_map(|event| {
        let line: Value = serde_json::from_str(event["message"].as_str()?).ok()?;
        Some((
            event["timestamp"].as_i64()?,
            line["job"].as_str()?.to_owned(),
            line["exit"].as_i64()?,
        ))
    });
    match lines.max_by_key(|(at, _, _)| *at) {
        Some((_, job, 0)) => Judgement::passed(format!("The last job that ended was {job}, with 0.")),
        Some((_, job, code)) => Judgement::failed(
            format!("The last job that ended was {job}, with exit code {code}."),
            "docs/runbooks/jobs-failed.md says what to look at.",
        ),
        None => Judgement::failed(
            format!("No job has ended within {} hours.", WINDOW.as_secs() / 3600),
            "Where JobMinutes switches them off that is right; else docs/runbooks/jobs-not-invoked.md says what to look at.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws_query::refused;
    use serde_json::json;

    fn judged(lines: &[(i64, &str)]) -> Judgement {
        let events: Vec<Value> = lines
            .iter()
            .map(|(at, line)| json!({"timestamp": at, "message": line}))
            .collect();
        judge(&Ok(json!({"events": events})))
    }

    #[test]
    fn the_newest_line_decides_whatever_the_order() {
        let good = r#"{"job": "mautic:import", "exit": 0, "seconds": 1.5}"#;
        let bad = r#"{"job": "mautic:segments:update", "exit": 1, "seconds": 2}"#;
        assert_eq!(
            judged(&[(2, good), (1, bad)]),
            Judgement::passed("The last job that ended was mautic:import, with 0.")
        );
        assert_eq!(
            judged(&[(1, good), (2, bad), (3, "no JSON")]),
            Judgement::failed(
                "The last job that ended was mautic:segments:update, with exit code 1.",
                "docs/runbooks/jobs-failed.md says what to look at."
            )
        );
    }

    #[test]
    fn jobs_that_did_not_run_are_missed() {
        assert_eq!(judged(&[]).seen, "No job has ended within 2 hours.");
        assert_eq!(
            judge(&refused("AccessDeniedException")).seen,
            "AWS did not show the jobs' log: no (AccessDeniedException)."
        );
    }
}
