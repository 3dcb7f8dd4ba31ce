//! List against recording.

use std::collections::BTreeSet;
use std::fmt;

use crate::list::Calls;

/// Where a function's list and its tests disagree; its text says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discrepancy {
    /// No test makes a call that the list says the code makes.
    Unshown(String),
    /// A test makes a call of which the list says that no test can.
    Overtaken(String),
    /// A test makes a call that the list lacks.
    Unlisted(String),
}

/// Everything in which `recorded` differs from what `calls` promise; nothing when they agree.
#[must_use]
pub fn compare(calls: &Calls, recorded: &BTreeSet<String>) -> Vec<Discrepancy> {
    let (made, all) = (calls.made(), calls.actions());
    let unshown = made.iter().filter(|action| !recorded.contains(**action));
    let mut found: Vec<_> = unshown
        .map(|action| Discrepancy::Unshown((*action).to_owned()))
        .collect();
    for action in recorded {
        if !all.contains(action.as_str()) {
            found.push(Discrepancy::Unlisted(action.clone()));
        } else if !made.contains(action.as_str()) {
            found.push(Discrepancy::Overtaken(action.clone()));
        }
    }
    found
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unshown(action) => write!(
                f,
                "{action}: no test made this call; remove it from the list and from the role, test it, or give the reason why \
                 no test can"
            ),
            Self::Overtaken(action) => write!(
                f,
                "{action}: a test made this call; the reason beside it is out of date"
            ),
            Self::Unlisted(action) => write!(f, "{action}: a test made this call, and the list lacks it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(recorded: &[&str]) -> Vec<String> {
        let calls = Calls::read("database-init").unwrap();
        let recorded = recorded.iter().map(|&action| action.to_owned()).collect();
        compare(&calls, &recorded).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_recording_of_just_what_is_listed_is_fine() {
        assert_eq!(verdict(&["secretsmanager:GetSecretValue"]), Vec::<String>::new());
    }

    #[test]
    fn a_listed_call_that_no_test_makes_is_named() {
        assert_eq!(
            verdict(&[]),
            [
                "secretsmanager:GetSecretValue: no test made this call; remove it from the list and from the role, test it, or \
                 give the reason why no test can"
            ]
        );
    }

    #[test]
    fn a_reason_that_a_test_has_overtaken_is_named() {
        assert_eq!(
            verdict(&["kms:Decrypt", "secretsmanager:GetSecretValue"]),
            ["kms:Decrypt: a test made this call; the reason beside it is out of date"]
        );
    }

    #[test]
    fn a_call_that_is_not_listed_is_named() {
        assert_eq!(
            verdict(&["secretsmanager:DeleteSecret", "secretsmanager:GetSecretValue"]),
            ["secretsmanager:DeleteSecret: a test made this call, and the list lacks it"]
        );
    }
}
