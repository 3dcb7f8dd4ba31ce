//! A hosted zone: which one holds the domain, and what stands in it at the names that matter.

use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::names::{DnsName, Domain};
use crate::settings::{ZoneChoice, ZoneId};
use crate::txt::TxtValue;

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// Its id.
    pub id: ZoneId,
    /// Its name.
    pub name: DnsName,
    /// Whether only VPCs see it: SES never does.
    pub private: bool,
}

/// Why no zone, or not that zone, can be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ZoneError {
    /// The zone is private.
    #[error("hosted zone {id} ({name}) is private, so SES cannot see it; give the id of the public zone of that name")]
    Private {
        /// The zone.
        id: ZoneId,
        /// Its name.
        name: String,
    },
    /// The zone is another domain's.
    #[error(
        "hosted zone {id} is for {name} and does not hold {domain}; give the id of the zone of {domain}, or leave HostedZoneId empty"
    )]
    Elsewhere {
        /// The zone.
        id: ZoneId,
        /// Its name.
        name: String,
        /// The sending domain.
        domain: String,
    },
    /// `HostedZoneId` and `ZoneName` name different zones.
    #[error(
        "hosted zone {id} is named {name}, not {expected}; correct HostedZoneId or ZoneName, or give only one of them"
    )]
    OtherName {
        /// The zone.
        id: ZoneId,
        /// Its name.
        name: String,
        /// `ZoneName`.
        expected: String,
    },
    /// Two or more public zones have the same name.
    #[error(
        "{name} has several public hosted zones ({ids}), and only one of them is delegated to; give its id as HostedZoneId"
    )]
    Ambiguous {
        /// Their name.
        name: String,
        /// Their ids.
        ids: String,
    },
    /// There is none.
    #[error(
        "no public hosted zone holds {domain}{named}; create one, give RoleArn if it belongs to another account, or set ExternalDns to true and publish the records yourself"
    )]
    Missing {
        /// The sending domain.
        domain: String,
        /// ` under the name ...`, if one was given.
        named: String,
    },
}

/// The zone to use among `zones`: for a choice by id, the one zone that bears it. Private twins are ignored.
///
/// # Errors
/// [`ZoneError`] if there is none, more than one, or a zone that does not hold the domain.
pub fn choose(choice: &ZoneChoice, domain: &Domain, zones: &[HostedZone]) -> Result<HostedZone, ZoneError> {
    let sending = domain.name();
    let (candidates, named) = match choice {
        ZoneChoice::Id(id, expected) => {
            let named = format!(" under the id {id}");
            let zone = zones
                .iter()
                .find(|zone| zone.id == *id)
                .ok_or_else(|| missing(domain, named))?;
            return checked(zone, domain, expected.as_ref());
        }
        ZoneChoice::Name(name) => {
            let of_name = public(zones).filter(|zone| zone.name == *name).collect::<Vec<_>>();
            (of_name, format!(" under the name {name}"))
        }
        ZoneChoice::LongestSuffix => {
            let holding = || public(zones).filter(|zone| sending.is_within(&zone.name));
            let deepest = holding().map(|zone| zone.name.depth()).max();
            let longest = holding().filter(|zone| Some(zone.name.depth()) == deepest).collect();
            (longest, String::new())
        }
    };
    match candidates.as_slice() {
        [] => Err(missing(domain, named)),
        [zone] => checked(zone, domain, None),
        [first, ..] => Err(ZoneError::Ambiguous {
            name: first.name.to_string(),
            ids: candidates
                .iter()
                .map(|zone| zone.id.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

fn public(zones: &[HostedZone]) -> impl Iterator<Item = &HostedZone> {
    zones.iter().filter(|zone| !zone.private)
}

fn missing(domain: &Domain, named: String) -> ZoneError {
    ZoneError::Missing {
        domain: domain.to_string(),
        named,
    }
}

fn checked(zone: &HostedZone, domain: &Domain, expected: Option<&DnsName>) -> Result<HostedZone, ZoneError> {
    let (id, name) = (zone.id.clone(), zone.name.to_string());
    if zone.private {
        return Err(ZoneError::Private { id, name });
    }
    if let Some(expected) = expected.filter(|expected| **expected != zone.name) {
        let expected = expected.to_string();
        return Err(ZoneError::OtherName { id, name, expected });
    }
    if !domain.name().is_within(&zone.name) {
        let domain = domain.to_string();
        return Err(ZoneError::Elsewhere { id, name, domain });
    }
    Ok(zone.clone())
}

/// A record's type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordType {
    /// Another name for a name.
    Cname,
    /// Where mail goes.
    Mx,
    /// Text: SPF, DMARC, site verifications.
    Txt,
    /// A delegation to other name servers.
    Ns,
    /// Any other; none that this function writes.
    Other(String),
}

impl From<&str> for RecordType {
    fn from(text: &str) -> Self {
        match text {
            "CNAME" => Self::Cname,
            "MX" => Self::Mx,
            "TXT" => Self::Txt,
            "NS" => Self::Ns,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Ns => "NS",
            Self::Other(other) => other,
        })
    }
}

impl RecordType {
    /// What a value of this type means, whatever its spelling: two values are the same record if this is equal.
    #[must_use]
    pub fn meaning(&self, value: &str) -> String {
        match self {
            Self::Cname | Self::Ns => DnsName::parse(value.trim()).to_string(),
            Self::Mx => match value.split_whitespace().collect::<Vec<_>>().as_slice() {
                [preference, host] => format!("{preference} {}", DnsName::parse(host)),
                _ => value.to_owned(),
            },
            Self::Txt => match TxtValue::parse(value) {
                Some(txt) => format!("{:?}", txt.bytes()),
                None => value.to_owned(),
            },
            Self::Other(_) => value.to_owned(),
        }
    }

    /// A fingerprint of a value's meaning, short enough for a tag.
    #[must_use]
    pub fn fingerprint(&self, value: &str) -> String {
        let digest = Sha256::digest(format!("{self} {}", self.meaning(value)));
        // 64 bits: these tell a record that we wrote from an edited one, nobody gains by forging them.
        let short: [u8; 8] = std::array::from_fn(|index| digest[index]);
        format!("{:016x}", u64::from_be_bytes(short))
    }
}

/// The records of one name and type, as Route 53 keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// Their name.
    pub name: DnsName,
    /// Their type.
    pub kind: RecordType,
    /// How long resolvers keep them, in seconds.
    pub ttl: i64,
    /// Their values, spelled and ordered as Route 53 has them.
    pub values: Vec<String>,
    /// Whether this is an alias or has a routing policy: never touched.
    pub special: bool,
}

impl RecordSet {
    /// The same set with other values.
    #[must_use]
    pub fn with_values(&self, values: Vec<String>) -> Self {
        Self { values, ..self.clone() }
    }

    /// Whether one of the values means the same as `value`.
    #[must_use]
    pub fn holds(&self, value: &str) -> bool {
        let meaning = self.kind.meaning(value);
        self.values.iter().any(|own| self.kind.meaning(own) == meaning)
    }
}

/// A zone, and the record sets at the names that were looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneState {
    /// The zone.
    pub zone: HostedZone,
    /// The record sets.
    pub sets: Vec<RecordSet>,
}

impl ZoneState {
    /// The record sets at `name`.
    pub fn at<'a>(&'a self, name: &'a DnsName) -> impl Iterator<Item = &'a RecordSet> {
        self.sets.iter().filter(move |set| set.name == *name)
    }

    /// The records of that name and type.
    #[must_use]
    pub fn set(&self, name: &DnsName, kind: &RecordType) -> Option<&RecordSet> {
        self.sets.iter().find(|set| set.name == *name && set.kind == *kind)
    }
}

/// One change of a batch. A set is replaced by deleting it exactly as it was read and creating the new one: Route 53
/// refuses the batch if somebody changed the set in between, which an UPSERT would overwrite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A record set that must not exist yet.
    Create(RecordSet),
    /// A record set that must be exactly this.
    Delete(RecordSet),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, set) = match self {
            Self::Create(set) => ("CREATE", set),
            Self::Delete(set) => ("DELETE", set),
        };
        write!(f, "{verb} {} {} {}", set.name, set.kind, set.values.join(" | "))
    }
}

/// The changes that turn `old` into one with `values`.
#[must_use]
pub fn replace(old: &RecordSet, values: Vec<String>) -> Vec<Change> {
    let mut changes = vec![Change::Delete(old.clone())];
    if !values.is_empty() {
        changes.push(Change::Create(old.with_values(values)));
    }
    changes
}
