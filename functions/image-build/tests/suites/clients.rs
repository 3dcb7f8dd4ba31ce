//! The SDK's clients, answered by an [`Account`] in memory.

use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types::OutputLogEvent;
use aws_sdk_codebuild::types::{
    BuildPhase, BuildPhaseType, EnvironmentVariable, LogsLocation, PhaseContext, ProjectEnvironment, SortOrderType,
    SourceType, StatusType,
};
use aws_sdk_codebuild::types::{ComputeType, EnvironmentType};
use aws_sdk_ecr::error::ErrorMetadata;
use aws_sdk_ecr::types::ImageDetail;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use image_build::{Clients, context};
use recorded_calls::{Recorder, Refusal, locked_rule, stack_resource};

use crate::account::{Account, BUCKET, Build, LOG_GROUP, PROJECT, REPOSITORY, Shared, lock};

/// Clients of this account.
pub fn clients(account: &Shared) -> Clients {
    let recorder = Recorder::of("image-build");
    let builds = [list(account), describe(account), start(account), stop(account)];
    let bucket = [put(account), list_objects(account), delete(account)];
    let theirs = Arc::clone(account);
    let withdrawn = move || {
        let mut account = lock(&theirs);
        account.call("cloudformation:DescribeStackResource")?;
        Ok(account.withdrawn)
    };
    Clients {
        builds: mock_client!(aws_sdk_codebuild, RuleMode::MatchAny, &builds, |config| {
            config.interceptor(recorder.clone())
        }),
        images: mock_client!(aws_sdk_ecr, RuleMode::MatchAny, [&images(account)], |config| {
            config.interceptor(recorder.clone())
        }),
        bucket: mock_client!(aws_sdk_s3, RuleMode::MatchAny, &bucket, |config| {
            config.interceptor(recorder.clone())
        }),
        logs: mock_client!(
            aws_sdk_cloudwatchlogs,
            RuleMode::MatchAny,
            [&events(account)],
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

fn list(account: &Shared) -> Rule {
    use aws_sdk_codebuild::operation::list_builds_for_project as operation;
    let answer = |account: &mut Account, input: &operation::ListBuildsForProjectInput| {
        assert_eq!(
            (input.project_name(), input.sort_order()),
            (Some(PROJECT), Some(&SortOrderType::Descending))
        );
        account.call("codebuild:ListBuildsForProject")?;
        let ids = account.listed();
        Ok(operation::ListBuildsForProjectOutput::builder()
            .set_ids(Some(ids))
            .build())
    };
    let error = |meta: ErrorMetadata| operation::ListBuildsForProjectError::generic(meta);
    locked_rule(
        mock!(aws_sdk_codebuild::Client::list_builds_for_project),
        account,
        answer,
        error,
    )
}

fn describe(account: &Shared) -> Rule {
    use aws_sdk_codebuild::operation::batch_get_builds as operation;
    let answer = |account: &mut Account, input: &operation::BatchGetBuildsInput| {
        assert!((1..=100).contains(&input.ids().len()), "{:?}", input.ids());
        account.call("codebuild:BatchGetBuilds")?;
        let builds = account.described(&input.ids().iter().collect());
        let builds = builds.iter().map(described).collect();
        Ok(operation::BatchGetBuildsOutput::builder()
            .set_builds(Some(builds))
            .build())
    };
    let error = |meta: ErrorMetadata| operation::BatchGetBuildsError::generic(meta);
    locked_rule(
        mock!(aws_sdk_codebuild::Client::batch_get_builds),
        account,
        answer,
        error,
    )
}

fn described(build: &Build) -> aws_sdk_codebuild::types::Build {
    let variables = build.variables.iter().map(|(name, value)| {
        let variable = EnvironmentVariable::builder().name(name).value(value).build();
        variable.expect("a variable")
    });
    let environment = ProjectEnvironment::builder()
        .r#type(EnvironmentType::ArmContainer)
        .image("aws/codebuild/amazonlinux-aarch64-standard:3.0")
        .compute_type(ComputeType::BuildGeneral1Small)
        .set_environment_variables(Some(variables.collect()));
    let phase = |kind: BuildPhaseType, status: StatusType| BuildPhase::builder().phase_type(kind).phase_status(status);
    let mut phases = vec![phase(BuildPhaseType::Submitted, StatusType::Succeeded).build()];
    if !build.phase.is_empty() {
        let mut failed = phase(build.phase.into(), build.status.unwrap_or_default().into());
        if let Some((code, message)) = build.message.split_once(": ") {
            failed = failed.contexts(PhaseContext::builder().status_code(code).message(message).build());
        }
        phases.push(failed.build());
    }
    let stream = build.id.rsplit(':').next().unwrap_or_default().to_owned();
    aws_sdk_codebuild::types::Build::builder()
        .id(&build.id)
        .build_status(build.status.unwrap_or("IN_PROGRESS").into())
        .environment(environment.build().expect("an environment"))
        .set_phases(Some(phases))
        .logs(
            LogsLocation::builder()
                .group_name(LOG_GROUP)
                .stream_name(stream)
                .build(),
        )
        .build()
}

fn start(account: &Shared) -> Rule {
    use aws_sdk_codebuild::operation::start_build as operation;
    let answer = |account: &mut Account, input: &operation::StartBuildInput| {
        assert_eq!(
            (input.project_name(), input.source_type_override()),
            (Some(PROJECT), Some(&SourceType::S3))
        );
        let source = input.source_location_override().unwrap_or_default();
        let key = source.strip_prefix(BUCKET).and_then(|key| key.strip_prefix('/'));
        assert!(
            account.objects.contains_key(key.expect("in the bucket")),
            "the build's context {source} is not in the bucket"
        );
        account.call("codebuild:StartBuild")?;
        let variables = input.environment_variables_override().iter();
        let variables = variables.map(|variable| (variable.name().to_owned(), variable.value().to_owned()));
        let id = account.start(input.idempotency_token().expect("a token"), source, variables.collect());
        let build = aws_sdk_codebuild::types::Build::builder().id(id).build();
        Ok(operation::StartBuildOutput::builder().build_value(build).build())
    };
    let error = |meta: ErrorMetadata| operation::StartBuildError::generic(meta);
    locked_rule(mock!(aws_sdk_codebuild::Client::start_build), account, answer, error)
}

fn stop(account: &Shared) -> Rule {
    use aws_sdk_codebuild::operation::stop_build as operation;
    let answer = |account: &mut Account, input: &operation::StopBuildInput| {
        account.call("codebuild:StopBuild")?;
        account.end(input.id().expect("an id"), "STOPPED", "BUILD", "");
        Ok(operation::StopBuildOutput::builder().build())
    };
    let error = |meta: ErrorMetadata| operation::StopBuildError::generic(meta);
    locked_rule(mock!(aws_sdk_codebuild::Client::stop_build), account, answer, error)
}

fn images(account: &Shared) -> Rule {
    use aws_sdk_ecr::operation::describe_images as operation;
    let answer = |account: &mut Account, input: &operation::DescribeImagesInput| {
        assert_eq!(input.repository_name(), Some(REPOSITORY));
        let [image] = input.image_ids() else {
            panic!("{:?}", input.image_ids())
        };
        account.call("ecr:DescribeImages")?;
        let found = account.images.get(image.image_tag().expect("a tag"));
        let missing = || Refusal("ImageNotFoundException", "The image does not exist.".to_owned());
        let image = ImageDetail::builder().image_digest(found.ok_or_else(missing)?).build();
        Ok(operation::DescribeImagesOutput::builder().image_details(image).build())
    };
    let error = |meta: ErrorMetadata| operation::DescribeImagesError::generic(meta);
    locked_rule(mock!(aws_sdk_ecr::Client::describe_images), account, answer, error)
}

fn put(account: &Shared) -> Rule {
    use aws_sdk_s3::operation::put_object as operation;
    let answer = |account: &mut Account, input: &operation::PutObjectInput| {
        assert_eq!(input.bucket(), Some(BUCKET));
        account.call("s3:PutObject")?;
        assert_eq!(input.body().bytes(), Some(context::ARCHIVE));
        let key = input.key().expect("a key").to_owned();
        account.objects.insert(key, context::ARCHIVE.len());
        Ok(operation::PutObjectOutput::builder().build())
    };
    let error = |meta: ErrorMetadata| operation::PutObjectError::generic(meta);
    locked_rule(mock!(aws_sdk_s3::Client::put_object), account, answer, error)
}

fn list_objects(account: &Shared) -> Rule {
    use aws_sdk_s3::operation::list_objects_v2 as operation;
    let answer = |account: &mut Account, input: &operation::ListObjectsV2Input| {
        assert_eq!((input.bucket(), input.prefix()), (Some(BUCKET), Some("contexts/")));
        account.call("s3:ListBucket")?;
        // A page of two.
        let keys: Vec<_> = account
            .objects
            .keys()
            .filter(|key| key.starts_with("contexts/"))
            .collect();
        let objects = keys
            .iter()
            .take(2)
            .map(|key| aws_sdk_s3::types::Object::builder().key(*key).build());
        Ok(operation::ListObjectsV2Output::builder()
            .set_contents(Some(objects.collect()))
            .is_truncated(keys.len() > 2)
            .build())
    };
    let error = |meta: ErrorMetadata| operation::ListObjectsV2Error::generic(meta);
    locked_rule(mock!(aws_sdk_s3::Client::list_objects_v2), account, answer, error)
}

fn delete(account: &Shared) -> Rule {
    use aws_sdk_s3::operation::delete_object as operation;
    let answer = |account: &mut Account, input: &operation::DeleteObjectInput| {
        assert_eq!(input.bucket(), Some(BUCKET));
        account.call("s3:DeleteObject")?;
        account.objects.remove(input.key().expect("a key"));
        Ok(operation::DeleteObjectOutput::builder().build())
    };
    let error = |meta: ErrorMetadata| operation::DeleteObjectError::generic(meta);
    locked_rule(mock!(aws_sdk_s3::Client::delete_object), account, answer, error)
}

fn events(account: &Shared) -> Rule {
    use aws_sdk_cloudwatchlogs::operation::get_log_events as operation;
    let answer = |account: &mut Account, input: &operation::GetLogEventsInput| {
        assert_eq!(input.log_group_name(), Some(LOG_GROUP));
        account.call("logs:GetLogEvents")?;
        let id = format!("{PROJECT}:{}", input.log_stream_name().unwrap_or_default());
        let missing = || {
            Refusal(
                "ResourceNotFoundException",
                "The specified log stream does not exist.".to_owned(),
            )
        };
        let lines = account.lines.get(&id).ok_or_else(missing)?;
        let events = lines.iter().map(|line| OutputLogEvent::builder().message(line).build());
        Ok(operation::GetLogEventsOutput::builder()
            .set_events(Some(events.collect()))
            .build())
    };
    let error = |meta: ErrorMetadata| operation::GetLogEventsError::generic(meta);
    locked_rule(
        mock!(aws_sdk_cloudwatchlogs::Client::get_log_events),
        account,
        answer,
        error,
    )
}
