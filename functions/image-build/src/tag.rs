//! The image's tag: what is asked for, in twenty-odd characters.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::context::hexadecimal;
use crate::properties::Properties;

/// How many digits of the hash a tag has: enough that two of one repository never meet.
const DIGITS: usize = 16;

/// The tag without a patch's day: a hash of everything that makes one image differ from another, so that the same context
/// and base always have the same tag, whoever asks.
#[must_use]
pub fn content_tag(context: &str, wanted: &Properties) -> String {
    // As JSON, so that no two lists of values give the same text.
    let asked = json!([
        context,
        wanted.base_image.as_str(),
        wanted.mautic_tag.as_str(),
        wanted.mautic_digest.as_str(),
        wanted.site_url.as_str(),
        wanted.architecture.as_str(),
    ]);
    let mut tag = hexadecimal(&Sha256::digest(asked.to_string()));
    tag.truncate(DIGITS);
    tag
}

/// The whole tag: with the day of the patch that is wanted, if one is.
#[must_use]
pub fn tag(content_tag: &str, patch: &str) -> String {
    if patch.is_empty() {
        content_tag.to_owned()
    } else {
        format!("{content_tag}-{patch}")
    }
}

/// The tag that follows the newest build of what is asked for, where tasks are to have that.
#[must_use]
pub fn rolling(content_tag: &str) -> String {
    format!("rolling-{content_tag}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::properties::tests::whole;

    fn of(context: &str, name: &str, value: &str) -> String {
        let mut properties = whole();
        properties[name] = json!(value);
        content_tag(context, &serde_json::from_value(properties).expect("valid"))
    }

    #[test]
    fn everything_that_makes_another_image_makes_another_tag() {
        let digest = format!("sha256:{}", "7".repeat(64));
        let same = of("c", "Bucket", "another-bucket");
        assert_eq!(same, of("c", "WaitSeconds", "7"));
        assert_eq!(same, of("c", "Patch", "20261201"), "the day stands behind the hash");
        assert_eq!(same.len(), DIGITS);
        let all = BTreeSet::from([
            same,
            of("d", "Bucket", "b"),
            of("c", "BaseImage", "mirror.example.com/mautic"),
            of("c", "MauticTag", "7.2.1-apache"),
            of("c", "MauticDigest", &digest),
            of("c", "SiteUrl", "https://b.example.com"),
            of("c", "Architecture", "X86_64"),
        ]);
        assert_eq!(all.len(), 7, "{all:?}");
    }

    #[test]
    fn a_patch_is_known_by_its_day() {
        assert_eq!(tag("0123456789abcdef", ""), "0123456789abcdef");
        assert_eq!(tag("0123456789abcdef", "20261201"), "0123456789abcdef-20261201");
    }
}
