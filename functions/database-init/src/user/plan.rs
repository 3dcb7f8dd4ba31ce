//! What has to change, decided from what is there.

use std::fmt;

use custom_resource::Owner;

use super::{Account, Login, Observed, Rights, UserMark};
use crate::error::Refusal;
use crate::ownership::Mark;
use crate::properties::DeletionPolicy;

/// What a user should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// The resource that manages it.
    pub owner: Owner,
    /// That resource's physical id.
    pub id: String,
    /// Whether one that exists already may be taken over.
    pub adopt: bool,
    /// All that it may do.
    pub rights: Rights,
}

/// A step towards what should be. Each may be repeated, and stopping after any of them loses nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Make the account with the secret's password, TLS required, and its mark.
    Create(UserMark),
    /// Write its mark anew.
    Record(UserMark),
    /// Let it log in again.
    Unlock,
    /// Let it log in over TLS only.
    RequireTls,
    /// Give it the secret's password, since that does not open it.
    SetPassword,
    /// Give it rights.
    Grant(Rights),
    /// Take rights back that were given for an earlier version of the properties.
    Revoke(Rights),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(_) => f.write_str("create the user"),
            Self::Record(_) => f.write_str("record its owner and the rights given for it"),
            Self::Unlock => f.write_str("unlock it"),
            Self::RequireTls => f.write_str("require TLS"),
            Self::SetPassword => f.write_str("set the secret's password, which did not open it"),
            Self::Grant(rights) => listed(f, "grant", rights),
            Self::Revoke(rights) => listed(f, "revoke", rights),
        }
    }
}

fn listed(f: &mut fmt::Formatter<'_>, verb: &str, rights: &Rights) -> fmt::Result {
    let clauses: Vec<_> = rights
        .clauses()
        .iter()
        .map(|(what, on)| format!("{what} on {on}"))
        .collect();
    write!(f, "{verb} {}", clauses.join("; "))
}

/// A step of the undoing, as repeatable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// Let it log in no more.
    Lock,
    /// Take back what was given to it.
    Revoke(Rights),
    /// Forget who owned it.
    Forget,
    /// Drop it.
    Drop,
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lock => f.write_str("lock the user"),
            Self::Revoke(rights) => listed(f, "revoke", rights),
            Self::Forget => f.write_str("forget its owner"),
            Self::Drop => f.write_str("drop the user"),
        }
    }
}

/// The changes that lead from what is there to what should be; none if it is so already.
///
/// # Errors
/// If the user is somebody else's and may not be adopted.
pub fn plan(desired: &Desired, observed: &Observed) -> Result<Vec<Change>, Refusal> {
    let Some(account) = &observed.account else {
        let mark = Mark::on_new(&desired.owner, &desired.id);
        let mark = UserMark {
            mark,
            granted: desired.rights.clone(),
        };
        let mut changes = vec![Change::Create(mark)];
        changes.extend(nonempty(desired.rights.clone()).map(Change::Grant));
        return Ok(changes);
    };
    let present = account.mark.as_ref();
    let mark = Mark::on_existing(
        present.map(|present| &present.mark),
        &desired.owner,
        &desired.id,
        desired.adopt,
    )?;
    Ok(reconcile(desired, account, &mark))
}

fn reconcile(desired: &Desired, account: &Account, mark: &Mark) -> Vec<Change> {
    let present = account.mark.as_ref();
    // What another stack gave is its own affair, even where its user is taken over.
    let ours = present.filter(|present| present.mark.owner == desired.owner);
    let ours = ours.map(|present| present.granted.clone()).unwrap_or_default();
    let missing = desired.rights.without(&account.rights);
    let surplus = ours.without(&desired.rights).within(&account.rights);
    let before = UserMark {
        mark: mark.clone(),
        granted: ours.with(&missing),
    };
    let after = UserMark {
        mark: mark.clone(),
        granted: before.granted.within(&desired.rights),
    };

    let mut changes = Vec::new();
    // With nothing to revoke the record can take its last form at once.
    let first = if surplus.is_empty() { &after } else { &before };
    if present != Some(first) {
        changes.push(Change::Record(first.clone()));
    }
    if account.locked {
        changes.push(Change::Unlock);
    }
    if !account.requires_tls {
        changes.push(Change::RequireTls);
    }
    if account.login == Login::Refused {
        changes.push(Change::SetPassword);
    }
    changes.extend(nonempty(missing).map(Change::Grant));
    changes.extend(nonempty(surplus).map(Change::Revoke));
    if *first != after {
        changes.push(Change::Record(after));
    }
    changes
}

fn nonempty(rights: Rights) -> Option<Rights> {
    (!rights.is_empty()).then_some(rights)
}

/// The steps that undo a user which bears this very resource's mark. One that was there before is only released.
#[must_use]
pub fn plan_removal(policy: DeletionPolicy, mark: &UserMark) -> Vec<Removal> {
    match policy {
        DeletionPolicy::Retain => Vec::new(),
        _ if mark.mark.adopted => {
            let revoke = nonempty(mark.granted.clone()).map(Removal::Revoke);
            revoke.into_iter().chain([Removal::Forget]).collect()
        }
        DeletionPolicy::LockUser => vec![Removal::Lock],
        DeletionPolicy::DropUser | DeletionPolicy::DropAll => vec![Removal::Drop],
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
