//! A secret's versions and their labels: all that a rotation's state consists of.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;

/// Our own label: the credential of this version has been retired.
pub const RETIRED: &str = "RETIRED";
pub(crate) const CURRENT: &str = "AWSCURRENT";
pub(crate) const PENDING: &str = "AWSPENDING";
const PREVIOUS: &str = "AWSPREVIOUS";

/// What Secrets Manager tells of a secret without showing it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versions {
    /// Whether Secrets Manager may rotate it.
    pub rotates: bool,
    /// The labels of every version, by the version's id.
    pub labels: BTreeMap<String, BTreeSet<String>>,
}

impl Versions {
    /// What an answer of `DescribeSecret` tells.
    #[must_use]
    pub fn of(described: &DescribeSecretOutput) -> Self {
        let versions = described.version_ids_to_stages().cloned().unwrap_or_default();
        let labels = versions
            .into_iter()
            .map(|(id, labels)| (id, labels.into_iter().collect()));
        Self {
            rotates: described.rotation_enabled().unwrap_or_default(),
            labels: labels.collect(),
        }
    }

    /// The version that is in use.
    #[must_use]
    pub fn current(&self) -> Option<&str> {
        self.labelled(CURRENT)
    }

    /// The version that a rotation is about to put into use. After a rotation the label stays on what is now current, where
    /// it means nothing.
    #[must_use]
    pub fn pending(&self) -> Option<&str> {
        self.labelled(PENDING).filter(|id| Some(*id) != self.current())
    }

    /// The version that was in use before, if its credential may still be good.
    #[must_use]
    pub fn outgoing(&self) -> Option<&str> {
        let previous = self.labelled(PREVIOUS).filter(|id| Some(*id) != self.current())?;
        (self.retired() != Some(previous)).then_some(previous)
    }

    /// The version with the label [`RETIRED`].
    #[must_use]
    pub fn retired(&self) -> Option<&str> {
        self.labelled(RETIRED)
    }

    /// Whether there is such a version, with a label or without.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.labels.contains_key(id)
    }

    /// A label is on one version at most.
    fn labelled(&self, label: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(_, labels)| labels.contains(label));
        found.map(|(id, _)| id.as_str())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn versions(labels: &[(&str, &[&str])]) -> Versions {
        let set = |labels: &[&str]| labels.iter().map(ToString::to_string).collect();
        Versions {
            rotates: true,
            labels: labels
                .iter()
                .map(|(id, labels)| ((*id).to_owned(), set(labels)))
                .collect(),
        }
    }

    #[test]
    fn a_previous_version_is_outgoing_until_it_is_retired() {
        let first = versions(&[("v1", &["AWSCURRENT"])]);
        assert_eq!(first.outgoing(), None);
        let rotated = versions(&[("v1", &["AWSPREVIOUS"]), ("v2", &["AWSCURRENT", "AWSPENDING"])]);
        assert_eq!((rotated.outgoing(), rotated.pending()), (Some("v1"), None));
        let retired = versions(&[("v1", &["AWSPREVIOUS", "RETIRED"]), ("v2", &["AWSCURRENT"])]);
        assert_eq!(retired.outgoing(), None);
        let again = versions(&[("v1", &["RETIRED"]), ("v2", &["AWSPREVIOUS"]), ("v3", &["AWSCURRENT"])]);
        assert_eq!((again.outgoing(), again.retired()), (Some("v2"), Some("v1")));
    }

    #[test]
    fn a_label_that_was_moved_back_makes_the_newer_version_outgoing() {
        let back = versions(&[("v1", &["AWSCURRENT", "RETIRED"]), ("v2", &["AWSPREVIOUS"])]);
        assert_eq!((back.current(), back.outgoing()), (Some("v1"), Some("v2")));
    }
}
