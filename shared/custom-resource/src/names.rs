//! Whoever reads a reason knows the parameters of the stack, not the properties of a resource somewhere inside it. The
//! template says what its parameters are called, and a reason that names a property is followed by that.

use std::fmt::Write;

use serde_json::Value;

/// The property with which a template tells the names: `{PROPERTY: PARAMETER}`, only where the two differ.
pub(crate) const PARAMETER_NAMES: &str = "ParameterNames";

/// How long a name may be, in characters, and how many are translated: the reason itself needs the room, and no reason names
/// more. (CloudFormation allows names of 255.)
const LONGEST_NAME: usize = 64;
const MOST_NAMES: usize = 4;

/// Sentences, each with a space before it, that translate the properties which `cause` names; empty if there are none.
/// Advice, so what is no name is passed over.
pub(crate) fn of(properties: &Value, cause: &str) -> String {
    let names = properties[PARAMETER_NAMES].as_object().into_iter().flatten();
    let translated = names.filter_map(|(property, parameter)| {
        let parameter = parameter.as_str().filter(|name| is_name(name))?;
        (is_name(property) && names_it(cause, property)).then_some((property, parameter))
    });
    translated
        .take(MOST_NAMES)
        .fold(String::new(), |mut text, (property, parameter)| {
            // Writing into a String cannot fail.
            let _ = write!(text, " The stack's parameter for {property} is {parameter}.");
            text
        })
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether `text` has `word` in it, not as a part of a longer one.
fn names_it(text: &str, word: &str) -> bool {
    let is_part = |neighbour: Option<char>| neighbour.is_some_and(|character| character.is_ascii_alphanumeric());
    text.match_indices(word)
        .any(|(at, _)| !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CAUSE: &str = "the schema `shop` exists already; set AdoptExisting to true, or RoleArn's owner may help";

    fn hint(names: &Value) -> String {
        of(&json!({"ParameterNames": names}), CAUSE)
    }

    #[test]
    fn every_property_that_the_reason_names_is_translated() {
        assert_eq!(
            hint(&json!({"AdoptExisting": "AdoptExistingDatabase", "RoleArn": "HostedZoneRoleArn"})),
            " The stack's parameter for AdoptExisting is AdoptExistingDatabase. The stack's parameter for RoleArn is \
             HostedZoneRoleArn."
        );
    }

    #[test]
    fn a_property_that_it_does_not_name_is_not() {
        assert_eq!(
            hint(&json!({"Adopt": "A", "Existing": "B", "Role": "C", "Host": "D"})),
            ""
        );
    }

    #[test]
    fn what_is_no_name_is_passed_over() {
        for names in [
            json!("AdoptExisting"),
            json!({"AdoptExisting": ["A"]}),
            json!({"AdoptExisting": "two words"}),
            json!({"AdoptExisting": "x".repeat(65)}),
        ] {
            assert_eq!(hint(&names), "", "{names}");
        }
        assert_eq!(of(&Value::Null, CAUSE), "");
    }
}
