//! One template with its parameters: conditions judged, intrinsic functions carried out.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Component, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use crate::parameters::{self, Parameters};
use crate::resolve::Scope;
use crate::template::{Template, Templates};
use crate::value::Look;

/// The type of a nested stack.
pub const NESTED: &str = "AWS::CloudFormation::Stack";

/// Why CloudFormation would refuse a template or its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl TemplateError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// A resource that is really made, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its module.
    pub module: String,
    /// Its name in the template.
    pub logical_id: String,
    /// Its type.
    pub kind: String,
    /// Its properties.
    pub properties: Value,
    /// What it waits for by name.
    pub depends_on: Vec<String>,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.module, self.logical_id, self.kind)
    }
}

impl Resource {
    /// What a Ref to it gives.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("<{}.{}>", self.module, self.logical_id)
    }

    /// What a `GetAtt` gives.
    #[must_use]
    pub fn attribute(&self, name: &str) -> String {
        format!("<{}.{}.{name}>", self.module, self.logical_id)
    }

    /// Whether a function of the stack answers for it.
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.kind.starts_with("Custom::") || self.kind == "AWS::CloudFormation::CustomResource"
    }
}

/// A template that was resolved.
#[derive(Debug)]
pub struct Stack {
    /// The template's name.
    pub module: String,
    /// The parameters as the template sees them.
    pub parameters: Parameters,
    /// The tags that every resource inherits.
    pub tags: BTreeMap<String, String>,
    /// What is made.
    pub resources: Vec<Resource>,
    /// What it tells others.
    pub outputs: BTreeMap<String, Value>,
    /// Nested stacks, by logical id.
    pub children: BTreeMap<String, Arc<Stack>>,
    /// Where in `resources` each type stands, and each logical id: properties ask a million times.
    by_kind: HashMap<String, Vec<usize>>,
    by_name: HashMap<String, usize>,
}

impl Stack {
    /// Resolves a template and, through its nested stacks, all others.
    ///
    /// # Errors
    /// What CloudFormation would refuse, too: unknown or missing parameters, values against their constraints, references
    /// to what is not made.
    pub fn resolve(
        templates: &Templates,
        file: &str,
        given: &Parameters,
        tags: &BTreeMap<String, String>,
    ) -> Result<Arc<Self>, TemplateError> {
        let key = format!("{file} {} {tags:?}", parameters::shown(given));
        templates.once(file, key, || {
            let template = templates.file(file)?;
            Self::made(templates, template, given, tags).map(Arc::new)
        })
    }

    fn made(
        templates: &Templates,
        template: &Template,
        given: &Parameters,
        tags: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let parameters = parameters::accept(template, given)?;
        let scope = Scope::new(templates, template, &parameters, tags);
        let resources = scope.made("Resources")?.into_iter().map(|(logical_id, declared)| {
            let properties = scope.properties(logical_id, declared)?;
            Ok(Resource {
                module: template.module.clone(),
                logical_id: logical_id.to_owned(),
                kind: declared.at("Type").text(),
                properties,
                depends_on: declared.at("DependsOn").texts(),
            })
        });
        let resources = resources.collect::<Result<Vec<Resource>, TemplateError>>()?;
        let outputs = scope.made("Outputs")?.into_iter().map(|(name, declared)| {
            let value = scope.resolve(declared.at("Value"))?;
            Ok((name.to_owned(), value.unwrap_or(Value::Null)))
        });
        let outputs = outputs.collect::<Result<_, _>>()?;
        let children = scope.children();
        let mut by_kind: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, resource) in resources.iter().enumerate() {
            by_kind.entry(resource.kind.clone()).or_default().push(index);
        }
        let by_name = resources
            .iter()
            .enumerate()
            .map(|(index, resource)| (resource.logical_id.clone(), index));
        Ok(Self {
            module: template.module.clone(),
            parameters,
            tags: tags.clone(),
            by_name: by_name.collect(),
            resources,
            outputs,
            children,
            by_kind,
        })
    }

    /// The resource of this name.
    #[must_use]
    pub fn resource(&self, logical_id: &str) -> Option<&Resource> {
        self.by_name.get(logical_id).map(|index| &self.resources[*index])
    }

    /// The resources of a type.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = &Resource> + use<'_> {
        self.by_kind
            .get(kind)
            .into_iter()
            .flatten()
            .map(|index| &self.resources[*index])
    }
}

/// The file that a nested stack's `TemplateURL` names, below `cloudformation/`.
#[must_use]
pub fn nested_file(parent: &str, url: &str) -> String {
    let mut path = PathBuf::from(parent);
    path.pop();
    for step in PathBuf::from(url).components() {
        match step {
            Component::ParentDir => _ = path.pop(),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path.to_string_lossy().into_owned()
}
