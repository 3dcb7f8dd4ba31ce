//! The value that each parameter would have.

use crate::cloud::Stack;
use crate::inputs::Inputs;
use crate::template::Template;
use std::collections::BTreeMap;

/// What is given, else what the stack has, else the template's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Merges them; a parameter that has no value anywhere is known, and blank.
    #[must_use]
    pub fn resolve(template: &Template, inputs: &Inputs, present: Option<&Stack>) -> Self {
        let value = |name: &String| {
            let given = inputs.parameters.get(name);
            let kept = || present.and_then(|stack| stack.parameters.get(name));
            given
                .or_else(kept)
                .or(template.parameters[name].default.as_ref())
                .cloned()
                .unwrap_or_default()
        };
        Self(
            template
                .parameters
                .keys()
                .map(|name| (name.clone(), value(name)))
                .collect(),
        )
    }

    /// Whether the template has the parameter.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The parameter's value, unless it is blank.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the parameter says `true`.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Status;

    #[test]
    fn what_is_given_wins_over_what_stands_and_that_over_the_default() {
        let body = "Parameters:\n  Given: {Type: String, Default: d}\n  Kept: {Type: String, Default: d}\n  \
                    Default: {Type: Number, Default: 3}\n  Blank: {Type: String}\nResources:\n  T: {Type: AWS::SNS::Topic}\n";
        let template = Template::parse("t.yaml", body).expect("parses");
        let inputs = Inputs::merge(None, &["Given=new".to_owned()], &[]).expect("merges");
        let stack = Stack {
            id: String::new(),
            name: String::new(),
            status: Status::new("CREATE_COMPLETE"),
            parameters: ["Given", "Kept"].map(|name| (name.to_owned(), "old".to_owned())).into(),
            outputs: Vec::new(),
            termination_protection: false,
        };
        let settings = Settings::resolve(&template, &inputs, Some(&stack));
        let values = ["Given", "Kept", "Default", "Blank", "Unknown"].map(|name| settings.get(name));
        assert_eq!(values, [Some("new"), Some("old"), Some("3"), None, None]);
        assert_eq!((settings.knows("Blank"), settings.knows("Unknown")), (true, false));
    }
}
