//! SPF records (RFC 7208): read, one mechanism added, the same one taken out again; everything else stays as it was.

use thiserror::Error;

use crate::txt::{Placement, TxtValue};

/// The mechanism that allows Amazon SES to send for a domain.
pub const MECHANISM: &str = "include:amazonses.com";
/// The record where there is none yet: SES may, others are suspect.
pub const RECORD: &str = "v=spf1 include:amazonses.com ~all";
/// The most terms that cause DNS look-ups, before receivers answer with a permanent error (RFC 7208, section 4.6.4).
pub const MOST_LOOKUPS: usize = 10;
/// The longest TXT value that Route 53 stores, in characters of its spelling.
const LONGEST_VALUE: usize = 4000;

/// Why an SPF record cannot be extended. Nothing is changed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpfError {
    /// Receivers treat two records as a permanent error already.
    #[error("has {0} SPF records where one is allowed: merge them into one")]
    SeveralRecords(usize),
    /// One of its terms is no SPF.
    #[error("has an SPF record with the invalid term `{0}`: correct it")]
    InvalidTerm(String),
    /// It already says something else about SES.
    #[error("has an SPF record that says `{0}` about Amazon SES: remove that term, or set ApexSpf to false")]
    Contradiction(String),
    /// The terms would need too many look-ups.
    #[error(
        "has an SPF record that would need {0} DNS look-ups with {MECHANISM}, and {MOST_LOOKUPS} are allowed \
         (what its includes look up themselves comes on top): shorten it, or set ApexSpf to false"
    )]
    TooManyLookups(usize),
    /// Longer than a TXT value may be.
    #[error(
        "has an SPF record that would be longer than Route 53's {LONGEST_VALUE} characters: shorten it, or set ApexSpf to false"
    )]
    TooLong,
}

/// How our mechanism was put into a record: what taking it out exactly needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Insertion {
    /// At the end of the record rather than before its `all` or `redirect`.
    pub at_end: bool,
    /// Into which string of the value.
    pub placement: Placement,
}

/// What merging did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The record allowed SES already.
    Present,
    /// It allows SES now.
    Inserted(TxtValue, Insertion),
}

struct Term<'a> {
    start: usize,
    text: &'a str,
}

impl Term<'_> {
    fn qualifier(&self) -> Option<char> {
        self.text.chars().next().filter(|c| "+-~?".contains(*c))
    }

    fn unqualified(&self) -> String {
        let skipped = self.qualifier().map_or(0, char::len_utf8);
        self.text[skipped..].to_ascii_lowercase()
    }

    /// The mechanism's or modifier's name, up to `:`, `=` or `/`.
    fn name(&self) -> String {
        let text = self.unqualified();
        let end = text.find([':', '=', '/']).unwrap_or(text.len());
        text[..end].to_owned()
    }

    fn is_modifier(&self) -> bool {
        let text = self.unqualified();
        text.find(['=', ':', '/']).is_some_and(|at| text[at..].starts_with('='))
    }

    fn is_valid(&self) -> bool {
        let (text, name) = (self.unqualified(), self.name());
        let argument = &text[name.len()..];
        if self.is_modifier() {
            return self.qualifier().is_none() && name.starts_with(|c: char| c.is_ascii_alphabetic());
        }
        match name.as_str() {
            "all" => argument.is_empty(),
            "include" | "exists" | "ip4" | "ip6" => argument.len() > 1 && argument.starts_with(':'),
            "a" | "mx" => argument.is_empty() || argument.len() > 1,
            "ptr" => argument.is_empty() || (argument.len() > 1 && argument.starts_with(':')),
            _ => false,
        }
    }

    fn looks_up(&self) -> bool {
        match self.name().as_str() {
            "redirect" => self.is_modifier(),
            "include" | "a" | "mx" | "ptr" | "exists" => !self.is_modifier(),
            _ => false,
        }
    }

    fn is_ours(&self) -> bool {
        self.unqualified() == MECHANISM
    }
}

fn terms(text: &str) -> Vec<Term<'_>> {
    let mut start = 0;
    let mut terms = Vec::new();
    for text in text.split(' ') {
        if !text.is_empty() {
            terms.push(Term { start, text });
        }
        start += text.len() + 1;
    }
    terms
}

/// Whether a TXT value is an SPF record: its first term is exactly the version.
#[must_use]
pub fn is_spf(value: &TxtValue) -> bool {
    let bytes = value.bytes();
    let version = bytes.split(|b| *b == b' ').next().unwrap_or_default();
    version.eq_ignore_ascii_case(b"v=spf1")
}

/// How many DNS look-ups the record's own terms cause.
#[must_use]
pub fn lookups(value: &TxtValue) -> usize {
    let text = value.text().unwrap_or_default();
    terms(&text).iter().filter(|term| term.looks_up()).count()
}

/// The terms that bring in records of others, SES's apart. What these look up themselves counts for receivers, and only DNS
/// knows it.
#[must_use]
pub fn borrowed(value: &TxtValue) -> Vec<String> {
    let text = value.text().unwrap_or_default();
    let borrows = |term: &&Term<'_>| match term.name().as_str() {
        "redirect" => term.is_modifier(),
        "include" => !term.is_modifier() && !term.is_ours(),
        _ => false,
    };
    terms(&text)
        .iter()
        .filter(borrows)
        .map(|term| term.text.to_owned())
        .collect()
}

/// Allows SES in an SPF record: before `all`, else before `redirect`, else at the end.
///
/// # Errors
/// [`SpfError`] if the record is invalid, contradicts, or would become invalid.
pub fn merge(value: &TxtValue) -> Result<Merged, SpfError> {
    let Some(text) = value.text() else {
        return Err(SpfError::InvalidTerm(value.to_string()));
    };
    let terms = terms(&text);
    if let Some(invalid) = terms[1..].iter().find(|term| !term.is_valid()) {
        return Err(SpfError::InvalidTerm(invalid.text.to_owned()));
    }
    let is_all = |term: &&Term<'_>| term.name() == "all" && !term.is_modifier();
    let end = terms.iter().find(is_all);
    if let Some(ours) = terms.iter().find(|term| term.is_ours()) {
        let effective = ours.qualifier().unwrap_or('+') == '+' && end.is_none_or(|all| ours.start < all.start);
        return if effective {
            Ok(Merged::Present)
        } else {
            Err(SpfError::Contradiction(ours.text.to_owned()))
        };
    }
    let count = lookups(value) + 1;
    if count > MOST_LOOKUPS {
        return Err(SpfError::TooManyLookups(count));
    }
    let before = end.or_else(|| terms.iter().find(|term| term.name() == "redirect"));
    let (merged, placement) = match before {
        Some(term) => value.insert(term.start, &format!("{MECHANISM} ")),
        None => value.insert(text.len(), &format!(" {MECHANISM}")),
    };
    if merged.to_string().len() > LONGEST_VALUE {
        return Err(SpfError::TooLong);
    }
    let at_end = before.is_none();
    Ok(Merged::Inserted(merged, Insertion { at_end, placement }))
}

/// Takes our mechanism out again, with the one space that came with it. `None` if it is no longer there.
#[must_use]
pub fn remove(value: &TxtValue, insertion: Insertion) -> Option<TxtValue> {
    let text = value.text()?;
    let ours = terms(&text)
        .into_iter()
        .find(|term| term.is_ours() && term.qualifier().is_none())?;
    let (start, end) = (ours.start, ours.start + ours.text.len());
    let followed = text[end..].starts_with(' ') && !insertion.at_end;
    let range = if followed { start..end + 1 } else { start - 1..end };
    Some(value.remove(range, insertion.placement))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(raw: &str) -> TxtValue {
        TxtValue::parse(raw).unwrap()
    }

    #[test]
    fn the_mechanism_stands_before_all_or_redirect_or_at_the_end() {
        for (before, after) in [
            (r#""v=spf1 mx -all""#, r#""v=spf1 mx include:amazonses.com -all""#),
            (r#""V=SPF1 MX ?ALL""#, r#""V=SPF1 MX include:amazonses.com ?ALL""#),
            (
                r#""v=spf1 redirect=_spf.example.com""#,
                r#""v=spf1 include:amazonses.com redirect=_spf.example.com""#,
            ),
            (
                r#""v=spf1 mx exp=why.example.com""#,
                r#""v=spf1 mx exp=why.example.com include:amazonses.com""#,
            ),
            (r#""v=spf1""#, r#""v=spf1 include:amazonses.com""#),
            (
                r#""v=spf1 ip4:192.0.2.0/24 " "~al" "l""#,
                r#""v=spf1 ip4:192.0.2.0/24 " "include:amazonses.com ~al" "l""#,
            ),
            (
                r#""v=spf1 all=x mx all""#,
                r#""v=spf1 all=x mx include:amazonses.com all""#,
            ),
        ] {
            let Ok(Merged::Inserted(merged, insertion)) = merge(&value(before)) else {
                panic!("{before} was not extended");
            };
            assert_eq!(merged.to_string(), after);
            assert_eq!(remove(&merged, insertion).unwrap().to_string(), before);
        }
    }

    #[test]
    fn a_record_that_allows_ses_stays_as_it_is() {
        for raw in [
            r#""v=spf1 include:amazonses.com ~all""#,
            r#""v=spf1 +INCLUDE:AmazonSES.com mx -all""#,
        ] {
            assert_eq!(merge(&value(raw)), Ok(Merged::Present), "{raw}");
        }
    }

    #[test]
    fn what_cannot_be_extended_says_why() {
        let eleven = format!("\"v=spf1 {}-all\"", "mx ".repeat(10));
        for (raw, reason) in [
            (
                r#""v=spf1 mx ipv4:192.0.2.1 -all""#,
                "has an SPF record with the invalid term `ipv4:192.0.2.1`: correct it",
            ),
            (
                r#""v=spf1 include: -all""#,
                "has an SPF record with the invalid term `include:`: correct it",
            ),
            (
                r#""v=spf1 -include:amazonses.com ~all""#,
                "has an SPF record that says `-include:amazonses.com` about Amazon SES: remove that term, or set ApexSpf to false",
            ),
            (
                r#""v=spf1 -all include:amazonses.com""#,
                "has an SPF record that says `include:amazonses.com` about Amazon SES: remove that term, or set ApexSpf to false",
            ),
            (
                &eleven,
                "has an SPF record that would need 11 DNS look-ups with include:amazonses.com, and 10 are allowed (what its includes look up themselves comes on top): shorten it, or set ApexSpf to false",
            ),
        ] {
            assert_eq!(merge(&value(raw)).unwrap_err().to_string(), reason, "{raw}");
        }
    }

    #[test]
    fn every_term_that_looks_up_is_counted() {
        let raw = r#""v=spf1 a a:x.example mx/24 ptr exists:%{i}.x include:y ip4:192.0.2.1 ip6:2001:db8:: exp=z redirect=w a=b ~all""#;
        assert_eq!(lookups(&value(raw)), 7);
    }

    #[test]
    fn similar_texts_are_no_spf_records() {
        assert!(is_spf(&value(r#""v=spf1""#)) && is_spf(&value(r#""v=sp" "f1 -all""#)));
        for raw in [
            r#""v=spf10 mx""#,
            r#""spf2.0/pra mx""#,
            r#"" v=spf1 mx""#,
            r#""x v=spf1""#,
        ] {
            assert!(!is_spf(&value(raw)), "{raw}");
        }
    }

    #[test]
    fn a_record_edited_since_loses_only_our_mechanism() {
        let insertion = Insertion {
            at_end: false,
            placement: Placement::Inline,
        };
        let removed = |raw: &str| remove(&value(raw), insertion).map(|value| value.to_string());
        assert_eq!(
            removed(r#""v=spf1 a include:amazonses.com mx ~all""#).unwrap(),
            r#""v=spf1 a mx ~all""#
        );
        assert_eq!(removed(r#""v=spf1 a include:amazonses.com""#).unwrap(), r#""v=spf1 a""#);
        assert_eq!(removed(r#""v=spf1 a ~all""#), None);
    }
}
