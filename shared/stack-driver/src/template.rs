//! The little that the driver must know of a template: its parameters, and whether it is packaged.

use crate::inputs::InputError;
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeMap;

/// CloudFormation accepts a larger template only from S3, in bytes.
pub const LARGEST_DIRECT_TEMPLATE: usize = 51_200;

/// A parameter of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Whether it may be left out.
    pub has_default: bool,
    /// Whether its value is a secret.
    pub no_echo: bool,
}

/// A template, read.
#[derive(Debug, Clone)]
pub struct Template {
    /// As given on the command line.
    pub path: String,
    /// The text itself.
    pub body: String,
    /// By name.
    pub parameters: BTreeMap<String, Parameter>,
    /// How many resources stand in it.
    pub resources: usize,
    /// How many of them are nested stacks.
    pub nested_stacks: usize,
}

impl Template {
    /// Reads YAML (with CloudFormation's short tags) or JSON.
    ///
    /// # Errors
    /// No such text, no resources, or a nested stack that still points to a local file.
    pub fn parse(path: &str, body: &str) -> Result<Self, InputError> {
        let syntax = |cause: String| InputError::TemplateSyntax {
            path: path.to_owned(),
            cause,
        };
        let documents = Yaml::load_from_str(body).map_err(|error| syntax(error.to_string()))?;
        let root = documents.first().ok_or_else(|| syntax("it is empty".to_owned()))?;
        let resources: Vec<(String, &Yaml)> = entries(get(root, "Resources")).collect();
        if resources.is_empty() {
            return Err(InputError::NoResources { path: path.to_owned() });
        }
        let nested: Vec<&(String, &Yaml)> = resources
            .iter()
            .filter(|(_, node)| get(node, "Type").and_then(Yaml::as_str) == Some(crate::event::STACK_TYPE))
            .collect();
        for (name, node) in &nested {
            refuse_local(path, name, node)?;
        }
        Ok(Self {
            path: path.to_owned(),
            body: body.to_owned(),
            parameters: entries(get(root, "Parameters"))
                .map(|(name, node)| (name, parameter(node)))
                .collect(),
            resources: resources.len(),
            nested_stacks: nested.len(),
        })
    }

    /// Whether CloudFormation takes it without S3.
    #[must_use]
    pub fn fits_in_a_request(&self) -> bool {
        self.body.len() <= LARGEST_DIRECT_TEMPLATE
    }
}

fn refuse_local(path: &str, resource: &str, node: &Yaml) -> Result<(), InputError> {
    let url = get(node, "Properties")
        .and_then(|properties| get(properties, "TemplateURL"))
        .and_then(Yaml::as_str);
    match url {
        Some(value) if !value.contains("://") => Err(InputError::NotPackaged {
            path: path.to_owned(),
            resource: resource.to_owned(),
            value: value.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn parameter(node: &Yaml) -> Parameter {
    let no_echo = get(node, "NoEcho");
    Parameter {
        has_default: get(node, "Default").is_some(),
        no_echo: no_echo.is_some_and(|value| value.as_bool() == Some(true) || value.as_str() == Some("true")),
    }
}

fn get<'a, 'y>(node: &'a Yaml<'y>, key: &str) -> Option<&'a Yaml<'y>> {
    node.as_mapping_get(key)
}

fn entries<'a, 'y>(node: Option<&'a Yaml<'y>>) -> impl Iterator<Item = (String, &'a Yaml<'y>)> {
    node.and_then(Yaml::as_mapping)
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(body: &str) -> String {
        Template::parse("root.yaml", body).expect_err("refused").to_string()
    }

    #[test]
    fn parameters_are_read_with_default_and_secrecy() {
        let body = "Parameters:\n  A:\n    Type: String\n  B: {Type: Number, Default: 3}\n  C: {Type: String, NoEcho: 'true'}\n\
                    Resources:\n  T:\n    Type: AWS::SNS::Topic\n    Properties: {DisplayName: !Sub '${A}', Tags: !If [X, [], !Ref B]}\n";
        let template = Template::parse("root.yaml", body).expect("parses");
        let parameters: Vec<(&str, bool, bool)> = template
            .parameters
            .iter()
            .map(|(name, p)| (name.as_str(), p.has_default, p.no_echo))
            .collect();
        assert_eq!(
            parameters,
            [("A", false, false), ("B", true, false), ("C", false, true)]
        );
        assert_eq!((template.resources, template.nested_stacks), (1, 0));
    }

    #[test]
    fn json_is_read_as_well() {
        let body = r#"{"Parameters": {"A": {"Type": "String", "Default": ""}}, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}"#;
        let template = Template::parse("root.json", body).expect("parses");
        assert_eq!(
            template.parameters["A"],
            Parameter {
                has_default: true,
                no_echo: false
            }
        );
    }

    #[test]
    fn what_is_no_template_is_refused_with_its_line() {
        assert_eq!(
            failure("Description: nothing\n"),
            "the template root.yaml has no Resources section: is it a CloudFormation template?"
        );
        let text = failure("Resources:\n  A: [1\n  B: 2\n");
        assert!(
            text.starts_with("the template root.yaml is no valid YAML or JSON: ") && text.contains("line 3"),
            "{text}"
        );
    }

    #[test]
    fn an_unpackaged_nested_stack_is_refused_with_the_command_that_packages() {
        let nested =
            "Resources:\n  Database:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: WHERE}\n";
        assert_eq!(
            failure(&nested.replace("WHERE", "./modules/database.yaml")),
            "the template root.yaml is not packaged: Database still points to the local file ./modules/database.yaml. Run \
             `make package`, or `aws cloudformation package --template-file root.yaml --s3-bucket BUCKET \
             --output-template-file packaged.yaml` and deploy packaged.yaml"
        );
        let packaged = Template::parse("root.yaml", &nested.replace("WHERE", "https://s3.amazonaws.com/b/k"));
        assert_eq!(packaged.expect("parses").nested_stacks, 1);
    }
}
