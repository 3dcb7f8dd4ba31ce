//! TXT values: printed back as they came, read as a naive reader reads them, edited so that the edit can be undone.
//!
//! Lines: a position, a text to insert, the value.

use ses_domain::txt::{LONGEST_STRING, Placement, TxtValue};

use crate::{lines, naive};

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    let Some([position, text, raw]) = lines(input) else {
        return;
    };
    round_trip(text);
    let Some(value) = TxtValue::parse(raw) else {
        return;
    };
    assert_eq!(value.to_string(), raw, "printed back");
    assert_eq!(value.decoded(), naive::txt_strings(raw), "read");
    let position = position.parse::<usize>().unwrap_or_default();
    take_out(&value, position, text.len());
    if value.decoded().iter().all(|string| string.len() <= LONGEST_STRING) {
        put_in(&value, position, text);
    }
}

/// Any text fits into a value.
fn round_trip(text: &str) {
    let value = TxtValue::of(text);
    assert_eq!(value.bytes(), text.as_bytes());
    assert!(value.decoded().iter().all(|string| string.len() <= LONGEST_STRING));
    assert_eq!(TxtValue::parse(&value.to_string()), Some(value));
}

fn put_in(before: &TxtValue, position: usize, text: &str) {
    if !(1..=LONGEST_STRING).contains(&text.len()) || text.starts_with(|c: char| c.is_ascii_digit()) {
        return;
    }
    let bytes = before.bytes();
    let at = position % (bytes.len() + 1);
    let (after, placement) = before.insert(at, text);
    assert_eq!(
        after.bytes(),
        [&bytes[..at], text.as_bytes(), &bytes[at..]].concat(),
        "inserted"
    );
    assert!(
        after.decoded().iter().all(|string| string.len() <= LONGEST_STRING),
        "{after} has a string of over {LONGEST_STRING} bytes"
    );
    assert_eq!(TxtValue::parse(&after.to_string()).as_ref(), Some(&after), "read again");
    let undone = after.remove(at..at + text.len(), placement);
    assert_eq!(
        undone.to_string(),
        before.to_string(),
        "undone from {after} ({placement:?})"
    );
}

/// Whatever is taken out, the rest stays as it is.
fn take_out(before: &TxtValue, position: usize, length: usize) {
    let bytes = before.bytes();
    let from = position % (bytes.len() + 1);
    let to = from.saturating_add(length).min(bytes.len());
    for placement in [Placement::Inline, Placement::Own, Placement::Split] {
        let after = before.remove(from..to, placement);
        assert_eq!(after.bytes(), [&bytes[..from], &bytes[to..]].concat(), "{placement:?}");
        assert_eq!(
            TxtValue::parse(&after.to_string()).as_ref(),
            Some(&after),
            "{placement:?}, read again"
        );
    }
}
