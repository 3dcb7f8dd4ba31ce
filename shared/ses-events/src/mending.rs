//! Texts that are no Unicode: half of a surrogate pair, as a mail's subject may hold when it was cut in the middle of one.

use std::borrow::Cow;

/// JSON in which every escape of half a surrogate pair is one of the replacement character, and all else as it was.
/// Otherwise a whole event would be refused for it.
pub(crate) fn mended(json: &str) -> Cow<'_, str> {
    if !json.contains(r"\u") {
        return Cow::Borrowed(json);
    }
    let mut mended = String::new();
    let (mut rest, mut from) = (0, 0);
    while let Some(found) = json[rest..].find('\\') {
        let at = rest + found;
        match unit(json, at) {
            Some(0xD800..=0xDBFF) if matches!(unit(json, at + 6), Some(0xDC00..=0xDFFF)) => rest = at + 12,
            Some(0xD800..=0xDFFF) => {
                mended.push_str(&json[from..at]);
                mended.push_str(r"\ufffd");
                rest = at + 6;
                from = rest;
            }
            Some(_) => rest = at + 6,
            // Another escape: what follows the backslash is no escape of its own.
            None => rest = at + 1 + json[at + 1..].chars().next().map_or(0, char::len_utf8),
        }
    }
    if from == 0 {
        return Cow::Borrowed(json);
    }
    mended.push_str(&json[from..]);
    Cow::Owned(mended)
}

/// The code unit that is escaped at `at`.
fn unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(r"\u")?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_is_replaced_and_a_whole_one_kept() {
        for (before, after) in [
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\ude00\ud83d!""#, r#""\ufffd\ufffd!""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d \u00e9 \n""#, r#""\\ud83d \u00e9 \n""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud8""#, r#""\ud8""#),
            (r"\é\ud800", r"\é\ufffd"),
            (r"\ud800\", r"\ufffd\"),
        ] {
            assert_eq!(mended(before), after, "{before}");
        }
    }
}
