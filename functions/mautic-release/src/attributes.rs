//! What `Fn::GetAtt` reads.

use serde::Serialize;

use crate::plan::Done;
use crate::schema::{Installed, Record, Schema};

/// The most characters of a migration's name, which Doctrine keeps in a column of that size.
const LONGEST_MIGRATION: usize = 191;
/// The most characters of the version in the table of records.
const LONGEST_VERSION: usize = 32;
/// A task's ARN: the longest name of a cluster has 255 characters, an id 32.
const LONGEST_ARN: usize = 400;
/// As long as any [`Schema::word`].
const LONGEST_STATE: usize = 40;

/// The release's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// What the schema holds: `installed` after every release; after a rollback whatever it then is.
    pub schema_state: String,
    /// The version of Mautic that the last release recorded; blank if none did.
    pub mautic_version: String,
    /// The newest migration that was carried out; blank without a whole Mautic.
    pub latest_migration: String,
    /// `install`, `migrate`, or `none` after a rollback.
    pub action: String,
    /// The task; blank if there was none, or if ECS has forgotten it.
    pub task_arn: String,
}

impl Attributes {
    pub(crate) fn of(done: &Done, schema: &Schema) -> Self {
        let (action, task) = match done {
            Done::Released { action, task } => (action.word(), task.as_deref()),
            Done::LeftAlone => ("none", None),
        };
        let none = Installed::default();
        let installed = match schema {
            Schema::Installed(installed) => installed,
            _ => &none,
        };
        let record = installed.own.as_ref().or(installed.last.as_ref());
        let version = record.map(|Record { mautic_version, .. }| mautic_version.as_str());
        Self {
            schema_state: schema.word().to_owned(),
            mautic_version: within(version.unwrap_or_default(), LONGEST_VERSION),
            latest_migration: within(&installed.latest_migration, LONGEST_MIGRATION),
            action: action.to_owned(),
            task_arn: within(task.unwrap_or_default(), LONGEST_ARN),
        }
    }

    pub(crate) fn largest() -> Self {
        Self {
            schema_state: "x".repeat(LONGEST_STATE),
            mautic_version: "x".repeat(LONGEST_VERSION),
            latest_migration: "x".repeat(LONGEST_MIGRATION),
            action: "migrate".to_owned(),
            task_arn: "x".repeat(LONGEST_ARN),
        }
    }
}

/// At most so many bytes: whoever made the tables may have made the columns wider.
fn within(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}
