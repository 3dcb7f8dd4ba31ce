//! What the user hands in: the template and the parameters, checked before anything is asked of AWS.

use crate::template::Template;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// An input that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file is missing or unreadable.
    #[error("{what} {path} cannot be read ({cause}): give the path of an existing file with {option}")]
    Unreadable {
        /// "the template" or "the parameter file".
        what: &'static str,
        /// As given.
        path: String,
        /// The operating system's words.
        cause: std::io::Error,
        /// The option that names it.
        option: &'static str,
    },
    /// The template is no YAML or JSON.
    #[error("the template {path} is no valid YAML or JSON: {cause}; `cfn-lint {path}` tells more")]
    TemplateSyntax {
        /// As given.
        path: String,
        /// What the parser says, with line and column.
        cause: String,
    },
    /// The template has no resources.
    #[error("the template {path} has no Resources section: is it a CloudFormation template?")]
    NoResources {
        /// As given.
        path: String,
    },
    /// A nested stack or function still points to a local file.
    #[error(
        "the template {path} is not packaged: {resource} still points to the local file {value}. Run `make package`, or \
         `aws cloudformation package --template-file {path} --s3-bucket BUCKET --output-template-file packaged.yaml` and deploy packaged.yaml"
    )]
    NotPackaged {
        /// As given.
        path: String,
        /// The resource's logical id.
        resource: String,
        /// Its `TemplateURL`.
        value: String,
    },
    /// The parameter file is no JSON of the expected form.
    #[error(
        "the parameter file {path} is wrong at line {line}, column {column}: {cause}. It has the form \
         {{\"Parameters\": {{\"Name\": \"value\"}}, \"Tags\": {{\"Key\": \"value\"}}}}, every value a string"
    )]
    ParameterSyntax {
        /// As given.
        path: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// The parser's words.
        cause: String,
    },
    /// A parameter that the template does not have.
    #[error("{source_name} sets the parameter {name}, which the template {template} does not have{hint}")]
    UnknownParameter {
        /// The parameter file or `--override`.
        source_name: String,
        /// The parameter.
        name: String,
        /// The template's path.
        template: String,
        /// A similar name, or the remedy.
        hint: String,
    },
    /// A parameter without any value.
    #[error(
        "the template {template} requires {names}: set a value in the parameter file, or with --override {first}=VALUE"
    )]
    MissingParameters {
        /// The template's path.
        template: String,
        /// Comma-separated.
        names: String,
        /// The first of them.
        first: String,
    },
    /// `--override` or `--tag` without `=`.
    #[error("{option} {value:?} is no Name=Value")]
    NoPair {
        /// The option.
        option: &'static str,
        /// As given.
        value: String,
    },
}

/// The parameter file: `{"Parameters": {...}, "Tags": {...}}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ParameterFile {
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// Parameters and tags, the file's and the command line's merged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    /// By name. A template marks secret ones `NoEcho`.
    pub parameters: BTreeMap<String, String>,
    /// By key.
    pub tags: BTreeMap<String, String>,
}

/// Reads a text file that an option names.
///
/// # Errors
/// The file cannot be read.
pub fn read(what: &'static str, option: &'static str, path: &Path) -> Result<String, InputError> {
    std::fs::read_to_string(path).map_err(|cause| InputError::Unreadable {
        what,
        path: path.display().to_string(),
        cause,
        option,
    })
}

impl Inputs {
    /// Merges the file's text with overrides and tags of the form `Name=Value`; the command line wins.
    ///
    /// # Errors
    /// The file is no such JSON, or a pair has no `=`.
    pub fn merge(file: Option<(&str, &str)>, overrides: &[String], tags: &[String]) -> Result<Self, InputError> {
        let file = file.map_or(Ok(ParameterFile::default()), |(path, text)| parse(path, text))?;
        let mut inputs = Self {
            parameters: file.parameters,
            tags: file.tags,
        };
        for text in overrides {
            let (name, value) = pair("--override", text)?;
            inputs.parameters.insert(name, value);
        }
        for text in tags {
            let (key, value) = pair("--tags", text)?;
            inputs.tags.insert(key, value);
        }
        Ok(inputs)
    }

    /// Compares the parameters with the template's.
    ///
    /// # Errors
    /// A parameter that the template does not have; on a first create, one that has neither value nor default.
    pub fn check(&self, template: &Template, is_new: bool) -> Result<(), InputError> {
        if let Some(name) = self
            .parameters
            .keys()
            .find(|name| !template.parameters.contains_key(*name))
        {
            return Err(InputError::UnknownParameter {
                source_name: "the parameter file or an --override".to_owned(),
                name: name.clone(),
                template: template.path.clone(),
                hint: hint(name, template.parameters.keys()),
            });
        }
        let missing: Vec<&str> = template
            .parameters
            .iter()
            .filter(|(name, parameter)| is_new && parameter.default.is_none() && !self.parameters.contains_key(*name))
            .map(|(name, _)| name.as_str())
            .collect();
        match missing.first() {
            None => Ok(()),
            Some(&first) => Err(InputError::MissingParameters {
                template: template.path.clone(),
                names: missing.join(", "),
                first: first.to_owned(),
            }),
        }
    }

    /// Whether a parameter that the template hides (`NoEcho`) is given a value.
    #[must_use]
    pub fn has_secret(&self, template: &Template) -> bool {
        self.parameters
            .keys()
            .any(|name| template.parameters.get(name).is_some_and(|parameter| parameter.no_echo))
    }

    /// The parameters as `Name=Value`.
    #[must_use]
    pub fn parameter_pairs(&self) -> Vec<String> {
        self.parameters
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    /// The tags as `Key=Value`.
    #[must_use]
    pub fn tag_pairs(&self) -> Vec<String> {
        self.tags.iter().map(|(key, value)| format!("{key}={value}")).collect()
    }
}

fn parse(path: &str, text: &str) -> Result<ParameterFile, InputError> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let full = error.to_string();
        let place = format!(" at line {line} column {column}");
        InputError::ParameterSyntax {
            path: path.to_owned(),
            line,
            column,
            cause: full.strip_suffix(&place).unwrap_or(&full).to_owned(),
        }
    })
}

fn pair(option: &'static str, text: &str) -> Result<(String, String), InputError> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(InputError::NoPair {
            option,
            value: text.to_owned(),
        }),
    }
}

fn hint<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let lower = name.to_lowercase();
    let nearest = known.min_by_key(|candidate| distance(&lower, &candidate.to_lowercase()));
    match nearest {
        Some(near) if distance(&lower, &near.to_lowercase()) <= name.len() / 3 + 1 => format!(": did you mean {near}?"),
        _ => ": remove it, or deploy the template that has it".to_owned(),
    }
}

/// How many single-character edits lead from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "Parameters:\n  DomainName: {Type: String}\n  Size: {Type: String, Default: small}\n  \
                            Token: {Type: String, NoEcho: true, Default: ''}\nResources:\n  Topic: {Type: AWS::SNS::Topic}\n";

    fn template() -> Template {
        Template::parse("mautic.yaml", TEMPLATE).expect("parses")
    }

    fn failure<T: std::fmt::Debug>(result: Result<T, InputError>) -> String {
        result.expect_err("refused").to_string()
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let file = r#"{"Parameters": {"Size": "small", "DomainName": "example.com"}, "Tags": {"Environment": "dev"}}"#;
        let inputs = Inputs::merge(
            Some(("dev.json", file)),
            &["Size=a=b".to_owned()],
            &["Owner=".to_owned()],
        );
        let inputs = inputs.expect("merges");
        assert_eq!(inputs.parameter_pairs(), ["DomainName=example.com", "Size=a=b"]);
        assert_eq!(inputs.tag_pairs(), ["Environment=dev", "Owner="]);
    }

    #[test]
    fn wrong_json_is_named_with_its_line() {
        assert_eq!(
            failure(Inputs::merge(
                Some(("dev.json", "{\"Parameters\": {\n  \"Size\": 3\n}}")),
                &[],
                &[]
            )),
            "the parameter file dev.json is wrong at line 2, column 11: invalid type: integer `3`, expected a string. It has \
             the form {\"Parameters\": {\"Name\": \"value\"}, \"Tags\": {\"Key\": \"value\"}}, every value a string"
        );
        let trailing = failure(Inputs::merge(
            Some(("dev.json", "{\"Parameters\": {\n  \"Size\": \"3\",\n}}")),
            &[],
            &[],
        ));
        assert!(
            trailing.starts_with("the parameter file dev.json is wrong at line 3, column 1: trailing comma"),
            "{trailing}"
        );
    }

    #[test]
    fn a_parameter_that_the_template_lacks_is_named_with_its_likeness() {
        let near = Inputs::merge(None, &["DomainNam=x".to_owned()], &[]).expect("merges");
        assert_eq!(
            failure(near.check(&template(), true)),
            "the parameter file or an --override sets the parameter DomainNam, which the template mautic.yaml does not have: \
             did you mean DomainName?"
        );
        let far = Inputs::merge(None, &["VpcCidr=x".to_owned()], &[]).expect("merges");
        assert_eq!(
            failure(far.check(&template(), true)),
            "the parameter file or an --override sets the parameter VpcCidr, which the template mautic.yaml does not have: \
             remove it, or deploy the template that has it"
        );
    }

    #[test]
    fn a_first_create_needs_every_parameter_without_default_and_an_update_keeps_the_previous() {
        assert_eq!(
            failure(Inputs::default().check(&template(), true)),
            "the template mautic.yaml requires DomainName: set a value in the parameter file, or with --override \
             DomainName=VALUE"
        );
        assert!(Inputs::default().check(&template(), false).is_ok());
    }

    #[test]
    fn a_hidden_parameter_is_known_to_be_a_secret() {
        let secret = Inputs::merge(None, &["Token=x".to_owned()], &[]).expect("merges");
        assert!(secret.has_secret(&template()));
        assert!(
            !Inputs::merge(None, &["Size=x".to_owned()], &[])
                .expect("merges")
                .has_secret(&template())
        );
    }

    #[test]
    fn a_pair_without_a_name_or_an_equals_sign_is_refused() {
        assert_eq!(
            failure(Inputs::merge(None, &["Size".to_owned()], &[])),
            "--override \"Size\" is no Name=Value"
        );
        assert_eq!(
            failure(Inputs::merge(None, &[], &["=x".to_owned()])),
            "--tags \"=x\" is no Name=Value"
        );
    }

    #[test]
    fn a_missing_file_is_named_with_the_option_that_gives_it() {
        let error = read("the template", "--template", Path::new("/nowhere/mautic.yaml"));
        assert_eq!(
            failure(error),
            "the template /nowhere/mautic.yaml cannot be read (No such file or directory (os error 2)): give the path of an \
             existing file with --template"
        );
    }
}
