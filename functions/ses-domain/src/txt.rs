//! The value of a TXT record as Route 53 spells it: quoted strings of at most 255 bytes, with `\"`, `\\` and octal
//! escapes. What is read is printed back exactly, byte for byte, whatever its spelling; only what is edited changes.

use std::fmt::{self, Write};
use std::ops::Range;

use crate::names::unescape;

/// The most that one character string of a TXT record holds, in bytes (RFC 1035, section 3.3).
pub const LONGEST_STRING: usize = 255;

/// One TXT value: its strings, and the white space around and between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxtValue {
    /// What stands between the quotes, as spelled.
    strings: Vec<String>,
    /// The white space before the first string, between the strings, and after the last: one more than strings.
    gaps: Vec<String>,
}

/// Where a text was put: what undoing it needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Into a string that had room.
    Inline,
    /// Into a string of its own, between two that were there, or at the end.
    Own,
    /// Into a string of its own, in the middle of one that was full and is now two.
    Split,
}

/// One decoded byte and where its spelling stands.
#[derive(Clone)]
struct Unit {
    byte: u8,
    spelled: Range<usize>,
}

fn units(spelling: &str) -> Vec<Unit> {
    let bytes = spelling.as_bytes();
    let (mut units, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let (byte, used) = match bytes[at] {
            b'\\' => unescape(&bytes[at + 1..]),
            plain => (plain, 0),
        };
        let spelled = at..at + 1 + used;
        at = spelled.end;
        units.push(Unit { byte, spelled });
    }
    units
}

fn bytes_of(units: &[Unit]) -> Vec<u8> {
    units.iter().map(|unit| unit.byte).collect()
}

fn decoded(spelling: &str) -> Vec<u8> {
    bytes_of(&units(spelling))
}

impl TxtValue {
    /// Reads a value. `None` for what Route 53 would not accept: text outside quotes, an open quote, bytes beyond ASCII.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let mut value = Self {
            strings: Vec::new(),
            gaps: vec![String::new()],
        };
        let mut rest = raw;
        while let Some(next) = rest.chars().next() {
            if next == '"' {
                let end = closing_quote(rest)?;
                value.strings.push(rest[1..end].to_owned());
                value.gaps.push(String::new());
                rest = &rest[end + 1..];
            } else if next == ' ' || next == '\t' {
                value.gaps.last_mut()?.push(next);
                rest = &rest[1..];
            } else {
                return None;
            }
        }
        (raw.is_ascii() && !value.strings.is_empty()).then_some(value)
    }

    /// The value that holds `text`, in as many strings as it needs.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let chunks = bytes.chunks(LONGEST_STRING).map(spell).collect::<Vec<_>>();
        let strings = if chunks.is_empty() { vec![String::new()] } else { chunks };
        let mut gaps = vec![" ".to_owned(); strings.len() + 1];
        gaps[0].clear();
        gaps[strings.len()].clear();
        Self { strings, gaps }
    }

    /// The strings' decoded bytes, joined: what a reader of the record sees.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.decoded().concat()
    }

    /// Each string's decoded bytes.
    #[must_use]
    pub fn decoded(&self) -> Vec<Vec<u8>> {
        self.strings.iter().map(|string| decoded(string)).collect()
    }

    /// The joined text, if it is printable ASCII: SPF and DMARC are, anything else is neither.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let bytes = self.bytes();
        let printable = bytes.iter().all(|b| (b' '..=b'~').contains(b));
        printable.then(|| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Puts `text` before the decoded byte `at` (at the end if there is none). No string grows beyond 255 bytes. The text
    /// begins with no digit, which the spelling before it might take for octal.
    #[must_use]
    pub fn insert(&self, at: usize, text: &str) -> (Self, Placement) {
        let (index, offset, length) = self.locate(at);
        let mut value = self.clone();
        if length + text.len() <= LONGEST_STRING {
            let split = self.spelled_offset(index, offset);
            value.strings[index].insert_str(split, &spell(text.as_bytes()));
            return (value, Placement::Inline);
        }
        let own = spell(text.as_bytes());
        if offset == 0 || offset == length {
            let at = if offset == 0 { index } else { index + 1 };
            value.strings.insert(at, own);
            value.gaps.insert(index + 1, " ".to_owned());
            return (value, Placement::Own);
        }
        let right = value.strings[index].split_off(self.spelled_offset(index, offset));
        value.strings.splice(index + 1..=index, [own, right]);
        value.gaps.splice(index + 1..=index, [" ".to_owned(), " ".to_owned()]);
        (value, Placement::Split)
    }

    /// Takes the decoded bytes `range` out again. A string that `placement` says was made for them goes with them, and
    /// its neighbours are joined if they were one string before.
    #[must_use]
    pub fn remove(&self, range: Range<usize>, placement: Placement) -> Self {
        let mut value = self.clone();
        let (mut start, mut emptied) = (0, Vec::new());
        for (index, string) in self.strings.iter().enumerate() {
            let units = units(string);
            let (from, to) = (range.start.max(start), range.end.min(start + units.len()));
            if from < to {
                let (gone, left) = (&units[from - start..to - start], &mut value.strings[index]);
                left.replace_range(gone[0].spelled.start..gone[gone.len() - 1].spelled.end, "");
                // `\1` before digits that now follow it would be octal: then the string is spelled anew.
                let kept = [&units[..from - start], &units[to - start..]].concat();
                if decoded(left) != bytes_of(&kept) {
                    *left = spell(&bytes_of(&kept));
                }
                if to - from == units.len() && placement != Placement::Inline {
                    emptied.push(index);
                }
            }
            start += units.len();
        }
        for &index in emptied.iter().rev() {
            value.drop_string(index);
        }
        // What was split was one string's text; where it now fills several, somebody has written them since.
        if let (Placement::Split, [index]) = (placement, emptied.as_slice()) {
            value.join(*index);
        }
        value
    }

    fn drop_string(&mut self, index: usize) {
        if self.strings.len() == 1 {
            return;
        }
        self.strings.remove(index);
        let last = index == self.strings.len();
        self.gaps.remove(if last { index } else { index + 1 });
    }

    /// Makes one string of the two that meet at `index`, if there are two and one holds them.
    fn join(&mut self, index: usize) {
        if index == 0 || index >= self.strings.len() {
            return;
        }
        let pair = &self.strings[index - 1..=index];
        let (joined, bytes) = (pair.concat(), [decoded(&pair[0]), decoded(&pair[1])].concat());
        if bytes.len() <= LONGEST_STRING && decoded(&joined) == bytes {
            self.strings.splice(index - 1..=index, [joined]);
            self.gaps.remove(index);
        }
    }

    /// The string that holds the decoded byte `at`, the offset in it, and its decoded length.
    fn locate(&self, at: usize) -> (usize, usize, usize) {
        let mut start = 0;
        let mut found = (0, 0, 0);
        for (index, string) in self.strings.iter().enumerate() {
            let length = units(string).len();
            found = (index, (at - start).min(length), length);
            if at < start + length {
                break;
            }
            start += length;
        }
        found
    }

    fn spelled_offset(&self, index: usize, offset: usize) -> usize {
        let string = &self.strings[index];
        units(string)
            .get(offset)
            .map_or(string.len(), |unit| unit.spelled.start)
    }
}

fn closing_quote(quoted: &str) -> Option<usize> {
    let bytes = quoted.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

fn spell(bytes: &[u8]) -> String {
    let mut spelling = String::new();
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => spelling.extend(['\\', char::from(byte)]),
            b' '..=b'~' => spelling.push(char::from(byte)),
            // Writing into a String cannot fail.
            other => drop(write!(spelling, "\\{other:03o}")),
        }
    }
    spelling
}

impl fmt::Display for TxtValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.gaps[0])?;
        for (string, gap) in self.strings.iter().zip(&self.gaps[1..]) {
            write!(f, "\"{string}\"{gap}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(raw: &str) -> TxtValue {
        TxtValue::parse(raw).unwrap_or_else(|| panic!("{raw} does not parse"))
    }

    #[test]
    fn escapes_and_several_strings_are_one_text() {
        assert_eq!(
            parse(r#""v=spf1 " "\151p4:1.2.3.4 \"x\\""#).bytes(),
            br#"v=spf1 ip4:1.2.3.4 "x\"#
        );
    }

    #[test]
    fn what_route_53_refuses_does_not_parse() {
        for raw in ["", "plain", "\"open", "\"a\" b", "\"ends in a backslash\\\"", "\"ü\""] {
            assert_eq!(TxtValue::parse(raw), None, "{raw}");
        }
    }

    #[test]
    fn a_long_text_is_split_at_255_bytes() {
        let value = TxtValue::of(&"x".repeat(300));
        assert_eq!(value.decoded().iter().map(Vec::len).collect::<Vec<_>>(), [255, 45]);
        assert_eq!(value.bytes().len(), 300);
    }

    #[test]
    fn each_placement_is_reached_and_undone() {
        let full = format!("\"{}\"", "x".repeat(250));
        let cases = [
            (r#""abc""#.to_owned(), 1, Placement::Inline),
            (full.clone(), 5, Placement::Split),
            (full.clone(), 250, Placement::Own),
            (format!("\"a\"  {full}"), 1, Placement::Own),
        ];
        for (raw, at, expected) in cases {
            let before = parse(&raw);
            let (after, placement) = before.insert(at, "include:x ");
            assert_eq!(placement, expected, "{raw} at {at}");
            assert_eq!(after.remove(at..at + 10, placement).to_string(), raw);
        }
    }

    #[test]
    fn a_text_in_several_strings_is_taken_out_without_its_neighbours() {
        let value = parse(r#""v=spf1 a " "include:" "amazonses.com " "mx -all""#);
        for placement in [Placement::Inline, Placement::Own, Placement::Split] {
            let rest = value.remove(9..31, placement);
            assert_eq!(rest.text().unwrap(), "v=spf1 a mx -all", "{placement:?}");
        }
    }

    #[test]
    fn what_is_left_when_a_text_is_taken_out_does_not_become_octal() {
        for placement in [Placement::Inline, Placement::Own, Placement::Split] {
            for raw in [r#""a\1x51""#, r#""a\1" "x" "51""#] {
                assert_eq!(
                    parse(raw).remove(2..3, placement).bytes(),
                    b"a151",
                    "{raw} {placement:?}"
                );
            }
        }
    }

    /// One string as somebody might spell it: plain, escaped for no reason, octal.
    fn string() -> impl Strategy<Value = String> {
        let unit = prop_oneof![6 => "[ -!#-\\[\\]-~]", 1 => "\\\\[\"\\\\a-z]", 1 => "\\\\[0-3][0-7]{2}"];
        prop_oneof![3 => prop::collection::vec(unit.clone(), 0..20), 1 => prop::collection::vec(unit, 230..256)]
            .prop_map(|units| units.concat())
    }

    pub(crate) fn value() -> impl Strategy<Value = String> {
        prop::collection::vec((string(), " {1,3}"), 1..5).prop_map(|strings| {
            strings
                .into_iter()
                .flat_map(|(s, gap)| ["\"".to_owned(), s, "\"".to_owned(), gap])
                .collect()
        })
    }

    proptest! {
        #[test]
        fn any_value_is_printed_back_exactly(raw in value()) {
            prop_assert_eq!(parse(&raw).to_string(), raw);
        }

        #[test]
        fn any_bytes_survive_being_spelled(text in "[ -~]{0,600}") {
            let value = TxtValue::of(&text);
            prop_assert_eq!(parse(&value.to_string()), value.clone());
            prop_assert_eq!(value.text().unwrap(), text);
        }

        #[test]
        fn an_insertion_fits_reads_right_and_is_undone_exactly(raw in value(), at in any::<prop::sample::Index>(), text in "[a-z: ]{1,40}") {
            let before = parse(&raw);
            let bytes = before.bytes();
            let at = at.index(bytes.len() + 1);
            let (after, placement) = before.insert(at, &text);
            prop_assert_eq!(after.bytes(), [&bytes[..at], text.as_bytes(), &bytes[at..]].concat());
            prop_assert!(after.decoded().iter().all(|s| s.len() <= LONGEST_STRING));
            prop_assert_eq!(parse(&after.to_string()), after.clone());
            prop_assert_eq!(after.remove(at..at + text.len(), placement).to_string(), raw);
        }
    }
}
