//! The last lines of a log in CloudWatch, fit to stand in a reason: whoever may describe the stack reads it.
//!
//! A task or a build that failed says why in its log. [`tail`] reads the end of that, [`excerpt`] makes one line of it, of
//! bounded length, without control characters and without what is, or looks like, a secret. It never fails: what the log
//! would add is less than the reason that it is added to.
//!
//! ```
//! let lines = ["pulling", "", "password=hunter2 refused"];
//! assert_eq!(log_tail::excerpt(lines.into_iter(), &[]), "pulling | password=*** refused");
//! ```

use std::sync::LazyLock;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use regex_lite::Regex;
use secrecy::{ExposeSecret, SecretString};

/// How many lines are read, and how many bytes of each are shown: the reason itself needs its room.
const LINES: i32 = 12;
const LONGEST_LINE: usize = 300;
/// How many bytes an [`excerpt`] has at the most.
pub const LONGEST: usize = 1500;
const SEPARATOR: &str = " | ";
/// How often to look, and the pause between: lines arrive a few seconds after what wrote them has ended.
const LOOKS: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);
/// What stands in the place of a secret.
const MASKED: &str = "***";

/// What a secret looks like that this function does not know: a URL's user and password, and what is called a password.
static SECRETS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    [
        r"(://)[^/\s@]*(@)",
        r#"(?i)((?:passw(?:or)?d|pass|secret(?:_?key)?|token)['"\]]*\s*(?:=>?|:)\s*['"]?)[^\s,;&'"]+"#,
    ]
    .map(|pattern| Regex::new(pattern).expect("the tests compile the same patterns"))
});

/// The end of the log stream, oldest line first, with ` | ` between them; nothing if it cannot be had.
pub async fn tail(logs: &Client, group: &str, stream: &str, secrets: &[SecretString]) -> String {
    for look in 1..=LOOKS {
        let call = logs.get_log_events().log_group_name(group).log_stream_name(stream);
        match call.start_from_head(false).limit(LINES).send().await {
            Ok(found) if !found.events().is_empty() => {
                let lines = found.events().iter().filter_map(|event| event.message());
                return excerpt(lines, secrets);
            }
            // The stream is made with the first line.
            Ok(_) => {}
            Err(error) if error.code() == Some("ResourceNotFoundException") => {}
            Err(error) => {
                let error = custom_resource::AwsError::of("logs:GetLogEvents", format!("log stream {stream}"))(error);
                tracing::warn!(%error, "the reason goes without the log");
                return String::new();
            }
        }
        if look < LOOKS {
            tokio::time::sleep(PAUSE).await;
        }
    }
    String::new()
}

/// The last of these lines, as many as fit: one line, of printable characters, without secrets.
#[must_use]
pub fn excerpt<'a>(lines: impl Iterator<Item = &'a str>, secrets: &[SecretString]) -> String {
    // Masked first, before anything about a secret changes; and again, because a line break within one may now be a space.
    let shown = |line: &str| cut(&masked(&printable(&masked(line, secrets)), secrets));
    let lines: Vec<_> = lines.map(shown).filter(|line| !line.is_empty()).collect();
    let mut room = LONGEST;
    let fitting = lines.iter().rev().take_while(|line| {
        let needed = line.len() + SEPARATOR.len();
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits
    });
    let mut fitting: Vec<_> = fitting.map(String::as_str).collect();
    fitting.reverse();
    fitting.join(SEPARATOR)
}

/// Without the secrets that this function knows, in the forms that they may take, and without what looks like one.
fn masked(line: &str, secrets: &[SecretString]) -> String {
    let known = secrets
        .iter()
        .map(ExposeSecret::expose_secret)
        .filter(|secret| !secret.is_empty());
    let line = known.fold(line.to_owned(), |line, secret| {
        let encoded = percent_encoded(secret);
        // Mautic doubles the percent signs of a DSN; a log in JSON escapes quotes.
        let json = serde_json::Value::from(secret).to_string();
        let forms = [&encoded.replace('%', "%%"), &encoded, &json[1..json.len() - 1], secret];
        forms.iter().fold(line, |line, form| line.replace(form, MASKED))
    });
    SECRETS.iter().fold(line, |line, pattern| {
        pattern.replace_all(&line, format!("${{1}}{MASKED}${{2}}")).into_owned()
    })
}

/// As in a URL: everything but letters, digits and `-._~`.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// One line, without what a terminal would obey.
fn printable(line: &str) -> String {
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().to_owned()
}

fn cut(line: &str) -> String {
    if line.len() <= LONGEST_LINE {
        return line.to_owned();
    }
    format!("{}...", &line[..line.floor_char_boundary(LONGEST_LINE)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> String {
        excerpt(
            lines.iter().copied(),
            &["s3nt1nel/+\"ä".to_owned().into(), String::new().into()],
        )
    }

    /// A pattern that does not compile hides nothing: as `(?i)` did not where no other crate asked for tables of cases.
    #[test]
    fn both_patterns_of_secrets_are_there() {
        assert_eq!(SECRETS.len(), 2);
    }

    #[test]
    fn the_last_lines_are_shown_in_their_order() {
        assert_eq!(of(&["one", "", "  two\r\n", "three\tfour"]), "one | two | three four");
    }

    #[test]
    fn what_does_not_fit_is_cut_from_the_front() {
        let lines: Vec<_> = (0..10).map(|number| format!("{number} {}", "ä".repeat(400))).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let tail = of(&lines);
        assert!(tail.len() <= LONGEST, "{}", tail.len());
        assert!(tail.starts_with("6 ä") && tail.ends_with("ä..."), "{tail}");
    }

    #[test]
    fn secrets_are_masked_in_every_form() {
        for (line, expected) in [
            (
                "the password s3nt1nel/+\"ä does not fit",
                "the password *** does not fit",
            ),
            (
                "dsn s3nt1nel%2F%2B%22%C3%A4 or s3nt1nel%%2F%%2B%%22%%C3%%A4.",
                "dsn *** or ***.",
            ),
            (r#"{"message": "s3nt1nel/+\"ä"}"#, r#"{"message": "***"}"#),
            ("smtp://user:any@mail:587 failed", "smtp://***@mail:587 failed"),
            (
                "auth[pass]=any&auth[user]=u password: any, x",
                "auth[pass]=***&auth[user]=u password: ***, x",
            ),
            ("'secret_key' => 'any', 'x' => 1", "'secret_key' => '***', 'x' => 1"),
            ("MAUTIC_SECRET_KEY=0a1b", "MAUTIC_SECRET_KEY=***"),
            ("token=any", "token=***"),
            ("Migrating passed: 3 of 4", "Migrating passed: 3 of 4"),
        ] {
            assert_eq!(of(&[line]), expected);
        }
    }
}
