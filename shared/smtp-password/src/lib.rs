//! The password of Amazon SES's SMTP interface.
//!
//! SES takes an access key's id as the SMTP user name, and as the password a text that is derived from the key's secret and
//! the region: the signing key of Signature Version 4 for a fixed date, service and message, with the version of the
//! algorithm in front. One secret gives one password a region, and a password does not give the secret back. AWS describes
//! the algorithm at <https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html>, without test vectors; the tests
//! compare with an implementation of their own in Python.
//!
//! ```
//! use secrecy::{ExposeSecret, SecretString};
//! use smtp_password::smtp_password;
//!
//! let secret_access_key = SecretString::from("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
//! let password = smtp_password(&secret_access_key, "eu-central-1");
//! assert_eq!(password.expose_secret(), "BF0/eIJm0ruTHsSjOkRuOGzGF+zeSyE3aiRzrzUQ8LwG");
//! ```

use aws_smithy_types::base64;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The scope of the signing key; the date is fixed, so that the password does not expire.
const DATE: &str = "11111111";
const SERVICE: &str = "ses";
const TERMINAL: &str = "aws4_request";
const MESSAGE: &str = "SendRawEmail";
/// The version of the derivation, the first byte of what is encoded.
const VERSION: u8 = 4;

/// The password with which the key of this secret signs in to SES's SMTP interface in `region`.
#[must_use]
pub fn smtp_password(secret_access_key: &SecretString, region: &str) -> SecretString {
    let key = format!("AWS4{}", secret_access_key.expose_secret()).into_bytes();
    let signature = [DATE, region, SERVICE, TERMINAL, MESSAGE]
        .into_iter()
        .fold(key, |key, message| sign(&key, message));
    base64::encode([&[VERSION], signature.as_slice()].concat()).into()
}

fn sign(key: &[u8], message: &str) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
