//! The SDK's clients, answered by a [`Stage`].

use std::sync::Arc;

use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{AccessKey, AccessKeyMetadata, StatusType, Tag};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use recorded_calls::{Recorder, Refusal, rule, stack_resource};
use smtp_credentials::Clients;

use crate::world::{SECRET, Stage, USER};

/// Clients that call the stage.
pub fn clients(stage: &Arc<Stage>) -> Clients {
    let recorder = Recorder::of("smtp-credentials");
    let iam = [list_tags(stage), list_keys(stage), create_key(stage), delete_key(stage)];
    let secrets = [get_value(stage), put_value(stage), move_label(stage)];
    let theirs = Arc::clone(stage);
    let withdrawn = move || theirs.call("cloudformation:DescribeStackResource", |world| Ok(world.withdrawn));
    Clients {
        iam: mock_client!(aws_sdk_iam, RuleMode::MatchAny, &iam, |config| {
            config.interceptor(recorder.clone())
        }),
        secrets: mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, &secrets, |config| {
            config.interceptor(recorder.clone())
        }),
        stacks: mock_client!(
            aws_sdk_cloudformation,
            RuleMode::MatchAny,
            [&stack_resource(withdrawn)],
            |config| config.interceptor(recorder.clone())
        ),
    }
}

fn list_tags(stage: &Arc<Stage>) -> Rule {
    use aws_sdk_iam::operation::list_user_tags as operation;
    let answer = |stage: &Stage, input: &operation::ListUserTagsInput| {
        assert_eq!(input.user_name(), Some(USER));
        let tags = stage.call("iam:ListUserTags", |world| world.existing().cloned())?;
        let tag = |(key, value)| Tag::builder().key(key).value(value).build().expect("a tag");
        let output = operation::ListUserTagsOutput::builder().set_tags(Some(tags.into_iter().map(tag).collect()));
        Ok(output.build().expect("tags"))
    };
    rule(
        mock!(aws_sdk_iam::Client::list_user_tags),
        stage,
        answer,
        operation::ListUserTagsError::generic,
    )
}

fn list_keys(stage: &Arc<Stage>) -> Rule {
    use aws_sdk_iam::operation::list_access_keys as operation;
    let answer = |stage: &Stage, input: &operation::ListAccessKeysInput| {
        assert_eq!(input.user_name(), Some(USER));
        let keys = stage.call("iam:ListAccessKeys", |world| {
            world.existing()?;
            Ok(world.keys.clone())
        })?;
        let metadata = keys.into_iter().map(|key| {
            let status = if key.active {
                StatusType::Active
            } else {
                StatusType::Inactive
            };
            let made = DateTime::from_secs(i64::try_from(key.made).expect("a date"));
            let metadata = AccessKeyMetadata::builder().access_key_id(key.id).status(status);
            metadata.create_date(made).build()
        });
        let output = operation::ListAccessKeysOutput::builder().set_access_key_metadata(Some(metadata.collect()));
        Ok(output.build().expect("keys"))
    };
    rule(
        mock!(aws_sdk_iam::Client::list_access_keys),
        stage,
        answer,
        operation::ListAccessKeysError::generic,
    )
}

fn create_key(stage: &Arc<Stage>) -> Rule {
    use aws_sdk_iam::operation::create_access_key as operation;
    let answer = |stage: &Stage, input: &operation::CreateAccessKeyInput| {
        assert_eq!(input.user_name(), Some(USER));
        let key = stage.call("iam:CreateAccessKey", crate::world::World::make_key)?;
        let made = AccessKey::builder()
            .user_name(USER)
            .access_key_id(key.id)
            .secret_access_key(key.secret)
            .status(StatusType::Active);
        let output = operation::CreateAccessKeyOutput::builder().access_key(made.build().expect("a key"));
        Ok(output.build())
    };
    rule(
        mock!(aws_sdk_iam::Client::create_access_key),
        stage,
        answer,
        operation::CreateAccessKeyError::generic,
    )
}

fn delete_key(stage: &Arc<Stage>) -> Rule {
    use aws_sdk_iam::operation::delete_access_key as operation;
    let answer = |stage: &Stage, input: &operation::DeleteAccessKeyInput| {
        assert_eq!(input.user_name(), Some(USER));
        let id = input.access_key_id().unwrap_or_default();
        stage.call("iam:DeleteAccessKey", |world| world.delete_key(id))?;
        Ok(operation::DeleteAccessKeyOutput::builder().build())
    };
    rule(
        mock!(aws_sdk_iam::Client::delete_access_key),
        stage,
        answer,
        operation::DeleteAccessKeyError::generic,
    )
}

fn get_value(stage: &Arc<Stage>) -> Rule {
    use aws_sdk_secretsmanager::operation::get_secret_value as operation;
    let answer = |stage: &Stage, input: &operation::GetSecretValueInput| {
        assert_eq!(input.secret_id(), Some(SECRET));
        let label = input.version_stage().unwrap_or("AWSCURRENT");
        let missing = Refusal(
            "ResourceNotFoundException",
            "Secrets Manager can't find the specified secret value for staging label".to_owned(),
        );
        let (id, version) = stage.call("secretsmanager:GetSecretValue", |world| {
            let found = world.version(label).ok_or(missing)?;
            Ok((found.0.clone(), found.1.clone()))
        })?;
        let output = operation::GetSecretValueOutput::builder().version_id(id);
        Ok(output.secret_string(version.content).build())
    };
    rule(
        mock!(aws_sdk_secretsmanager::Client::get_secret_value),
        stage,
        answer,
        operation::GetSecretValueError::generic,
    )
}

fn put_value(stage: &Arc<Stage>) -> Rule {
    use aws_sdk_secretsmanager::operation::put_secret_value as operation;
    let answer = |stage: &Stage, input: &operation::PutSecretValueInput| {
        assert_eq!(input.secret_id(), Some(SECRET));
        let (token, content) = (input.client_request_token(), input.secret_string());
        let (token, content) = (token.unwrap_or_default(), content.unwrap_or_default());
        assert!(
            (32..=64).contains(&token.len()),
            "Secrets Manager refuses the token {token}"
        );
        stage.call("secretsmanager:PutSecretValue", |world| world.write(token, content))?;
        Ok(operation::PutSecretValueOutput::builder().build())
    };
    rule(
        mock!(aws_sdk_secretsmanager::Client::put_secret_value),
        stage,
        answer,
        operation::PutSecretValueError::generic,
    )
}

fn move_label(stage: &Arc<Stage>) -> Rule {
    use aws_sdk_secretsmanager::operation::update_secret_version_stage as operation;
    let answer = |stage: &Stage, input: &operation::UpdateSecretVersionStageInput| {
        assert_eq!(
            (input.secret_id(), input.version_stage()),
            (Some(SECRET), Some("AWSCURRENT"))
        );
        let to = input.move_to_version_id().unwrap_or_default();
        stage.call("secretsmanager:UpdateSecretVersionStage", |world| {
            // Moving a label from where it is needs that version's id.
            let from = world.version("AWSCURRENT").map(|(id, _)| id.clone());
            if from.as_deref() != input.remove_from_version_id() {
                return Err(Refusal(
                    "InvalidParameterException",
                    "the label is elsewhere".to_owned(),
                ));
            }
            world.make_current(to)
        })?;
        Ok(operation::UpdateSecretVersionStageOutput::builder().build())
    };
    rule(
        mock!(aws_sdk_secretsmanager::Client::update_secret_version_stage),
        stage,
        answer,
        operation::UpdateSecretVersionStageError::generic,
    )
}
