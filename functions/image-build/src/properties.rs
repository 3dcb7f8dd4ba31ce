//! The properties as templates write them, validated. Every shape that was ever shipped stays readable (R11).

use std::time::Duration;

use custom_resource::blank_as_none;
use serde::{Deserialize, Deserializer};

/// The longest wait, in seconds: CloudFormation itself waits for an hour, and the answer takes its time.
const LONGEST_WAIT: u64 = 3540;
/// The longest tag that a registry takes.
const LONGEST_TAG: usize = 128;

/// Properties of `Custom::ContainerImage`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The CodeBuild project that builds.
    pub project: String,
    /// The bucket that it reads the build context from.
    pub bucket: String,
    /// The ECR repository that it pushes to.
    pub repository: String,
    /// The repository as an image's name begins with it.
    pub repository_uri: String,
    /// The image that Mautic's is made from, without tag: Docker Hub's, or a mirror of it.
    #[serde(default, deserialize_with = "base_or")]
    pub base_image: BaseImage,
    /// Its tag.
    pub mautic_tag: ImageTag,
    /// Its digest; blank means whatever the tag names when it is built.
    #[serde(default, deserialize_with = "blank")]
    pub mautic_digest: ImageDigest,
    /// The tag that a patch is made from: of the same version of Mautic, but one that moves.
    pub patch_tag: ImageTag,
    /// The day of the patch that is wanted; blank means the image as it was first built.
    #[serde(default, deserialize_with = "blank")]
    pub patch: Patch,
    /// Whether tasks name a tag that follows the newest build, instead of one image's digest.
    #[serde(default, deserialize_with = "blank")]
    pub rolling: bool,
    /// The site, for which Mautic's cache is compiled; blank means that each task compiles it.
    #[serde(default, deserialize_with = "blank")]
    pub site_url: SiteUrl,
    /// The processor that the tasks run on.
    pub architecture: Architecture,
    /// How long to wait for a build, from the event's first delivery.
    #[serde(default, deserialize_with = "blank")]
    pub wait_seconds: WaitSeconds,
}

fn blank<'de, D: Deserializer<'de>, T: Default + serde::de::DeserializeOwned>(from: D) -> Result<T, D::Error> {
    Ok(blank_as_none(from)?.unwrap_or_default())
}

fn base_or<'de, D: Deserializer<'de>>(from: D) -> Result<BaseImage, D::Error> {
    blank(from)
}

/// A text that was found to be valid.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $valid:expr, $problem:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text)) } else { Err($problem) }
            }
        }
    };
}

fn all(text: &str, others: &[u8]) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
}

text! {
    /// An image's name, with its registry unless that is Docker Hub.
    BaseImage, |text| all(text, b"./:_-") && !text.starts_with(['.', '/', ':', '-']),
    "must be an image without tag, such as mautic/mautic or REGISTRY/mautic"
}
text! {
    /// An image's tag.
    ImageTag, |text| text.len() <= LONGEST_TAG && all(text, b"._-") && !text.starts_with(['.', '-']),
    "must be an image's tag, at most 128 letters, digits and . _ -"
}
text! {
    /// An image's digest, or nothing.
    ImageDigest, |text| text.is_empty() || is_digest(text),
    "must be sha256: and 64 hexadecimal digits, or blank"
}
text! {
    /// A day, or nothing.
    Patch, |text| text.is_empty() || text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()),
    "must be a day as YYYYMMDD, or blank"
}
text! {
    /// An address with https, or nothing.
    SiteUrl, |text| text.is_empty() || text.strip_prefix("https://").is_some_and(|rest| all(rest, b".-:/_~")),
    "must be the site's address with https://, or blank"
}

impl Default for BaseImage {
    fn default() -> Self {
        Self("mautic/mautic".to_owned())
    }
}

macro_rules! may_be_blank {
    ($($name:ident)*) => {$(
        impl Default for $name {
            fn default() -> Self {
                Self(String::new())
            }
        }
    )*};
}

may_be_blank! { ImageDigest Patch SiteUrl }

/// Whether it is one as registries give it.
pub(crate) fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:");
    digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The tasks' processor, as ECS calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Architecture {
    /// Graviton.
    #[serde(rename = "ARM64")]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "X86_64")]
    X86,
}

impl Architecture {
    /// ECS's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arm64 => "ARM64",
            Self::X86 => "X86_64",
        }
    }
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub struct WaitSeconds(u64);

impl WaitSeconds {
    /// The time.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl Default for WaitSeconds {
    fn default() -> Self {
        Self(LONGEST_WAIT)
    }
}

impl TryFrom<u64> for WaitSeconds {
    type Error = &'static str;

    fn try_from(seconds: u64) -> Result<Self, Self::Error> {
        if (1..=LONGEST_WAIT).contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err("must be a number of seconds from 1 to 3540")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn whole() -> Value {
        json!({
            "Project": "p", "Bucket": "b", "Repository": "shop", "RepositoryUri": "1.dkr.ecr.eu-central-1.amazonaws.com/shop",
            "MauticTag": "7.2.0-20260902-apache", "PatchTag": "7.2.0-apache", "Architecture": "ARM64",
        })
    }

    fn read(name: &str, value: Value) -> Result<Properties, String> {
        let mut properties = whole();
        properties[name] = value;
        serde_json::from_value(properties).map_err(|error| error.to_string())
    }

    #[test]
    fn what_a_template_leaves_out_or_blank_has_its_default() {
        for name in [
            "BaseImage",
            "MauticDigest",
            "Patch",
            "Rolling",
            "SiteUrl",
            "WaitSeconds",
        ] {
            let properties = read(name, json!("")).expect("valid");
            assert_eq!(properties, serde_json::from_value(whole()).expect("valid"), "{name}");
            assert_eq!(properties.base_image.as_str(), "mautic/mautic");
            assert_eq!(properties.wait_seconds.duration(), Duration::from_mins(59));
        }
    }

    #[test]
    fn what_a_shell_or_a_registry_would_take_otherwise_is_refused() {
        for (name, value, problem) in [
            (
                "BaseImage",
                json!("mautic/mautic; true"),
                "must be an image without tag, such as mautic/mautic or REGISTRY/mautic",
            ),
            (
                "BaseImage",
                json!("-mautic"),
                "must be an image without tag, such as mautic/mautic or REGISTRY/mautic",
            ),
            (
                "MauticTag",
                json!(""),
                "must be an image's tag, at most 128 letters, digits and . _ -",
            ),
            (
                "PatchTag",
                json!("x".repeat(129)),
                "must be an image's tag, at most 128 letters, digits and . _ -",
            ),
            (
                "MauticDigest",
                json!("sha256:12"),
                "must be sha256: and 64 hexadecimal digits, or blank",
            ),
            ("Patch", json!("2026-12-01"), "must be a day as YYYYMMDD, or blank"),
            (
                "SiteUrl",
                json!("http://shop.example.com"),
                "must be the site's address with https://, or blank",
            ),
            (
                "SiteUrl",
                json!("https://$(id)"),
                "must be the site's address with https://, or blank",
            ),
            ("WaitSeconds", json!(0), "must be a number of seconds from 1 to 3540"),
            ("WaitSeconds", json!(3541), "must be a number of seconds from 1 to 3540"),
            (
                "Architecture",
                json!("arm"),
                "unknown variant `arm`, expected `ARM64` or `X86_64`",
            ),
        ] {
            assert_eq!(read(name, value).expect_err("refused"), problem, "{name}");
        }
    }

    #[test]
    fn every_shape_that_was_shipped_stays_readable() {
        let shapes = custom_resource::testing::kept_shapes::<Properties>("tests/shapes", "ContainerImage");
        let first = &shapes[0];
        assert_eq!(
            (first.base_image.as_str(), first.patch.as_str()),
            ("mautic/mautic", "20261120")
        );
        assert_eq!((first.architecture, first.rolling), (Architecture::Arm64, false));
    }
}
