//! Signs in to an SMTP server as a mail client does: STARTTLS, then AUTH.
//!
//! Five commands need no client library, which would bring more than the function itself.

use aws_smithy_types::base64;
use rotation::Secret;
use secrecy::{ExposeSecret, SecretString};
use tls_connection::{Lines, Trust};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::Error;

/// As whom the function greets; SES takes any name.
const GREETING: &str = "EHLO rotate-smtp.invalid\r\n";
/// SMTP's codes, RFC 5321 and RFC 4954.
const READY: &str = "220";
const DONE: &str = "250";
const SIGNED_IN: &str = "235";
const REFUSED: [&str; 2] = ["535", "534"];

/// Whom to believe about servers.
#[derive(Debug, Clone)]
pub struct SmtpServers(Trust);

impl SmtpServers {
    /// Servers that `trust` vouches for.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self(trust)
    }

    /// Signs in with what a secret holds.
    ///
    /// # Errors
    /// Why that did not work.
    pub async fn sign_in(&self, secret: &Secret) -> Result<(), Error> {
        let (key, password) = (secret.username()?, secret.password()?);
        let mut lines = Lines::connect(secret.text("host")?, secret.port()?).await?;
        expect(&mut lines, READY).await?;
        lines.write(GREETING.as_bytes()).await?;
        expect(&mut lines, DONE).await?;
        // Without TLS nothing secret is said.
        lines.write(b"STARTTLS\r\n").await?;
        expect(&mut lines, READY).await?;
        let mut lines = lines.secure(&self.0).await?;
        lines.write(GREETING.as_bytes()).await?;
        expect(&mut lines, DONE).await?;
        lines.write(plain(key, &password).expose_secret().as_bytes()).await?;
        let answer = answer(&mut lines).await?;
        if REFUSED.iter().any(|code| answer.starts_with(code)) {
            return Err(Error::Refused {
                address: lines.address().to_owned(),
                key: key.to_owned(),
                answer,
            });
        }
        meant(&lines, answer, SIGNED_IN)?;
        // It is signed in; how the server takes leave does not matter.
        let _ = lines.write(b"QUIT\r\n").await;
        Ok(())
    }
}

/// RFC 4616: nobody else's name, one's own, and the password.
fn plain(key: &str, password: &SecretString) -> SecretString {
    let text = format!("\0{key}\0{}", password.expose_secret());
    format!("AUTH PLAIN {}\r\n", base64::encode(text)).into()
}

/// An answer's last line; a hyphen behind the code says that there are more.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(lines: &mut Lines<S>) -> Result<String, Error> {
    loop {
        let line = lines.read().await?;
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(line);
        }
    }
}

async fn expect<S: AsyncRead + AsyncWrite + Unpin>(lines: &mut Lines<S>, code: &str) -> Result<(), Error> {
    let answer = answer(lines).await?;
    meant(lines, answer, code)
}

fn meant<S: AsyncRead + AsyncWrite + Unpin>(lines: &Lines<S>, answer: String, code: &str) -> Result<(), Error> {
    if answer.starts_with(code) {
        return Ok(());
    }
    Err(Error::Unexpected {
        address: lines.address().to_owned(),
        answer,
    })
}
