//! Properties as templates write them: every boolean and number may arrive as a string.

use std::fmt;

use serde::de::{self, DeserializeOwned, Expected, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::lenient::Lenient;
use crate::names::PARAMETER_NAMES;

/// What belongs to CloudFormation and to the runtime: the function's ARN, the time-out of the resource, a value that is
/// changed to force a reconciliation, and what the stack calls the properties.
const RESERVED: [&str; 4] = ["ServiceToken", "ServiceTimeout", "Nonce", PARAMETER_NAMES];

/// Reads a resource's properties.
///
/// # Errors
/// [`PropertyError`], which names the property and what it must be, and never shows a value: it may be a secret.
pub(crate) fn parse<P: DeserializeOwned>(properties: &Value) -> Result<P, PropertyError> {
    let mut own = match properties {
        // A resource without properties has no such member in the event.
        Value::Null => Value::Object(Map::new()),
        given => given.clone(),
    };
    if let Value::Object(members) = &mut own {
        members.retain(|name, _| !RESERVED.contains(&name.as_str()));
    }
    P::deserialize(Lenient(&own))
}

/// Reads an optional property whose empty string means "not set", as templates write it for a parameter left blank.
///
/// ```
/// # use serde::Deserialize;
/// #[derive(Deserialize)]
/// struct Properties {
///     #[serde(default, deserialize_with = "custom_resource::blank_as_none")]
///     port: Option<u16>,
/// }
/// let of = |json| serde_json::from_str::<Properties>(json).unwrap().port;
/// assert_eq!(of(r#"{"port": ""}"#), None);
/// assert_eq!(of(r#"{"port": "3306"}"#), Some(3306));
/// assert_eq!(of("{}"), None);
/// ```
///
/// # Errors
/// Those of `T`, if the property is neither absent nor empty.
pub fn blank_as_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        value => match T::deserialize(Lenient(&value)) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(de::Error::custom(error.nested())),
        },
    }
}

/// Which property is wrong, and how it would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PropertyError {
    /// From the outermost: `.Name` or `[0]`, kept in reverse while the error travels outwards.
    path: Vec<String>,
    problem: String,
}

impl PropertyError {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            problem: problem.into(),
        }
    }

    pub(crate) fn below(mut self, step: String) -> Self {
        self.path.push(step);
        self
    }

    fn path(&self) -> String {
        let path: String = self.path.iter().rev().map(String::as_str).collect();
        path.trim_start_matches('.').to_owned()
    }

    /// The text inside another error, which will name the property that holds this one.
    pub(crate) fn nested(&self) -> String {
        if self.path.is_empty() {
            return self.problem.clone();
        }
        format!("has a `{}` that {}", self.path(), self.problem)
    }
}

impl fmt::Display for PropertyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = &self.problem;
        if self.path.is_empty() {
            return write!(
                f,
                "The resource's list of properties {problem}; correct it in the template"
            );
        }
        write!(
            f,
            "The property `{}` {problem}; correct it in the template",
            self.path()
        )
    }
}

impl std::error::Error for PropertyError {}

impl de::Error for PropertyError {
    /// Whatever a handler's own type says about its value.
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {expected}, but is {}", kind_of(unexpected)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {expected}, but its value is not"))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(format!("must be {expected}, but has {length} elements"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("must be {}, but is something else", one_of(expected)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let problem = match expected {
            [] => "is not known, there are none here".to_owned(),
            _ => format!("is not known, known are {}", quoted(expected).join(", ")),
        };
        Self::new(problem).below(format!(".{field}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("is required, but missing").below(format!(".{field}"))
    }
}

fn quoted(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("`{name}`")).collect()
}

pub(crate) fn one_of(names: &[&str]) -> String {
    match quoted(names).as_slice() {
        [only] => only.clone(),
        many => format!("one of {}", many.join(", ")),
    }
}

fn kind_of(unexpected: Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        Unexpected::Unit | Unexpected::Option => "null",
        _ => "of another kind",
    }
}

#[cfg(test)]
mod tests;
