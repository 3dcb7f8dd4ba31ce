//! The properties as templates spell them, before anything about them is checked.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A scalar property as text, however CloudFormation or a test spells it: `true`, `"true"`, `600`, `"600"`.
#[derive(Default)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Scalar)
    }
}

struct Scalar;

impl Visitor<'_> for Scalar {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number or a boolean")
    }

    fn visit_str<E>(self, value: &str) -> Result<Text, E> {
        Ok(Text(value.trim().to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Text, E> {
        Ok(Text(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text::default())
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) domain: Text,
    #[serde(default)]
    pub(super) hosted_zone_id: Text,
    #[serde(default)]
    pub(super) zone_name: Text,
    #[serde(default)]
    pub(super) role_arn: Text,
    pub(super) mail_from_subdomain: Option<Text>,
    pub(super) dmarc_policy: Option<Text>,
    #[serde(default)]
    pub(super) dmarc_report_address: Text,
    #[serde(default)]
    pub(super) apex_spf: Text,
    #[serde(default)]
    pub(super) configuration_set: Text,
    #[serde(default)]
    pub(super) wait_for_verification: Text,
    #[serde(default)]
    pub(super) wait_seconds: Text,
    #[serde(default)]
    pub(super) on_timeout: Text,
    #[serde(default)]
    pub(super) adopt_existing: Text,
    #[serde(default)]
    pub(super) external_dns: Text,
}
