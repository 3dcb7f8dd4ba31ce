//! Parameters as CloudFormation judges them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex};

use fancy_regex::Regex;
use serde_json::Value;

use crate::placeholder::Placeholder;
use crate::stack::TemplateError;
use crate::template::Template;
use crate::value::Look;

/// Values by parameter.
pub type Parameters = BTreeMap<String, Value>;

/// Parameters as one line of JSON.
pub(crate) fn shown(parameters: &Parameters) -> String {
    serde_json::to_string(parameters).unwrap_or_default()
}

static PATTERNS: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);

/// The parameters as the template sees them, defaults filled in.
///
/// # Errors
/// Names that the template does not have, missing ones, and values against their constraints.
pub(crate) fn accept(template: &Template, given: &Parameters) -> Result<Parameters, TemplateError> {
    let module = &template.module;
    let declared = template.body.at("Parameters");
    if let Some(unknown) = given.keys().find(|name| declared.get(name).is_none()) {
        return Err(TemplateError::new(format!("{module} has no parameter {unknown}")));
    }
    let values = template.section("Parameters").map(|(name, parameter)| {
        let value = given.get(name).or_else(|| parameter.get("Default"));
        let value = value.ok_or_else(|| TemplateError::new(format!("{module} requires {name}, which nobody gives")))?;
        let text = value.text();
        if let Some(wrong) = refusal(parameter, &text) {
            return Err(TemplateError::new(format!("{module} refuses {name}='{text}': {wrong}")));
        }
        Ok((name.to_owned(), typed(parameter, text)))
    });
    values.collect()
}

fn typed(parameter: &Value, text: String) -> Value {
    let kind = parameter.at("Type").text();
    if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        return text.split(',').map(str::trim).map(Value::from).collect();
    }
    Value::from(text)
}

/// Why CloudFormation would refuse the value: the constraint's own description, or the constraint.
fn refusal(parameter: &Value, text: &str) -> Option<String> {
    let explained = |constraint: String| match parameter.at("ConstraintDescription") {
        Value::Null => constraint,
        description => description.text(),
    };
    let allowed = parameter.at("AllowedValues").texts();
    if parameter.get("AllowedValues").is_some() && !allowed.iter().any(|one| one == text) {
        return Some(explained(format!("one of {allowed:?}")));
    }
    // What AWS will put there cannot be judged before.
    if !Placeholder::all(text).is_empty() {
        return None;
    }
    let pattern = parameter.at("AllowedPattern").text();
    if !pattern.is_empty() && !matches(&pattern, text) {
        return Some(explained(pattern));
    }
    out_of_bounds(parameter, text).map(explained)
}

fn out_of_bounds(parameter: &Value, text: &str) -> Option<String> {
    let limit = |name: &str| parameter.at(name).number();
    #[expect(clippy::cast_precision_loss, reason = "parameters hold 4,096 characters at most")]
    let length = text.chars().count() as f64;
    let number = text.parse::<f64>().ok();
    if parameter.at("Type") == "Number" && number.is_none() {
        return Some("a number".to_owned());
    }
    let bounds = [
        ("MinLength", Some(length), true),
        ("MaxLength", Some(length), false),
        ("MinValue", number, true),
        ("MaxValue", number, false),
    ];
    bounds.into_iter().find_map(|(name, value, is_least)| {
        let (limit, value) = (limit(name)?, value?);
        let is_outside = if is_least { value < limit } else { value > limit };
        is_outside.then(|| format!("{name} {limit}"))
    })
}

/// Whether CloudFormation's pattern matches; compiled once.
///
/// # Panics
/// If the pattern is none.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut patterns = PATTERNS.lock().expect("no test panics in here");
    let compiled = patterns.entry(pattern.to_owned()).or_insert_with(|| {
        // CloudFormation asks the whole value to match, and knows only ASCII's digits.
        let whole = format!("^(?:{})$", pattern.replace(r"\d", "[0-9]"));
        Regex::new(&whole).unwrap_or_else(|error| panic!("{pattern}: {error}"))
    });
    compiled
        .is_match(text)
        .unwrap_or_else(|error| panic!("{pattern}: {error}"))
}
