//! The calls to Secrets Manager. Decides nothing.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use custom_resource::AwsError;

use crate::versions::{CURRENT, PENDING, RETIRED, Versions};

/// One secret.
pub(crate) struct Store<'a> {
    pub(crate) client: &'a Client,
    pub(crate) arn: &'a str,
}

/// How writing a version ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Written,
    /// The version holds something else already.
    Overtaken,
}

impl Store<'_> {
    pub(crate) async fn versions(&self) -> Result<Versions, AwsError> {
        let call = self.client.describe_secret().secret_id(self.arn);
        let found = call.send().await;
        let found = found.map_err(AwsError::of("secretsmanager:DescribeSecret", self.thing()))?;
        Ok(Versions::of(&found))
    }

    pub(crate) async fn current(&self) -> Result<(String, String), AwsError> {
        let call = self
            .client
            .get_secret_value()
            .secret_id(self.arn)
            .version_stage(CURRENT);
        let found = call.send().await;
        let found = found.map_err(AwsError::of("secretsmanager:GetSecretValue", self.thing()))?;
        let text = found.secret_string().unwrap_or_default();
        Ok((found.version_id().unwrap_or_default().to_owned(), text.to_owned()))
    }

    /// What the pending version holds; `None` if nothing was written yet.
    pub(crate) async fn pending(&self, version: &str) -> Result<Option<String>, AwsError> {
        let call = self.client.get_secret_value().secret_id(self.arn);
        match call.version_id(version).version_stage(PENDING).send().await {
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            answer => {
                let found = answer.map_err(AwsError::of("secretsmanager:GetSecretValue", self.thing()))?;
                Ok(Some(found.secret_string().unwrap_or_default().to_owned()))
            }
        }
    }

    /// Under the version's own id, so that two deliveries of one event cannot both write.
    pub(crate) async fn put(&self, version: &str, text: String) -> Result<Put, AwsError> {
        let call = self
            .client
            .put_secret_value()
            .secret_id(self.arn)
            .client_request_token(version)
            .version_stages(PENDING)
            .secret_string(text);
        match call.send().await {
            Ok(_) => Ok(Put::Written),
            Err(error) if error.code() == Some("ResourceExistsException") => Ok(Put::Overtaken),
            Err(error) => Err(AwsError::of("secretsmanager:PutSecretValue", self.thing())(error)),
        }
    }

    pub(crate) async fn promote(&self, from: &str, to: &str) -> Result<(), AwsError> {
        self.move_label(CURRENT, Some(from), to).await
    }

    pub(crate) async fn mark_retired(&self, from: Option<&str>, to: &str) -> Result<(), AwsError> {
        self.move_label(RETIRED, from, to).await
    }

    async fn move_label(&self, label: &str, from: Option<&str>, to: &str) -> Result<(), AwsError> {
        let call = self
            .client
            .update_secret_version_stage()
            .secret_id(self.arn)
            .version_stage(label)
            .move_to_version_id(to)
            .set_remove_from_version_id(from.map(str::to_owned));
        let moved = call.send().await;
        moved.map_err(AwsError::of("secretsmanager:UpdateSecretVersionStage", self.thing()))?;
        Ok(())
    }

    fn thing(&self) -> String {
        format!("secret {}", self.arn)
    }
}
