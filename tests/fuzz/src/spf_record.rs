//! SPF records: our mechanism goes in so that the record stays valid, and comes out exactly.
//!
//! The input is a TXT value.

use ses_domain::spf::{Insertion, MECHANISM, MOST_LOOKUPS, Merged, is_spf, lookups, merge, remove};
use ses_domain::txt::{LONGEST_STRING, Placement, TxtValue};

use crate::naive;

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    let Some(value) = std::str::from_utf8(input).ok().and_then(TxtValue::parse) else {
        return;
    };
    let text = text(&value.to_string());
    let first = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    assert_eq!(is_spf(&value), first.eq_ignore_ascii_case(b"v=spf1"));
    // Route 53 takes no longer strings, so it shows none.
    if !is_spf(&value) || longest(&value) > LONGEST_STRING {
        return;
    }
    if let Ok(Merged::Inserted(merged, insertion)) = merge(&value) {
        inserted(&value, &merged, insertion);
    }
    for at_end in [false, true] {
        for placement in [Placement::Inline, Placement::Own, Placement::Split] {
            taken_out(&value, Insertion { at_end, placement });
        }
    }
}

fn inserted(before: &TxtValue, after: &TxtValue, insertion: Insertion) {
    let spelled = after.to_string();
    assert!(is_spf(after), "{spelled} is no SPF record any more");
    let mut expected = words(before);
    let first = |found: fn(&str) -> bool| expected.iter().position(|word| found(word));
    let all = first(|word| word.trim_start_matches(['+', '-', '~', '?']) == "all");
    let at = all
        .or_else(|| first(|word| word.starts_with("redirect=")))
        .unwrap_or(expected.len());
    expected.insert(at, MECHANISM.to_owned());
    assert_eq!(words(after), expected, "{spelled}");
    assert_eq!(lookups(after), lookups(before) + 1);
    assert!(lookups(after) <= MOST_LOOKUPS, "{spelled} needs too many look-ups");
    assert!(
        longest(after) <= LONGEST_STRING,
        "{spelled} has a string that is too long"
    );
    assert_eq!(merge(after), Ok(Merged::Present), "a second time");
    let undone = remove(after, insertion).map(|value| value.to_string());
    assert_eq!(
        undone,
        Some(before.to_string()),
        "undone from {spelled} ({insertion:?})"
    );
}

/// Somebody may have edited the record since: then our mechanism goes, and every other word stays.
fn taken_out(before: &TxtValue, insertion: Insertion) {
    let Some(after) = remove(before, insertion) else {
        return;
    };
    let mut expected = words(before);
    let ours = expected.iter().position(|word| word == MECHANISM);
    expected.remove(ours.unwrap_or_else(|| panic!("{before} had no {MECHANISM} to take out")));
    assert_eq!(words(&after), expected, "{before} became {after} ({insertion:?})");
    assert!(is_spf(&after), "{before} became {after}");
}

fn text(raw: &str) -> Vec<u8> {
    naive::txt_strings(raw).concat()
}

fn longest(value: &TxtValue) -> usize {
    value.decoded().iter().map(Vec::len).max().unwrap_or_default()
}

/// The record's words in lower case.
fn words(value: &TxtValue) -> Vec<String> {
    let text = String::from_utf8_lossy(&text(&value.to_string())).to_ascii_lowercase();
    text.split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
