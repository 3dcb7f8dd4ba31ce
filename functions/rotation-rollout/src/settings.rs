//! What the function is told by its environment.

use std::collections::BTreeMap;
use std::time::Duration;

use rotation::{MissingVariables, variables};
use thiserror::Error;

const SETTLE: Duration = Duration::from_mins(1);

/// What to look after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The ECS cluster's name.
    pub cluster: String,
    /// The function that rotates each secret, by the secret's ARN.
    pub rotations: BTreeMap<String, String>,
    /// How long after a label's move nothing is done about it: secrets that are rotated together share a deployment, and the
    /// clocks of two services need not agree to the second.
    pub settle: Duration,
}

/// An environment that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidSettings {
    /// Variables are missing.
    #[error(transparent)]
    Missing(#[from] MissingVariables),
    /// The list of rotations is malformed.
    #[error("ROTATIONS holds `{0}`, which is no SECRET-ARN=FUNCTION-ARN; separate several by commas")]
    Rotations(String),
    /// The time is no number.
    #[error("SETTLE_SECONDS `{0}` is no number of seconds; correct it, or leave it out for 60")]
    Settle(String),
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`InvalidSettings`].
    pub fn from_environment() -> Result<Self, InvalidSettings> {
        let [cluster, rotations] = variables(["CLUSTER_NAME", "ROTATIONS"])?;
        Self::parse(cluster, &rotations, std::env::var("SETTLE_SECONDS").ok())
    }

    fn parse(cluster: String, rotations: &str, settle: Option<String>) -> Result<Self, InvalidSettings> {
        let pairs = rotations.split(',').filter(|pair| !pair.is_empty()).map(|pair| {
            // A secret's name may hold an equals sign, a function's may not.
            let (secret, function) = pair.rsplit_once('=').unwrap_or_default();
            if secret.is_empty() || function.is_empty() {
                return Err(InvalidSettings::Rotations(pair.to_owned()));
            }
            Ok((secret.to_owned(), function.to_owned()))
        });
        let settle = settle.map(|text| match text.parse() {
            Ok(seconds) => Ok(Duration::from_secs(seconds)),
            Err(_) => Err(InvalidSettings::Settle(text)),
        });
        Ok(Self {
            cluster,
            rotations: pairs.collect::<Result<_, _>>()?,
            settle: settle.transpose()?.unwrap_or(SETTLE),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(rotations: &str, settle: Option<&str>) -> Result<Settings, String> {
        let settings = Settings::parse("shop".to_owned(), rotations, settle.map(str::to_owned));
        settings.map_err(|error| error.to_string())
    }

    #[test]
    fn each_secret_has_its_function() {
        let settings = parsed(
            "arn:secret:a=b-AbCdEf=arn:function:one,arn:secret:c=arn:function:two",
            None,
        )
        .unwrap();
        let pairs: Vec<_> = settings
            .rotations
            .iter()
            .map(|(one, two)| (one.as_str(), two.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("arn:secret:a=b-AbCdEf", "arn:function:one"),
                ("arn:secret:c", "arn:function:two")
            ]
        );
        assert_eq!(settings.settle, Duration::from_mins(1));
        assert_eq!(parsed("a=b", Some("1")).unwrap().settle, Duration::from_secs(1));
    }

    #[test]
    fn what_is_malformed_is_quoted_with_the_remedy() {
        assert_eq!(
            parsed("arn:secret:c", None).unwrap_err(),
            "ROTATIONS holds `arn:secret:c`, which is no SECRET-ARN=FUNCTION-ARN; separate several by commas"
        );
        assert_eq!(
            parsed("a=b", Some("soon")).unwrap_err(),
            "SETTLE_SECONDS `soon` is no number of seconds; correct it, or leave it out for 60"
        );
    }
}
