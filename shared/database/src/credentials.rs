//! A secret's content: who logs in, and where to.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use thiserror::Error;

/// A user's credentials, in the shape that AWS's own rotation functions give a secret:
/// `{engine, host, port, username, password, dbname}`. RDS's managed secret has the user name and the password only.
#[derive(Debug, Clone)]
pub struct Credentials {
    username: String,
    password: SecretString,
    host: Option<String>,
    port: Option<u16>,
}

/// A secret that cannot be used. The message shows nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretError {
    /// Secrets Manager does not give it out.
    #[error(
        "secret {arn} cannot be read ({reason}); check that it exists, and that the function's role may call \
         secretsmanager:GetSecretValue on it and kms:Decrypt on its key"
    )]
    Unreadable {
        /// The secret asked for.
        arn: String,
        /// What Secrets Manager says.
        reason: String,
    },
    /// Its content is not what it should be.
    #[error("secret {arn} is not usable: {fault}; it must be a JSON object with username and password")]
    Malformed {
        /// The secret asked for.
        arn: String,
        /// Which part, without its value.
        fault: String,
    },
}

impl SecretError {
    /// Whether the role may not read it, or not yet: the secret itself, or what its key has encrypted.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Unreadable { reason, .. } if reason.starts_with("AccessDenied"))
    }
}

impl Credentials {
    /// Credentials that stand in no secret, for tests and tools.
    #[must_use]
    pub fn new(username: &str, password: SecretString) -> Self {
        Self {
            username: username.to_owned(),
            password,
            host: None,
            port: None,
        }
    }

    /// Who logs in.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password; it shows itself only where it is asked to.
    #[must_use]
    pub fn password(&self) -> &SecretString {
        &self.password
    }

    /// The server, where the secret names one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The TCP port, where the secret names one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether both hold the same password for the same user.
    #[must_use]
    pub fn same_login(&self, other: &Self) -> bool {
        self.username == other.username && self.password.expose_secret() == other.password.expose_secret()
    }

    /// Reads a secret's text. serde's own messages would quote values, so members are read one by one.
    fn parse(text: &str) -> Result<Self, String> {
        let members: Map<String, Value> = serde_json::from_str(text).map_err(|_| "it is no JSON object".to_owned())?;
        let text_of = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(format!("`{name}` is no text")),
        };
        let port = match members.get("port") {
            None | Some(Value::Null) => None,
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(_) => text_of("port")?,
        };
        Ok(Self {
            username: text_of("username")?.ok_or("`username` is missing")?,
            password: text_of("password")?.ok_or("`password` is missing")?.into(),
            host: text_of("host")?,
            port: port
                .map(|port| port.parse().map_err(|_| "`port` is no TCP port".to_owned()))
                .transpose()?,
        })
    }
}

/// Reads the current version of a secret.
///
/// # Errors
/// If it cannot be read, or is no JSON object with a user name and a password.
pub async fn read_secret(client: &Client, arn: &str) -> Result<Credentials, SecretError> {
    let answer = client
        .get_secret_value()
        .secret_id(arn)
        .send()
        .await
        .map_err(|error| SecretError::Unreadable {
            arn: arn.to_owned(),
            reason: match (error.code(), error.message()) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                (Some(code), None) => code.to_owned(),
                _ => chain(&error),
            },
        })?;
    let malformed = |fault: String| SecretError::Malformed {
        arn: arn.to_owned(),
        fault,
    };
    let text = answer
        .secret_string()
        .ok_or_else(|| malformed("it holds bytes, no text".into()))?;
    Credentials::parse(text).map_err(malformed)
}

/// Where there was no answer at all, the reason stands in the error's sources: the network, the time, no credentials.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        Credentials::parse(text).expect_err("it is malformed")
    }

    #[test]
    fn rds_s_managed_secret_has_no_host() {
        let credentials = Credentials::parse(r#"{"username":"admin","password":"p\"w"}"#).expect("a secret");
        assert_eq!(credentials.username(), "admin");
        assert_eq!(credentials.password().expose_secret(), "p\"w");
        assert_eq!((credentials.host(), credentials.port()), (None, None));
    }

    #[test]
    fn a_full_secret_names_the_server_and_its_port_as_a_number_or_a_text() {
        for port in ["3306", "\"3306\""] {
            let text = format!(
                r#"{{"engine":"mysql","host":"db","port":{port},"username":"u","password":"p","dbname":"mautic"}}"#
            );
            let credentials = Credentials::parse(&text).expect("a secret");
            assert_eq!((credentials.host(), credentials.port()), (Some("db"), Some(3306)));
        }
    }

    #[test]
    fn a_fault_names_the_member_and_never_its_value() {
        assert_eq!(fault("hunter2"), "it is no JSON object");
        assert_eq!(fault("[]"), "it is no JSON object");
        assert_eq!(fault(r#"{"username":"u"}"#), "`password` is missing");
        assert_eq!(
            fault(r#"{"username":"","password":"hunter2"}"#),
            "`username` is missing"
        );
        assert_eq!(
            fault(r#"{"username":"u","password":["hunter2"]}"#),
            "`password` is no text"
        );
        assert_eq!(
            fault(r#"{"username":"u","password":"hunter2","port":70000}"#),
            "`port` is no TCP port"
        );
    }

    #[test]
    fn the_debug_form_shows_no_password() {
        let credentials = Credentials::new("u", "hunter2".to_owned().into());
        assert_eq!(
            format!("{credentials:?}"),
            "Credentials { username: \"u\", password: SecretBox<str>([REDACTED]), host: None, port: None }"
        );
    }
}
