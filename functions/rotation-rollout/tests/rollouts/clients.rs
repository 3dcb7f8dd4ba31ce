//! The SDK's clients, answered by a [`State`].

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_ecs::Client as Ecs;
use aws_sdk_ecs::operation::{
    describe_services, describe_task_definition, describe_tasks, list_services, list_tasks, update_service,
};
use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types;
use aws_sdk_lambda::operation::invoke;
use aws_sdk_lambda::primitives::Blob;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use recorded_calls::{Recorder, Refusal, locked_rule};
use rotation::testing::Shelf;
use rotation_rollout::Clients;
use serde_json::{Value, json};

use crate::cluster::{Deployment, State, deployment};

type Shared = Arc<Mutex<State>>;

pub fn clients(shelf: &Arc<Shelf>, state: &Shared) -> Clients {
    let recorder = Recorder::of("rotation-rollout");
    let ecs = [
        services(state),
        described_services(state),
        definition(state),
        tasks(state),
        described_tasks(state),
        update(state),
    ];
    Clients {
        secrets: shelf.client(|config| config.interceptor(Recorder::of("rotation-rollout"))),
        ecs: mock_client!(aws_sdk_ecs, RuleMode::MatchAny, &ecs, |config| {
            config.interceptor(recorder.clone())
        }),
        lambda: mock_client!(aws_sdk_lambda, RuleMode::MatchAny, [&invoked(state)], |config| {
            let config = config.http_client(crate::silence::client(state));
            config.interceptor(recorder.clone())
        }),
    }
}

fn date(time: SystemTime) -> DateTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap();
    DateTime::from_millis(i64::try_from(since.as_millis()).unwrap())
}

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:ecs:eu-central-1:123456789012:{kind}/shop/{name}")
}

fn name(arn: &str) -> String {
    arn.rsplit('/').next().unwrap().to_owned()
}

/// One a page, so that pages are followed.
fn page(all: &[String], token: Option<&str>) -> (Vec<String>, Option<String>) {
    let at: usize = token.map_or(0, |token| token.parse().unwrap());
    let next = (at + 1 < all.len()).then(|| (at + 1).to_string());
    (all.get(at).into_iter().cloned().collect(), next)
}

fn services(state: &Shared) -> Rule {
    let answer = |state: &mut State, input: &list_services::ListServicesInput| {
        state.call("ecs:ListServices")?;
        let all: Vec<_> = state.services.keys().map(|name| arn("service", name)).collect();
        let (arns, next) = page(&all, input.next_token());
        let output = list_services::ListServicesOutput::builder().set_service_arns(Some(arns));
        Ok(output.set_next_token(next).build())
    };
    let error = list_services::ListServicesError::generic;
    locked_rule(mock!(Ecs::list_services), state, answer, error)
}

fn deployed(one: &Deployment) -> types::Deployment {
    types::Deployment::builder()
        .status(if one.primary { "PRIMARY" } else { "ACTIVE" })
        .created_at(date(one.created))
        .rollout_state(one.state.into())
        .build()
}

fn described_services(state: &Shared) -> Rule {
    let answer = |state: &mut State, input: &describe_services::DescribeServicesInput| {
        state.call("ecs:DescribeServices")?;
        let mut output = describe_services::DescribeServicesOutput::builder();
        for arn in input.services() {
            let service = &state.services[&name(arn)];
            let events = service.failures.iter().map(|at| {
                let words = "(service shop) (deployment ecs-svc/1) deployment failed: tasks failed to start.";
                types::ServiceEvent::builder()
                    .created_at(date(*at))
                    .message(words)
                    .build()
            });
            let described = types::Service::builder()
                .service_name(name(arn))
                .status("ACTIVE")
                .task_definition(&service.definition)
                .set_deployments(Some(service.deployments.iter().map(deployed).collect()))
                .set_events(Some(events.collect()));
            output = output.services(described.build());
        }
        Ok(output.build())
    };
    let error = describe_services::DescribeServicesError::generic;
    locked_rule(mock!(Ecs::describe_services), state, answer, error)
}

fn definition(state: &Shared) -> Rule {
    let answer = |state: &mut State, input: &describe_task_definition::DescribeTaskDefinitionInput| {
        state.call("ecs:DescribeTaskDefinition")?;
        let wanted = input.task_definition().unwrap_or_default();
        let missing = || Refusal("ClientException", "Unable to describe task definition.".to_owned());
        let references = state.definitions.get(wanted).ok_or_else(missing)?;
        let mut container = types::ContainerDefinition::builder().name("mautic");
        for reference in references {
            let secret = types::Secret::builder()
                .name("ANY")
                .value_from(reference)
                .build()
                .unwrap();
            container = container.secrets(secret);
        }
        let definition = types::TaskDefinition::builder()
            .container_definitions(container.build())
            .build();
        Ok(describe_task_definition::DescribeTaskDefinitionOutput::builder()
            .task_definition(definition)
            .build())
    };
    let error = describe_task_definition::DescribeTaskDefinitionError::generic;
    locked_rule(mock!(Ecs::describe_task_definition), state, answer, error)
}

fn tasks(state: &Shared) -> Rule {
    let answer = |state: &mut State, input: &list_tasks::ListTasksInput| {
        state.call("ecs:ListTasks")?;
        let desired = input.desired_status().unwrap().as_str().to_owned();
        let listed = state.tasks.iter().filter(|(_, task)| task.desired == desired);
        let all: Vec<_> = listed.map(|(id, _)| arn("task", id)).collect();
        let (arns, next) = page(&all, input.next_token());
        Ok(list_tasks::ListTasksOutput::builder()
            .set_task_arns(Some(arns))
            .set_next_token(next)
            .build())
    };
    let error = list_tasks::ListTasksError::generic;
    locked_rule(mock!(Ecs::list_tasks), state, answer, error)
}

fn described_tasks(state: &Shared) -> Rule {
    let answer = |state: &mut State, input: &describe_tasks::DescribeTasksInput| {
        state.call("ecs:DescribeTasks")?;
        let mut output = describe_tasks::DescribeTasksOutput::builder();
        for arn in input.tasks() {
            let task = &state.tasks[&name(arn)];
            let described = types::Task::builder()
                .task_arn(arn)
                .task_definition_arn(&task.definition)
                .last_status(task.status)
                .created_at(date(task.created));
            output = output.tasks(described.build());
        }
        Ok(output.build())
    };
    let error = describe_tasks::DescribeTasksError::generic;
    locked_rule(mock!(Ecs::describe_tasks), state, answer, error)
}

fn update(state: &Shared) -> Rule {
    let answer = |state: &mut State, input: &update_service::UpdateServiceInput| {
        state.call("ecs:UpdateService")?;
        assert_eq!(
            (input.force_new_deployment(), input.task_definition()),
            (Some(true), None)
        );
        assert_eq!(input.cluster(), Some("shop"));
        let name = input.service().unwrap().to_owned();
        let service = state.services.get_mut(&name).unwrap();
        for one in &mut service.deployments {
            one.primary = false;
        }
        service
            .deployments
            .insert(0, deployment(true, SystemTime::now(), "IN_PROGRESS"));
        state.forced.push(name);
        Ok(update_service::UpdateServiceOutput::builder().build())
    };
    let error = update_service::UpdateServiceError::generic;
    locked_rule(mock!(Ecs::update_service), state, answer, error)
}

fn invoked(state: &Shared) -> Rule {
    let answer = |state: &mut State, input: &invoke::InvokeInput| {
        state.call("lambda:InvokeFunction")?;
        let payload: Value = serde_json::from_slice(input.payload().unwrap().as_ref()).unwrap();
        let wanted = crate::cluster::function(payload["SecretId"].as_str().unwrap());
        assert_eq!(input.function_name(), Some(wanted.as_str()));
        state.retired.push(payload);
        let output = invoke::InvokeOutput::builder().status_code(200);
        let output = match state.answer.unwrap_or(Ok("done")) {
            Ok(outcome) => output.payload(Blob::new(json!({"Outcome": outcome}).to_string())),
            Err(words) => output.function_error("Unhandled").payload(Blob::new(
                json!({"errorType": "NotRotated", "errorMessage": words}).to_string(),
            )),
        };
        Ok(output.build())
    };
    let error = invoke::InvokeError::generic;
    locked_rule(mock!(aws_sdk_lambda::Client::invoke), state, answer, error)
}
