//! What reads texts that others wrote, and what must hold whatever they wrote.
//!
//! Each module is one target: `hold(input)` returns for any bytes at all, or panics with what it found. `make fuzz` lets
//! libFuzzer look for such bytes (the crate in `libfuzzer/`, which is outside the workspace); the tests here run every
//! input in `seeds/`, those that once failed among them, so that `make unit` keeps what was found. Wherever there is a
//! choice, the expected result comes from a second, naive implementation in this crate.
//!
//! Inputs are text, in lines where a target takes several values: a seed can be read, and written by hand.

use serde_json::Value;

pub mod dns_name;
pub mod event;
pub mod mysql_quoting;
pub mod naive;
pub mod php_serialised;
pub mod properties;
pub mod ses_event;
pub mod spf_record;
pub mod task_log;
pub mod txt_value;
pub mod zone_file;

/// A target: its name, and what must hold.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 10] = [
    ("dns_name", dns_name::hold),
    ("event", event::hold),
    ("mysql_quoting", mysql_quoting::hold),
    ("php_serialised", php_serialised::hold),
    ("properties", properties::hold),
    ("ses_event", ses_event::hold),
    ("spf_record", spf_record::hold),
    ("task_log", task_log::hold),
    ("txt_value", txt_value::hold),
    ("zone_file", zone_file::hold),
];

/// Every string among the values that no message would hold by chance.
fn secrets(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.len() >= 16 && text.chars().any(|c| c.is_ascii_digit()) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(secrets).collect(),
        Value::Object(members) => members.values().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

/// The first `N` lines of an input; the rest belongs to the last of them. None for bytes that are no text.
fn lines<const N: usize>(input: &[u8]) -> Option<[&str; N]> {
    let text = std::str::from_utf8(input).ok()?;
    let mut values = text.splitn(N, '\n');
    Some(std::array::from_fn(|_| values.next().unwrap_or_default()))
}
