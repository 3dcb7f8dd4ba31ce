//! A resource's properties: read the same whether numbers and booleans come as themselves or, as CloudFormation sends
//! them, as strings; refused without a word of what they hold.
//!
//! The input is the property's JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::secrets;

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    let Ok(property) = serde_json::from_slice::<Value>(input) else {
        return;
    };
    if property.is_null() || property == "" {
        return;
    }
    // Strictly read, it is itself; CloudFormation's strings must come to the same.
    if let Ok(strict) = serde_json::from_value::<Shape>(property.clone()) {
        let sent = as_strings(&property);
        for (form, how) in [(&property, "as it is"), (&sent, "as strings")] {
            match lenient(form) {
                Ok(read) => assert_eq!(read, strict, "{how}: {form}"),
                // Serde itself takes a list for an object's members in their order; no template means that.
                Err(problem) if problem.contains("must be an object, but is a list") => {}
                Err(problem) => panic!("{how}: {form} is refused: {problem}"),
            }
        }
    } else if let Err(problem) = lenient(&property) {
        for secret in secrets(&property) {
            // A member's name is shown, and may be the same text.
            let is_a_name = names(&property).iter().any(|name| name.contains(&secret));
            let shown = problem.contains(&secret) && !is_a_name;
            assert!(!shown, "`{problem}` shows {secret}");
        }
    }
}

/// Everything that a property can be made of.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Shape {
    #[serde(default)]
    name: String,
    #[serde(default)]
    loud: bool,
    #[serde(default)]
    port: u16,
    #[serde(default)]
    offset: i64,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    ratio: Option<f64>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    list: Vec<Shape>,
    #[serde(default)]
    flags: Vec<bool>,
    #[serde(default)]
    labels: BTreeMap<String, u8>,
    #[serde(default)]
    pair: Option<(u8, String)>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    #[default]
    Plain,
    Numbered(i32),
    Named {
        text: String,
        on: bool,
    },
}

/// As an optional property of a handler is read.
#[derive(Deserialize)]
struct Holder {
    #[serde(deserialize_with = "custom_resource::blank_as_none")]
    property: Option<Shape>,
}

fn lenient(property: &Value) -> Result<Shape, String> {
    let holder = serde_json::json!({"property": property});
    match serde_json::from_value::<Holder>(holder) {
        Ok(Holder { property: Some(shape) }) => Ok(shape),
        Ok(Holder { property: None }) => Err("read as blank".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// What CloudFormation makes of it.
fn as_strings(value: &Value) -> Value {
    match value {
        Value::Bool(value) => Value::String(value.to_string()),
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(values) => values.iter().map(as_strings).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), as_strings(value)))
            .collect(),
        other => other.clone(),
    }
}

/// The names of all members, at every depth.
fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().flat_map(names).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| std::iter::once(name.as_str()).chain(names(value)))
            .collect(),
        _ => Vec::new(),
    }
}
