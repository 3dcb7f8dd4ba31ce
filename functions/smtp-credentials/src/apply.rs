//! Carries out one step of a plan. Decides nothing.

use std::time::Duration;

use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use custom_resource::{AwsError, Request, is_withdrawn};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use smtp_password::smtp_password;

use crate::error::Error;
use crate::handler::Clients;
use crate::observe::CURRENT;
use crate::plan::Desired;
use crate::properties::UserName;

/// How long after a key was made it may be written: far less than [`crate::plan::GRACE`], after which another delivery
/// takes it for forgotten.
pub const WRITE: Duration = Duration::from_secs(20);

/// What a step works on.
pub(crate) struct Job<'a> {
    pub(crate) clients: &'a Clients,
    pub(crate) request: &'a Request,
    pub(crate) user: &'a UserName,
    pub(crate) secret: &'a str,
    pub(crate) desired: Desired,
    /// Whether a Delete may have come before this event.
    pub(crate) is_create: bool,
}

impl Job<'_> {
    /// Makes a key and writes it. A key that could not be written is deleted again.
    pub(crate) async fn create_key(&self) -> Result<(), Error> {
        let call = self.clients.iam.create_access_key().user_name(self.user.as_str());
        let made = call
            .send()
            .await
            .map_err(AwsError::of("iam:CreateAccessKey", self.thing()))?;
        let Some(key) = made.access_key() else {
            return Ok(());
        };
        let id = key.access_key_id();
        let password = smtp_password(&SecretString::from(key.secret_access_key()), &self.desired.region);
        let written = tokio::time::timeout(WRITE, self.write_if_wanted(id, &password)).await;
        let written = written.unwrap_or_else(|_| {
            Err(Error::NotInTime {
                secret: self.secret.to_owned(),
                seconds: WRITE.as_secs(),
            })
        });
        match written {
            Err(cause) => Err(self.take_back(id, cause).await),
            done => done,
        }
    }

    /// The user's tag is the mark of the key: a Delete that is sent from now on finds it, one that was sent before is seen.
    async fn write_if_wanted(&self, key: &str, password: &SecretString) -> Result<(), Error> {
        if self.is_create && is_withdrawn(&self.clients.stacks, self.request.scope()).await? {
            return Err(Error::Deleted(self.user.to_string()));
        }
        let Desired { host, port, region, .. } = &self.desired;
        let content = json!({
            "username": key, "password": password.expose_secret(), "host": host, "port": port, "region": region,
        });
        self.write(&content).await
    }

    /// Deletes a key that could not be written; gives the error to end with.
    async fn take_back(&self, key: &str, cause: Error) -> Error {
        match self.delete_key(key).await {
            Ok(()) => cause,
            Err(left) => Error::KeyLeft {
                cause: Box::new(cause),
                key: key.to_owned(),
                user: self.user.to_string(),
                left: Box::new(left),
            },
        }
    }

    /// Writes the current content once more with the server that is wanted.
    pub(crate) async fn readdress(&self) -> Result<(), Error> {
        let call = self.clients.secrets.get_secret_value().secret_id(self.secret);
        let found = call.version_stage(CURRENT).send().await;
        let found = found.map_err(AwsError::of("secretsmanager:GetSecretValue", self.secret_thing()))?;
        // What does not read was not planned to be written again.
        let mut content: Map<String, Value> =
            serde_json::from_str(found.secret_string().unwrap_or_default()).unwrap_or_default();
        content.insert("host".to_owned(), json!(self.desired.host));
        content.insert("port".to_owned(), json!(self.desired.port));
        self.write(&Value::Object(content)).await
    }

    /// Under the request's id, so that two deliveries of one event cannot both write.
    async fn write(&self, content: &Value) -> Result<(), Error> {
        let call = self
            .clients
            .secrets
            .put_secret_value()
            .secret_id(self.secret)
            .client_request_token(self.request.request_id())
            .secret_string(content.to_string());
        match call.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ResourceExistsException") => {
                Err(Error::Overtaken(self.secret.to_owned()))
            }
            Err(error) => Err(AwsError::of("secretsmanager:PutSecretValue", self.secret_thing())(error).into()),
        }
    }

    /// Moves the label of the version in use from `from` to `to`.
    pub(crate) async fn restore(&self, from: Option<&str>, to: &str) -> Result<(), Error> {
        let call = self
            .clients
            .secrets
            .update_secret_version_stage()
            .secret_id(self.secret)
            .version_stage(CURRENT)
            .move_to_version_id(to)
            .set_remove_from_version_id(from.map(str::to_owned));
        let moved = call.send().await;
        moved.map_err(AwsError::of(
            "secretsmanager:UpdateSecretVersionStage",
            self.secret_thing(),
        ))?;
        Ok(())
    }

    /// Deletes a key; one that is gone is as well.
    pub(crate) async fn delete_key(&self, key: &str) -> Result<(), AwsError> {
        delete_key(self.clients, self.user, key).await
    }

    fn thing(&self) -> String {
        format!("IAM user {}", self.user)
    }

    fn secret_thing(&self) -> String {
        format!("secret {}", self.secret)
    }
}

/// Deletes a key; one that is gone is as well.
pub(crate) async fn delete_key(clients: &Clients, user: &UserName, key: &str) -> Result<(), AwsError> {
    let call = clients
        .iam
        .delete_access_key()
        .user_name(user.as_str())
        .access_key_id(key);
    match call.send().await {
        Err(error) if error.code() != Some("NoSuchEntity") => {
            let thing = format!("access key {key} of IAM user {user}");
            Err(AwsError::of("iam:DeleteAccessKey", thing)(error))
        }
        _ => Ok(()),
    }
}
