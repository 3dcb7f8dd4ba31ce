//! Mail addresses as SES writes them: bare, or with a display name.

/// The longest that RFC 5321 allows: 64 octets, `@`, 255 octets.
const LONGEST: usize = 320;

/// A bare address, `local@domain`, as it was spelled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

impl Address {
    /// Takes the address out of `text`: `a@b`, `<a@b>`, `Name <a@b>` or `"Name, <any>" <a@b>`. None if there is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bare = without_name(text.trim()).trim();
        let (local, domain) = bare.rsplit_once('@')?;
        let odd = |c: char| c.is_control() || matches!(c, '<' | '>' | ',');
        let fits = !local.is_empty() && !domain.is_empty() && bare.len() <= LONGEST;
        let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
        let local_is_odd = local.contains(char::is_control)
            || !quoted && local.contains(|c: char| odd(c) || c == '@' || c.is_whitespace());
        if !fits || local_is_odd || domain.contains(|c: char| odd(c) || c.is_whitespace()) {
            return None;
        }
        Some(Self(bare.to_owned()))
    }

    /// As it was spelled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In lower case: two spellings of one mailbox, as every provider of today reads them, have the same.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }

    /// Without what follows the first `+` of the local part; none if there is no `+`, or nothing before it.
    #[must_use]
    pub fn without_suffix(&self) -> Option<Self> {
        let (local, domain) = self.0.rsplit_once('@')?;
        match local.split_once('+') {
            Some((before, _)) if !before.is_empty() => Some(Self(format!("{before}@{domain}"))),
            _ => None,
        }
    }
}

/// What stands in the last pair of angle brackets that is outside quotes, or all of it.
fn without_name(text: &str) -> &str {
    let (mut quoted, mut escaped, mut open) = (false, false, None);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => open = Some(at + 1),
            _ => {}
        }
    }
    match (open, text.strip_suffix('>')) {
        (Some(open), Some(inside)) if open <= inside.len() => &inside[open..],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(text: &str) -> Option<String> {
        Address::parse(text).map(|address| address.0)
    }

    #[test]
    fn a_display_name_is_taken_off() {
        for text in [
            "a@example.com",
            " <a@example.com> ",
            "A B <a@example.com>",
            "\"B, A <x@y>\" <a@example.com>",
            r#""B \" <x@y>" <a@example.com>"#,
            "=?utf-8?q?J=C3=BCrgen?= <a@example.com>",
            "<b@example.com> <a@example.com>",
        ] {
            assert_eq!(bare(text).as_deref(), Some("a@example.com"), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_none() {
        let long = format!("{}@example.com", "a".repeat(400));
        for text in [
            "", "a", "@b", "a@", "a b@c", "a@b c", "a@b\nc", "a@b, c@d", "a\u{0}@b", "<a@b", "a@@b", "a@b@c", &long,
        ] {
            assert_eq!(bare(text), None, "{text:?}");
        }
        assert_eq!(bare("\"a b\"@c").as_deref(), Some("\"a b\"@c"));
        assert_eq!(bare("\"a@b\"@c").as_deref(), Some("\"a@b\"@c"));
    }

    #[test]
    fn a_suffix_is_taken_off_once_and_never_all_of_the_local_part() {
        let stripped = |text| {
            Address::parse(text)
                .expect("an address")
                .without_suffix()
                .map(|address| address.0)
        };
        assert_eq!(stripped("a12+foo@x.org").as_deref(), Some("a12@x.org"));
        assert_eq!(stripped("a+b+c@x.org").as_deref(), Some("a@x.org"));
        assert_eq!(stripped("a@x.org"), None);
        assert_eq!(stripped("+a@x.org"), None);
    }
}
