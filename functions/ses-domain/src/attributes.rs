//! What `Fn::GetAtt` reads.

use serde::Serialize;

use crate::identity::Identity;
use crate::names::Domain;
use crate::records::Record;
use crate::settings::{Settings, ZoneId};
use crate::zonefile;

/// How many bytes of JSON `Records` and `ZoneFile` may take together. CloudFormation's 4,096 also hold the stack's and
/// the resource's ids, and the other attributes: 1,900 at their longest.
pub const TEXT_BUDGET: usize = 2100;
/// What stands there instead of longer ones.
const ELSEWHERE: &str = "Too long for an attribute: the records are in the function's log.";
const SANDBOX: &str = "is in the SES sandbox: it delivers only to verified addresses, 200 mails a day. Request production access in the SES console, under Account dashboard.";
const PRODUCTION: &str = "has production access to SES.";

/// The attributes of `Custom::SesDomain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// The domain in punycode.
    pub domain: String,
    /// The ARN of the SES identity.
    pub identity_arn: String,
    /// `VERIFIED` or `PENDING`.
    pub status: String,
    /// SES's status of DKIM.
    pub dkim_status: String,
    /// SES's status of MAIL FROM, or `NOT_CONFIGURED`.
    pub mail_from_status: String,
    /// `true` once the account has left the SES sandbox in this region.
    pub production_access: String,
    /// The same in a sentence.
    pub production_access_text: String,
    /// The zone that holds the records; empty if the DNS is elsewhere.
    pub hosted_zone_id: String,
    /// The records, one a line.
    pub records: String,
    /// The records as a zone file.
    pub zone_file: String,
}

/// What the attributes are made of.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The identity.
    pub identity: &'a Identity,
    /// Its ARN.
    pub arn: &'a str,
    /// The zone.
    pub zone: Option<&'a ZoneId>,
    /// The records that should exist.
    pub records: &'a [Record],
    /// The region.
    pub region: &'a str,
    /// Whether the account has left the sandbox.
    pub production_access: bool,
}

impl Attributes {
    /// The attributes that state `facts`.
    #[must_use]
    pub fn of(facts: Facts<'_>) -> Self {
        let Facts {
            settings,
            identity,
            records,
            ..
        } = facts;
        let (lines, zone_file) = texts(&settings.domain, records);
        let standing = if facts.production_access { PRODUCTION } else { SANDBOX };
        let mail_from = identity.mail_from.as_ref().map(|mail_from| mail_from.status.clone());
        Self {
            domain: settings.domain.to_string(),
            identity_arn: facts.arn.to_owned(),
            status: if identity.is_verified() { "VERIFIED" } else { "PENDING" }.to_owned(),
            dkim_status: identity.dkim_status.clone(),
            mail_from_status: mail_from.unwrap_or_else(|| "NOT_CONFIGURED".to_owned()),
            production_access: facts.production_access.to_string(),
            production_access_text: format!("The account in {} {standing}", facts.region),
            hosted_zone_id: facts.zone.map(ToString::to_string).unwrap_or_default(),
            records: lines,
            zone_file,
        }
    }

    /// Attributes at least as large as any that `settings` can yield.
    #[must_use]
    pub fn largest(settings: &Settings) -> Self {
        let domain = settings.domain.to_string();
        Self {
            // Partitions, regions and statuses at the longest that SES has, and room for longer ones.
            identity_arn: format!("arn:aws-us-gov:ses:ap-southeast-99:123456789012:identity/{domain}"),
            status: "VERIFIED".to_owned(),
            dkim_status: "TEMPORARY_FAILURE".to_owned(),
            mail_from_status: "TEMPORARY_FAILURE".to_owned(),
            production_access: "false".to_owned(),
            production_access_text: format!("The account in ap-southeast-99 {SANDBOX}"),
            hosted_zone_id: "Z".repeat(32),
            records: "x".repeat(TEXT_BUDGET),
            zone_file: String::new(),
            domain,
        }
    }
}

/// The two texts, each replaced by a sentence if it does not fit beside the other.
fn texts(domain: &Domain, records: &[Record]) -> (String, String) {
    let (mut lines, mut file) = (zonefile::lines(records), zonefile::zone_file(domain, records));
    let fits = |lines: &str, file: &str| escaped(lines) + escaped(file) <= TEXT_BUDGET;
    if !fits(&lines, &file) {
        ELSEWHERE.clone_into(&mut lines);
    }
    if !fits(&lines, &file) {
        ELSEWHERE.clone_into(&mut file);
    }
    (lines, file)
}

/// The bytes that a text takes in JSON, without its quotes.
fn escaped(text: &str) -> usize {
    serde_json::Value::from(text).to_string().len() - 2
}
