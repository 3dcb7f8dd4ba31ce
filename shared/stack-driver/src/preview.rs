//! Reads what a deployment would change, from a change set that is made for reading only and deleted again.
//!
//! `aws cloudformation deploy` makes a change set of its own, but never with `IncludeNestedStacks`: what happens inside
//! nested stacks would stay hidden.

use crate::change_set::{Change, Replacement};
use crate::cloud::{Cloud, CloudError, Stack};
use crate::event::{STACK_TYPE, is_custom_resource};
use crate::inputs::Inputs;
use crate::template::Template;
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{
    Capability, ChangeSetStatus, ChangeSetType, Parameter, Replacement as Sdk, RequiresRecreation, ResourceAttribute,
    ResourceChange, Tag,
};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

/// The change set could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// AWS refuses or cannot be reached.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// CloudFormation judged the template or the parameters.
    #[error("CloudFormation cannot work out the changes of the stack {stack}: {reason}")]
    Failed {
        /// The stack's name.
        stack: String,
        /// CloudFormation's words.
        reason: String,
    },
}

/// The changes that a deployment would bring to a stack that stands; `url` is where a template lies that is too large for a
/// request.
///
/// # Errors
/// The change set cannot be made or read.
pub async fn preview(
    cloud: &Cloud,
    stack: &Stack,
    template: &Template,
    inputs: &Inputs,
    url: Option<&str>,
    role: Option<&str>,
) -> Result<Vec<Change>, PreviewError> {
    let id = create(cloud, stack, template, inputs, url, role).await?;
    let changes = read(cloud, stack, &id).await;
    let deleted = cloud
        .cloudformation
        .delete_change_set()
        .change_set_name(&id)
        .send()
        .await;
    let changes = changes?;
    deleted.map_err(|error| cloud.explain("to delete the change set of the preview", &error))?;
    Ok(changes)
}

async fn create(
    cloud: &Cloud,
    stack: &Stack,
    template: &Template,
    inputs: &Inputs,
    url: Option<&str>,
    role: Option<&str>,
) -> Result<String, CloudError> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let tags = inputs
        .tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect();
    let answer = cloud
        .cloudformation
        .create_change_set()
        .stack_name(&stack.id)
        .change_set_name(format!("stack-driver-preview-{now}"))
        .description("For reading only; made and deleted by stack-driver")
        .change_set_type(ChangeSetType::Update)
        .set_template_body(url.is_none().then(|| template.body.clone()))
        .set_template_url(url.map(str::to_owned))
        .set_parameters(Some(parameters(stack, template, inputs)))
        .capabilities(Capability::CapabilityNamedIam)
        .capabilities(Capability::CapabilityAutoExpand)
        .set_tags(Some(tags))
        .set_role_arn(role.map(str::to_owned))
        .include_nested_stacks(true)
        .send()
        .await
        .map_err(|error| cloud.explain(&format!("to make a change set of the stack {}", stack.name), &error))?;
    Ok(answer.id().unwrap_or_default().to_owned())
}

/// As `aws cloudformation deploy` does: a parameter without a value keeps the previous one.
fn parameters(stack: &Stack, template: &Template, inputs: &Inputs) -> Vec<Parameter> {
    let value = |name: &String| {
        let parameter = Parameter::builder().parameter_key(name);
        match inputs.parameters.get(name) {
            Some(value) => Some(parameter.parameter_value(value).build()),
            None => stack
                .parameters
                .contains_key(name)
                .then(|| parameter.use_previous_value(true).build()),
        }
    };
    template.parameters.keys().filter_map(value).collect()
}

async fn read(cloud: &Cloud, stack: &Stack, id: &str) -> Result<Vec<Change>, PreviewError> {
    let mut changes = Vec::new();
    let mut open = VecDeque::from([(Vec::new(), id.to_owned())]);
    while let Some((above, change_set)) = open.pop_front() {
        for change in finished(cloud, stack, &change_set).await? {
            let name = change.logical_resource_id().unwrap_or_default().to_owned();
            let read = read_change([above.clone(), vec![name]].concat(), &change);
            let nested = change.change_set_id();
            open.extend(nested.map(|nested| (read.path.clone(), nested.to_owned())));
            let removed = (read.action == "Remove" && read.resource_type == STACK_TYPE).then(|| read.path.clone());
            // CloudFormation lists a nested stack as modified whenever something might change in it: its own list says what.
            if nested.is_none() || read.action != "Modify" {
                changes.push(read);
            }
            if let (Some(path), Some(id)) = (removed, change.physical_resource_id()) {
                inside(cloud, id, &path, &mut changes).await?;
            }
        }
    }
    Ok(changes)
}

/// What goes with a nested stack that is removed: CloudFormation makes no change set of it.
async fn inside(cloud: &Cloud, id: &str, path: &[String], changes: &mut Vec<Change>) -> Result<(), CloudError> {
    for resource in cloud.resources(id).await? {
        let path = [path, &[resource.logical_id]].concat();
        if resource.resource_type == STACK_TYPE && !resource.physical_id.is_empty() {
            Box::pin(inside(cloud, &resource.physical_id, &path, changes)).await?;
        }
        changes.push(Change {
            action: "Remove".to_owned(),
            path,
            resource_type: resource.resource_type,
            replacement: Replacement::No,
            policy: String::new(),
            causes: Vec::new(),
        });
    }
    Ok(())
}

/// Waits for a change set and reads all its pages; one without changes counts as read.
async fn finished(cloud: &Cloud, stack: &Stack, id: &str) -> Result<Vec<ResourceChange>, PreviewError> {
    let pause = Duration::from_millis(if cloud.is_local() { 200 } else { 2_000 });
    let first = loop {
        let page = page(cloud, id, None).await?;
        match page.status() {
            Some(ChangeSetStatus::CreatePending | ChangeSetStatus::CreateInProgress) => tokio::time::sleep(pause).await,
            Some(ChangeSetStatus::Failed) => return without_changes(stack, &page),
            _ => break page,
        }
    };
    let mut changes = Vec::new();
    let mut current = first;
    loop {
        changes.extend(
            current
                .changes()
                .iter()
                .filter_map(|change| change.resource_change().cloned()),
        );
        let Some(next) = current.next_token() else {
            return Ok(changes);
        };
        current = page(cloud, id, Some(next)).await?;
    }
}

async fn page(cloud: &Cloud, id: &str, token: Option<&str>) -> Result<DescribeChangeSetOutput, CloudError> {
    let request = cloud
        .cloudformation
        .describe_change_set()
        .change_set_name(id)
        .set_next_token(token.map(str::to_owned));
    request
        .send()
        .await
        .map_err(|error| cloud.explain("to read a change set", &error))
}

fn without_changes(stack: &Stack, page: &DescribeChangeSetOutput) -> Result<Vec<ResourceChange>, PreviewError> {
    let reason = page.status_reason().unwrap_or("no reason given");
    if reason.contains("didn't contain changes") || reason.contains("No updates are to be performed") {
        return Ok(Vec::new());
    }
    Err(PreviewError::Failed {
        stack: stack.name.clone(),
        reason: reason.to_owned(),
    })
}

fn read_change(path: Vec<String>, change: &ResourceChange) -> Change {
    Change {
        action: change
            .action()
            .map(|action| action.as_str().to_owned())
            .unwrap_or_default(),
        path,
        resource_type: change.resource_type().unwrap_or_default().to_owned(),
        replacement: match change.replacement() {
            // No property of a nested stack forces a new one; its resources are listed with their own changes.
            _ if change.resource_type() == Some(STACK_TYPE) => Replacement::No,
            // CloudFormation says so of every change of a custom resource, for its function decides; ours keep what holds data.
            Some(Sdk::Conditional) if change.resource_type().is_some_and(is_custom_resource) => Replacement::No,
            Some(Sdk::True) => Replacement::Yes,
            Some(Sdk::Conditional) => Replacement::Maybe,
            _ => Replacement::No,
        },
        policy: change
            .policy_action()
            .map(|policy| policy.as_str().to_owned())
            .unwrap_or_default(),
        causes: causes(change),
    }
}

fn causes(change: &ResourceChange) -> Vec<String> {
    let is_decided_elsewhere = change
        .resource_type()
        .is_some_and(|kind| kind == STACK_TYPE || is_custom_resource(kind));
    let mut causes: Vec<String> = change
        .details()
        .iter()
        .filter_map(aws_sdk_cloudformation::types::ResourceChangeDetail::target)
        .filter_map(|target| {
            let forces = !is_decided_elsewhere
                && matches!(
                    target.requires_recreation(),
                    Some(RequiresRecreation::Always | RequiresRecreation::Conditionally)
                );
            let name = match target.attribute() {
                Some(ResourceAttribute::Properties) | None => target.name()?.to_owned(),
                Some(attribute) => attribute.as_str().to_owned(),
            };
            Some(if forces { format!("!{name}") } else { name })
        })
        .collect();
    causes.sort();
    causes.dedup();
    causes
}
