//! Reads what is there: the user's tags and keys, and to which keys the secret's versions refer.

use aws_sdk_iam::types::StatusType;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use custom_resource::{AwsError, Owner};
use serde::Deserialize;

use crate::handler::{Clients, OWNER_TAG};
use crate::properties::UserName;

/// Secrets Manager's labels of a secret's versions.
pub(crate) const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Everything that a plan depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The resource for which the user was made, if its tag says so.
    pub owner: Option<Owner>,
    /// The user's access keys, two at the most.
    pub keys: Vec<Key>,
    /// The version that is in use.
    pub current: Option<Version>,
    /// The version that a rotation is about to put into use.
    pub pending: Option<Version>,
    /// The version that was in use before.
    pub previous: Option<Version>,
}

/// An access key, without its secret, which IAM shows only once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id, which is SES's SMTP user name.
    pub id: String,
    /// Whether it may be used.
    pub active: bool,
    /// When it was made, in seconds since 1970.
    pub made: u64,
}

/// A version of the secret, without its password.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Version {
    /// Secrets Manager's id of the version.
    #[serde(skip)]
    pub id: String,
    /// The access key that it refers to; `None` if its content is not ours to read.
    pub username: Option<String>,
    /// The region for which its password is good.
    #[serde(default)]
    pub region: String,
    /// The server that it names.
    #[serde(default)]
    pub host: String,
    /// The server's port.
    #[serde(default)]
    pub port: u16,
}

/// The user and the secret as they are now; `None` if the user is gone.
///
/// # Errors
/// [`AwsError`].
pub async fn observe(clients: &Clients, user: &UserName, secret: &str) -> Result<Option<Observed>, AwsError> {
    let Some((owner, keys)) = keys(clients, user).await? else {
        return Ok(None);
    };
    Ok(Some(Observed {
        owner,
        keys,
        current: version(clients, secret, CURRENT).await?,
        pending: version(clients, secret, PENDING).await?,
        previous: version(clients, secret, PREVIOUS).await?,
    }))
}

/// Whose the user is, and its keys; `None` if the user is gone.
///
/// # Errors
/// [`AwsError`].
pub async fn keys(clients: &Clients, user: &UserName) -> Result<Option<(Option<Owner>, Vec<Key>)>, AwsError> {
    let thing = format!("IAM user {user}");
    let tags = match clients.iam.list_user_tags().user_name(user.as_str()).send().await {
        Err(error) if error.code() == Some("NoSuchEntity") => return Ok(None),
        answer => answer.map_err(AwsError::of("iam:ListUserTags", &thing))?,
    };
    let owner = tags.tags().iter().find(|tag| tag.key() == OWNER_TAG);
    let owner = owner.and_then(|tag| tag.value().parse().ok());
    let listed = match clients.iam.list_access_keys().user_name(user.as_str()).send().await {
        Err(error) if error.code() == Some("NoSuchEntity") => return Ok(None),
        answer => answer.map_err(AwsError::of("iam:ListAccessKeys", thing))?,
    };
    let keys = listed.access_key_metadata().iter().filter_map(|key| {
        Some(Key {
            id: key.access_key_id()?.to_owned(),
            active: key.status() == Some(&StatusType::Active),
            made: key
                .create_date()
                .and_then(|date| u64::try_from(date.secs()).ok())
                .unwrap_or_default(),
        })
    });
    Ok(Some((owner, keys.collect())))
}

/// The version with this label; `None` if there is none.
async fn version(clients: &Clients, secret: &str, label: &str) -> Result<Option<Version>, AwsError> {
    let call = clients
        .secrets
        .get_secret_value()
        .secret_id(secret)
        .version_stage(label);
    let found = match call.send().await {
        // The secret is there, and has no version with that label: this is how Secrets Manager says it.
        Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
        answer => answer.map_err(AwsError::of(
            "secretsmanager:GetSecretValue",
            format!("secret {secret}"),
        ))?,
    };
    let content = serde_json::from_str(found.secret_string().unwrap_or_default());
    let unreadable = Version {
        id: String::new(),
        username: None,
        region: String::new(),
        host: String::new(),
        port: 0,
    };
    Ok(Some(Version {
        id: found.version_id().unwrap_or_default().to_owned(),
        ..content.unwrap_or(unreadable)
    }))
}
