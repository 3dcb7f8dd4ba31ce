//! Decides on the next step. Nothing here calls anything; planning again after the last step gives none.

use std::fmt;
use std::time::Duration;

use custom_resource::Owner;
use thiserror::Error;

use crate::observe::{Key, Observed, Version};

/// IAM's limit of access keys for a user.
const MOST_KEYS: usize = 2;
/// How long a key without a version is left alone: whoever made it has [`crate::apply::WRITE`] to write it.
pub const GRACE: Duration = Duration::from_mins(1);

/// What the template asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// Whose the user must be.
    pub owner: Owner,
    /// The region for which the password must be good.
    pub region: String,
    /// The server's name.
    pub host: String,
    /// The server's port.
    pub port: u16,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make a key and write it, with its password, as the secret's current version.
    CreateKey,
    /// Put the version of this id into use again: its key is there, and its password is good for the region.
    Restore(String),
    /// Write the current version once more, with the server's new name or port.
    Readdress,
    /// Delete the key of this id, to which no version refers, to make room.
    DeleteKey(String),
    /// Look again in a moment: the key of this id may be about to be written by another delivery of the event.
    Wait(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateKey => f.write_str("make an access key and write its password"),
            Self::Restore(version) => write!(f, "put version {version} of the secret into use again"),
            Self::Readdress => f.write_str("write the server's name and port"),
            Self::DeleteKey(key) => write!(
                f,
                "delete the access key {key}, to which no version of the secret refers"
            ),
            Self::Wait(key) => write!(f, "wait for whoever made the access key {key}"),
        }
    }
}

/// Why nothing is changed; reads on from the user's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The user is not there.
    #[error("does not exist; give UserName as the template's user has it")]
    NoUser,
    /// The user was made for somebody else, or by somebody.
    #[error(
        "was not made for this resource: its tag smtp-credentials:owner {}; make a user in the template, with that tag \
         set to {wanted}",
        .found.as_ref().map_or_else(|| "is missing".to_owned(), |owner| format!("is {owner}"))
    )]
    NotOurs {
        /// What the tag says.
        found: Option<Owner>,
        /// What it must say.
        wanted: Owner,
    },
    /// Both keys are in use.
    #[error(
        "has two access keys, {0} and {1}, the most that IAM allows, and the secret's current and pending versions refer \
         to them; let the rotation that is going on end, and update the stack again"
    )]
    BothInUse(String, String),
    /// The only key that is not in use was in use before.
    #[error(
        "has two access keys, the most that IAM allows; {0} is that of the secret's previous version, with which tasks that \
         started before may still send. Start them anew, delete the key with aws iam delete-access-key --user-name USER \
         --access-key-id {0}, and update the stack again"
    )]
    PreviousInUse(String),
    /// What the secret refers to cannot be told.
    #[error(
        "has two access keys, the most that IAM allows, and the secret's {0} version names no username, so that nobody can \
         tell which key is in use; delete the other one, and update the stack again"
    )]
    Unreadable(&'static str),
}

/// The next step at `now`, in seconds since 1970; `None` when the current version is as it should be.
///
/// # Errors
/// [`Refusal`] if the user is not this resource's, or has no room for a key that is needed.
pub fn plan(desired: &Desired, observed: &Observed, now: u64) -> Result<Option<Step>, Refusal> {
    if observed.owner.as_ref() != Some(&desired.owner) {
        return Err(Refusal::NotOurs {
            found: observed.owner.clone(),
            wanted: desired.owner.clone(),
        });
    }
    if let Some(current) = observed
        .current
        .as_ref()
        .filter(|current| serves(desired, observed, current))
    {
        let addressed = current.host == desired.host && current.port == desired.port;
        return Ok((!addressed).then_some(Step::Readdress));
    }
    if let Some(previous) = observed
        .previous
        .as_ref()
        .filter(|previous| serves(desired, observed, previous))
    {
        return Ok(Some(Step::Restore(previous.id.clone())));
    }
    let unreferenced = |key: &&Key| !observed.refers_to(&key.id);
    let young = |key: &&Key| now.saturating_sub(key.made) < GRACE.as_secs();
    if let Some(key) = observed.keys.iter().filter(unreferenced).find(young) {
        return Ok(Some(Step::Wait(key.id.clone())));
    }
    if observed.keys.len() < MOST_KEYS {
        return Ok(Some(Step::CreateKey));
    }
    room(observed).map(Some)
}

/// Whether the version's key may be used and its password is good for the region.
fn serves(desired: &Desired, observed: &Observed, version: &Version) -> bool {
    let active = |id: &String| observed.keys.iter().any(|key| key.id == *id && key.active);
    version.region == desired.region && version.username.as_ref().is_some_and(active)
}

/// Which of two keys can go.
fn room(observed: &Observed) -> Result<Step, Refusal> {
    for (label, version) in observed.versions() {
        if version.username.is_none() {
            return Err(Refusal::Unreadable(label));
        }
    }
    let unused = |version: &Option<Version>, key: &Key| {
        version.as_ref().and_then(|version| version.username.as_ref()) != Some(&key.id)
    };
    let free = |key: &&Key| unused(&observed.current, key) && unused(&observed.pending, key);
    let free = observed.keys.iter().filter(free).collect::<Vec<_>>();
    if let Some(key) = free.iter().find(|key| unused(&observed.previous, key)) {
        return Ok(Step::DeleteKey(key.id.clone()));
    }
    match (free.first(), observed.keys.as_slice()) {
        (Some(key), _) => Err(Refusal::PreviousInUse(key.id.clone())),
        (None, [first, second, ..]) => Err(Refusal::BothInUse(first.id.clone(), second.id.clone())),
        // Fewer than two keys: there is room.
        (None, _) => Ok(Step::CreateKey),
    }
}

impl Observed {
    /// The secret's versions, by what they are for.
    fn versions(&self) -> impl Iterator<Item = (&'static str, &Version)> {
        let labelled = [
            ("current", &self.current),
            ("pending", &self.pending),
            ("previous", &self.previous),
        ];
        labelled
            .into_iter()
            .filter_map(|(label, version)| Some((label, version.as_ref()?)))
    }

    fn refers_to(&self, key: &str) -> bool {
        self.versions()
            .any(|(_, version)| version.username.as_deref() == Some(key))
    }
}
