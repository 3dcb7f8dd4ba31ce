//! What the template tells the function by environment variables; all that are missing or wrong are named together.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use database::{Name, NameKind};
use thiserror::Error;

use crate::policy::Policy;
use crate::tables::Place;

/// The function's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `DATABASE_HOST`: the server, by the name that its certificate bears.
    pub host: String,
    /// `DATABASE_PORT`; 3306 if it is not set.
    pub port: u16,
    /// `DATABASE_SECRET_ARN`: the secret with this function's user and password.
    pub secret_arn: String,
    /// `DATABASE_CA_BUNDLE`: a PEM file of authorities to believe instead of RDS's.
    pub authorities: Option<PathBuf>,
    /// `MAUTIC_SCHEMA`, `TABLE_PREFIX` and `BOUNCES_SCHEMA`.
    pub place: Place,
    /// `SOFT_BOUNCE_THRESHOLD` (3), `SOFT_BOUNCE_DAYS` (14) and `PERMANENT_STATUSES` (none), separated by commas.
    pub policy: Policy,
    /// `SUPPRESS_IN_SES`: whether addresses also go on the account's suppression list; `false` if it is not set.
    pub suppress: bool,
    /// `METRICS_NAMESPACE`, such as `Mautic/prod/Bounces`.
    pub namespace: String,
}

/// Settings that the function cannot work with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the environment is not usable: {0}; correct the function's variables in its template")]
pub struct InvalidSettings(String);

impl Settings {
    /// Reads the settings with `variable`, as a rule from the environment.
    ///
    /// # Errors
    /// [`InvalidSettings`] with every variable that is missing or wrong.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidSettings> {
        let mut reading = Reading {
            variable,
            faults: Vec::new(),
        };
        let settings = Self {
            host: reading.text("DATABASE_HOST"),
            port: reading.number("DATABASE_PORT", 3306, 1..=u16::MAX),
            secret_arn: reading.text("DATABASE_SECRET_ARN"),
            authorities: reading.value("DATABASE_CA_BUNDLE").map(PathBuf::from),
            place: Place {
                mautic: reading.schema("MAUTIC_SCHEMA"),
                prefix: reading.prefix("TABLE_PREFIX"),
                own: reading.schema("BOUNCES_SCHEMA"),
            },
            policy: Policy {
                soft_threshold: reading.number("SOFT_BOUNCE_THRESHOLD", 3, 0..=100),
                soft_days: reading.number("SOFT_BOUNCE_DAYS", 14, 1..=30),
                permanent_statuses: reading.list("PERMANENT_STATUSES"),
            },
            suppress: reading.flag("SUPPRESS_IN_SES"),
            namespace: reading.text("METRICS_NAMESPACE"),
        };
        if reading.faults.is_empty() {
            Ok(settings)
        } else {
            Err(InvalidSettings(reading.faults.join("; ")))
        }
    }
}

struct Reading<V> {
    variable: V,
    faults: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reading<V> {
    /// A variable that is set and not blank.
    fn value(&self, name: &str) -> Option<String> {
        (self.variable)(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    fn text(&mut self, name: &str) -> String {
        self.value(name).unwrap_or_else(|| {
            self.faults.push(format!("{name} is missing"));
            String::new()
        })
    }

    fn number<N: FromStr + PartialOrd + Display>(&mut self, name: &str, default: N, range: RangeInclusive<N>) -> N {
        let Some(text) = self.value(name) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                let (least, most) = range.into_inner();
                self.faults.push(format!(
                    "{name} is `{text}`, a whole number from {least} to {most} is needed"
                ));
                default
            }
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.value(name).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(text) => {
                self.faults.push(format!("{name} is `{text}`, true or false is needed"));
                false
            }
        }
    }

    fn list(&self, name: &str) -> Vec<String> {
        let text = self.value(name).unwrap_or_default();
        text.split(',')
            .map(|one| one.trim().to_owned())
            .filter(|one| !one.is_empty())
            .collect()
    }

    fn schema(&mut self, name: &str) -> Name {
        let text = self.text(name);
        let text = if text.is_empty() { "missing" } else { &text };
        Name::new(NameKind::Schema, text).unwrap_or_else(|error| {
            self.faults.push(format!("{name}: {error}"));
            Name::new(NameKind::Schema, "wrong").expect("a name")
        })
    }

    fn prefix(&mut self, name: &str) -> String {
        let prefix = self.value(name).unwrap_or_default();
        let letters = prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !letters || prefix.len() > 32 {
            self.faults.push(format!(
                "{name} is `{prefix}`, at most 32 letters, digits and `_` are needed"
            ));
        }
        prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
        let known: std::collections::HashMap<_, _> = variables.iter().copied().collect();
        Settings::read(|name| known.get(name).map(|text| (*text).to_owned()))
    }

    const LEAST: [(&str, &str); 5] = [
        ("DATABASE_HOST", "db"),
        ("DATABASE_SECRET_ARN", "arn"),
        ("MAUTIC_SCHEMA", "mautic"),
        ("BOUNCES_SCHEMA", "mautic_bounces"),
        ("METRICS_NAMESPACE", "Mautic/dev/Bounces"),
    ];

    #[test]
    fn what_is_not_said_has_its_default() {
        let settings = read(&LEAST).expect("enough");
        assert_eq!(
            (settings.port, settings.suppress, settings.place.prefix.as_str()),
            (3306, false, "")
        );
        let policy = Policy {
            soft_threshold: 3,
            soft_days: 14,
            permanent_statuses: Vec::new(),
        };
        assert_eq!(settings.policy, policy);
    }

    #[test]
    fn what_is_said_is_taken() {
        let more = [
            ("TABLE_PREFIX", "mtc_"),
            ("SUPPRESS_IN_SES", "true"),
            ("PERMANENT_STATUSES", "5.1.1, 5.1.2"),
            ("SOFT_BOUNCE_THRESHOLD", "0"),
        ];
        let settings = read(&[&LEAST[..], &more].concat()).expect("enough");
        assert_eq!((settings.place.prefix.as_str(), settings.suppress), ("mtc_", true));
        assert_eq!(settings.policy.permanent_statuses, ["5.1.1", "5.1.2"]);
        assert_eq!(settings.policy.soft_threshold, 0);
    }

    #[test]
    fn all_faults_are_named_together() {
        let wrong = [
            ("DATABASE_PORT", "0"),
            ("TABLE_PREFIX", "a`b"),
            ("SUPPRESS_IN_SES", "yes"),
            ("BOUNCES_SCHEMA", "a\u{1}b"),
            ("SOFT_BOUNCE_DAYS", "31"),
        ];
        assert_eq!(
            read(&wrong).expect_err("hardly anything is right").to_string(),
            "the environment is not usable: DATABASE_HOST is missing; DATABASE_PORT is `0`, a whole number from 1 to 65535 is needed; \
             DATABASE_SECRET_ARN is missing; MAUTIC_SCHEMA is missing; TABLE_PREFIX is `a`b`, at most 32 letters, digits and `_` are needed; \
             BOUNCES_SCHEMA: `a\u{1}b` is no schema name that MySQL takes: it holds a control character, or one outside Unicode's basic plane; \
             choose another one; SOFT_BOUNCE_DAYS is `31`, a whole number from 1 to 30 is needed; SUPPRESS_IN_SES is `yes`, true or false is needed; \
             METRICS_NAMESPACE is missing; correct the function's variables in its template"
        );
    }
}
