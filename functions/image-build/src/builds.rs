//! The builds of the project in CodeBuild: which there are, and how they ended.

use aws_sdk_codebuild::Client;
use aws_sdk_codebuild::types::{BuildPhase, ProjectEnvironment, SortOrderType, StatusType};
use custom_resource::AwsError;

use crate::properties::Properties;

/// By these names a build learns its tag, and the request that it was started for; and is known by them.
pub(crate) const IMAGE_TAG: &str = "IMAGE_TAG";
pub(crate) const PATCH: &str = "PATCH";
pub(crate) const REQUEST_ID: &str = "REQUEST_ID";

/// A build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// `PROJECT:ID`.
    pub id: String,
    /// The tag of the image that it makes.
    pub tag: String,
    /// CloudFormation's id of the event that it was started for; blank if something else started it.
    pub request_id: String,
    /// How it ended; `None` while it has not.
    pub ending: Option<Ending>,
    /// Where it logs to.
    pub log: Option<Log>,
}

/// How a build ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ending {
    /// `SUCCEEDED`, `FAILED`, `FAULT`, `STOPPED` or `TIMED_OUT`.
    pub status: String,
    /// The phase that did not succeed; blank if all did.
    pub phase: String,
    /// CodeBuild's own words about that phase.
    pub message: String,
}

/// A log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Its group.
    pub group: String,
    /// Its name.
    pub stream: String,
}

impl Build {
    /// Whether it has not ended.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.ending.is_none()
    }

    /// A build that CodeBuild does not show yet: what it lists lags behind what it did.
    pub(crate) fn unseen(id: &str, tag: &str, request_id: &str) -> Self {
        Self {
            id: id.to_owned(),
            tag: tag.to_owned(),
            request_id: request_id.to_owned(),
            ending: None,
            log: None,
        }
    }

    fn of(found: &aws_sdk_codebuild::types::Build) -> Self {
        let variables = found
            .environment()
            .map(ProjectEnvironment::environment_variables)
            .unwrap_or_default();
        let variable = |name: &str| {
            let named = variables.iter().find(|variable| variable.name() == name);
            named.map(|variable| variable.value().to_owned()).unwrap_or_default()
        };
        let log = found.logs().and_then(|logs| {
            Some(Log {
                group: logs.group_name()?.to_owned(),
                stream: logs.stream_name()?.to_owned(),
            })
        });
        Self {
            id: found.id().unwrap_or_default().to_owned(),
            tag: crate::tag::tag(&variable(IMAGE_TAG), &variable(PATCH)),
            request_id: variable(REQUEST_ID),
            ending: ending(found),
            log,
        }
    }
}

fn ending(build: &aws_sdk_codebuild::types::Build) -> Option<Ending> {
    let status = build
        .build_status()
        .filter(|status| **status != StatusType::InProgress)?;
    let failed = build.phases().iter().find(|phase| {
        let status = phase.phase_status();
        status.is_some_and(|status| !matches!(status, StatusType::Succeeded | StatusType::InProgress))
    });
    let contexts = failed.map(BuildPhase::contexts).unwrap_or_default();
    let words = contexts
        .iter()
        .filter_map(|context| match (context.status_code(), context.message()) {
            (Some(code), Some(message)) if !message.is_empty() => Some(format!("{code}: {message}")),
            (Some(code), _) if !code.is_empty() => Some(code.to_owned()),
            (None, Some(message)) if !message.is_empty() => Some(message.to_owned()),
            _ => None,
        });
    Some(Ending {
        status: status.as_str().to_owned(),
        phase: failed
            .and_then(|phase| phase.phase_type())
            .map(|phase| phase.as_str().to_owned())
            .unwrap_or_default(),
        message: words.collect::<Vec<_>>().join(", "),
    })
}

/// The project's latest builds, and the one of the id `known`.
pub(crate) async fn observe(
    client: &Client,
    properties: &Properties,
    known: Option<&str>,
) -> Result<Vec<Build>, AwsError> {
    let project = &properties.project;
    let thing = || format!("project {project}");
    let listed = client
        .list_builds_for_project()
        .project_name(project)
        .sort_order(SortOrderType::Descending)
        .send()
        .await
        .map_err(AwsError::of("codebuild:ListBuildsForProject", thing()))?;
    let mut ids = listed.ids().to_vec();
    // A page holds as many as can be asked for at once.
    ids.truncate(MOST);
    if let Some(known) = known
        && !ids.iter().any(|id| id == known)
    {
        ids.truncate(MOST - 1);
        ids.push(known.to_owned());
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = client.batch_get_builds().set_ids(Some(ids)).send().await;
    let found = found.map_err(AwsError::of("codebuild:BatchGetBuilds", thing()))?;
    Ok(found.builds().iter().map(Build::of).collect())
}

/// The most builds that CodeBuild describes at once.
const MOST: usize = 100;
