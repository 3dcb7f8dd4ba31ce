//! The list beside a function's code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use thiserror::Error;

/// The actions of one function, each with the reason why no test can show it, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calls {
    function: String,
    reasons: BTreeMap<String, Option<String>>,
}

/// Why a list cannot be used.
#[derive(Debug, Error)]
pub enum InvalidList {
    /// It could not be read.
    #[error("{path} cannot be read ({source}); list there what the function's role allows, one IAM action a line")]
    Unreadable {
        /// Where it should be.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A line is not one action, or an action and a reason.
    #[error(
        "functions/{function}/api-calls.txt: `{line}` must be `service:Operation` or `service:Operation  # reason`"
    )]
    Line {
        /// Whose list.
        function: String,
        /// The line.
        line: String,
    },
    /// The order is not that of `LC_ALL=C sort -u`.
    #[error(
        "functions/{function}/api-calls.txt: `{action}` stands in the wrong place; sort the lines, each action once"
    )]
    Order {
        /// Whose list.
        function: String,
        /// The first one out of order.
        action: String,
    },
}

impl Calls {
    /// The list of the function `function`, such as `ses-domain`.
    ///
    /// # Errors
    /// [`InvalidList`].
    pub fn read(function: &str) -> Result<Self, InvalidList> {
        let path = format!("functions/{function}/api-calls.txt");
        let text = fs::read_to_string(workspace().join(&path));
        Self::parse(
            function,
            &text.map_err(|source| InvalidList::Unreadable { path, source })?,
        )
    }

    /// Every function of the workspace, found by its folder.
    ///
    /// # Errors
    /// When the folder `functions` cannot be read.
    pub fn functions() -> io::Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(workspace().join("functions"))? {
            let entry = entry?;
            if entry.path().join("Cargo.toml").is_file() {
                names.insert(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(names)
    }

    fn parse(function: &str, text: &str) -> Result<Self, InvalidList> {
        let mut reasons = BTreeMap::new();
        for line in text.lines() {
            let (action, reason) = match line.split_once("  # ") {
                Some((action, reason)) => (action, Some(reason.to_owned())),
                None => (line, None),
            };
            if !is_action(action) || reason.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
                return Err(InvalidList::Line {
                    function: function.to_owned(),
                    line: line.to_owned(),
                });
            }
            let sorted = reasons
                .last_key_value()
                .is_none_or(|(last, _): (&String, _)| last.as_str() < action);
            if !sorted {
                return Err(InvalidList::Order {
                    function: function.to_owned(),
                    action: action.to_owned(),
                });
            }
            reasons.insert(action.to_owned(), reason);
        }
        Ok(Self {
            function: function.to_owned(),
            reasons,
        })
    }

    /// Whose list it is.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.function
    }

    /// All that the role must allow.
    #[must_use]
    pub fn actions(&self) -> BTreeSet<&str> {
        self.reasons.keys().map(String::as_str).collect()
    }

    /// What the tests must show.
    #[must_use]
    pub fn made(&self) -> BTreeSet<&str> {
        let made = self.reasons.iter().filter(|(_, reason)| reason.is_none());
        made.map(|(action, _)| action.as_str()).collect()
    }
}

/// A service's prefix in lower case, a colon, an operation; no wildcard.
fn is_action(text: &str) -> bool {
    text.split_once(':').is_some_and(|(service, operation)| {
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !service.is_empty()
            && service.chars().all(lower)
            && operation.starts_with(|c: char| c.is_ascii_uppercase())
            && operation.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// The checkout: the lists and the recordings are found from there, wherever a test runs.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Calls::parse("greeter", text).unwrap_err().to_string()
    }

    #[test]
    fn an_action_with_a_reason_is_allowed_but_not_shown_by_a_test() {
        let calls = Calls::parse("greeter", "kms:Decrypt  # another service calls it\nses:GetAccount\n").unwrap();
        assert_eq!(calls.actions(), BTreeSet::from(["kms:Decrypt", "ses:GetAccount"]));
        assert_eq!(calls.made(), BTreeSet::from(["ses:GetAccount"]));
    }

    #[test]
    fn a_line_that_is_no_action_is_refused() {
        for line in [
            "ses:*",
            "GetAccount",
            "ses:GetAccount # one blank",
            "ses:GetAccount  # ",
            "",
            "SES:GetAccount",
        ] {
            assert_eq!(
                refused(&format!("{line}\n")),
                format!(
                    "functions/greeter/api-calls.txt: `{line}` must be `service:Operation` or `service:Operation  # reason`"
                )
            );
        }
    }

    #[test]
    fn lines_out_of_order_and_repeated_ones_are_refused() {
        for text in ["ses:GetAccount\nkms:Decrypt\n", "kms:Decrypt\nkms:Decrypt  # twice\n"] {
            assert_eq!(
                refused(text),
                "functions/greeter/api-calls.txt: `kms:Decrypt` stands in the wrong place; sort the lines, each action once"
            );
        }
    }

    #[test]
    fn a_missing_list_is_named_with_what_belongs_into_it() {
        let error = Calls::read("no-such-function").unwrap_err().to_string();
        assert_eq!(
            error,
            "functions/no-such-function/api-calls.txt cannot be read (No such file or directory (os error 2)); list there \
             what the function's role allows, one IAM action a line"
        );
    }

    #[test]
    fn every_function_has_a_list() {
        for function in Calls::functions().unwrap() {
            if let Err(error) = Calls::read(&function) {
                panic!("{error}");
            }
        }
    }
}
