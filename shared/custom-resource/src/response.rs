//! The body that CloudFormation accepts: one JSON object of at most 4,096 bytes.

use serde::Serialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::event::Event;

/// The largest body that CloudFormation reads, in bytes
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html>).
pub const LARGEST_RESPONSE: usize = 4096;

const ELLIPSIS: &str = "…";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_echo: bool,
    #[serde(skip_serializing_if = "Map::is_empty")]
    data: &'a Map<String, Value>,
}

impl Body<'_> {
    fn text(&self) -> String {
        // A struct of strings and JSON values always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Attributes that cannot be answered.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum AttributesError {
    #[error(
        "the resource's attributes make the response {size} bytes long, of which CloudFormation reads \
         {LARGEST_RESPONSE}; shorten what they are built from in the template"
    )]
    TooLarge { size: usize },
    #[error("the function has a defect: its attributes are not an object of flat values; update the function")]
    NotAnObject,
    #[error(
        "the function has a defect: its attribute `{0}` is neither a string, a number, a boolean nor a list of these; \
         update the function"
    )]
    NotFlat(String),
}

/// The attributes as `Data`. Numbers and booleans become strings, the only thing that `Fn::GetAtt` passes on everywhere.
pub(crate) fn data<A: Serialize>(attributes: &A) -> Result<Map<String, Value>, AttributesError> {
    let members = match serde_json::to_value(attributes) {
        Ok(Value::Object(members)) => members,
        Ok(Value::Null) => Map::new(),
        _ => return Err(AttributesError::NotAnObject),
    };
    let mut data = Map::new();
    for (name, value) in members {
        let flat = match &value {
            Value::Array(elements) => elements.iter().map(scalar).collect::<Option<_>>().map(Value::Array),
            other => scalar(other),
        };
        let Some(flat) = flat else {
            return Err(AttributesError::NotFlat(name));
        };
        data.insert(name, flat);
    }
    Ok(data)
}

fn scalar(value: &Value) -> Option<Value> {
    match value {
        // GetAtt of an absent attribute fails; of an empty one it does not.
        Value::Null => Some(Value::String(String::new())),
        Value::String(_) => Some(value.clone()),
        Value::Bool(_) | Value::Number(_) => Some(Value::String(value.to_string())),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The body of a success.
pub(crate) fn success(
    event: &Event,
    physical_id: &str,
    data: &Map<String, Value>,
    no_echo: bool,
) -> Result<String, AttributesError> {
    let text = body(event, "SUCCESS", None, physical_id, data, no_echo).text();
    match text.len() {
        size if size > LARGEST_RESPONSE => Err(AttributesError::TooLarge { size }),
        _ => Ok(text),
    }
}

/// The body of a failure: `cause` as a sentence, cut where the body would be too large, then `hint`, which is kept whole.
pub(crate) fn failure(event: &Event, physical_id: &str, cause: &str, hint: &str) -> String {
    let none = Map::new();
    let stop = if cause.ends_with(['.', '!', '?']) { "" } else { "." };
    let cause = format!("{cause}{stop}");
    let with = |reason: &str| body(event, "FAILED", Some(reason), physical_id, &none, false).text();
    let room = LARGEST_RESPONSE.saturating_sub(with(hint).len());
    with(&format!("{}{hint}", cut(&cause, room)))
}

/// As much of `text` as takes at most `room` bytes in a JSON string; an ellipsis says that something is missing.
fn cut(text: &str, room: usize) -> String {
    if json_length(text) <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(ELLIPSIS.len());
    let kept = text.char_indices().find_map(|(at, character)| {
        let length = json_length(character.encode_utf8(&mut [0; 4]));
        match left.checked_sub(length) {
            Some(rest) => {
                left = rest;
                None
            }
            None => Some(at),
        }
    });
    let ellipsis = if room < ELLIPSIS.len() { "" } else { ELLIPSIS };
    format!("{}{ellipsis}", &text[..kept.unwrap_or(text.len())])
}

/// The bytes that `text` takes between the quotes of a JSON string.
fn json_length(text: &str) -> usize {
    Value::from(text).to_string().len() - 2
}

fn body<'a>(
    event: &'a Event,
    status: &'static str,
    reason: Option<&'a str>,
    physical_id: &'a str,
    data: &'a Map<String, Value>,
    no_echo: bool,
) -> Body<'a> {
    Body {
        status,
        reason,
        physical_resource_id: physical_id,
        stack_id: event.scope.stack_id(),
        request_id: &event.request_id,
        logical_resource_id: event.scope.logical_id(),
        no_echo,
        data,
    }
}

#[cfg(test)]
mod tests;
