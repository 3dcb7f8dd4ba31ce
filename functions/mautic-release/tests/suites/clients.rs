//! The SDK's clients, answered by an [`Ecs`](crate::ecs::Ecs) in memory and by the test's secrets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_sdk_cloudwatchlogs::types::OutputLogEvent;
use aws_sdk_ecs::error::ErrorMetadata;
use aws_sdk_ecs::operation::run_task::{RunTaskError, RunTaskInput, RunTaskOutput};
use aws_sdk_ecs::types::error::ConflictException;
use aws_sdk_ecs::types::{
    AssignPublicIp, Container, ContainerOverride, DesiredStatus, Failure, LaunchType, TaskOverride,
};
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use mautic_release::Clients;
use recorded_calls::{Recorder, Refusal, locked_rule, stack_resource};
use serde_json::json;

use crate::ecs::{CLUSTER, Ecs, FAMILY, Shared, Task, lock};
use crate::world::{DEFINITION, LOG_GROUP, Starter};

pub type Secrets = Arc<Mutex<HashMap<String, String>>>;

/// Clients of this ECS and these secrets; `starter` is told of every task that was started.
pub fn clients(ecs: &Shared, secrets: &Secrets, starter: &Starter) -> Clients {
    let recorder = Recorder::of("mautic-release");
    let tasks = [run(ecs, starter), list(ecs), describe(ecs), stop(ecs)];
    let theirs = Arc::clone(ecs);
    let withdrawn = move || {
        let mut ecs = lock(&theirs);
        ecs.call("cloudformation:DescribeStackResource")?;
        Ok(ecs.withdrawn)
    };
    Clients {
        ecs: mock_client!(aws_sdk_ecs, RuleMode::MatchAny, &tasks, |config| {
            config.interceptor(recorder.clone())
        }),
        logs: mock_client!(aws_sdk_cloudwatchlogs, RuleMode::MatchAny, [&events(ecs)], |config| {
            config.interceptor(recorder.clone())
        }),
        secrets: mock_client!(
            aws_sdk_secretsmanager,
            RuleMode::MatchAny,
            [&secret(ecs, secrets)],
            |config| { config.interceptor(recorder.clone()) }
        ),
        stacks: mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            [&stack_resource(withdrawn)],
            |config| { config.interceptor(recorder.clone()) }
        ),
    }
}

fn run(ecs: &Shared, starter: &Starter) -> Rule {
    let (ecs, starter) = (Arc::clone(ecs), Arc::clone(starter));
    mock!(aws_sdk_ecs::Client::run_task).then_compute_response(move |input: &RunTaskInput| {
        let (command, release) = checked(input);
        let mut shared = lock(&ecs);
        if let Err(Refusal(code, message)) = shared.call("ecs:RunTask") {
            let meta = ErrorMetadata::builder().code(code).message(message).build();
            return MockResponse::Error(RunTaskError::generic(meta));
        }
        if !shared.no_place.is_empty() {
            let (reason, detail) = shared.no_place.remove(0);
            let failure = Failure::builder()
                .reason(reason)
                .set_detail((!detail.is_empty()).then(|| detail.to_owned()));
            return MockResponse::Output(RunTaskOutput::builder().failures(failure.build()).build());
        }
        let asked = json!([input.task_definition(), command]);
        let (token, by) = (
            input.client_token().unwrap_or_default(),
            input.started_by().unwrap_or_default(),
        );
        match shared.run(token, by, &asked, command) {
            (Ok(arn), new) => {
                if new {
                    starter(&arn, &release);
                }
                let task = aws_sdk_ecs::types::Task::builder()
                    .task_arn(arn)
                    .last_status("PROVISIONING");
                MockResponse::Output(RunTaskOutput::builder().tasks(task.build()).build())
            }
            (Err(arns), _) => {
                let conflict = ConflictException::builder().set_resource_ids(Some(arns)).build();
                MockResponse::Error(RunTaskError::ConflictException(conflict))
            }
        }
    })
}

/// What every call must ask for; gives the command and the release's id.
fn checked(input: &RunTaskInput) -> (Vec<String>, String) {
    assert_eq!(
        (input.cluster(), input.task_definition()),
        (Some(CLUSTER), Some(DEFINITION))
    );
    assert_eq!(
        (input.launch_type(), input.count()),
        (Some(&LaunchType::Fargate), Some(1))
    );
    let network = input
        .network_configuration()
        .and_then(|network| network.awsvpc_configuration())
        .expect("a network");
    assert_eq!(network.subnets(), ["subnet-1", "subnet-2"]);
    assert_eq!(network.security_groups(), ["sg-1"]);
    assert_eq!(network.assign_public_ip(), Some(&AssignPublicIp::Disabled));
    let [container] = input.overrides().expect("overrides").container_overrides() else {
        panic!("{:?}", input.overrides())
    };
    assert_eq!(container.name(), Some("release"));
    let [variable] = container.environment() else {
        panic!("{:?}", container.environment())
    };
    assert_eq!(variable.name(), Some("RELEASE_ID"));
    assert_eq!(container.command().first().map(String::as_str), Some("release"));
    (
        container.command().to_vec(),
        variable.value().unwrap_or_default().to_owned(),
    )
}

fn list(ecs: &Shared) -> Rule {
    use aws_sdk_ecs::operation::list_tasks as operation;
    let answer = |ecs: &mut Ecs, input: &operation::ListTasksInput| {
        assert_eq!((input.cluster(), input.family()), (Some(CLUSTER), Some(FAMILY)));
        ecs.call("ecs:ListTasks")?;
        let arns = ecs.listed(input.desired_status() == Some(&DesiredStatus::Stopped));
        Ok(operation::ListTasksOutput::builder().set_task_arns(Some(arns)).build())
    };
    locked_rule(
        mock!(aws_sdk_ecs::Client::list_tasks),
        ecs,
        answer,
        operation::ListTasksError::generic,
    )
}

fn describe(ecs: &Shared) -> Rule {
    use aws_sdk_ecs::operation::describe_tasks as operation;
    let answer = |ecs: &mut Ecs, input: &operation::DescribeTasksInput| {
        assert_eq!(input.cluster(), Some(CLUSTER));
        ecs.call("ecs:DescribeTasks")?;
        let tasks = ecs.described(input.tasks()).into_iter().map(described).collect();
        Ok(operation::DescribeTasksOutput::builder().set_tasks(Some(tasks)).build())
    };
    locked_rule(
        mock!(aws_sdk_ecs::Client::describe_tasks),
        ecs,
        answer,
        operation::DescribeTasksError::generic,
    )
}

fn described(task: Task) -> aws_sdk_ecs::types::Task {
    let command = ContainerOverride::builder()
        .name("release")
        .set_command(Some(task.command));
    let sidecar = Container::builder().name("sidecar").exit_code(0);
    let mut container = Container::builder().name("release").set_exit_code(task.exit_code);
    if !task.container_reason.is_empty() {
        container = container.reason(task.container_reason);
    }
    let described = aws_sdk_ecs::types::Task::builder()
        .task_arn(task.arn)
        .started_by(task.started_by)
        .overrides(TaskOverride::builder().container_overrides(command.build()).build())
        .last_status(if task.stopped { "STOPPED" } else { "RUNNING" })
        .containers(sidecar.build())
        .containers(container.build());
    if task.stopped {
        return described.stopped_reason(task.stopped_reason).build();
    }
    described.build()
}

fn stop(ecs: &Shared) -> Rule {
    use aws_sdk_ecs::operation::stop_task as operation;
    let answer = |ecs: &mut Ecs, input: &operation::StopTaskInput| {
        assert_eq!(input.cluster(), Some(CLUSTER));
        ecs.call("ecs:StopTask")?;
        ecs.end(
            input.task().unwrap_or_default(),
            None,
            input.reason().unwrap_or_default(),
        );
        Ok(operation::StopTaskOutput::builder().build())
    };
    locked_rule(
        mock!(aws_sdk_ecs::Client::stop_task),
        ecs,
        answer,
        operation::StopTaskError::generic,
    )
}

fn events(ecs: &Shared) -> Rule {
    use aws_sdk_cloudwatchlogs::operation::get_log_events as operation;
    let answer = |ecs: &mut Ecs, input: &operation::GetLogEventsInput| {
        assert_eq!(
            (input.log_group_name(), input.start_from_head()),
            (Some(LOG_GROUP), Some(false))
        );
        ecs.call("logs:GetLogEvents")?;
        let id = input
            .log_stream_name()
            .and_then(|stream| stream.strip_prefix("release/release/"))
            .unwrap_or_default();
        let missing = || {
            Refusal(
                "ResourceNotFoundException",
                "The specified log stream does not exist.".to_owned(),
            )
        };
        let lines = ecs.lines.get(id).ok_or_else(missing)?;
        let most = usize::try_from(input.limit().unwrap_or_default()).expect("a limit");
        let last = &lines[lines.len().saturating_sub(most)..];
        let events = last
            .iter()
            .map(|line| OutputLogEvent::builder().message(line).build())
            .collect();
        Ok(operation::GetLogEventsOutput::builder()
            .set_events(Some(events))
            .build())
    };
    let error = |meta: ErrorMetadata| operation::GetLogEventsError::generic(meta);
    locked_rule(
        mock!(aws_sdk_cloudwatchlogs::Client::get_log_events),
        ecs,
        answer,
        error,
    )
}

fn secret(ecs: &Shared, secrets: &Secrets) -> Rule {
    use aws_sdk_secretsmanager::operation::get_secret_value as operation;
    let secrets = Arc::clone(secrets);
    let answer = move |ecs: &mut Ecs, input: &operation::GetSecretValueInput| {
        ecs.call("secretsmanager:GetSecretValue")?;
        let known = secrets.lock().expect("no panic before");
        let text = input.secret_id().and_then(|arn| known.get(arn)).cloned();
        Ok(operation::GetSecretValueOutput::builder()
            .set_secret_string(text)
            .build())
    };
    let error = |meta: ErrorMetadata| operation::GetSecretValueError::generic(meta);
    locked_rule(
        mock!(aws_sdk_secretsmanager::Client::get_secret_value),
        ecs,
        answer,
        error,
    )
}
