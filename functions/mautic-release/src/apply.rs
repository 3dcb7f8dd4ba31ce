//! Starts the task, and in one case stops it. Decides nothing.

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::operation::run_task::RunTaskOutput;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, ContainerOverride, KeyValuePair, LaunchType, NetworkConfiguration,
    PropagateTags, TaskOverride,
};
use custom_resource::{AwsError, Request, is_withdrawn};
use tracing::{info, warn};

use crate::action::Action;
use crate::error::Error;
use crate::handler::Clients;
use crate::properties::Properties;
use crate::tasks::{Task, started_by};

/// The first word of the task's command: the image's role.
const ROLE: &str = "release";
/// By this name the task learns what to record at its end: the event's id.
const RELEASE_ID: &str = "RELEASE_ID";

/// What a step works on.
pub(crate) struct Job<'a> {
    pub(crate) clients: &'a Clients,
    pub(crate) request: &'a Request,
    pub(crate) properties: &'a Properties,
    /// Whether a Delete may have come before this event.
    pub(crate) is_create: bool,
}

impl Job<'_> {
    /// Starts the task; the one that an earlier delivery of this event has started, if there is one.
    pub(crate) async fn start(&self, action: Action) -> Result<Task, Error> {
        let arn = self.run(action).await?;
        info!(task = arn, %action, "the task of this event");
        let task = Task::unseen(&arn, Some(action), started_by(self.request.request_id()));
        if self.is_create {
            self.stop_if_withdrawn(&task).await?;
        }
        Ok(task)
    }

    async fn run(&self, action: Action) -> Result<String, Error> {
        let properties = self.properties;
        let call = self
            .clients
            .ecs
            .run_task()
            .cluster(&properties.cluster)
            .task_definition(properties.task_definition.as_str())
            // Not the cluster's default, which may be Spot: what AWS may take back at any moment migrates nothing.
            .launch_type(LaunchType::Fargate)
            .count(1)
            // Two deliveries of one event, at the same moment, start one task.
            .client_token(self.request.request_id())
            .started_by(started_by(self.request.request_id()))
            .propagate_tags(PropagateTags::TaskDefinition)
            .network_configuration(network(properties).map_err(|error| Error::Defect(error.to_string()))?)
            .overrides(command(&properties.container, action, self.request.request_id()));
        match call.send().await {
            Ok(answer) => placed(&answer, properties),
            Err(error) => {
                let conflict = error.as_service_error().and_then(|error| match error {
                    aws_sdk_ecs::operation::run_task::RunTaskError::ConflictException(conflict) => {
                        conflict.resource_ids().first().cloned()
                    }
                    _ => None,
                });
                let denied = error.code() == Some("AccessDeniedException");
                let failed =
                    AwsError::of("ecs:RunTask", format!("task definition {}", properties.task_definition))(error);
                match conflict {
                    // This event's task was started to do something else: the schema has changed between two deliveries.
                    Some(arn) => Ok(arn),
                    None if denied => Err(failed.with_remedy(DENIED).into()),
                    None => Err(failed.into()),
                }
            }
        }
    }

    /// A Delete that came before there was a task has found nothing to wait for. It will not come again.
    async fn stop_if_withdrawn(&self, task: &Task) -> Result<(), Error> {
        match is_withdrawn(&self.clients.stacks, self.request.scope()).await {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) if error.is_denied() => return Err(error.into()),
            Err(error) => {
                warn!(%error, "not known whether the release is still wanted: it goes on");
                return Ok(());
            }
        }
        let call = self
            .clients
            .ecs
            .stop_task()
            .cluster(&self.properties.cluster)
            .task(&task.arn);
        let stopped = call.reason("the stack is being deleted").send().await;
        stopped.map_err(AwsError::of("ecs:StopTask", format!("task {}", task.arn)))?;
        Err(Error::Withdrawn(task.arn.clone()))
    }
}

const DENIED: &str = "allow ecs:RunTask on it to the function's role, and iam:PassRole on the task's two roles";

/// The task, or why ECS has no place for it.
fn placed(answer: &RunTaskOutput, properties: &Properties) -> Result<String, Error> {
    if let Some(arn) = answer.tasks().first().and_then(|task| task.task_arn()) {
        return Ok(arn.to_owned());
    }
    let reasons = answer.failures().iter().map(|failure| {
        let reason = failure.reason().unwrap_or("no reason given");
        failure
            .detail()
            .map_or_else(|| reason.to_owned(), |detail| format!("{reason}: {detail}"))
    });
    Err(Error::NotPlaced {
        task_definition: properties.task_definition.to_string(),
        cluster: properties.cluster.clone(),
        reasons: reasons.collect::<Vec<_>>().join(", "),
    })
}

fn network(properties: &Properties) -> Result<NetworkConfiguration, aws_sdk_ecs::error::BuildError> {
    let vpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(properties.subnets.clone()))
        .set_security_groups(Some(properties.security_groups.clone()))
        .assign_public_ip(AssignPublicIp::Disabled);
    Ok(NetworkConfiguration::builder()
        .awsvpc_configuration(vpc.build()?)
        .build())
}

fn command(container: &str, action: Action, release: &str) -> TaskOverride {
    let container = ContainerOverride::builder()
        .name(container)
        .command(ROLE)
        .command(action.word())
        .environment(KeyValuePair::builder().name(RELEASE_ID).value(release).build());
    TaskOverride::builder().container_overrides(container.build()).build()
}
