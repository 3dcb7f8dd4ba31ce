//! The log of a run, and the search for what must not stand in it.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_smithy_types::base64;
use lambda_runtime::tracing::subscriber::filter::LevelFilter;
use lambda_runtime::tracing::subscriber::fmt::MakeWriter;
use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

use crate::logging;

/// Captures the runtime's log on this thread at its finest level, as long as it lives.
pub struct Log {
    lines: Lines,
    _active: DefaultGuard,
}

impl Log {
    /// Begins to capture.
    #[must_use]
    pub fn capture() -> Self {
        // While tracing knows of one subscriber only, a test on another thread, which has none, decides for all of them that
        // nobody wants the events that it is the first to reach.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| Dispatch::new(NoSubscriber::new()));
        let lines = Lines::default();
        let subscriber = logging::subscriber(lines.clone(), LevelFilter::TRACE, true);
        Self {
            lines,
            _active: tracing::subscriber::set_default(subscriber),
        }
    }

    /// Everything logged so far.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Asserts that `secret` does not stand in `text`: as it is, escaped as JSON or for a URL, or in base64 at any offset.
///
/// # Panics
/// If it does; the message shows the text around it.
pub fn assert_absent(secret: &str, text: &str) {
    for form in forms(secret) {
        if let Some(at) = text.find(&form) {
            let before: String = text[..at].chars().rev().take(80).collect();
            let before: String = before.chars().rev().collect();
            panic!("the secret stands after `{before}` in the form `{form}`");
        }
    }
}

fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        percent_encoded(secret),
    ];
    for offset in 0..3 {
        let encoded = base64::encode([&vec![0; offset], secret.as_bytes()].concat());
        // The characters at both ends also depend on what stands beside the secret.
        let inner = encoded.trim_end_matches('=');
        forms.push(inner[offset + usize::from(offset > 0)..inner.len() - 1].to_owned());
    }
    forms
}

/// All but unreserved characters escaped, as in a URL's query.
pub(super) fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing into a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> bool {
        std::panic::catch_unwind(|| assert_absent("p4ss/w\"rd", text)).is_err()
    }

    #[test]
    fn a_secret_is_found_in_each_of_its_forms() {
        assert!(found(r#"x p4ss/w"rd x"#), "as it is");
        assert!(found(r#"{"x": "p4ss/w\"rd"}"#), "in JSON");
        assert!(found("x=p4ss%2Fw%22rd&"), "in a URL");
        for before in ["", "1", "12", "123"] {
            let encoded = base64::encode(format!(r#"{before}p4ss/w"rd!"#));
            assert!(found(&encoded), "in base64 after `{before}`: {encoded}");
        }
    }

    #[test]
    fn a_text_without_the_secret_passes() {
        assert_absent("p4ss/w\"rd", "p4ss and w\"rd, cDRzcw==, p4ss%2F");
    }
}
