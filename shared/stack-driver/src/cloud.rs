//! What the driver asks of CloudFormation.

use crate::event::{Event, Status};
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_cloudformation::primitives::DateTime;
use aws_sdk_cloudformation::types::StackEvent;
use std::collections::BTreeMap;
use std::time::Duration;

/// AWS, or what stands in for it, did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Nobody answers.
    #[error("cannot reach {endpoint} {action}: {cause}. {remedy}")]
    Unreachable {
        /// The address, or "AWS".
        endpoint: String,
        /// What was tried: "to describe the stack mautic".
        action: String,
        /// The transport's words.
        cause: String,
        /// What to do.
        remedy: &'static str,
    },
    /// There are no credentials.
    #[error(
        "no AWS credentials {action}: {cause}. Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; after `aws sso \
         login`: eval \"$(aws configure export-credentials --format env)\""
    )]
    Credentials {
        /// What was tried.
        action: String,
        /// The provider's words.
        cause: String,
    },
    /// No region is set.
    #[error("no AWS region {action}: set AWS_REGION, or a region in the profile")]
    Region {
        /// What was tried.
        action: String,
    },
    /// The service answered with an error.
    #[error("AWS refuses {action}: {message} ({code})")]
    Refused {
        /// What was tried.
        action: String,
        /// Such as `AccessDenied`.
        code: String,
        /// The service's words.
        message: String,
    },
}

impl CloudError {
    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { code, .. } => {
                code.contains("Throttl") || code.contains("Internal") || code.contains("Unavailable")
            }
            Self::Credentials { .. } | Self::Region { .. } => false,
        }
    }
}

/// A stack as it stands.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: Status,
    /// The parameters that it was deployed with; a secret one's value is hidden.
    pub parameters: BTreeMap<String, String>,
    /// Name, value, description.
    pub outputs: Vec<[String; 3]>,
    /// Whether deletion is forbidden.
    pub termination_protection: bool,
}

/// A resource of a stack.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The name in the template.
    pub logical_id: String,
    /// The id; empty if it was never made.
    pub physical_id: String,
    /// The type.
    pub resource_type: String,
}

/// The clients' common configuration and CloudFormation's client.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// For clients of other services.
    pub config: SdkConfig,
    pub(crate) cloudformation: Client,
}

impl Cloud {
    /// Reads the environment and the profile, as the AWS CLI does.
    pub async fn from_environment() -> Self {
        Self::new(aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await)
    }

    /// Uses a configuration that somebody else made.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        Self {
            cloudformation: Client::new(&config),
            config,
        }
    }

    /// The address of a local AWS, if one is set.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.config.endpoint_url()
    }

    /// The region, if one is set.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(aws_config::Region::as_ref)
    }

    /// Whether AWS is one on this machine, which may be asked often.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.endpoint().is_some_and(|url| {
            ["://127.0.0.1", "://localhost", "://[::1]"]
                .iter()
                .any(|host| url.contains(host))
        })
    }

    /// Turns an SDK's error into one that says what was tried, and what to do.
    pub(crate) fn explain<E, R>(&self, action: &str, error: &SdkError<E, R>) -> CloudError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        let action = action.to_owned();
        if let SdkError::ServiceError(service) = error {
            let code = service.err().code().unwrap_or("no code").to_owned();
            let message = service
                .err()
                .message()
                .unwrap_or("no message")
                .trim_end_matches('.')
                .to_owned();
            return CloudError::Refused { action, code, message };
        }
        let cause = innermost(error);
        if cause.contains("region") && self.region().is_none() {
            return CloudError::Region { action };
        }
        if DisplayErrorContext(error).to_string().contains("redentials") {
            let cause = credentials_cause(&cause);
            return CloudError::Credentials { action, cause };
        }
        let remedy = if self.endpoint().is_some() {
            "Is the local AWS running? Start it, or unset AWS_ENDPOINT_URL to use AWS itself"
        } else {
            "Look at the network, the proxy (HTTPS_PROXY) and the region's name"
        };
        CloudError::Unreachable {
            endpoint: self.endpoint().unwrap_or("AWS").to_owned(),
            action,
            cause,
            remedy,
        }
    }

    /// The stack of this name or ARN, if there is one.
    ///
    /// # Errors
    /// CloudFormation cannot be asked.
    pub async fn stack(&self, name: &str) -> Result<Option<Stack>, CloudError> {
        match self.cloudformation.describe_stacks().stack_name(name).send().await {
            Ok(answer) => Ok(answer.stacks().first().map(read_stack)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(self.explain(&format!("to describe the stack {name}"), &error)),
        }
    }

    /// The events of a stack after a moment, newest first; none if there is no such stack.
    ///
    /// # Errors
    /// CloudFormation cannot be asked.
    pub async fn events_after(&self, stack: &str, since: Duration) -> Result<Vec<Event>, CloudError> {
        self.events_until(stack, |event| event.at <= since).await
    }

    /// The events of a stack, newest first, up to and without the first that `is_enough`.
    ///
    /// # Errors
    /// CloudFormation cannot be asked.
    pub async fn events_until(
        &self,
        stack: &str,
        mut is_enough: impl FnMut(&Event) -> bool,
    ) -> Result<Vec<Event>, CloudError> {
        let mut events = Vec::new();
        let mut page = None;
        loop {
            let request = self
                .cloudformation
                .describe_stack_events()
                .stack_name(stack)
                .set_next_token(page);
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(error) if is_absent(&error) => return Ok(events),
                Err(error) => return Err(self.explain(&format!("to read the events of the stack {stack}"), &error)),
            };
            for event in answer.stack_events().iter().map(read_event) {
                if is_enough(&event) {
                    return Ok(events);
                }
                events.push(event);
            }
            page = answer.next_token().map(str::to_owned);
            if page.is_none() {
                return Ok(events);
            }
        }
    }

    /// The time of a stack's latest event; zero if there is none.
    ///
    /// # Errors
    /// CloudFormation cannot be asked.
    pub async fn latest_event(&self, stack: &str) -> Result<Duration, CloudError> {
        let mut latest = Duration::ZERO;
        self.events_until(stack, |event| {
            latest = event.at;
            true
        })
        .await?;
        Ok(latest)
    }

    /// The resources of a stack.
    ///
    /// # Errors
    /// CloudFormation cannot be asked.
    pub async fn resources(&self, stack: &str) -> Result<Vec<Resource>, CloudError> {
        let mut pages = self
            .cloudformation
            .list_stack_resources()
            .stack_name(stack)
            .into_paginator()
            .items()
            .send();
        let mut resources = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| self.explain(&format!("to list the resources of {stack}"), &error))?;
            resources.push(Resource {
                logical_id: item.logical_resource_id().unwrap_or_default().to_owned(),
                physical_id: item.physical_resource_id().unwrap_or_default().to_owned(),
                resource_type: item.resource_type().unwrap_or_default().to_owned(),
            });
        }
        Ok(resources)
    }

    /// Asks for a stack's deletion; the deletion itself takes its time.
    ///
    /// # Errors
    /// CloudFormation refuses.
    pub async fn delete_stack(&self, stack: &str, role: Option<&str>) -> Result<(), CloudError> {
        let request = self
            .cloudformation
            .delete_stack()
            .stack_name(stack)
            .set_role_arn(role.map(str::to_owned));
        let answer = request.send().await;
        answer
            .map(|_| ())
            .map_err(|error| self.explain(&format!("to delete the stack {stack}"), &error))
    }
}

/// CloudFormation has no error code of its own for a stack that is not there.
fn is_absent<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let SdkError::ServiceError(service) = error else {
        return false;
    };
    service
        .err()
        .message()
        .is_some_and(|message| message.contains("does not exist"))
}

/// The chain of providers lists a line each; those that nobody configured say nothing.
fn credentials_cause(chain: &str) -> String {
    let unset = ["was not enabled", "not configured"];
    let telling: Vec<&str> = chain
        .lines()
        .filter(|line| !unset.iter().any(|text| line.contains(text)))
        .map(str::trim)
        .filter(|line| !line.ends_with("Attempted:"))
        .collect();
    if telling.is_empty() {
        return "none in the environment, the profile or the machine's role".to_owned();
    }
    telling.join("; ").trim_end_matches('.').to_owned()
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn read_stack(stack: &aws_sdk_cloudformation::types::Stack) -> Stack {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Stack {
        id: text(stack.stack_id()),
        name: text(stack.stack_name()),
        status: Status::new(text(
            stack
                .stack_status()
                .map(aws_sdk_cloudformation::types::StackStatus::as_str),
        )),
        parameters: stack
            .parameters()
            .iter()
            .map(|parameter| (text(parameter.parameter_key()), text(parameter.parameter_value())))
            .collect(),
        outputs: stack
            .outputs()
            .iter()
            .map(|output| {
                [
                    text(output.output_key()),
                    text(output.output_value()),
                    text(output.description()),
                ]
            })
            .collect(),
        termination_protection: stack.enable_termination_protection().unwrap_or_default(),
    }
}

fn read_event(event: &StackEvent) -> Event {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Event {
        id: text(event.event_id()),
        stack_id: text(event.stack_id()),
        logical_id: text(event.logical_resource_id()),
        physical_id: text(event.physical_resource_id()),
        resource_type: text(event.resource_type()),
        status: Status::new(
            event
                .resource_status()
                .map(|status| status.as_str().to_owned())
                .unwrap_or_default(),
        ),
        reason: text(event.resource_status_reason()),
        at: event.timestamp().map(since_epoch).unwrap_or_default(),
    }
}

fn since_epoch(time: &DateTime) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_chain_of_credentials_only_what_was_configured_is_told() {
        let chain = "no credentials found in chain. Attempted:\n  Environment: the credential provider was not enabled: \
                     environment variable not set\n  EcsContainer: the credential provider was not enabled: ECS provider not \
                     configured";
        assert_eq!(
            credentials_cause(chain),
            "none in the environment, the profile or the machine's role"
        );
        assert_eq!(
            credentials_cause("the SSO feature is not compiled in."),
            "the SSO feature is not compiled in"
        );
    }

    #[test]
    fn only_a_moments_trouble_is_worth_another_try() {
        let refused = |code: &str| CloudError::Refused {
            action: String::new(),
            code: code.to_owned(),
            message: String::new(),
        };
        let passing = ["Throttling", "ServiceUnavailable", "AccessDenied", "ValidationError"]
            .map(|code| refused(code).is_passing());
        assert_eq!(passing, [true, true, false, false]);
    }
}
