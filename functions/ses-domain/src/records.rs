//! The records that should exist, from the identity and the settings alone.

use crate::dmarc;
use crate::names::DnsName;
use crate::settings::Settings;
use crate::spf;
use crate::txt::TxtValue;
use crate::zone::RecordType;

/// How long resolvers may keep our records, in seconds: short, since they are new and somebody waits for them.
pub const TTL: i64 = 300;
/// What the MAIL FROM domain says about who may send for it.
pub const MAIL_FROM_SPF: &str = "v=spf1 include:amazonses.com ~all";
/// Where SES publishes the keys of Easy DKIM, unless it names another zone itself.
pub const SIGNING_ZONE: &str = "dkim.amazonses.com";

/// What a record is for, and therefore what counts as a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Proves the domain to SES and holds a signing key.
    Dkim,
    /// Bounces go to SES; SES demands that it is the only one.
    MailFromMx,
    /// Allows SES to send for the MAIL FROM domain.
    MailFromSpf,
    /// Tells receivers what to do with forged mail.
    Dmarc,
    /// Allows SES to send for the domain itself.
    ApexSpf,
}

/// One record that should exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What for.
    pub purpose: Purpose,
    /// Its name.
    pub name: DnsName,
    /// Its value as Route 53 spells it.
    pub value: String,
}

impl Record {
    /// Its type, which follows from what it is for.
    #[must_use]
    pub fn kind(&self) -> RecordType {
        match self.purpose {
            Purpose::Dkim => RecordType::Cname,
            Purpose::MailFromMx => RecordType::Mx,
            Purpose::MailFromSpf | Purpose::Dmarc | Purpose::ApexSpf => RecordType::Txt,
        }
    }
}

/// The keys of Easy DKIM: the tokens, and the zone where SES publishes what they point to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DkimKeys {
    /// SES's tokens; none yet while the identity does not exist, or when it signs with a key of its own.
    pub tokens: Vec<String>,
    /// The zone named by SES.
    pub zone: Option<String>,
}

/// The records that `settings` ask for in `region`.
#[must_use]
pub fn desired(settings: &Settings, keys: &DkimKeys, region: &str) -> Vec<Record> {
    let domain = settings.domain.name();
    let record = |purpose, label: &str, value| Record {
        purpose,
        name: DnsName::parse(label).below(&domain),
        value,
    };
    let zone = keys.zone.as_deref().unwrap_or(SIGNING_ZONE);
    let mut records = Vec::new();
    for token in &keys.tokens {
        let target = format!("{token}.{zone}");
        records.push(record(Purpose::Dkim, &format!("{token}._domainkey"), target));
    }
    if let Some(label) = &settings.mail_from {
        // https://docs.aws.amazon.com/ses/latest/dg/mail-from.html: the same host in every partition.
        let mx = format!("10 feedback-smtp.{region}.amazonses.com");
        records.push(record(Purpose::MailFromMx, label, mx));
        records.push(record(
            Purpose::MailFromSpf,
            label,
            TxtValue::of(MAIL_FROM_SPF).to_string(),
        ));
    }
    if let Some(dmarc) = &settings.dmarc {
        let value = TxtValue::of(&dmarc.to_string()).to_string();
        records.push(record(Purpose::Dmarc, dmarc::LABEL, value));
    }
    if settings.apex_spf {
        records.push(record(Purpose::ApexSpf, "", TxtValue::of(spf::RECORD).to_string()));
    }
    records
}
