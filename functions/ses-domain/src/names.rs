//! DNS names as Route 53 spells them: compared without case, trailing dot or spelling of escapes.
//!
//! Route 53 returns `*` as `\052` and any byte beyond letters, digits, `-` and `_` as a backslash and three *octal*
//! digits (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>).

use std::fmt;

use crate::settings::InvalidDomain;

/// A DNS name: its labels in lower case, escapes decoded. The root is the name without labels.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsName {
    labels: Vec<Vec<u8>>,
}

impl DnsName {
    /// Reads any spelling: `Example.COM.`, `\052.example.com`, `example.com`. Never fails, since what Route 53 returns
    /// is kept rather than judged: a backslash without an escape stands for itself.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut labels = vec![Vec::new()];
        let mut rest = text.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'.' => labels.push(Vec::new()),
                b'\\' => {
                    let (decoded, used) = unescape(rest);
                    push(&mut labels, decoded);
                    rest = &rest[used..];
                }
                other => push(&mut labels, other),
            }
        }
        while labels.pop_if(|label| label.is_empty()).is_some() {}
        Self { labels }
    }

    /// This name below `parent`: `mail` below `example.com` is `mail.example.com`.
    #[must_use]
    pub fn below(&self, parent: &Self) -> Self {
        let labels = self.labels.iter().chain(&parent.labels).cloned().collect();
        Self { labels }
    }

    /// Whether this name is `ancestor` itself or below it.
    #[must_use]
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.labels.ends_with(&ancestor.labels)
    }

    /// The deepest name that all of `names` are or are below; `None` if that is the root, or there are no names.
    #[must_use]
    pub fn common(names: &[Self]) -> Option<Self> {
        let mut common = names.first().cloned();
        while let Some(above) = common.take_if(|above| !names.iter().all(|name| name.is_within(above))) {
            common = above.parent();
        }
        common.filter(|above| above.depth() > 0)
    }

    /// The name one label up, or `None` for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, labels) = self.labels.split_first()?;
        Some(Self {
            labels: labels.to_vec(),
        })
    }

    /// This name as written below `$ORIGIN origin`: `@` for the origin itself, absolute when it is elsewhere.
    #[must_use]
    pub fn relative_to(&self, origin: &Self) -> String {
        match self.labels.len().checked_sub(origin.labels.len()) {
            Some(0) if self == origin => "@".to_owned(),
            Some(own) if self.is_within(origin) => Self {
                labels: self.labels[..own].to_vec(),
            }
            .to_string(),
            _ => format!("{self}."),
        }
    }

    /// How many labels the name has.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.labels.len()
    }
}

fn push(labels: &mut [Vec<u8>], byte: u8) {
    if let Some(label) = labels.last_mut() {
        label.push(byte.to_ascii_lowercase());
    }
}

/// The byte that the text after a backslash stands for, and how much of the text that takes.
pub(crate) fn unescape(after_backslash: &[u8]) -> (u8, usize) {
    if let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] = after_backslash {
        return ((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'), 3);
    }
    match after_backslash {
        [byte, ..] => (*byte, 1),
        [] => (b'\\', 0),
    }
}

impl fmt::Display for DnsName {
    /// Route 53's spelling, without the trailing dot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.labels.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for &byte in label {
                match byte {
                    b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => write!(f, "{}", char::from(byte))?,
                    other => write!(f, "\\{other:03o}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A domain that can send mail: at least two labels of letters, digits and hyphens, international ones as punycode.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Domain {
    ascii: String,
}

impl Domain {
    /// Validates `text`, converting an international name (`bücher.example`) to punycode.
    ///
    /// # Errors
    /// [`InvalidDomain`], which names the text and what a domain looks like.
    pub fn parse(text: &str) -> Result<Self, InvalidDomain> {
        let refused = || InvalidDomain(text.to_owned());
        let text = text.strip_suffix('.').unwrap_or(text);
        let ascii = idna::domain_to_ascii_strict(text).map_err(|_| refused())?;
        let labels = ascii.split('.').count();
        // A name of digits alone at the end is an IP address, never a domain.
        let address = ascii
            .rsplit('.')
            .next()
            .is_none_or(|top| top.bytes().all(|b| b.is_ascii_digit()));
        if labels < 2 || address || ascii.len() > 253 {
            return Err(refused());
        }
        Ok(Self { ascii })
    }

    /// The name in lower-case punycode, without the trailing dot: SES's name for the identity.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.ascii
    }

    /// The same as a DNS name.
    #[must_use]
    pub fn name(&self) -> DnsName {
        DnsName::parse(&self.ascii)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ascii)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        for (a, b) in [
            ("Example.COM.", "example.com"),
            ("\\052.example.com", "*.example.com"),
            ("_DMARC.example.com", "_dmarc.example.com."),
            ("a\\057b.example.com", "a/b.example.com"),
        ] {
            assert_eq!(DnsName::parse(a), DnsName::parse(b), "{a} and {b}");
        }
    }

    #[test]
    fn names_have_the_deepest_name_in_common_that_holds_all_of_them() {
        for (names, common) in [
            (&["a.b.example.com", "c.b.example.com"][..], Some("b.example.com")),
            (&["b.example.com", "c.b.example.com"], Some("b.example.com")),
            (
                &["_dmarc.example.com", "k._domainkey.example.com", "mail.example.com"],
                Some("example.com"),
            ),
            (&["xb.example.com", "b.example.com"], Some("example.com")),
            (&["mail.example.com"], Some("mail.example.com")),
            (&["example.com", "example.org"], None),
            (&[], None),
        ] {
            let names = names.iter().map(|name| DnsName::parse(name)).collect::<Vec<_>>();
            assert_eq!(DnsName::common(&names), common.map(DnsName::parse), "{names:?}");
        }
    }

    #[test]
    fn an_escaped_dot_does_not_separate_labels() {
        let name = DnsName::parse("a\\056b.example.com");
        assert_eq!(name.depth(), 3);
        assert_eq!(name.to_string(), "a\\056b.example.com");
    }

    #[test]
    fn the_root_has_no_labels_however_it_is_written() {
        for text in ["", ".", ".."] {
            assert_eq!(DnsName::parse(text).depth(), 0, "`{text}`");
        }
    }

    #[test]
    fn a_suffix_matches_whole_labels_only() {
        let zone = DnsName::parse("example.com");
        assert!(DnsName::parse("news.example.com").is_within(&zone));
        assert!(zone.is_within(&zone));
        assert!(!DnsName::parse("badexample.com").is_within(&zone));
    }

    #[test]
    fn names_are_written_below_their_origin() {
        let origin = DnsName::parse("example.com");
        let written = |text: &str| DnsName::parse(text).relative_to(&origin);
        assert_eq!(written("example.com"), "@");
        assert_eq!(written("mail.example.com"), "mail");
        assert_eq!(written("example.org"), "example.org.");
    }

    #[test]
    fn international_domains_become_punycode() {
        let domain = Domain::parse("Bücher.Example.").unwrap();
        assert_eq!(domain.as_str(), "xn--bcher-kva.example");
    }

    #[test]
    fn what_is_no_domain_is_refused_with_the_remedy() {
        for text in [
            "",
            "localhost",
            "a..b",
            "-a.example",
            "10.0.0.1",
            "user@example.com",
            "a b.example",
        ] {
            let error = Domain::parse(text).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "Domain `{text}` is not a domain name; give one such as example.com, without protocol, path or @"
                ),
            );
        }
    }

    proptest! {
        #[test]
        fn any_name_reads_back_as_it_was_written(labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..12), 1..6)) {
            let labels = labels.into_iter().map(|l: Vec<u8>| l.to_ascii_lowercase()).collect();
            let name = DnsName { labels };
            prop_assert_eq!(DnsName::parse(&name.to_string()), name.clone());
            prop_assert_eq!(DnsName::parse(&format!("{name}.").to_uppercase()), name);
        }

        #[test]
        fn a_domain_is_its_own_punycode(text in "[a-zà-ÿа-я]{1,12}(\\.[a-z]{2,8}){1,3}") {
            if let Ok(domain) = Domain::parse(&text) {
                prop_assert!(domain.as_str().is_ascii());
                prop_assert_eq!(Domain::parse(domain.as_str()).unwrap(), domain);
            }
        }
    }
}
