//! The records as zone-file text: a name server reads exactly the records that were meant, whatever the settings hold.
//!
//! Lines: domain, MAIL FROM subdomain, DMARC policy, report address, whether the domain's own SPF record is wanted.

use serde_json::json;
use ses_domain::names::DnsName;
use ses_domain::records::{DkimKeys, Record, desired};
use ses_domain::settings::Settings;
use ses_domain::zone::RecordType;
use ses_domain::zonefile::{lines as record_lines, zone_file};

use crate::lines;
use crate::naive::{self, ZoneRecord};

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    let Some([domain, mail_from, policy, report, apex]) = lines(input) else {
        return;
    };
    let properties = json!({
        "Domain": domain, "MailFromSubdomain": mail_from, "DmarcPolicy": policy, "DmarcReportAddress": report,
        "ApexSpf": apex, "ExternalDns": "true",
    });
    let Ok(settings) = serde_json::from_value::<Settings>(properties) else {
        return;
    };
    let keys = DkimKeys {
        tokens: ["one", "two", "three"].map(str::to_owned).to_vec(),
        zone: None,
    };
    let records = desired(&settings, &keys, "eu-central-1");
    let text = zone_file(&settings.domain, &records);
    let read = naive::zone_file(&text).unwrap_or_else(|| panic!("no zone file:\n{text}"));
    let meant: Vec<_> = records.iter().map(meant).collect();
    assert_eq!(read, meant, "read from:\n{text}");
    assert_eq!(record_lines(&records).lines().count(), records.len(), "a line each");
    for record in &records {
        assert!(
            record.name.is_within(&settings.domain.name()),
            "{} is elsewhere",
            record.name
        );
    }
}

fn meant(record: &Record) -> ZoneRecord {
    let data = match record.kind() {
        RecordType::Txt => String::from_utf8_lossy(&naive::txt_strings(&record.value).concat()).into_owned(),
        RecordType::Cname => DnsName::parse(&record.value).to_string(),
        _ => record.value.clone(),
    };
    ZoneRecord {
        name: record.name.to_string(),
        kind: record.kind().to_string(),
        data,
    }
}
