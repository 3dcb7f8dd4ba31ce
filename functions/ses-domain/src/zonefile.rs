//! The records as text, for outputs and for those whose DNS is elsewhere.

use std::fmt::Write;

use crate::names::Domain;
use crate::records::{Purpose, Record, TTL};
use crate::spf;
use crate::zone::RecordType;

/// One record a line: name, type and value, as one types them into a DNS provider's form.
#[must_use]
pub fn lines(records: &[Record]) -> String {
    let line = |record: &Record| match record.purpose {
        Purpose::ApexSpf => format!("{} TXT {} within the one SPF record", record.name, spf::MECHANISM),
        _ => format!("{} {} {}", record.name, record.kind(), record.value),
    };
    records.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The records as a zone file (RFC 1035, section 5), names relative to the domain.
#[must_use]
pub fn zone_file(domain: &Domain, records: &[Record]) -> String {
    let mut text = format!("$ORIGIN {domain}.\n$TTL {TTL}\n");
    for record in records {
        if record.purpose == Purpose::ApexSpf {
            text.push_str("; one SPF record only: if there is one, add include:amazonses.com to it instead\n");
        }
        let name = record.name.relative_to(&domain.name());
        // Names in a zone file are relative unless they end with a dot.
        let dot = if record.kind() == RecordType::Txt { "" } else { "." };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{name} IN {} {}{dot}", record.kind(), record.value);
    }
    text
}
