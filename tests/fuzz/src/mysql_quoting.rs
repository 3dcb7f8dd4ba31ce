//! Names and texts in statements: MySQL reads again what went in, and nothing runs out of its quotes.
//!
//! The input is the text.

use database::quoting::{identifier, literal, schema_pattern};

use crate::naive;

/// What stands behind the quotes, and must not be read as part of them.
const BEHIND: &str = "' OR 1 -- `";

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    for no_backslash_escapes in [false, true] {
        let statement = literal(text, no_backslash_escapes) + " " + BEHIND;
        let read = naive::mysql_literal(&statement, no_backslash_escapes);
        let behind = format!(" {BEHIND}");
        assert_eq!(read, Some((text.to_owned(), behind.as_str())), "{statement}");
    }
    let statement = identifier(text) + "." + BEHIND;
    assert_eq!(
        naive::mysql_identifier(&statement),
        Some((text.to_owned(), format!(".{BEHIND}").as_str())),
        "{statement}"
    );
    let statement = schema_pattern(text);
    let (pattern, rest) = naive::mysql_identifier(&statement).unwrap_or_else(|| panic!("{statement} stays open"));
    assert_eq!((matched(&pattern).as_deref(), rest), (Some(text), ""), "{statement}");
}

/// The one text that a pattern of GRANT matches; none if it matches several.
fn matched(pattern: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '%' | '_' => return None,
            '\\' => text.push(characters.next()?),
            other => text.push(other),
        }
    }
    Some(text)
}
