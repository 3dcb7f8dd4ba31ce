//! Decides what to do with the user's keys. Nothing here calls anything.

use std::time::Duration;

/// How long a key that the secret does not name is left alone: whoever made it has that long to write it.
pub const GRACE: Duration = Duration::from_mins(1);

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id, which is the SMTP user name.
    pub id: String,
    /// Whether it may be used.
    pub is_active: bool,
    /// When it was made, in seconds since 1970.
    pub made: u64,
}

/// The next step towards a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make it: there is room.
    Create,
    /// Delete this one, which nobody can use.
    Delete(String),
    /// Look again: another delivery may be about to write this one.
    Wait(String),
}

/// The next step, when `current` is the only key in use and it is `now`, in seconds since 1970.
#[must_use]
pub fn plan(keys: &[Key], current: &str, now: u64) -> Step {
    let others = || keys.iter().filter(|key| key.id != current);
    let is_young = |key: &&Key| now.saturating_sub(key.made) < GRACE.as_secs();
    if let Some(key) = others().find(is_young) {
        return Step::Wait(key.id.clone());
    }
    others().next().map_or(Step::Create, |key| Step::Delete(key.id.clone()))
}

/// The keys that are good for nothing but those of `kept`.
#[must_use]
pub fn superfluous(keys: &[Key], kept: &[&str]) -> Vec<String> {
    let others = keys.iter().filter(|key| !kept.contains(&key.id.as_str()));
    others.map(|key| key.id.clone()).collect()
}
