//! A version's content: a JSON object, of which nothing shows itself.

use std::fmt;

use secrecy::SecretString;
use serde_json::{Map, Value, json};
use thiserror::Error;

/// The content of one version, a JSON object such as `{username, password, host, port}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Map<String, Value>);

/// Content that cannot be used. Names the member, never its value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Malformed {
    /// It is something else than a JSON object.
    #[error("is no JSON object")]
    NoObject,
    /// A member is missing, empty, or no text.
    #[error("has no text `{0}`")]
    NoText(&'static str),
    /// `port` is no TCP port.
    #[error("has no TCP port `port`")]
    NoPort,
}

impl Secret {
    /// Reads a version's text.
    ///
    /// # Errors
    /// If it is no JSON object.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        // serde's own message would quote a value.
        serde_json::from_str(text).map(Self).map_err(|_| Malformed::NoObject)
    }

    /// A member that must be a text that is not empty.
    ///
    /// # Errors
    /// If it is none.
    pub fn text(&self, name: &'static str) -> Result<&str, Malformed> {
        let text = self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or(Malformed::NoText(name))
    }

    /// Who signs in.
    ///
    /// # Errors
    /// If there is no such member.
    pub fn username(&self) -> Result<&str, Malformed> {
        self.text("username")
    }

    /// With what.
    ///
    /// # Errors
    /// If there is no such member.
    pub fn password(&self) -> Result<SecretString, Malformed> {
        self.text("password").map(SecretString::from)
    }

    /// The server's TCP port, a number or a text.
    ///
    /// # Errors
    /// If there is none.
    pub fn port(&self) -> Result<u16, Malformed> {
        let port = match self.0.get("port") {
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        };
        port.parse().map_err(|_| Malformed::NoPort)
    }

    /// The same with another value of one member.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut members = self.0.clone();
        members.insert(name.to_owned(), json!(value));
        Self(members)
    }

    /// As it is written.
    pub(crate) fn written(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

/// The members' names.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.0.keys().collect();
        names.sort();
        f.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn members_are_read_and_replaced_and_the_others_stay() {
        let secret =
            Secret::parse(r#"{"username":"u","password":"old","host":"db","port":"3306","more":[1]}"#).unwrap();
        let next = secret.with("password", "new");
        assert_eq!((next.username().unwrap(), next.port()), ("u", Ok(3306)));
        assert_eq!(next.password().unwrap().expose_secret(), "new");
        let again = Secret::parse(&next.written()).unwrap();
        assert_eq!(again, next);
        assert!(again.written().contains(r#""more":[1]"#));
    }

    #[test]
    fn neither_a_fault_nor_the_debug_form_shows_a_value() {
        assert_eq!(Secret::parse("hunter2").unwrap_err().to_string(), "is no JSON object");
        let odd = Secret::parse(r#"{"username":"","password":["hunter2"],"port":70000}"#).unwrap();
        assert_eq!(odd.username().unwrap_err().to_string(), "has no text `username`");
        assert_eq!(odd.password().unwrap_err().to_string(), "has no text `password`");
        assert_eq!(odd.port().unwrap_err().to_string(), "has no TCP port `port`");
        assert_eq!(format!("{odd:?}"), r#"["password", "port", "username"]"#);
    }
}
