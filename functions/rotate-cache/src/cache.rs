//! Signs in to the cache as a client does: AUTH and PING over TLS.
//!
//! Two commands and their answers need no client library of Redis's, which would bring more than the function itself.

use rotation::Secret;
use secrecy::ExposeSecret;
use tls_connection::{Lines, Trust};

use crate::error::Error;

/// How Redis and Valkey begin their refusal of a name and a password.
const REFUSALS: [&str; 3] = ["-WRONGPASS", "-NOAUTH", "-NOPERM"];

/// Where the cache is, and whom to believe about it.
#[derive(Debug, Clone)]
pub struct Cache {
    host: String,
    port: u16,
    trust: Trust,
}

impl Cache {
    /// A cache by the name that its certificate must bear.
    #[must_use]
    pub fn new(host: &str, port: u16, trust: Trust) -> Self {
        Self {
            host: host.to_owned(),
            port,
            trust,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Whether a secret's user and password open the cache.
    ///
    /// # Errors
    /// If the cache cannot be asked, or the secret names no user.
    pub async fn lets_in(&self, secret: &Secret) -> Result<bool, Error> {
        let password = secret.password()?;
        let sign_in = command(&["AUTH", secret.username()?, password.expose_secret()]);
        let mut lines = Lines::connect(&self.host, self.port).await?.secure(&self.trust).await?;
        for said in [sign_in, command(&["PING"])] {
            lines.write(&said).await?;
            let answer = lines.read().await?;
            if REFUSALS.iter().any(|refusal| answer.starts_with(refusal)) {
                return Ok(false);
            }
            if !answer.starts_with('+') {
                return Err(Error::Unexpected {
                    address: self.address(),
                    answer,
                });
            }
        }
        Ok(true)
    }
}

/// A command as the protocol wants it: its words, each with its length.
#[must_use]
pub fn command(words: &[&str]) -> Vec<u8> {
    let head = format!("*{}", words.len());
    let words = words
        .iter()
        .flat_map(|word| [format!("${}", word.len()), (*word).to_owned()]);
    let lines: Vec<_> = std::iter::once(head).chain(words).collect();
    (lines.join("\r\n") + "\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_in_bytes() {
        assert_eq!(command(&["AUTH", "ü"]), "*2\r\n$4\r\nAUTH\r\n$2\r\nü\r\n".as_bytes());
    }
}
