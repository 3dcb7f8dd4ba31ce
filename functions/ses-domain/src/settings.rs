//! The properties of `Custom::SesDomain`, validated. An empty text always means "not set". Every shape that was ever
//! shipped stays readable (R11).

mod raw;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer};
use thiserror::Error;

use raw::{Raw, Text};

use crate::dmarc::{Dmarc, Policy};
use crate::names::{DnsName, Domain};

/// The longest domain whose DKIM names still fit DNS: 253 less a token of 32, `._domainkey` and a dot.
const LONGEST_DOMAIN: usize = 209;
/// The longest part before the domain in MAIL FROM; it stands in a tag's key of at most 128 characters.
const LONGEST_SUBDOMAIN: usize = 63;
/// A tag's value holds no more; the role is remembered there for the Delete.
const LONGEST_ROLE: usize = 256;
/// An hour, CloudFormation's longest `ServiceTimeout`, less a minute for everything but the waiting.
const LONGEST_WAIT: u64 = 3540;

/// What the template asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The sending domain.
    pub domain: Domain,
    /// How to find the hosted zone; `None`: the DNS is elsewhere and nothing is written to it.
    pub zone: Option<ZoneChoice>,
    /// The role to assume for Route 53, when the zone belongs to another account.
    pub role: Option<String>,
    /// The part of the MAIL FROM domain before the domain.
    pub mail_from: Option<String>,
    /// The DMARC record to create where there is none.
    pub dmarc: Option<Dmarc>,
    /// Whether the domain's own SPF record shall allow SES too.
    pub apex_spf: bool,
    /// The configuration set to use by default for mail from this domain.
    pub configuration_set: Option<String>,
    /// Whether and how long to wait until SES has verified the records.
    pub wait: Option<Wait>,
    /// Whether an existing identity without an owner may be taken over.
    pub adopt_existing: bool,
}

/// How to find the hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneChoice {
    /// By its id; the name, if given, must agree.
    Id(ZoneId, Option<DnsName>),
    /// The one public zone of this name.
    Name(DnsName),
    /// The public zone whose name is the longest suffix of the domain.
    LongestSuffix,
}

/// A hosted zone's id, without the `/hostedzone/` that some calls put before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ZoneId(String);

impl ZoneId {
    /// Reads `Z123` or `/hostedzone/Z123`; `None` for anything but letters and digits, at most 32.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = text.strip_prefix("/hostedzone/").unwrap_or(text);
        let fits = (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self(id.to_owned()))
    }

    /// The bare id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ZoneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Waiting for verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// How long, from the first attempt.
    pub limit: Duration,
    /// What then.
    pub on_timeout: OnTimeout,
}

/// What to answer when SES has not verified the domain in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// FAILED, naming what is pending.
    Fail,
    /// SUCCESS with the attribute Status PENDING.
    Succeed,
}

/// A text that is no domain.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Domain `{0}` is not a domain name; give one such as example.com, without protocol, path or @")]
pub struct InvalidDomain(pub String);

/// A property that cannot be used: its name, its value, and what would do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidSettings {
    /// Not a domain.
    #[error(transparent)]
    Domain(#[from] InvalidDomain),
    /// Too long for its own DKIM records.
    #[error(
        "Domain `{0}` has {1} characters; its DKIM records fit DNS up to {LONGEST_DOMAIN}: use a shorter subdomain"
    )]
    DomainTooLong(String, usize),
    /// Any other property.
    #[error("{property} `{value}` {problem}; {remedy}")]
    Property {
        /// The property's name.
        property: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
        /// What would be right.
        remedy: &'static str,
    },
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        Self::validated(raw).map_err(serde::de::Error::custom)
    }
}

impl Settings {
    fn validated(raw: Raw) -> Result<Self, InvalidSettings> {
        let domain = Domain::parse(&raw.domain.0)?;
        let length = domain.as_str().len();
        if length > LONGEST_DOMAIN {
            return Err(InvalidSettings::DomainTooLong(raw.domain.0, length));
        }
        let external = boolean("ExternalDns", raw.external_dns)?.unwrap_or(false);
        let zone = zone(raw.hosted_zone_id, &raw.zone_name)?;
        let subdomain = raw.mail_from_subdomain.map_or_else(|| "mail".to_owned(), |text| text.0);
        let policy = raw.dmarc_policy.map_or_else(|| "none".to_owned(), |text| text.0);
        let wait = boolean("WaitForVerification", raw.wait_for_verification)?.unwrap_or(!external);
        let limits = wait_limits(raw.wait_seconds, raw.on_timeout)?;
        Ok(Self {
            mail_from: mail_from(&subdomain, &domain)?,
            domain,
            zone: (!external).then_some(zone),
            role: role(raw.role_arn)?,
            dmarc: dmarc(policy, raw.dmarc_report_address)?,
            apex_spf: boolean("ApexSpf", raw.apex_spf)?.unwrap_or(false),
            configuration_set: configuration_set(raw.configuration_set)?,
            wait: wait.then_some(limits),
            adopt_existing: boolean("AdoptExisting", raw.adopt_existing)?.unwrap_or(false),
        })
    }

    /// The whole MAIL FROM domain.
    #[must_use]
    pub fn mail_from_domain(&self) -> Option<String> {
        let subdomain = self.mail_from.as_ref()?;
        Some(format!("{subdomain}.{}", self.domain))
    }
}

fn refused(
    property: &'static str,
    value: impl Into<String>,
    problem: &'static str,
    remedy: &'static str,
) -> InvalidSettings {
    InvalidSettings::Property {
        property,
        value: value.into(),
        problem,
        remedy,
    }
}

fn boolean(property: &'static str, text: Text) -> Result<Option<bool>, InvalidSettings> {
    match text.0.to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(refused(property, text.0, "is not a boolean", "give true or false")),
    }
}

fn zone(id: Text, name: &Text) -> Result<ZoneChoice, InvalidSettings> {
    let name = (!name.0.is_empty()).then(|| DnsName::parse(&name.0));
    if id.0.is_empty() {
        return Ok(name.map_or(ZoneChoice::LongestSuffix, ZoneChoice::Name));
    }
    match ZoneId::parse(&id.0) {
        Some(id) => Ok(ZoneChoice::Id(id, name)),
        None => Err(refused(
            "HostedZoneId",
            id.0,
            "is not the id of a hosted zone",
            "give one such as Z0123456789ABC, or leave it empty to search by name",
        )),
    }
}

fn role(text: Text) -> Result<Option<String>, InvalidSettings> {
    if text.0.is_empty() {
        return Ok(None);
    }
    if !text.0.starts_with("arn:") || !text.0.contains(":iam::") || !text.0.contains(":role/") {
        return Err(refused(
            "RoleArn",
            text.0,
            "is not the ARN of an IAM role",
            "give arn:aws:iam::ACCOUNT:role/NAME of a role that may change the zone",
        ));
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.:/=+-".contains(c);
    if text.0.len() > LONGEST_ROLE || !text.0.chars().all(fits) {
        return Err(refused(
            "RoleArn",
            text.0,
            "cannot be kept in a tag of the identity for the later Delete",
            "name the role with letters, digits and _ . = + - only, its ARN in at most 256 characters",
        ));
    }
    Ok(Some(text.0))
}

fn mail_from(text: &str, domain: &Domain) -> Result<Option<String>, InvalidSettings> {
    if text.is_empty() {
        return Ok(None);
    }
    let refused = |problem| {
        let remedy = "give the part before the domain, such as mail, or nothing for no custom MAIL FROM";
        refused("MailFromSubdomain", text, problem, remedy)
    };
    let whole = Domain::parse(&format!("{text}.{domain}"));
    let whole = whole.map_err(|_| refused("is not a part of a domain name"))?;
    let part = whole.as_str().strip_suffix(&format!(".{domain}")).unwrap_or_default();
    if part.len() > LONGEST_SUBDOMAIN {
        return Err(refused("is longer than 63 characters"));
    }
    if part == domain.as_str() || part.ends_with(&format!(".{domain}")) {
        return Err(refused("repeats the domain"));
    }
    Ok(Some(part.to_owned()))
}

fn dmarc(policy: String, report: Text) -> Result<Option<Dmarc>, InvalidSettings> {
    let policy = match policy.to_ascii_lowercase().as_str() {
        "" => return Ok(None),
        "none" => Policy::None,
        "quarantine" => Policy::Quarantine,
        "reject" => Policy::Reject,
        _ => {
            let remedy = "give none, quarantine or reject, or nothing for no DMARC record";
            return Err(refused("DmarcPolicy", policy, "is not a DMARC policy", remedy));
        }
    };
    Dmarc::new(policy, &report.0).map(Some).ok_or_else(|| {
        let remedy = "give one such as dmarc@example.com, or nothing for no reports";
        refused("DmarcReportAddress", report.0, "is not an e-mail address", remedy)
    })
}

fn configuration_set(text: Text) -> Result<Option<String>, InvalidSettings> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.0.len() > 64 || !text.0.chars().all(fits) {
        let remedy = "give 1 to 64 letters, digits, - or _, or nothing for none";
        return Err(refused(
            "ConfigurationSet",
            text.0,
            "is not the name of a configuration set",
            remedy,
        ));
    }
    Ok((!text.0.is_empty()).then_some(text.0))
}

fn wait_limits(seconds: Text, on_timeout: Text) -> Result<Wait, InvalidSettings> {
    let limit = if seconds.0.is_empty() {
        600
    } else {
        let parsed = seconds.0.parse().ok().filter(|s| *s <= LONGEST_WAIT);
        let remedy = "give 0 to 3540: CloudFormation waits an hour at most";
        parsed.ok_or_else(|| refused("WaitSeconds", seconds.0, "is not a time to wait", remedy))?
    };
    let on_timeout = match on_timeout.0.to_ascii_uppercase().as_str() {
        "" | "FAIL" => OnTimeout::Fail,
        "SUCCEED" => OnTimeout::Succeed,
        _ => {
            return Err(refused(
                "OnTimeout",
                on_timeout.0,
                "is neither outcome",
                "give FAIL or SUCCEED",
            ));
        }
    };
    Ok(Wait {
        limit: Duration::from_secs(limit),
        on_timeout,
    })
}
