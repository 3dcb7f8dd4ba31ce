//! Reads how secrets, services and tasks stand. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{self, DeploymentRolloutState, DesiredStatus};
use custom_resource::AwsError;
use rotation::Versions;

use crate::plan::{Deployment, Observed, Overlap, Service, State, Task};
use crate::rollout::Clients;
use crate::settings::Settings;

/// ECS describes so many services, and so many tasks, at a time.
const SERVICES: usize = 10;
const TASKS: usize = 100;
/// A task that is there no more. One that is stopping still opens connections.
const ENDED: [&str; 2] = ["STOPPED", "DELETED"];
/// ECS's words in a service's events.
const FAILURE: &str = "deployment failed";
/// A secret's ARN ends with a hyphen and six characters that ECS does not ask for.
const SUFFIX: usize = 7;

/// Everything that a plan depends on. Where no secret is in an overlap, nothing else is looked at.
///
/// # Errors
/// [`AwsError`].
pub async fn observe(clients: &Clients, settings: &Settings) -> Result<Observed, AwsError> {
    let (mut overlaps, mut rotated) = (Vec::new(), BTreeMap::new());
    for secret in settings.rotations.keys() {
        let described = describe(clients, secret).await?;
        overlaps.extend(described.overlap);
        rotated.insert(secret.clone(), described.rotated);
    }
    if overlaps.is_empty() {
        return Ok(Observed {
            rotated,
            ..Observed::default()
        });
    }
    let mut definitions = Definitions {
        ecs: &clients.ecs,
        secrets: overlaps.iter().map(|overlap| overlap.secret.clone()).collect(),
        known: BTreeMap::new(),
    };
    let services = services(clients, settings, &mut definitions).await?;
    let tasks = tasks(clients, settings, &mut definitions).await?;
    Ok(Observed {
        overlaps,
        rotated,
        services,
        tasks,
    })
}

/// How a secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its overlap, if it is in one.
    pub overlap: Option<Overlap>,
    /// When it was last rotated, or else made.
    pub rotated: SystemTime,
}

/// Looks at a secret's labels and dates.
///
/// # Errors
/// [`AwsError`].
pub async fn describe(clients: &Clients, secret: &str) -> Result<Described, AwsError> {
    let described = clients.secrets.describe_secret().secret_id(secret).send().await;
    let described = described.map_err(AwsError::of(
        "secretsmanager:DescribeSecret",
        format!("secret {secret}"),
    ))?;
    let rotated = known(described.last_rotated_date());
    let versions = Versions::of(&described);
    let overlap = match (versions.current(), versions.outgoing()) {
        (Some(current), Some(outgoing)) => {
            let made = made(clients, secret).await?;
            let [current_made, outgoing_made] = [current, outgoing].map(|version| made.get(version).copied());
            let changed = known(described.last_changed_date()).unwrap_or_else(SystemTime::now);
            Some(Overlap {
                secret: secret.to_owned(),
                current: current.to_owned(),
                began: began(changed, rotated, current_made, outgoing_made),
                changed,
            })
        }
        _ => None,
    };
    let rotated = rotated.or_else(|| known(described.created_date()));
    Ok(Described {
        overlap,
        rotated: rotated.unwrap_or_else(SystemTime::now),
    })
}

/// When each version that has a label was made; a secret has a score of them at most.
async fn made(clients: &Clients, secret: &str) -> Result<BTreeMap<String, SystemTime>, AwsError> {
    let listed = clients.secrets.list_secret_version_ids().secret_id(secret).send().await;
    let listed = listed.map_err(AwsError::of(
        "secretsmanager:ListSecretVersionIds",
        format!("secret {secret}"),
    ))?;
    let dated = listed.versions().iter().filter_map(|version| {
        let made = known(version.created_date())?;
        Some((version.version_id()?.to_owned(), made))
    });
    Ok(dated.collect())
}

/// When an overlap began: with the end of a rotation, or with a version that somebody wrote. A label that was moved to an older
/// version leaves no trace but the last change.
fn began(
    changed: SystemTime,
    rotated: Option<SystemTime>,
    current: Option<SystemTime>,
    outgoing: Option<SystemTime>,
) -> SystemTime {
    match current {
        Some(current) if outgoing.is_none_or(|outgoing| outgoing <= current) => {
            rotated.map_or(current, |rotated| rotated.max(current)).min(changed)
        }
        _ => changed,
    }
}

async fn services(
    clients: &Clients,
    settings: &Settings,
    definitions: &mut Definitions<'_>,
) -> Result<Vec<Service>, AwsError> {
    let cluster = &settings.cluster;
    let thing = || format!("cluster {cluster}");
    let mut pages = clients.ecs.list_services().cluster(cluster).into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        arns.extend(
            page.map_err(AwsError::of("ecs:ListServices", thing()))?
                .service_arns
                .unwrap_or_default(),
        );
    }
    let mut found = Vec::new();
    for some in arns.chunks(SERVICES) {
        let call = clients.ecs.describe_services().cluster(cluster);
        let described = call.set_services(Some(some.to_vec())).send().await;
        let described = described.map_err(AwsError::of("ecs:DescribeServices", thing()))?;
        for service in described.services() {
            if service.status() == Some("INACTIVE") {
                continue;
            }
            let definition = service.task_definition().unwrap_or_default();
            found.push(Service {
                name: service.service_name().unwrap_or_default().to_owned(),
                uses: definitions.uses(definition).await?,
                deployments: service.deployments().iter().map(deployment).collect(),
                failures: failures(service),
            });
        }
    }
    Ok(found)
}

fn deployment(deployment: &types::Deployment) -> Deployment {
    let state = match deployment.rollout_state() {
        Some(DeploymentRolloutState::Completed) => State::Completed,
        Some(DeploymentRolloutState::Failed) => State::Failed,
        _ => State::InProgress,
    };
    Deployment {
        is_primary: deployment.status() == Some("PRIMARY"),
        created: time(deployment.created_at()),
        state,
    }
}

fn failures(service: &types::Service) -> Vec<SystemTime> {
    let is_failure = |event: &&types::ServiceEvent| event.message().is_some_and(|text| text.contains(FAILURE));
    let failed = service.events().iter().filter(is_failure);
    failed.map(|event| time(event.created_at())).collect()
}

async fn tasks(
    clients: &Clients,
    settings: &Settings,
    definitions: &mut Definitions<'_>,
) -> Result<Vec<Task>, AwsError> {
    let cluster = &settings.cluster;
    let thing = || format!("cluster {cluster}");
    let mut arns = Vec::new();
    // What is to be stopped goes on for up to two minutes.
    for status in [DesiredStatus::Running, DesiredStatus::Stopped] {
        let call = clients.ecs.list_tasks().cluster(cluster).desired_status(status);
        let mut pages = call.into_paginator().send();
        while let Some(page) = pages.next().await {
            arns.extend(
                page.map_err(AwsError::of("ecs:ListTasks", thing()))?
                    .task_arns
                    .unwrap_or_default(),
            );
        }
    }
    let mut found = Vec::new();
    for some in arns.chunks(TASKS) {
        let call = clients.ecs.describe_tasks().cluster(cluster);
        let described = call.set_tasks(Some(some.to_vec())).send().await;
        let described = described.map_err(AwsError::of("ecs:DescribeTasks", thing()))?;
        for task in described.tasks() {
            if task.last_status().is_some_and(|status| ENDED.contains(&status)) {
                continue;
            }
            let arn = task.task_arn().unwrap_or_default();
            found.push(Task {
                id: arn.rsplit('/').next().unwrap_or(arn).to_owned(),
                uses: definitions.uses(task.task_definition_arn().unwrap_or_default()).await?,
                created: time(task.created_at()),
            });
        }
    }
    Ok(found)
}

/// Without a time, as long ago as can be: whatever has none is waited for.
fn time(date: Option<&DateTime>) -> SystemTime {
    known(date).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn known(date: Option<&DateTime>) -> Option<SystemTime> {
    date.and_then(|date| SystemTime::try_from(*date).ok())
}

/// Which secrets a task definition names; each is read once.
struct Definitions<'a> {
    ecs: &'a aws_sdk_ecs::Client,
    secrets: BTreeSet<String>,
    known: BTreeMap<String, BTreeSet<String>>,
}

impl Definitions<'_> {
    async fn uses(&mut self, arn: &str) -> Result<BTreeSet<String>, AwsError> {
        if let Some(known) = self.known.get(arn) {
            return Ok(known.clone());
        }
        let described = self.ecs.describe_task_definition().task_definition(arn).send().await;
        let used = match described {
            // A definition that was deleted while its task runs may have named any of them.
            Err(error) if error.code() == Some("ClientException") => self.secrets.clone(),
            answer => {
                let thing = format!("task definition {arn}");
                let described = answer.map_err(AwsError::of("ecs:DescribeTaskDefinition", thing))?;
                let containers = described
                    .task_definition()
                    .map(types::TaskDefinition::container_definitions);
                let named: Vec<_> = containers.unwrap_or_default().iter().flat_map(references).collect();
                let is_used = |secret: &&String| named.iter().any(|reference| names(reference, secret));
                self.secrets.iter().filter(is_used).cloned().collect()
            }
        };
        self.known.insert(arn.to_owned(), used.clone());
        Ok(used)
    }
}

fn references(container: &types::ContainerDefinition) -> Vec<String> {
    let options = container
        .log_configuration()
        .map(types::LogConfiguration::secret_options);
    let secrets = container.secrets().iter().chain(options.unwrap_or_default());
    secrets.map(|secret| secret.value_from().to_owned()).collect()
}

/// Whether a reference, `ARN` or `ARN:KEY:LABEL:VERSION`, is to this secret; its ARN may stand there without its suffix.
fn names(reference: &str, secret: &str) -> bool {
    let is = |arn: &str| {
        let rest = reference.strip_prefix(arn);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    is(secret)
        || secret
            .len()
            .checked_sub(SUFFIX)
            .and_then(|end| secret.get(..end))
            .is_some_and(is)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_overlap_begins_with_its_rotation_or_with_the_hand_that_wrote_its_version() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let when = |rotated: Option<u64>, current: Option<u64>, outgoing| {
            began(at(900), rotated.map(at), current.map(at), Some(at(outgoing)))
        };
        assert_eq!(when(Some(520), Some(500), 100), at(520), "a rotation that took 20 s");
        assert_eq!(when(Some(950), Some(500), 100), at(900), "told a moment later");
        assert_eq!(
            when(Some(120), Some(500), 100),
            at(500),
            "written by hand after a rotation"
        );
        assert_eq!(when(None, Some(500), 100), at(500), "or without any");
        assert_eq!(when(Some(520), Some(100), 500), at(900), "moved back");
        assert_eq!(when(Some(520), None, 100), at(900));
    }

    #[test]
    fn a_reference_names_its_secret_with_key_and_without_with_suffix_and_without() {
        let secret = "arn:aws:secretsmanager:eu-central-1:1:secret:Db-AbCdEf";
        for reference in [
            secret,
            "arn:aws:secretsmanager:eu-central-1:1:secret:Db-AbCdEf:password::",
            "arn:aws:secretsmanager:eu-central-1:1:secret:Db",
            "arn:aws:secretsmanager:eu-central-1:1:secret:Db:password:AWSCURRENT:",
        ] {
            assert!(names(reference, secret), "{reference}");
        }
        for reference in [
            "arn:aws:secretsmanager:eu-central-1:1:secret:Db-AbCdEfG",
            "arn:aws:secretsmanager:eu-central-1:1:secret:Dbs-AbCdEf",
            "arn:aws:secretsmanager:eu-central-1:1:secret:Other-AbCdEf:password::",
            "",
        ] {
            assert!(!names(reference, secret), "{reference}");
        }
    }
}
