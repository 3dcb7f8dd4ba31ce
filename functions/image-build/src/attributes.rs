//! What `Fn::GetAtt` reads.

use serde::Serialize;

/// The image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// `REPOSITORY@sha256:...`: what a task definition names, so that a task of it is always the same image.
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
    pub(crate) fn of(repository_uri: &str, digest: &str, tag: &str, content_tag: &str) -> Self {
        Self {
            image_uri: format!("{repository_uri}@{digest}"),
            digest: digest.to_owned(),
            tag: tag.to_owned(),
            content_tag: content_tag.to_owned(),
            context_key: crate::context::key(),
        }
    }
}
