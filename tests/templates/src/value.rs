//! Short ways to look into a template's values.

use serde_json::Value;

static NOTHING: Value = Value::Null;

/// Looking into a value without asking at each step whether there is one.
pub trait Look {
    /// What stands at a path such as `Properties/Tags/0`; null if nothing does.
    fn at(&self, path: &str) -> &Value;
    /// A scalar as CloudFormation writes it into a text; lists joined by commas; blank for null.
    fn text(&self) -> String;
    /// The items of a list, or the value itself as the only one: IAM takes one item where it takes a list. Null has none.
    fn listed(&self) -> Vec<&Value>;
    /// The same as texts.
    fn texts(&self) -> Vec<String> {
        self.listed().into_iter().map(Look::text).collect()
    }
    /// A number, also one that stands in a text.
    fn number(&self) -> Option<f64> {
        self.text().parse().ok()
    }
    /// Whether it is true, also as a text.
    fn is_true(&self) -> bool {
        self.text() == "true"
    }
    /// The keys of a mapping, in their order.
    fn keys(&self) -> Vec<&str>;
    /// Every scalar below.
    fn leaves(&self) -> Vec<&Value>;
    /// Every scalar below, each with its path.
    fn scalars(&self) -> Vec<(String, &Value)>;
}

impl Look for Value {
    fn at(&self, path: &str) -> &Value {
        path.split('/').fold(self, |value, step| {
            let found = match value {
                Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)),
                other => other.get(step),
            };
            found.unwrap_or(&NOTHING)
        })
    }

    fn text(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().map(Look::text).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        }
    }

    fn listed(&self) -> Vec<&Value> {
        match self {
            Value::Null => Vec::new(),
            Value::Array(items) => items.iter().collect(),
            other => vec![other],
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
            .collect()
    }

    fn leaves(&self) -> Vec<&Value> {
        match self {
            Value::Object(entries) => entries.values().flat_map(Look::leaves).collect(),
            Value::Array(items) => items.iter().flat_map(Look::leaves).collect(),
            scalar => vec![scalar],
        }
    }

    fn scalars(&self) -> Vec<(String, &Value)> {
        let mut found = Vec::new();
        collect(self, String::new(), &mut found);
        found
    }
}

fn collect<'a>(value: &'a Value, path: String, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                collect(item, format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{path}/{index}"), found);
            }
        }
        scalar => found.push((path, scalar)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_leads_into_mappings_and_lists_and_to_null_where_nothing_is() {
        let value = json!({"Tags": [{"Key": "Name"}]});
        assert_eq!(value.at("Tags/0/Key"), "Name");
        assert_eq!(value.at("Tags/1/Key"), &Value::Null);
        assert_eq!(value.at("Missing/0"), &Value::Null);
    }

    #[test]
    fn one_item_is_a_list_of_one() {
        assert_eq!(json!("s3:GetObject").texts(), ["s3:GetObject"]);
        assert_eq!(json!(["a", "b"]).texts(), ["a", "b"]);
        assert!(json!(null).texts().is_empty());
    }

    #[test]
    fn every_scalar_comes_with_its_path() {
        let value = json!({"A": [1, {"B": "x"}]});
        let found: Vec<String> = value
            .scalars()
            .iter()
            .map(|(path, item)| format!("{path}={}", item.text()))
            .collect();
        assert_eq!(found, ["/A/0=1", "/A/1/B=x"]);
        assert_eq!(value.leaves(), [&json!(1), &json!("x")]);
    }
}
