//! The tasks of a release's family in ECS: which there are, and how they ended.

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{Container, DesiredStatus, TaskOverride};
use custom_resource::AwsError;

use crate::action::Action;
use crate::properties::Properties;

/// Begins what a task is said to be started by, when it was this function; CloudFormation's id of the event follows.
const STARTED_BY: &str = "mautic-release/";
/// The most tasks that ECS describes at once.
const MOST: usize = 100;
const STOPPED: &str = "STOPPED";

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its ARN.
    pub arn: String,
    /// Who started it, in that one's own words.
    pub started_by: String,
    /// What it was told to do, if its command says so.
    pub action: Option<Action>,
    /// How it ended; `None` while it has not.
    pub ending: Option<Ending>,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ending {
    /// The container's exit code, if it ran at all.
    pub exit_code: Option<i32>,
    /// ECS's reasons: the task's, and the container's if it has one.
    pub reason: String,
}

/// What a task is started by, for the event of this id.
#[must_use]
pub fn started_by(request_id: &str) -> String {
    format!("{STARTED_BY}{request_id}")
}

/// A task's id, the last part of its ARN.
pub(crate) fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

impl Task {
    /// A task that ECS does not show yet: what it shows lags behind what it did.
    pub(crate) fn unseen(arn: &str, action: Option<Action>, started_by: String) -> Self {
        Self {
            arn: arn.to_owned(),
            started_by,
            action,
            ending: None,
        }
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.ending.is_none()
    }

    /// Whether some event of this function's started it, and no person.
    pub(crate) fn is_a_release(&self) -> bool {
        self.started_by.starts_with(STARTED_BY)
    }

    fn of(task: &aws_sdk_ecs::types::Task, container: &str) -> Option<Self> {
        let overrides = task.overrides().map(TaskOverride::container_overrides);
        let command = overrides
            .unwrap_or_default()
            .iter()
            .find(|one| one.name() == Some(container));
        let word = command.and_then(|one| one.command().get(1));
        let ran = task.containers().iter().find(|one| one.name() == Some(container));
        let reasons = [task.stopped_reason(), ran.and_then(Container::reason)];
        let reasons: Vec<_> = reasons
            .into_iter()
            .flatten()
            .filter(|reason| !reason.is_empty())
            .collect();
        let ending = Ending {
            exit_code: ran.and_then(Container::exit_code),
            reason: reasons.join("; "),
        };
        Some(Self {
            arn: task.task_arn()?.to_owned(),
            started_by: task.started_by().unwrap_or_default().to_owned(),
            action: word.and_then(|word| Action::of(word)),
            ending: (task.last_status() == Some(STOPPED)).then_some(ending),
        })
    }
}

/// The tasks of the family that run, and those that ended a while ago, an hour at the most: ECS forgets them then. The one
/// of ARN `known` is among them, even if ECS does not list it yet.
///
/// # Errors
/// [`AwsError`].
pub(crate) async fn observe(ecs: &Client, properties: &Properties, known: Option<&str>) -> Result<Vec<Task>, AwsError> {
    let mut arns = Vec::new();
    for status in [DesiredStatus::Running, DesiredStatus::Stopped] {
        arns.extend(list(ecs, properties, status).await?);
    }
    if let Some(known) = known
        && !arns.iter().any(|arn| arn == known)
    {
        arns.push(known.to_owned());
    }
    let mut tasks = Vec::new();
    for some in arns.chunks(MOST) {
        tasks.extend(describe(ecs, properties, some).await?);
    }
    Ok(tasks)
}

/// The tasks of the family that ECS is to keep running, or is not.
async fn list(ecs: &Client, properties: &Properties, status: DesiredStatus) -> Result<Vec<String>, AwsError> {
    let family = properties.task_definition.family();
    let call = ecs
        .list_tasks()
        .cluster(&properties.cluster)
        .family(family)
        .desired_status(status);
    let mut pages = call.into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(AwsError::of("ecs:ListTasks", format!("cluster {}", properties.cluster)))?;
        arns.extend(page.task_arns().iter().cloned());
    }
    Ok(arns)
}

/// Those of these tasks that ECS knows.
async fn describe(ecs: &Client, properties: &Properties, arns: &[String]) -> Result<Vec<Task>, AwsError> {
    let call = ecs
        .describe_tasks()
        .cluster(&properties.cluster)
        .set_tasks(Some(arns.to_vec()));
    let found = call.send().await;
    let found = found.map_err(AwsError::of(
        "ecs:DescribeTasks",
        format!("cluster {}", properties.cluster),
    ))?;
    Ok(found
        .tasks()
        .iter()
        .filter_map(|task| Task::of(task, &properties.container))
        .collect())
}
