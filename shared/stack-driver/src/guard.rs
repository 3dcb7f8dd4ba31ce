//! Judges a list of changes: what would destroy something that holds data must be named by whoever wants it.

use crate::change_set::{Change, Replacement};
use crate::stateful::{Stateful, stateful};
use std::fmt::Write as _;

/// A change that loses something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Danger {
    /// `Database/Instance`: what a confirmation names.
    pub address: String,
    /// What the resource is.
    pub holds: &'static Stateful,
    /// What would happen to it, and to what it holds.
    pub story: String,
}

/// Why a deployment is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GuardError {
    /// Something would be lost, and nobody said that this is wanted.
    #[error("{}", unconfirmed(dangers))]
    Unconfirmed {
        /// Each of them.
        dangers: Vec<Danger>,
    },
    /// A confirmation names nothing that this deployment would lose.
    #[error("--confirm-replacement {name}: this deployment neither replaces nor removes such a resource. {hint}")]
    Unfounded {
        /// As given.
        name: String,
        /// What could have been meant.
        hint: String,
    },
    /// A confirmation fits more than one.
    #[error("--confirm-replacement {name} could be {candidates}: name the one that is meant")]
    Ambiguous {
        /// As given.
        name: String,
        /// Their addresses.
        candidates: String,
    },
}

fn unconfirmed(dangers: &[Danger]) -> String {
    let mut text =
        "refused, and nothing was changed: this deployment would replace or remove what holds data.\n".to_owned();
    for danger in dangers {
        let _ = writeln!(text, "  {} ({}) {}", danger.address, danger.holds.kind, danger.story);
    }
    let names: Vec<&str> = dangers.iter().map(|danger| danger.address.as_str()).collect();
    let names = names.join(",");
    let _ = write!(
        text,
        "Undo what causes it, or, if that is what you want, take a backup and name it: --confirm-replacement {names} (with \
         make: CONFIRM_REPLACEMENT={names})"
    );
    text
}

/// What would be lost for certain. What may be replaced is left to the stack policies, which stop it when it comes to that.
#[must_use]
pub fn dangers(changes: &[Change]) -> Vec<Danger> {
    changes.iter().filter_map(danger).collect()
}

fn danger(change: &Change) -> Option<Danger> {
    let holds = stateful(&change.resource_type)?;
    let removed = change.action == "Remove";
    if !removed && change.replacement != Replacement::Yes {
        return None;
    }
    let forcing: Vec<&str> = change
        .causes
        .iter()
        .filter_map(|cause| cause.strip_prefix('!'))
        .collect();
    let event = match (removed, forcing.is_empty()) {
        (true, _) => "would be removed".to_owned(),
        (false, true) => "would be replaced by an empty one".to_owned(),
        (false, false) => format!(
            "would be replaced by an empty one, because {} changes",
            forcing.join(", ")
        ),
    };
    let loss = holds.loss;
    let fate = match change.policy.trim_start_matches("ReplaceAnd") {
        "Snapshot" => format!("a last snapshot is all that stays of {loss}"),
        "Retain" => format!("the old one stays outside the stack, with {loss}"),
        "Delete" => format!("lost for good: {loss}"),
        _ => format!("at stake: {loss}"),
    };
    Some(Danger {
        address: change.address(),
        holds,
        story: format!("{event}; {fate}."),
    })
}

/// Compares the dangers with what was confirmed; gives those that go ahead.
///
/// # Errors
/// One is not confirmed, or a confirmation fits none or several.
pub fn judge(changes: &[Change], confirmed: &[String]) -> Result<Vec<Danger>, GuardError> {
    let dangers = dangers(changes);
    let mut allowed = Vec::new();
    for name in confirmed {
        let meant: Vec<&Danger> = dangers.iter().filter(|danger| fits(danger, name)).collect();
        match meant.as_slice() {
            [one] => allowed.push(one.address.clone()),
            [] => {
                return Err(GuardError::Unfounded {
                    name: name.clone(),
                    hint: hint(&dangers),
                });
            }
            many => {
                let candidates: Vec<&str> = many.iter().map(|danger| danger.address.as_str()).collect();
                return Err(GuardError::Ambiguous {
                    name: name.clone(),
                    candidates: candidates.join(" or "),
                });
            }
        }
    }
    let (confirmed, open): (Vec<_>, Vec<_>) = dangers
        .into_iter()
        .partition(|danger| allowed.contains(&danger.address));
    if open.is_empty() {
        Ok(confirmed)
    } else {
        Err(GuardError::Unconfirmed { dangers: open })
    }
}

/// The whole address, or the name in the template alone.
fn fits(danger: &Danger, name: &str) -> bool {
    danger.address == name || danger.address.rsplit('/').next() == Some(name)
}

fn hint(dangers: &[Danger]) -> String {
    if dangers.is_empty() {
        return "Leave it out: nothing that holds data is touched".to_owned();
    }
    let names: Vec<&str> = dangers.iter().map(|danger| danger.address.as_str()).collect();
    format!("What it would lose: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, kind: &str, action: &str, replacement: Replacement, policy: &str) -> Change {
        Change {
            action: action.to_owned(),
            path: path.split(" / ").map(str::to_owned).collect(),
            resource_type: kind.to_owned(),
            replacement,
            policy: policy.to_owned(),
            causes: vec!["!DBInstanceIdentifier".to_owned(), "Tags".to_owned()],
        }
    }

    fn replaced() -> Change {
        change(
            "Database / Instance",
            "AWS::RDS::DBInstance",
            "Modify",
            Replacement::Yes,
            "ReplaceAndSnapshot",
        )
    }

    fn names(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn what_would_be_lost_is_told_with_the_words_that_allow_it() {
        let removed = change("Key", "AWS::KMS::Key", "Remove", Replacement::No, "Delete");
        let error = judge(&[replaced(), removed], &[]).expect_err("refused");
        assert_eq!(
            error.to_string(),
            "refused, and nothing was changed: this deployment would replace or remove what holds data.
  Database/Instance (database) would be replaced by an empty one, because DBInstanceIdentifier changes; a last snapshot is all that stays of the data in it.
  Key (encryption key) would be removed; lost for good: whatever only this key decrypts, snapshots and backups too.
Undo what causes it, or, if that is what you want, take a backup and name it: --confirm-replacement Database/Instance,Key (with make: CONFIRM_REPLACEMENT=Database/Instance,Key)"
        );
    }

    #[test]
    fn what_holds_nothing_or_only_may_be_replaced_needs_no_confirmation() {
        let harmless = [
            change("Topic", "AWS::SNS::Topic", "Remove", Replacement::No, "Delete"),
            change(
                "Queue",
                "AWS::SQS::Queue",
                "Modify",
                Replacement::Yes,
                "ReplaceAndDelete",
            ),
            change("Instance", "AWS::RDS::DBInstance", "Modify", Replacement::Maybe, ""),
            change("Instance", "AWS::RDS::DBInstance", "Modify", Replacement::No, ""),
            change("New", "AWS::RDS::DBInstance", "Add", Replacement::No, ""),
        ];
        assert_eq!(judge(&harmless, &[]), Ok(Vec::new()));
    }

    #[test]
    fn a_confirmed_loss_goes_ahead_by_its_address_or_its_name() {
        for name in ["Database/Instance", "Instance"] {
            let allowed = judge(&[replaced()], &names(&[name])).expect("allowed");
            let addresses: Vec<&str> = allowed.iter().map(|danger| danger.address.as_str()).collect();
            assert_eq!(addresses, ["Database/Instance"], "{name}");
        }
    }

    #[test]
    fn a_confirmation_of_one_is_none_of_another() {
        let other = change(
            "Files / Media",
            "AWS::EFS::FileSystem",
            "Remove",
            Replacement::No,
            "Retain",
        );
        let error = judge(&[replaced(), other], &names(&["Media"])).expect_err("refused");
        let GuardError::Unconfirmed { dangers } = error else {
            panic!("{error}")
        };
        assert_eq!(dangers.len(), 1);
        assert_eq!(dangers[0].address, "Database/Instance");
    }

    #[test]
    fn a_confirmation_that_fits_nothing_is_a_mistake_and_one_that_fits_two_a_question() {
        let twin = change(
            "Archive / Instance",
            "AWS::RDS::DBInstance",
            "Remove",
            Replacement::No,
            "",
        );
        let texts = [
            judge(&[], &names(&["Instance"])),
            judge(&[replaced()], &names(&["Instanz"])),
            judge(&[replaced(), twin], &names(&["Instance"])),
        ]
        .map(|result| result.expect_err("refused").to_string());
        assert_eq!(
            texts,
            [
                "--confirm-replacement Instance: this deployment neither replaces nor removes such a resource. Leave it out: \
                 nothing that holds data is touched",
                "--confirm-replacement Instanz: this deployment neither replaces nor removes such a resource. What it would lose: \
                 Database/Instance",
                "--confirm-replacement Instance could be Database/Instance or Archive/Instance: name the one that is meant",
            ]
        );
    }
}
