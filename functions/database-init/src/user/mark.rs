//! The mark in a user's ATTRIBUTE: who owns the user, and which of its rights are ours to take back.

use custom_resource::Owner;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Rights;
use super::rights::Recorded;
use crate::ownership::Mark;

/// The member of ATTRIBUTE that holds the mark; other members are other people's and stay.
const MEMBER: &str = "custom-resource";

/// A user's mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserMark {
    /// Who owns the user.
    pub mark: Mark,
    /// The rights that were given for this resource. Written before they are given and until after they are revoked, so
    /// that a delivery cut off in between leaves none behind unrecorded.
    pub granted: Rights,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Stored {
    stack: String,
    logical_id: String,
    id: String,
    #[serde(default)]
    adopted: bool,
    #[serde(default)]
    grants: Vec<Recorded>,
}

impl UserMark {
    /// Reads it from an account's ATTRIBUTE; `None` if there is none that is understood.
    #[must_use]
    pub fn from_attribute(attribute: &str) -> Option<Self> {
        let mut attribute: Value = serde_json::from_str(attribute).ok()?;
        let stored: Stored = serde_json::from_value(attribute.get_mut(MEMBER)?.take()).ok()?;
        let owner = Owner::new(&stored.stack, &stored.logical_id);
        let granted = Rights::from_record(&stored.grants);
        Some(Self {
            mark: Mark {
                owner,
                id: stored.id,
                adopted: stored.adopted,
            },
            granted,
        })
    }

    /// The JSON that ATTRIBUTE takes; MySQL merges it into what is there.
    #[must_use]
    pub fn to_attribute(&self) -> String {
        let Mark { owner, id, adopted } = &self.mark;
        let stored = Stored {
            stack: owner.stack_id().to_owned(),
            logical_id: owner.logical_id().to_owned(),
            id: id.clone(),
            adopted: *adopted,
            grants: self.granted.to_record(),
        };
        json!({ MEMBER: stored }).to_string()
    }

    /// The JSON that takes the mark away.
    #[must_use]
    pub fn none() -> String {
        json!({ MEMBER: null }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_from_what_it_was_written_as() {
        let owner = Owner::new("arn:aws:cloudformation:eu-central-1:1:stack/shop/7e1", "User");
        let mark = UserMark {
            mark: Mark {
                owner,
                id: "mysql-user:db:3306/x@%".into(),
                adopted: true,
            },
            granted: Rights::default(),
        };
        let stack = "arn:aws:cloudformation:eu-central-1:1:stack/shop/7e1";
        assert_eq!(
            serde_json::from_str::<Value>(&mark.to_attribute()).expect("JSON"),
            json!({"custom-resource": {
                "stack": stack, "logical-id": "User", "id": "mysql-user:db:3306/x@%", "adopted": true, "grants": [],
            }})
        );
        assert_eq!(UserMark::from_attribute(&mark.to_attribute()), Some(mark));
    }

    #[test]
    fn other_people_s_attributes_are_no_mark() {
        for attribute in [
            "",
            "{}",
            "null",
            r#"{"comment": "hello"}"#,
            r#"{"custom-resource": "?"}"#,
        ] {
            assert_eq!(UserMark::from_attribute(attribute), None, "{attribute}");
        }
    }
}
