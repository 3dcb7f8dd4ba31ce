//! The properties as templates write them, validated. Every shape that was ever shipped stays readable (R11).

use std::fmt;

use custom_resource::blank_as_none;
use serde::{Deserialize, Deserializer};

/// Where SMTP clients hand mail in and begin TLS with STARTTLS.
const SUBMISSION: u16 = 587;

/// Properties of `Custom::SmtpCredentials`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    /// The IAM user whose key is made.
    pub user_name: UserName,
    /// The secret that holds the credentials.
    pub secret_arn: String,
    /// The region in which SES takes the mail: the password is good there only.
    pub region: Region,
    /// SES's SMTP server in that region.
    pub host: String,
    /// Its TCP port.
    #[serde(default = "submission", deserialize_with = "port")]
    pub port: u16,
}

fn submission() -> u16 {
    SUBMISSION
}

fn port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    Ok(blank_as_none(deserializer)?.unwrap_or(SUBMISSION))
}

/// The name of an IAM user: 1 to 64 letters, digits and `+ = , . @ - _`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UserName(String);

impl UserName {
    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte);
        if (1..=64).contains(&name.len()) && name.bytes().all(fits) {
            return Ok(Self(name));
        }
        Err("must be the name of an IAM user, 1 to 64 letters, digits and + = , . @ - _")
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a region of AWS, such as `eu-central-1`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Region(String);

impl Region {
    /// The region's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Region {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (4..=32).contains(&name.len()) && name.bytes().all(fits) {
            return Ok(Self(name));
        }
        Err("must be the name of a region, such as eu-central-1")
    }
}

#[cfg(test)]
mod tests {
    use custom_resource::testing::kept_shapes;
    use serde_json::{Value, json};

    use super::*;

    fn read(name: &str, value: &str) -> Result<Properties, String> {
        let mut properties =
            json!({"UserName": "shop-MailUser-1ABC", "SecretArn": "arn:s", "Region": "eu-central-1", "Host": "h"});
        properties[name] = Value::from(value);
        serde_json::from_value(properties).map_err(|error| error.to_string())
    }

    #[test]
    fn the_port_is_that_of_submission_unless_another_is_given() {
        assert_eq!(read("Host", "h").unwrap().port, 587);
        assert_eq!(read("Port", "").unwrap().port, 587);
    }

    #[test]
    fn what_is_no_user_or_region_is_refused() {
        for (name, value, reason) in [
            (
                "UserName",
                "a/b",
                "must be the name of an IAM user, 1 to 64 letters, digits and + = , . @ - _",
            ),
            (
                "Region",
                "Frankfurt",
                "must be the name of a region, such as eu-central-1",
            ),
        ] {
            assert_eq!(read(name, value).unwrap_err(), reason);
        }
        assert!(read("UserName", &"x".repeat(65)).is_err());
    }

    #[test]
    fn every_shape_that_was_shipped_stays_readable() {
        let shapes = kept_shapes::<Properties>("tests/shapes", "SmtpCredentials");
        let first = &shapes[0];
        assert_eq!((first.region.as_str(), first.port), ("eu-central-1", 587));
        assert_eq!(first.user_name.as_str(), "mautic-prod-MailUser-1A2B3C4D5E6F");
    }
}
