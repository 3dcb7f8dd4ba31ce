//! Reads what is there: the identity, the account's standing, the hosted zone and its records.

use std::future::Future;
use std::pin::Pin;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_route53::Client as Route53;
use aws_sdk_route53::error::ProvideErrorMetadata;
use aws_sdk_route53::operation::list_resource_record_sets::builders::ListResourceRecordSetsFluentBuilder as Listing;
use aws_sdk_route53::types::{HostedZoneConfig, ResourceRecordSet as Route53Set, RrType};
use aws_sdk_sesv2::Client as Ses;
use aws_sdk_sesv2::operation::get_email_identity::{GetEmailIdentityError, GetEmailIdentityOutput};
use aws_sdk_sesv2::types::DkimSigningAttributesOrigin;

use crate::error::{self, Error};
use crate::identity::{Identity, MailFrom};
use crate::names::{DnsName, Domain};
use crate::records::DkimKeys;
use crate::settings::{Settings, ZoneChoice, ZoneId};
use crate::zone::{self, HostedZone, RecordSet, RecordType, ZoneState};

/// The most record sets in one page of Route 53's answer.
const PAGE: i32 = 300;

/// A client made for a role, which takes calls to STS.
pub type Assumed = Pin<Box<dyn Future<Output = Route53> + Send>>;

/// The clients.
pub struct Clients {
    /// For SES.
    pub ses: Ses,
    /// For the stack's own state.
    pub stacks: CloudFormation,
    /// For zones of the account itself.
    pub dns: Route53,
    /// Makes a client for zones that only this role may change.
    pub assume: Box<dyn Fn(&str) -> Assumed + Send + Sync>,
}

impl Clients {
    /// The client for a zone that needs `role`.
    pub async fn dns_as(&self, role: Option<&str>) -> Route53 {
        match role {
            Some(role) => (self.assume)(role).await,
            None => self.dns.clone(),
        }
    }
}

/// The identity of `domain`, if there is one.
///
/// # Errors
/// [`Error::Aws`].
pub async fn identity(ses: &Ses, domain: &Domain) -> Result<Option<Identity>, Error> {
    let answer = ses.get_email_identity().email_identity(domain.as_str()).send().await;
    match answer {
        Ok(found) => Ok(Some(described(&found))),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetEmailIdentityError::is_not_found_exception) =>
        {
            Ok(None)
        }
        Err(error) => Err(Error::aws("ses:GetEmailIdentity", domain.as_str())(error)),
    }
}

fn described(found: &GetEmailIdentityOutput) -> Identity {
    let dkim = found.dkim_attributes();
    let own_key =
        dkim.is_some_and(|dkim| dkim.signing_attributes_origin() == Some(&DkimSigningAttributesOrigin::External));
    let tokens = dkim.filter(|_| !own_key).map(|dkim| dkim.tokens().to_vec());
    let mail_from = found
        .mail_from_attributes()
        .filter(|from| !from.mail_from_domain().is_empty());
    Identity {
        keys: DkimKeys {
            tokens: tokens.unwrap_or_default(),
            zone: dkim
                .and_then(|dkim| dkim.signing_hosted_zone())
                .filter(|zone| !zone.is_empty())
                .map(str::to_owned),
        },
        dkim_status: dkim
            .and_then(|dkim| dkim.status())
            .map_or("NOT_STARTED", |status| status.as_str())
            .to_owned(),
        mail_from: mail_from.map(|from| MailFrom {
            domain: from.mail_from_domain().to_owned(),
            status: from.mail_from_domain_status().as_str().to_owned(),
        }),
        configuration_set: found
            .configuration_set_name()
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        tags: found
            .tags()
            .iter()
            .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
            .collect(),
    }
}

/// Whether the account has left SES's sandbox in this region.
///
/// # Errors
/// [`Error::Aws`].
pub async fn production_access(ses: &Ses) -> Result<bool, Error> {
    let account = ses.get_account().send().await;
    let account = account.map_err(Error::aws("ses:GetAccount", "the account"))?;
    Ok(account.production_access_enabled())
}

/// The zone that `settings` choose; `None` if the DNS is elsewhere.
///
/// # Errors
/// [`Error::Zone`] if none can be used, [`Error::Aws`].
pub async fn hosted_zone(dns: &Route53, settings: &Settings) -> Result<Option<HostedZone>, Error> {
    let Some(choice) = &settings.zone else {
        return Ok(None);
    };
    let zones = match choice {
        ZoneChoice::Id(id, _) => vec![zone_by_id(dns, id).await?],
        ZoneChoice::Name(_) | ZoneChoice::LongestSuffix => all_zones(dns).await?,
    };
    Ok(Some(zone::choose(choice, &settings.domain, &zones)?))
}

async fn zone_by_id(dns: &Route53, id: &ZoneId) -> Result<HostedZone, Error> {
    let answer = dns.get_hosted_zone().id(id.as_str()).send().await;
    let answer = answer.map_err(Error::aws("route53:GetHostedZone", error::zone(id)))?;
    Ok(HostedZone {
        id: id.clone(),
        name: DnsName::parse(answer.hosted_zone().map_or("", |zone| zone.name())),
        private: answer
            .hosted_zone()
            .and_then(|zone| zone.config())
            .is_some_and(HostedZoneConfig::private_zone),
    })
}

/// Every zone of the account, page by page: they come in no order that a search could use.
async fn all_zones(dns: &Route53) -> Result<Vec<HostedZone>, Error> {
    let mut zones = Vec::new();
    let mut marker = None;
    loop {
        let page = dns.list_hosted_zones().set_marker(marker).send().await;
        let page = page.map_err(Error::aws("route53:ListHostedZones", "the account's zones"))?;
        for zone in page.hosted_zones() {
            let private = zone.config().is_some_and(HostedZoneConfig::private_zone);
            if let Some(id) = ZoneId::parse(zone.id()) {
                let name = DnsName::parse(zone.name());
                zones.push(HostedZone { id, name, private });
            }
        }
        marker = page.next_marker().map(str::to_owned);
        if !page.is_truncated() || marker.is_none() {
            return Ok(zones);
        }
    }
}

/// The zone with the record sets at `names`; `None` if the zone is gone.
///
/// A zone seldom has more below a domain than fits into one page, so that one call mostly finds everything.
///
/// # Errors
/// [`Error::Aws`].
pub async fn records(dns: &Route53, zone: &HostedZone, names: &[DnsName]) -> Result<Option<ZoneState>, Error> {
    let mut found = match DnsName::common(names) {
        Some(above) => below(dns, &zone.id, &above).await?,
        None => Below::TooMuch,
    };
    if matches!(found, Below::TooMuch) {
        found = one_by_one(dns, &zone.id, names).await?;
    }
    let Below::All(mut sets) = found else {
        return Ok(None);
    };
    sets.retain(|set| names.contains(&set.name));
    let zone = zone.clone();
    Ok(Some(ZoneState { zone, sets }))
}

/// What stands at a name and below it.
enum Below {
    /// The zone does not exist.
    NoZone,
    /// These record sets.
    All(Vec<RecordSet>),
    /// More than one page.
    TooMuch,
}

async fn below(dns: &Route53, zone: &ZoneId, above: &DnsName) -> Result<Below, Error> {
    let Some(page) = page(zone, listing(dns, zone, above)).await? else {
        return Ok(Below::NoZone);
    };
    let beyond = page.sets.last().is_some_and(|last| !last.name.is_within(above));
    Ok(if beyond || page.next.is_none() {
        Below::All(page.sets)
    } else {
        Below::TooMuch
    })
}

async fn one_by_one(dns: &Route53, zone: &ZoneId, names: &[DnsName]) -> Result<Below, Error> {
    let mut sets = Vec::new();
    for name in names {
        let mut next = Some(listing(dns, zone, name));
        while let Some(listing) = next {
            let Some(page) = page(zone, listing).await? else {
                return Ok(Below::NoZone);
            };
            let beyond = page.sets.last().is_some_and(|last| last.name != *name);
            next = page.next.filter(|_| !beyond);
            sets.extend(page.sets.into_iter().filter(|set| set.name == *name));
        }
    }
    Ok(Below::All(sets))
}

/// Some record sets of a zone, and the listing that goes on behind them.
struct Page {
    sets: Vec<RecordSet>,
    next: Option<Listing>,
}

/// A listing starts at a name, and goes on with those below it before it comes to any other.
fn listing(dns: &Route53, zone: &ZoneId, from: &DnsName) -> Listing {
    dns.list_resource_record_sets()
        .hosted_zone_id(zone.as_str())
        .max_items(PAGE)
        .start_record_name(from.to_string())
}

/// The next page of a listing; `None` if the zone does not exist.
async fn page(zone: &ZoneId, listing: Listing) -> Result<Option<Page>, Error> {
    let page = match listing.clone().send().await {
        Err(error) if error.code() == Some("NoSuchHostedZone") => return Ok(None),
        answer => answer.map_err(Error::aws("route53:ListResourceRecordSets", error::zone(zone)))?,
    };
    let next = listing
        .set_start_record_name(page.next_record_name().map(str::to_owned))
        .set_start_record_type(page.next_record_type().cloned())
        .set_start_record_identifier(page.next_record_identifier().map(str::to_owned));
    Ok(Some(Page {
        sets: page.resource_record_sets().iter().map(described_set).collect(),
        next: page.is_truncated().then_some(next),
    }))
}

fn described_set(set: &Route53Set) -> RecordSet {
    RecordSet {
        name: DnsName::parse(set.name()),
        kind: RecordType::from(RrType::as_str(set.r#type())),
        ttl: set.ttl().unwrap_or_default(),
        values: set
            .resource_records()
            .iter()
            .map(|record| record.value().to_owned())
            .collect(),
        special: set.set_identifier().is_some() || set.alias_target().is_some() || set.ttl().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::types::DkimAttributes;

    use super::*;

    fn keys(origin: DkimSigningAttributesOrigin) -> DkimKeys {
        let dkim = DkimAttributes::builder()
            .tokens("t")
            .signing_hosted_zone("z.example")
            .signing_attributes_origin(origin);
        described(&GetEmailIdentityOutput::builder().dkim_attributes(dkim.build()).build()).keys
    }

    #[test]
    fn an_identity_that_signs_with_a_key_of_its_own_needs_no_record_of_ses() {
        assert_eq!(keys(DkimSigningAttributesOrigin::AwsSes).tokens, ["t"]);
        assert_eq!(keys(DkimSigningAttributesOrigin::External).tokens, [] as [String; 0]);
    }

    #[test]
    fn the_zone_of_the_keys_is_the_one_that_ses_names() {
        assert_eq!(keys(DkimSigningAttributesOrigin::AwsSes).zone.unwrap(), "z.example");
    }

    #[test]
    fn an_empty_mail_from_domain_is_none() {
        let found = GetEmailIdentityOutput::builder().configuration_set_name("").build();
        let identity = described(&found);
        assert_eq!(
            (
                identity.mail_from,
                identity.configuration_set,
                identity.dkim_status.as_str()
            ),
            (None, None, "NOT_STARTED")
        );
    }
}
