use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    count: i16,
    #[serde(default)]
    share: f32,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    grants: Vec<Grant>,
    #[serde(default, deserialize_with = "blank_as_none")]
    port: Option<Port>,
    #[serde(default, deserialize_with = "blank_as_none")]
    main: Option<Grant>,
    #[serde(default)]
    tags: BTreeMap<String, Option<String>>,
    #[serde(default)]
    range: Option<(u8, u8)>,
    #[serde(default)]
    letter: Option<char>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
enum Mode {
    #[default]
    Plain,
    Sized(u32),
    Named {
        #[serde(rename = "Name")]
        name: String,
    },
    Pair(u8, bool),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Grant {
    privileges: Vec<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "u16")]
struct Port(u16);

impl TryFrom<u16> for Port {
    type Error = &'static str;

    fn try_from(port: u16) -> Result<Self, &'static str> {
        if port == 0 {
            Err("must be a port, from 1 to 65535")
        } else {
            Ok(Self(port))
        }
    }
}

fn read(properties: &Value) -> Properties {
    parse(properties).unwrap_or_else(|error| panic!("{properties}: {error}"))
}

/// What is wrong, less the sentence around it.
fn wrong(properties: &Value) -> String {
    let error = parse::<Properties>(properties).unwrap_err().to_string();
    let error = error.strip_prefix("The property ").unwrap_or(&error);
    error.strip_suffix("; correct it in the template").unwrap().to_owned()
}

#[test]
fn strings_are_read_as_what_the_type_wants() {
    let properties = read(&json!({
        "Enabled": "TRUE", "Count": " -12 ", "Share": "0.5", "Mode": "Plain", "Port": "3306", "Range": ["1", 2],
        "Letter": "x", "Tags": {"A": 1, "B": true, "C": null},
        "Grants": [{"Privileges": ["SELECT", 1]}], "Main": "",
    }));
    assert!(properties.enabled);
    assert_eq!(properties.count, -12);
    assert!((properties.share - 0.5).abs() < f32::EPSILON);
    assert_eq!(properties.port, Some(Port(3306)));
    assert_eq!(properties.range, Some((1, 2)));
    assert_eq!(properties.letter, Some('x'));
    assert_eq!(properties.main, None);
    assert_eq!(
        properties.grants,
        [Grant {
            privileges: vec!["SELECT".into(), "1".into()]
        }]
    );
    let tags = [("A", Some("1")), ("B", Some("true")), ("C", None)];
    assert_eq!(
        properties.tags,
        tags.map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
            .into()
    );
}

#[test]
fn every_form_of_a_choice_is_read() {
    let mode = |value| read(&json!({ "Mode": value })).mode;
    assert_eq!(mode(json!("Plain")), Mode::Plain);
    assert_eq!(mode(json!({"Sized": "3"})), Mode::Sized(3));
    assert_eq!(mode(json!({"Named": {"Name": "x"}})), Mode::Named { name: "x".into() });
    assert_eq!(mode(json!({"Pair": ["1", "true"]})), Mode::Pair(1, true));
}

#[test]
fn no_properties_at_all_are_none_set() {
    assert_eq!(parse::<Properties>(&Value::Null), parse(&json!({})));
}

fn assert_each(table: &[(Value, &str)]) {
    for (properties, expected) in table {
        assert_eq!(wrong(properties), *expected, "{properties}");
    }
}

#[test]
fn an_error_says_what_is_expected_but_never_the_value() {
    assert_each(&[
        (
            json!({"Enabled": "secret"}),
            "`Enabled` must be true or false, but is another string",
        ),
        (
            json!({"Enabled": ""}),
            "`Enabled` must be true or false, but is an empty string",
        ),
        (
            json!({"Enabled": 1}),
            "`Enabled` must be true or false, but is a number",
        ),
        (
            json!({"Count": "40000"}),
            "`Count` must be a whole number from -32768 to 32767, but is outside",
        ),
        (
            json!({"Count": 1.5}),
            "`Count` must be a whole number from -32768 to 32767, but is a number",
        ),
        (
            json!({"Share": "secret"}),
            "`Share` must be a number, but is another string",
        ),
        (
            json!({"Share": "NaN"}),
            "`Share` must be a number, but is another string",
        ),
        (
            json!({"Mode": "secret"}),
            "`Mode` must be one of `Plain`, `Sized`, `Named`, `Pair`, but is something else",
        ),
        (
            json!({"Mode": []}),
            "`Mode` must be one of `Plain`, `Sized`, `Named`, `Pair`, but is a list",
        ),
        (
            json!({"Mode": "Sized"}),
            "`Mode` must be an object that holds the chosen variant, but is a string",
        ),
        (
            json!({"Mode": {"Plain": 1}}),
            "`Mode` must be a string, but is a number",
        ),
    ]);
}

#[test]
fn an_error_names_the_path_to_what_is_wrong() {
    assert_each(&[
        (
            json!({"Grants": [{"Privileges": []}, {"Privileges": ["ok", ["secret"]]}]}),
            "`Grants[1].Privileges[1]` must be a string, but is a list",
        ),
        (
            json!({"Grants": [{}]}),
            "`Grants[0].Privileges` is required, but missing",
        ),
        (
            json!({"Grants": "secret"}),
            "`Grants` must be a list, but is another string",
        ),
        (
            json!({"Grants": ["secret"]}),
            "`Grants[0]` must be an object, but is another string",
        ),
        (
            json!({"Main": {"Privileges": "secret"}}),
            "`Main` has a `Privileges` that must be a list, but is another string",
        ),
        (json!({"Port": "0"}), "`Port` must be a port, from 1 to 65535"),
        (
            json!({"Port": "x"}),
            "`Port` must be a whole number from 0 to 65535, but is another string",
        ),
        (
            json!({"Letter": "secret"}),
            "`Letter` must be a character, but its value is not",
        ),
        (
            json!({"Range": [1]}),
            "`Range` must be a tuple of size 2, but has 1 elements",
        ),
    ]);
}

proptest! {
    #[test]
    fn a_scalar_and_its_text_are_the_same(enabled: bool, count: i16, share in -1.0e6_f32..1.0e6) {
        let typed = json!({"Enabled": enabled, "Count": count, "Share": share});
        let text = json!({"Enabled": enabled.to_string(), "Count": count.to_string(), "Share": typed["Share"].to_string()});
        prop_assert_eq!(read(&typed), read(&text));
    }

    #[test]
    fn no_value_stands_in_an_error(secret in "s3nt1nel[ -~]{0,20}", property in 0_usize..10) {
        let names = ["Enabled", "Count", "Share", "Mode", "Grants", "Port", "Main", "Tags", "Range", "Letter"];
        for properties in [json!({names[property]: secret}), json!({names[property]: [secret]}), json!([secret])] {
            if let Err(error) = parse::<Properties>(&properties) {
                prop_assert!(!error.to_string().contains("s3nt1nel"), "{error}");
            }
        }
    }
}
