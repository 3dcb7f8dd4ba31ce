//! The target of the rotation: an IAM user's access keys.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_iam::Client;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::StatusType;
use custom_resource::AwsError;
use rotation::{Retirement, RotationTarget, Secret};
use secrecy::{ExposeSecret, SecretString};
use smtp_password::smtp_password;
use tracing::info;

use crate::error::Error;
use crate::plan::{Key, Step, plan, superfluous};
use crate::server::SmtpServers;

/// The mail user.
#[derive(Clone)]
pub struct MailUser {
    iam: Client,
    name: String,
    server: SmtpServers,
}

impl MailUser {
    /// The IAM user of this name, whose keys are proved at their `server`.
    #[must_use]
    pub fn new(iam: Client, name: &str, server: SmtpServers) -> Self {
        Self {
            iam,
            name: name.to_owned(),
            server,
        }
    }

    fn thing(&self) -> String {
        format!("IAM user {}", self.name)
    }

    async fn keys(&self) -> Result<Vec<Key>, AwsError> {
        let listed = self.iam.list_access_keys().user_name(&self.name).send().await;
        let listed = listed.map_err(AwsError::of("iam:ListAccessKeys", self.thing()))?;
        let keys = listed.access_key_metadata().iter().filter_map(|key| {
            let made = key.create_date().and_then(|date| u64::try_from(date.secs()).ok());
            Some(Key {
                id: key.access_key_id()?.to_owned(),
                is_active: key.status() == Some(&StatusType::Active),
                made: made.unwrap_or_default(),
            })
        });
        Ok(keys.collect())
    }

    /// A key's id and its secret, which IAM shows once.
    async fn create(&self) -> Result<(String, SecretString), Error> {
        let made = self.iam.create_access_key().user_name(&self.name).send().await;
        let made = made.map_err(AwsError::of("iam:CreateAccessKey", self.thing()))?;
        let key = made.access_key().ok_or_else(|| Error::NoKey(self.name.clone()))?;
        Ok((key.access_key_id().to_owned(), key.secret_access_key().into()))
    }

    /// One that is gone is as well.
    async fn delete(&self, key: &str) -> Result<(), AwsError> {
        info!(user = self.name, key, "deleting the access key");
        let call = self.iam.delete_access_key().user_name(&self.name).access_key_id(key);
        match call.send().await {
            Err(error) if error.code() != Some("NoSuchEntity") => {
                let thing = format!("access key {key} of IAM user {}", self.name);
                Err(AwsError::of("iam:DeleteAccessKey", thing)(error))
            }
            _ => Ok(()),
        }
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

impl RotationTarget for MailUser {
    type Error = Error;

    async fn make(&self, current: &Secret) -> Result<Secret, Error> {
        let region = current.text("region")?;
        let in_use = current.username()?;
        loop {
            match plan(&self.keys().await?, in_use, now()) {
                Step::Create => break,
                Step::Delete(orphan) => self.delete(&orphan).await?,
                Step::Wait(key) => {
                    let user = self.name.clone();
                    return Err(Error::Busy { user, key });
                }
            }
        }
        let (key, secret) = self.create().await?;
        info!(user = self.name, key, "made an access key");
        let password = smtp_password(&secret, region);
        Ok(current
            .with("username", &key)
            .with("password", password.expose_secret()))
    }

    async fn take_back(&self, made: &Secret) -> Result<(), Error> {
        Ok(self.delete(made.username()?).await?)
    }

    /// A key is good from the moment when it is made.
    async fn install(&self, _current: &Secret, _pending: &Secret) -> Result<(), Error> {
        Ok(())
    }

    async fn prove(&self, pending: &Secret) -> Result<(), Error> {
        self.server.sign_in(pending).await
    }

    async fn retire(&self, current: &Secret, pending: Option<&Secret>) -> Result<Retirement, Error> {
        let in_use = current.username()?;
        let keys = self.keys().await?;
        if !keys.iter().any(|key| key.id == in_use && key.is_active) {
            return Err(Error::WrongCurrent {
                user: self.name.clone(),
                key: in_use.to_owned(),
            });
        }
        let mut kept = vec![in_use];
        if let Some(pending) = pending {
            kept.push(pending.username()?);
        }
        for key in superfluous(&keys, &kept) {
            self.delete(&key).await?;
        }
        Ok(Retirement::Done)
    }

    fn may_pass(&self, error: &Error) -> bool {
        error.may_pass()
    }
}
