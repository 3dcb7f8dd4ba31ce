//! The SDK's client, answered by a [`Shelf`].

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use aws_sdk_secretsmanager::operation::{
    describe_secret, get_secret_value, list_secret_version_ids, put_secret_value, update_secret_version_stage,
};
use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::SecretVersionsListEntry;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use recorded_calls::rule;

use super::{Shelf, refusal};
use crate::versions::CURRENT;

impl Shelf {
    /// A client that calls this shelf; `configure` may add an interceptor.
    #[must_use]
    pub fn client(self: &Arc<Self>, configure: impl Fn(Builder) -> Builder) -> Client {
        let rules = [describe(self), list(self), get(self), put(self), update_stage(self)];
        mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, &rules, configure)
    }
}

fn describe(shelf: &Arc<Shelf>) -> Rule {
    let answer = |shelf: &Shelf, input: &describe_secret::DescribeSecretInput| {
        let arn = input.secret_id().unwrap_or_default();
        let held = shelf.call("secretsmanager:DescribeSecret", arn, |held| Ok(held.clone()))?;
        let listed = held.versions.into_iter();
        let listed = listed.map(|(id, version)| (id, version.labels.into_iter().collect()));
        let output = describe_secret::DescribeSecretOutput::builder()
            .arn(arn)
            .rotation_enabled(held.rotates)
            .set_version_ids_to_stages(Some(listed.collect()))
            .set_created_date(held.created.map(DateTime::from))
            .set_last_changed_date(held.changed.map(DateTime::from))
            .set_last_rotated_date(held.rotated.map(DateTime::from));
        Ok(output.build())
    };
    let error = describe_secret::DescribeSecretError::generic;
    rule(mock!(Client::describe_secret), shelf, answer, error)
}

fn list(shelf: &Arc<Shelf>) -> Rule {
    let answer = |shelf: &Shelf, input: &list_secret_version_ids::ListSecretVersionIdsInput| {
        let arn = input.secret_id().unwrap_or_default();
        let held = shelf.call("secretsmanager:ListSecretVersionIds", arn, |held| Ok(held.clone()))?;
        let listed = held.versions.into_iter().map(|(id, version)| {
            SecretVersionsListEntry::builder()
                .version_id(id)
                .set_created_date(version.made.map(DateTime::from))
                .build()
        });
        Ok(list_secret_version_ids::ListSecretVersionIdsOutput::builder()
            .arn(arn)
            .set_versions(Some(listed.collect()))
            .build())
    };
    let error = list_secret_version_ids::ListSecretVersionIdsError::generic;
    rule(mock!(Client::list_secret_version_ids), shelf, answer, error)
}

fn get(shelf: &Arc<Shelf>) -> Rule {
    let answer = |shelf: &Shelf, input: &get_secret_value::GetSecretValueInput| {
        let arn = input.secret_id().unwrap_or_default();
        let label = input.version_stage().unwrap_or(CURRENT);
        let missing = || {
            let words = "Secrets Manager can't find the specified secret value for staging label";
            refusal("ResourceNotFoundException", words)
        };
        let (id, text) = shelf.call("secretsmanager:GetSecretValue", arn, |held| {
            let id = held.at(label).ok_or_else(missing)?;
            if input.version_id().is_some_and(|wanted| wanted != id) {
                return Err(refusal(
                    "InvalidRequestException",
                    "you provided a version that lacks the staging label",
                ));
            }
            let text = held.versions.get(&id).and_then(|version| version.text.clone());
            Ok((id, text.ok_or_else(missing)?))
        })?;
        Ok(get_secret_value::GetSecretValueOutput::builder()
            .version_id(id)
            .secret_string(text)
            .build())
    };
    let error = get_secret_value::GetSecretValueError::generic;
    rule(mock!(Client::get_secret_value), shelf, answer, error)
}

fn put(shelf: &Arc<Shelf>) -> Rule {
    let answer = |shelf: &Shelf, input: &put_secret_value::PutSecretValueInput| {
        let arn = input.secret_id().unwrap_or_default();
        let (token, text) = (input.client_request_token(), input.secret_string());
        let (token, text) = (token.unwrap_or_default(), text.unwrap_or_default());
        shelf.call("secretsmanager:PutSecretValue", arn, |held| {
            held.put(token, text, input.version_stages())
        })?;
        Ok(put_secret_value::PutSecretValueOutput::builder().build())
    };
    let error = put_secret_value::PutSecretValueError::generic;
    rule(mock!(Client::put_secret_value), shelf, answer, error)
}

fn update_stage(shelf: &Arc<Shelf>) -> Rule {
    let answer = |shelf: &Shelf, input: &update_secret_version_stage::UpdateSecretVersionStageInput| {
        let arn = input.secret_id().unwrap_or_default();
        let (label, to) = (input.version_stage(), input.move_to_version_id());
        let (label, to) = (label.unwrap_or_default(), to.unwrap_or_default());
        shelf.call("secretsmanager:UpdateSecretVersionStage", arn, |held| {
            held.update_stage(label, to, input.remove_from_version_id())
        })?;
        Ok(update_secret_version_stage::UpdateSecretVersionStageOutput::builder().build())
    };
    let error = update_secret_version_stage::UpdateSecretVersionStageError::generic;
    rule(mock!(Client::update_secret_version_stage), shelf, answer, error)
}
