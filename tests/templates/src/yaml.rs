//! YAML with CloudFormation's short forms, as the JSON that CloudFormation makes of it.

use saphyr::{LoadableYamlNode, ScalarOwned, YamlOwned};
use serde_json::{Map, Value, json};

/// Reads one document; `!Ref X` becomes `{"Ref": "X"}`, `!Sub X` becomes `{"Fn::Sub": "X"}`.
///
/// # Errors
/// What keeps the text from being a template: the syntax's error, or a key that is no text.
pub fn parse(text: &str) -> Result<Value, String> {
    let documents = YamlOwned::load_from_str(text).map_err(|error| error.to_string())?;
    match documents.as_slice() {
        [document] => value(document),
        others => Err(format!("{} documents instead of one", others.len())),
    }
}

fn value(node: &YamlOwned) -> Result<Value, String> {
    match node {
        YamlOwned::Value(scalar) => Ok(self::scalar(scalar)),
        YamlOwned::Sequence(items) => items.iter().map(value).collect(),
        YamlOwned::Mapping(entries) => entries
            .iter()
            .map(|(key, item)| Ok((self::key(key)?, value(item)?)))
            .collect::<Result<Map<_, _>, String>>()
            .map(Value::Object),
        YamlOwned::Tagged(tag, inner) => Ok(function(&tag.suffix, value(inner)?)),
        other => Err(format!("{other:?} has no place in a template")),
    }
}

fn scalar(scalar: &ScalarOwned) -> Value {
    match scalar {
        ScalarOwned::Null => Value::Null,
        ScalarOwned::Boolean(found) => json!(found),
        ScalarOwned::Integer(found) => json!(found),
        ScalarOwned::FloatingPoint(found) => json!(found.into_inner()),
        ScalarOwned::String(found) => json!(found),
    }
}

fn key(node: &YamlOwned) -> Result<String, String> {
    match node {
        YamlOwned::Value(ScalarOwned::String(text)) => Ok(text.clone()),
        // A mapping's keys may look like numbers: the seconds of a wait, an account.
        YamlOwned::Value(ScalarOwned::Integer(number)) => Ok(number.to_string()),
        other => Err(format!("{other:?} is no key")),
    }
}

fn function(suffix: &str, argument: Value) -> Value {
    let name = match suffix {
        "Ref" | "Condition" => suffix.to_owned(),
        other => format!("Fn::{other}"),
    };
    let argument = match (suffix, &argument) {
        ("GetAtt", Value::String(text)) => {
            let (resource, attribute) = text.split_once('.').unwrap_or((text, ""));
            json!([resource, attribute])
        }
        _ => argument,
    };
    Value::Object(Map::from_iter([(name, argument)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_read_as_their_long_ones() {
        let read = parse("A: !Ref B\nC: !GetAtt D.E.F\nG: !If [H, !Sub '${I}', 1]\nJ: !Condition K\n").unwrap();
        let long = json!({
            "A": {"Ref": "B"},
            "C": {"Fn::GetAtt": ["D", "E.F"]},
            "G": {"Fn::If": ["H", {"Fn::Sub": "${I}"}, 1]},
            "J": {"Condition": "K"},
        });
        assert_eq!(read, long);
    }

    #[test]
    fn keys_keep_their_order_and_quoted_numbers_stay_text() {
        let read = parse("Z: '8.4'\nA: 8.4\nM: true\n").unwrap();
        assert_eq!(read.to_string(), r#"{"Z":"8.4","A":8.4,"M":true}"#);
    }

    #[test]
    fn two_documents_are_no_template() {
        assert_eq!(parse("a: 1\n---\nb: 2\n").unwrap_err(), "2 documents instead of one");
    }
}
