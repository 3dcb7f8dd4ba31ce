//! Names that MySQL takes, checked before a statement is made of them.

use std::fmt;

use thiserror::Error;

/// What a name is the name of; each kind has its own limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A schema, which MySQL also calls a database.
    Schema,
    /// A table.
    Table,
    /// A column.
    Column,
    /// A user's name, without the host.
    User,
    /// The hosts that a user may come from: a name, an address, or a pattern with `%` and `_`.
    Host,
}

impl NameKind {
    /// The most characters that MySQL takes.
    #[must_use]
    pub const fn most_characters(self) -> usize {
        match self {
            Self::Schema | Self::Table | Self::Column => 64,
            Self::User => 32,
            Self::Host => 255,
        }
    }
}

impl fmt::Display for NameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Schema => "schema",
            Self::Table => "table",
            Self::Column => "column",
            Self::User => "user",
            Self::Host => "host",
        })
    }
}

/// A name within MySQL's rules for its kind. It may still hold quotes: [`crate::quoting::identifier`] deals with them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// A name that MySQL would not take, or would take as another one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` is no {kind} name that MySQL takes: {fault}; choose another one")]
pub struct InvalidName {
    kind: NameKind,
    name: String,
    fault: String,
}

impl Name {
    /// Checks a name. A host's is put into lower case, as MySQL stores it.
    ///
    /// # Errors
    /// If MySQL would refuse the name, or cut it, which makes it another name.
    pub fn new(kind: NameKind, name: &str) -> Result<Self, InvalidName> {
        let most = kind.most_characters();
        let fault = if name.is_empty() {
            "it is empty".to_owned()
        } else if name.chars().count() > most {
            format!("it has {} characters, {most} are allowed", name.chars().count())
        } else if name.starts_with(' ') || name.ends_with(' ') {
            "it begins or ends with a space".to_owned()
        } else if name.contains(|c: char| c.is_control() || c > '\u{FFFF}') {
            "it holds a control character, or one outside Unicode's basic plane".to_owned()
        } else if kind == NameKind::Host && !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            "a host is written in ASCII without spaces".to_owned()
        } else {
            let name = if kind == NameKind::Host {
                name.to_ascii_lowercase()
            } else {
                name.to_owned()
            };
            return Ok(Self(name));
        };
        Err(InvalidName {
            kind,
            name: name.to_owned(),
            fault,
        })
    }

    /// The bare name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: NameKind, name: &str) -> String {
        Name::new(kind, name).expect_err("it is invalid").to_string()
    }

    #[test]
    fn a_user_has_at_most_32_characters_and_a_schema_64() {
        assert!(Name::new(NameKind::User, &"ü".repeat(32)).is_ok());
        assert!(Name::new(NameKind::Schema, &"x".repeat(64)).is_ok());
        assert_eq!(
            fault(NameKind::User, &"x".repeat(33)),
            "`xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` is no user name that MySQL takes: it has 33 characters, 32 are allowed; \
             choose another one"
        );
        assert!(Name::new(NameKind::Schema, &"x".repeat(65)).is_err());
    }

    #[test]
    fn a_name_that_mysql_would_change_or_refuse_is_refused_here() {
        assert_eq!(
            fault(NameKind::Table, ""),
            "`` is no table name that MySQL takes: it is empty; choose another one"
        );
        assert_eq!(
            fault(NameKind::Schema, "a "),
            "`a ` is no schema name that MySQL takes: it begins or ends with a space; choose another one"
        );
        assert_eq!(
            fault(NameKind::Column, "😀"),
            "`😀` is no column name that MySQL takes: it holds a control character, or one outside Unicode's basic plane; \
             choose another one"
        );
        assert_eq!(
            fault(NameKind::Host, "häuser"),
            "`häuser` is no host name that MySQL takes: a host is written in ASCII without spaces; choose another one"
        );
    }

    #[test]
    fn a_host_is_put_into_lower_case() {
        assert_eq!(
            Name::new(NameKind::Host, "10.0.%.LOCAL").expect("a host").as_str(),
            "10.0.%.local"
        );
    }
}
