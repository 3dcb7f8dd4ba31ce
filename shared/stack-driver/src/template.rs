//! The little that the driver must know of a template: its parameters, and whether it is packaged.

use crate::inputs::InputError;
use saphyr::{LoadableYamlNode, Yaml};
use std::collections::{BTreeMap, BTreeSet};

/// CloudFormation accepts a larger template only from S3, in bytes.
pub const LARGEST_DIRECT_TEMPLATE: usize = 51_200;

/// A parameter of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its value where none is given; without one it may not be left out.
    pub default: Option<String>,
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
    /// The types of its own resources.
    pub types: BTreeSet<String>,
    /// The nested stacks whose template still is a local file: logical id and path.
    pub local: Vec<(String, String)>,
}

impl Template {
    /// Reads YAML (with CloudFormation's short tags) or JSON.
    ///
    /// # Errors
    /// No such text, or no resources.
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
        Ok(Self {
            path: path.to_owned(),
            body: body.to_owned(),
            parameters: entries(get(root, "Parameters"))
                .map(|(name, node)| (name, parameter(node)))
                .collect(),
            resources: resources.len(),
            nested_stacks: nested.len(),
            types: resources
                .iter()
                .filter_map(|(_, node)| get(node, "Type")?.as_str().map(str::to_owned))
                .collect(),
            local: nested.iter().filter_map(|(name, node)| local(name, node)).collect(),
        })
    }

    /// Makes sure that CloudFormation can read every nested stack.
    ///
    /// # Errors
    /// One still points to a local file.
    pub fn refuse_unpackaged(&self) -> Result<(), InputError> {
        match self.local.first() {
            None => Ok(()),
            Some((resource, value)) => Err(InputError::NotPackaged {
                path: self.path.clone(),
                resource: resource.clone(),
                value: value.clone(),
            }),
        }
    }

    /// Whether CloudFormation takes it without S3.
    #[must_use]
    pub fn fits_in_a_request(&self) -> bool {
        self.body.len() <= LARGEST_DIRECT_TEMPLATE
    }
}

fn local(resource: &str, node: &Yaml) -> Option<(String, String)> {
    let url = get(get(node, "Properties")?, "TemplateURL")?.as_str()?;
    (!url.contains("://")).then(|| (resource.to_owned(), url.to_owned()))
}

fn parameter(node: &Yaml) -> Parameter {
    let no_echo = get(node, "NoEcho");
    Parameter {
        default: get(node, "Default").map(scalar),
        no_echo: no_echo.is_some_and(|value| value.as_bool() == Some(true) || value.as_str() == Some("true")),
    }
}

/// A default as CloudFormation takes it: numbers and booleans are texts.
fn scalar(node: &Yaml) -> String {
    let text = node.as_str().map(str::to_owned);
    text.or_else(|| node.as_integer().map(|number| number.to_string()))
        .or_else(|| node.as_floating_point().map(|number| number.to_string()))
        .or_else(|| node.as_bool().map(|flag| flag.to_string()))
        .unwrap_or_default()
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
        let parameters: Vec<(&str, Option<&str>, bool)> = template
            .parameters
            .iter()
            .map(|(name, p)| (name.as_str(), p.default.as_deref(), p.no_echo))
            .collect();
        assert_eq!(
            parameters,
            [("A", None, false), ("B", Some("3"), false), ("C", None, true)]
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
                default: Some(String::new()),
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
        let local = Template::parse("root.yaml", &nested.replace("WHERE", "./modules/database.yaml")).expect("parses");
        assert_eq!(
            local.refuse_unpackaged().expect_err("refused").to_string(),
            "the template root.yaml is not packaged: Database still points to the local file ./modules/database.yaml. Run \
             `make package`, or `aws cloudformation package --template-file root.yaml --s3-bucket BUCKET \
             --output-template-file packaged.yaml` and deploy packaged.yaml"
        );
        let packaged = Template::parse("root.yaml", &nested.replace("WHERE", "https://s3.amazonaws.com/b/k"));
        let packaged = packaged.expect("parses");
        assert!(packaged.refuse_unpackaged().is_ok());
        assert_eq!(packaged.nested_stacks, 1);
        assert_eq!(packaged.types, BTreeSet::from([crate::event::STACK_TYPE.to_owned()]));
    }
}
