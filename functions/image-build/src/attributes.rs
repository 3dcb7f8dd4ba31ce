//! What `Fn::GetAtt` reads.

use serde::Serialize;

use crate::properties::Properties;
use crate::tag;

/// The image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// What a task definition names: `REPOSITORY@sha256:...`, so that a task of it is always the same image; or, where it
    /// is to follow the newest build, `REPOSITORY:rolling-...`.
    pub image_uri: String,
    /// `sha256:...`.
    pub digest: String,
    /// The tag that it was pushed with.
    pub tag: String,
    /// The tag without a patch's day.
    pub content_tag: String,
    /// Where the build context lies, in the build bucket.
    pub context_key: String,
}

impl Attributes {
    pub(crate) fn of(wanted: &Properties, digest: &str, content_tag: &str) -> Self {
        let uri = &wanted.repository_uri;
        Self {
            image_uri: if wanted.rolling {
                format!("{uri}:{}", tag::rolling(content_tag))
            } else {
                format!("{uri}@{digest}")
            },
            digest: digest.to_owned(),
            tag: tag::tag(content_tag, wanted.patch.as_str()),
            content_tag: content_tag.to_owned(),
            context_key: crate::context::key(),
        }
    }
}
