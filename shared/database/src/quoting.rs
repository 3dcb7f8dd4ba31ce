//! Names and texts inside a statement. Each function's result, read by MySQL, is again what went in.

/// A name between backticks: the same under every SQL mode. Accounts are written so too, `` `user`@`host` ``.
#[must_use]
pub fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A schema as `GRANT ... ON schema.*` reads it: there `_` and `%` stand for other characters unless a backslash goes
/// before them, so that an unquoted `my_app` would also open `my-app`. At table level names are plain [`identifier`]s.
#[must_use]
pub fn schema_pattern(schema: &str) -> String {
    let mut pattern = String::with_capacity(schema.len() + 4);
    for character in schema.chars() {
        if matches!(character, '_' | '%' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    identifier(&pattern)
}

/// A text between single quotes. Under `NO_BACKSLASH_ESCAPES` a backslash is a character like any other and only the
/// quote is doubled; without that mode a backslash would escape what follows it.
#[must_use]
pub fn literal(text: &str, no_backslash_escapes: bool) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\'' if no_backslash_escapes => quoted.push_str("''"),
            _ if no_backslash_escapes => quoted.push(character),
            '\'' | '\\' => quoted.extend(['\\', character]),
            // MySQL takes these as they are too; tools between us and the server may not.
            '\0' => quoted.push_str("\\0"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\u{1a}' => quoted.push_str("\\Z"),
            _ => quoted.push(character),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtick_in_a_name_is_doubled() {
        assert_eq!(identifier("a`b'c\"d\\"), "`a``b'c\"d\\`");
    }

    #[test]
    fn a_schema_s_wildcards_are_escaped_where_they_would_count() {
        assert_eq!(schema_pattern("my_app%`"), r"`my\_app\%```");
    }

    #[test]
    fn a_text_is_quoted_for_the_mode_in_which_it_is_read() {
        assert_eq!(literal("it's \\ 100%\n", false), r"'it\'s \\ 100%\n'");
        assert_eq!(literal("it's \\ 100%\n", true), "'it''s \\ 100%\n'");
    }
}
