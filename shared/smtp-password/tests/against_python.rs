//! The derivation beside one that shares no line with it.

use std::io::Write;
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret, SecretString};
use smtp_password::smtp_password;

/// Regions of every partition and shape.
const REGIONS: [&str; 6] = [
    "eu-central-1",
    "us-east-1",
    "ap-southeast-2",
    "us-gov-west-1",
    "cn-northwest-1",
    "il-central-1",
];

fn ours(key: &str, region: &str) -> String {
    let secret = SecretString::from(key.to_owned());
    smtp_password(&secret, region).expose_secret().to_owned()
}

/// The passwords that `derive.py` gives.
fn theirs(inputs: &[(String, &str)]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/derive.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3, which the project's tests need");
    let lines: String = inputs
        .iter()
        .map(|input| serde_json::json!(input).to_string() + "\n")
        .collect();
    let mut stdin = python.stdin.take().expect("a pipe");
    stdin.write_all(lines.as_bytes()).expect("the script reads");
    drop(stdin);
    let output = python.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "{:?}", output.status);
    String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Secrets as IAM makes them, 40 characters of base64, each from a number.
fn secret(number: u64) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = number;
    let character = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(ALPHABET[(state >> 58) as usize])
    };
    (0..40).map(character).collect()
}

#[test]
fn a_thousand_keys_in_every_region_have_the_password_that_python_derives() {
    let inputs: Vec<_> = (0..1000)
        .flat_map(|number| REGIONS.map(|region| (secret(number), region)))
        .chain([(String::new(), "eu-central-1"), ("é".repeat(80), "eu-central-1")])
        .collect();
    let passwords = theirs(&inputs);
    assert_eq!(passwords.len(), inputs.len());
    for ((key, region), password) in inputs.iter().zip(&passwords) {
        assert_eq!(&ours(key, region), password, "{key} in {region}");
    }
}

#[test]
fn passwords_that_the_script_once_gave_are_still_derived() {
    for (region, password) in [
        ("eu-central-1", "BF0/eIJm0ruTHsSjOkRuOGzGF+zeSyE3aiRzrzUQ8LwG"),
        ("us-east-1", "BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9"),
        ("us-gov-west-1", "BHW/eHvx1MM9YwW4wrJG6MGVQmLDCAM99G9YiSdGEIAw"),
    ] {
        assert_eq!(ours("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region), password);
    }
}

#[test]
fn the_debug_form_shows_nothing() {
    let password = smtp_password(&SecretString::from("wJalrXUtnFEMI"), "eu-central-1");
    assert_eq!(format!("{password:?}"), "SecretBox<str>([REDACTED])");
}
