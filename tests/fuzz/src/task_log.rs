//! The end of a task's log, as a reason shows it: one short line, without a known secret; and nothing is lost that fits.
//!
//! The input is a secret in the first line, behind it the log.

use log_tail::{LONGEST, excerpt};

use crate::lines;

/// What the function takes for a secret that it does not know.
const LIKE_SECRETS: [&str; 4] = ["://", "pass", "secret", "token"];

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    let Some([secret, log]) = lines::<2>(input) else {
        return;
    };
    let shown = excerpt(log.split('\n'), &[secret.to_owned().into()]);
    assert!(shown.len() <= LONGEST, "{} bytes: {shown}", shown.len());
    assert!(!shown.contains(char::is_control), "{shown:?}");
    // Shorter ones, and such with stars, may come about by chance.
    if secret.len() >= 8 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        assert!(!shown.contains(secret), "{shown} shows {secret}");
    }
    let small = log.to_ascii_lowercase();
    let has_nothing_to_hide = !LIKE_SECRETS.iter().any(|like| small.contains(like));
    if has_nothing_to_hide && secret.is_empty() && log.len() < 200 {
        assert_eq!(shown, naive(log));
    }
}

/// Every line that is not blank.
fn naive(log: &str) -> String {
    let mut shown = String::new();
    for line in log.split('\n') {
        let mut text = String::new();
        for character in line.chars() {
            text.push(if character.is_control() { ' ' } else { character });
        }
        if text.trim().is_empty() {
            continue;
        }
        if !shown.is_empty() {
            shown += " | ";
        }
        shown += text.trim();
    }
    shown
}
