//! The DMARC record: published where there is none, never replaced where there is one (RFC 7489).

use std::fmt;

use crate::names::{DnsName, Domain};

/// The name of the record below the domain.
pub const LABEL: &str = "_dmarc";

/// What receivers shall do with mail that fails DMARC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Deliver, and report.
    None,
    /// Treat as suspicious.
    Quarantine,
    /// Refuse.
    Reject,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        })
    }
}

/// A policy, and where aggregate reports go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dmarc {
    policy: Policy,
    report: Option<Address>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    local: String,
    domain: Domain,
}

impl Dmarc {
    /// A policy with reports to `report`, or none if that is empty. `None` if `report` is no e-mail address, or one with
    /// characters that a DMARC URI reserves.
    #[must_use]
    pub fn new(policy: Policy, report: &str) -> Option<Self> {
        let report = match report {
            "" => None,
            address => Some(Address::parse(address)?),
        };
        Some(Self { policy, report })
    }

    /// The name at which the other domain must authorise the reports (RFC 7489, section 7.1), if the address is neither
    /// in `domain` nor above or below it.
    #[must_use]
    pub fn authorisation(&self, domain: &Domain) -> Option<DnsName> {
        let (own, other) = (domain.name(), self.report.as_ref()?.domain.name());
        let related = own.is_within(&other) || other.is_within(&own);
        (!related).then(|| own.below(&DnsName::parse("_report._dmarc")).below(&other))
    }
}

impl Address {
    fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "._+-=".contains(c);
        let fits = (1..=64).contains(&local.len()) && local.chars().all(plain);
        let domain = Domain::parse(domain).ok()?;
        fits.then(|| Self {
            local: local.to_owned(),
            domain,
        })
    }
}

impl fmt::Display for Dmarc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=DMARC1; p={};", self.policy)?;
        match &self.report {
            Some(Address { local, domain }) => write!(f, " rua=mailto:{local}@{domain};"),
            None => Ok(()),
        }
    }
}

/// The names whose DMARC record applies to `domain`, as far as `zone` can tell: the domain's own, and those of the
/// domains above it within the zone, which receivers fall back to. A laxer record of our own would weaken them.
#[must_use]
pub fn names(domain: &DnsName, zone: Option<&DnsName>) -> Vec<DnsName> {
    let label = DnsName::parse(LABEL);
    let mut names = vec![label.below(domain)];
    let mut above = domain.parent();
    while let (Some(name), Some(zone)) = (&above, zone) {
        if !name.is_within(zone) {
            break;
        }
        names.push(label.below(name));
        above = name.parent();
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_carries_policy_and_report_address() {
        let text = |policy, report| Dmarc::new(policy, report).unwrap().to_string();
        assert_eq!(text(Policy::None, ""), "v=DMARC1; p=none;");
        assert_eq!(
            text(Policy::Reject, "d+x@Example.com"),
            "v=DMARC1; p=reject; rua=mailto:d+x@example.com;"
        );
    }

    #[test]
    fn addresses_that_a_dmarc_uri_cannot_hold_are_refused() {
        for address in [
            "a",
            "@example.com",
            "a;b@example.com",
            "a,b@example.com",
            "a!9@example.com",
            "a@b",
            "\"a\"@example.com",
        ] {
            assert_eq!(Dmarc::new(Policy::None, address), None, "{address}");
        }
    }

    #[test]
    fn reports_to_another_domain_need_its_consent() {
        let name = |report, domain: &str| {
            let dmarc = Dmarc::new(Policy::None, report).unwrap();
            dmarc
                .authorisation(&Domain::parse(domain).unwrap())
                .map(|name| name.to_string())
        };
        assert_eq!(name("d@example.com", "news.example.com"), None);
        assert_eq!(name("d@reports.example.com", "example.com"), None);
        assert_eq!(
            name("d@example.org", "example.com").unwrap(),
            "example.com._report._dmarc.example.org"
        );
        assert_eq!(name("", "example.com"), None);
    }

    #[test]
    fn the_records_above_within_the_zone_count_too() {
        let of = |domain: &str, zone: &str| {
            let names = names(&DnsName::parse(domain), Some(&DnsName::parse(zone)));
            names.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of("example.com", "example.com"), ["_dmarc.example.com"]);
        assert_eq!(
            of("a.news.example.com", "example.com"),
            [
                "_dmarc.a.news.example.com",
                "_dmarc.news.example.com",
                "_dmarc.example.com"
            ]
        );
    }
}
