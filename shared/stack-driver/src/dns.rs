//! The records of a zone that make a domain's mail trusted.

/// A record set as it stands in the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Without the trailing dot, lower-case.
    pub name: String,
    /// `CNAME`, `TXT`, `MX`...
    pub kind: String,
    /// As the zone holds them.
    pub values: Vec<String>,
}

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The keys with which SES signs.
    Dkim,
    /// Where bounces go.
    MailFrom,
    /// Who may send.
    Spf,
    /// What receivers do with mail that fails.
    Dmarc,
}

impl Purpose {
    /// The usual short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dkim => "DKIM",
            Self::MailFrom => "MAIL FROM",
            Self::Spf => "SPF",
            Self::Dmarc => "DMARC",
        }
    }
}

/// The records of the domain's mail, in the order DKIM, MAIL FROM, SPF, DMARC, then by name.
#[must_use]
pub fn mail_records(domain: &str, records: &[Record]) -> Vec<(Purpose, Record)> {
    let mut found: Vec<(Purpose, Record)> = records
        .iter()
        .filter_map(|record| {
            let purpose = purpose(domain, record)?;
            Some((purpose, of_purpose(purpose, record)))
        })
        .collect();
    found.sort_by(|a, b| (a.0, &a.1.name, &a.1.kind).cmp(&(b.0, &b.1.name, &b.1.kind)));
    found
}

/// A TXT set at the domain itself holds more than SPF: only that is shown.
fn of_purpose(purpose: Purpose, record: &Record) -> Record {
    let mut shown = record.clone();
    if purpose == Purpose::Spf {
        shown.values.retain(|value| value.to_lowercase().contains("v=spf1"));
    }
    shown
}

fn purpose(domain: &str, record: &Record) -> Option<Purpose> {
    let domain = domain.trim_end_matches('.').to_lowercase();
    let below = record
        .name
        .strip_suffix(&domain)
        .and_then(|rest| rest.strip_suffix('.'));
    let has = |text: &str| record.values.iter().any(|value| value.to_lowercase().contains(text));
    match (record.kind.as_str(), below) {
        ("CNAME", Some(name)) if name.ends_with("._domainkey") => Some(Purpose::Dkim),
        ("TXT" | "CNAME", Some("_dmarc")) => Some(Purpose::Dmarc),
        ("MX", Some(_)) if has("feedback-smtp.") => Some(Purpose::MailFrom),
        ("TXT", _) if has("v=spf1") && (below.is_some() || record.name == domain) => Some(Purpose::Spf),
        _ => None,
    }
}

/// The zone names that may hold a domain, the longest first: `a.b.example.com`, `b.example.com`, `example.com`.
#[must_use]
pub fn candidate_zones(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.trim_end_matches('.').split('.').collect();
    (0..labels.len().saturating_sub(1))
        .map(|first| labels[first..].join(".").to_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, kind: &str, value: &str) -> Record {
        Record {
            name: name.to_owned(),
            kind: kind.to_owned(),
            values: vec![value.to_owned()],
        }
    }

    #[test]
    fn only_the_mail_records_of_the_domain_are_shown_and_by_their_purpose() {
        let zone = [
            record("example.com", "TXT", "\"v=spf1 include:amazonses.com ~all\""),
            record("example.com", "TXT", "\"google-site-verification=1\""),
            record("example.com", "MX", "10 mx.example.net"),
            record("_dmarc.example.com", "TXT", "\"v=DMARC1; p=none\""),
            record("bbb._domainkey.example.com", "CNAME", "bbb.dkim.amazonses.com"),
            record("aaa._domainkey.example.com", "CNAME", "aaa.dkim.amazonses.com"),
            record("mail.example.com", "MX", "10 feedback-smtp.eu-central-1.amazonses.com"),
            record("mail.example.com", "TXT", "\"v=spf1 include:amazonses.com -all\""),
            record("aaa._domainkey.notexample.com", "CNAME", "aaa.dkim.amazonses.com"),
            record("www.example.com", "CNAME", "example.net"),
        ];
        let shown: Vec<String> = mail_records("Example.com.", &zone)
            .iter()
            .map(|(purpose, record)| format!("{} {} {}", purpose.name(), record.name, record.kind))
            .collect();
        assert_eq!(
            shown,
            [
                "DKIM aaa._domainkey.example.com CNAME",
                "DKIM bbb._domainkey.example.com CNAME",
                "MAIL FROM mail.example.com MX",
                "SPF example.com TXT",
                "SPF mail.example.com TXT",
                "DMARC _dmarc.example.com TXT",
            ]
        );
    }

    #[test]
    fn what_shares_a_set_with_the_spf_record_is_not_shown() {
        let mut apex = record("example.com", "TXT", "\"google-site-verification=1\"");
        apex.values.push("\"v=spf1 -all\"".to_owned());
        let shown = mail_records("example.com", &[apex]);
        assert_eq!(shown, [(Purpose::Spf, record("example.com", "TXT", "\"v=spf1 -all\""))]);
    }

    #[test]
    fn the_longest_zone_is_tried_first_and_a_top_level_domain_never() {
        assert_eq!(
            candidate_zones("news.Example.com."),
            ["news.example.com", "example.com"]
        );
        assert_eq!(candidate_zones("com"), Vec::<String>::new());
    }
}
