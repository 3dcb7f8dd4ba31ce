//! Questions to AWS through the AWS CLI, and a few orders, answered as JSON.
//!
//! The looks before a deployment touch ten services, the smoke test three more; the SDK crates of those that nothing else needs would take minutes to
//! build, for a call each.

use crate::cloud::{Cloud, CloudError};
use crate::command_line::CommandLine;
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

/// A question that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// AWS answered with an error.
    #[error("{}", [message.as_str(), &format!("({code})")].join(" ").trim_start())]
    Refused {
        /// Such as `AccessDenied`.
        code: String,
        /// The service's words.
        message: String,
    },
    /// The AWS CLI did not get so far.
    #[error("{0}")]
    Failed(String),
}

impl NoAnswer {
    /// Whether the service answered with one of these codes.
    #[must_use]
    pub fn is(&self, codes: &[&str]) -> bool {
        matches!(self, Self::Refused { code, .. } if codes.contains(&code.as_str()))
    }
}

impl From<CloudError> for NoAnswer {
    fn from(error: CloudError) -> Self {
        match error {
            CloudError::Refused { code, message, .. } => Self::Refused { code, message },
            other => Self::Failed(other.to_string()),
        }
    }
}

/// An answer, or why there is none.
pub type Answer = Result<Value, NoAnswer>;

/// What a service answers that refuses with this code, for the tests of judgements.
#[cfg(test)]
pub(crate) fn refused(code: &str) -> Answer {
    Err(NoAnswer::Refused {
        code: code.to_owned(),
        message: "no".to_owned(),
    })
}

/// Asks.
#[derive(Debug, Clone, Copy)]
pub struct AwsQuery<'a> {
    cloud: &'a Cloud,
    program: &'a str,
}

impl<'a> AwsQuery<'a> {
    /// Asks with this AWS CLI.
    #[must_use]
    pub fn new(cloud: &'a Cloud, program: &'a str) -> Self {
        Self { cloud, program }
    }

    /// Asks one question, such as `ec2 describe-vpcs`. It may be asked again by itself: an order needs a token.
    ///
    /// # Errors
    /// The CLI does not run, AWS refuses, or the answer is no JSON.
    pub async fn ask(&self, words: &[&str]) -> Answer {
        let command = self.command(words);
        let output = Command::new(&command.program)
            .args(command.flat())
            .envs(command.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|cause| {
                NoAnswer::Failed(format!(
                    "the AWS CLI {} cannot be started ({cause}): install it, or name it with --aws PATH",
                    command.program
                ))
            })?;
        if !output.status.success() {
            return Err(refusal(&String::from_utf8_lossy(&output.stderr)));
        }
        // Some answers are empty: a bucket in us-east-1 has no location.
        if output.stdout.trim_ascii().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| NoAnswer::Failed(format!("the AWS CLI's answer is no JSON: {error}")))
    }

    /// The command, for running and for printing.
    fn command(&self, words: &[&str]) -> CommandLine {
        let mut command = CommandLine::new(self.program).with(words.iter().copied());
        command.environment = vec![
            ("AWS_PAGER".to_owned(), String::new()),
            // A look that fails is told as one; it must not hold the deployment up for minutes.
            ("AWS_MAX_ATTEMPTS".to_owned(), "3".to_owned()),
        ];
        let endpoint = self.cloud.endpoint().map(str::to_owned);
        command
            .environment
            .extend(endpoint.map(|endpoint| ("AWS_ENDPOINT_URL".to_owned(), endpoint)));
        let region = self.cloud.region().map(|region| vec!["--region", region]);
        command.with(region.unwrap_or_default()).with(["--output", "json"])
    }
}

/// Reads `An error occurred (CODE) when calling the OPERATION operation: MESSAGE`.
fn refusal(stderr: &str) -> NoAnswer {
    let words = stderr.trim();
    let parts = words.split_once("An error occurred (").and_then(|(_, rest)| {
        let (code, rest) = rest.split_once(')')?;
        // A service that knows no such operation says nothing after the colon.
        let (_, message) = rest.split_once(" operation").unwrap_or(("", rest));
        let message = message.trim_start_matches(|c: char| c == ':' || c == '(' || c.is_whitespace());
        Some((code.to_owned(), message.trim().trim_end_matches('.').to_owned()))
    });
    match parts {
        Some((code, message)) => NoAnswer::Refused { code, message },
        None => NoAnswer::Failed(
            words
                .lines()
                .last()
                .unwrap_or("the AWS CLI gave no reason")
                .trim()
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::{BehaviorVersion, Region, SdkConfig};

    fn cloud() -> Cloud {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12());
        Cloud::new(config.region(Region::new("eu-central-1")).build())
    }

    #[test]
    fn an_error_of_the_service_is_told_by_its_code_and_words() {
        let told = "\naws: [ERROR]: An error occurred (NoSuchBucket) when calling the GetBucketLocation operation: The bucket is not there.\n";
        let error = refusal(told);
        assert!(error.is(&["NoSuchBucket"]) && !error.is(&["AccessDenied"]));
        assert_eq!(error.to_string(), "The bucket is not there (NoSuchBucket)");
    }

    #[test]
    fn an_error_without_words_is_told_by_its_code() {
        let told = "An error occurred (400) when calling the GetServiceQuota operation: ";
        assert_eq!(refusal(told).to_string(), "(400)");
    }

    #[test]
    fn a_cli_that_gets_nowhere_is_quoted_with_its_last_line() {
        assert_eq!(
            refusal("Traceback\n\nUnable to locate credentials. You can configure them.\n").to_string(),
            "Unable to locate credentials. You can configure them."
        );
        assert_eq!(refusal("").to_string(), "the AWS CLI gave no reason");
    }

    #[tokio::test]
    async fn an_answer_is_json_or_nothing_and_the_region_is_passed_on() {
        let cloud = cloud();
        let echo = AwsQuery::new(&cloud, "echo").ask(&["{\"Vpcs\": []}"]).await;
        assert!(matches!(echo, Err(NoAnswer::Failed(text)) if text.starts_with("the AWS CLI's answer is no JSON")));
        assert_eq!(AwsQuery::new(&cloud, "true").ask(&[]).await, Ok(Value::Null));
        let words: Vec<String> = AwsQuery::new(&cloud, "aws")
            .command(&["ec2", "describe-vpcs"])
            .flat()
            .map(str::to_owned)
            .collect();
        assert_eq!(
            words,
            ["ec2", "describe-vpcs", "--region", "eu-central-1", "--output", "json"]
        );
    }

    #[tokio::test]
    async fn a_cli_that_is_not_there_is_named() {
        let cloud = cloud();
        let error = AwsQuery::new(&cloud, "/nowhere/aws").ask(&["sts"]).await;
        assert_eq!(
            error.expect_err("no CLI").to_string(),
            "the AWS CLI /nowhere/aws cannot be started (No such file or directory (os error 2)): install it, or name it with \
             --aws PATH"
        );
    }
}
