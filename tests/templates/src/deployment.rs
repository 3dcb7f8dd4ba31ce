//! One choice of parameters, resolved: the root and every module.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use thiserror::Error;

use crate::parameters::{self, Parameters};
use crate::placeholder::Placeholder;
use crate::resolve::Scope;
use crate::stack::{Resource, Stack, TemplateError};
use crate::template::{ROOT, Templates};
use crate::value::Look;

/// Why there is no deployment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The root's rules are against the parameters; the texts are what the operator reads.
    #[error("{}", .0.join("\n"))]
    Rules(Vec<String>),
    /// A template is wrong, or a value is against its constraint.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// The installation that a choice of parameters makes.
#[derive(Debug)]
pub struct Deployment {
    /// What was chosen, for messages.
    pub name: String,
    /// The parameters that were given.
    pub given: Parameters,
    /// The root, then its modules in their order.
    pub stacks: Vec<Arc<Stack>>,
}

impl Deployment {
    /// Resolves the root template and every module.
    ///
    /// # Errors
    /// The rules' refusals, or what CloudFormation would find wrong with the templates.
    pub fn resolve(templates: &Templates, name: &str, given: &Parameters) -> Result<Self, Refusal> {
        let refused = refusals(templates, given)?;
        if !refused.is_empty() {
            return Err(Refusal::Rules(refused));
        }
        let root = Stack::resolve(templates, ROOT, given, &BTreeMap::new())?;
        let mut stacks = Vec::new();
        gather(&root, &mut stacks);
        Ok(Self {
            name: name.to_owned(),
            given: given.clone(),
            stacks,
        })
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &Stack {
        &self.stacks[0]
    }

    /// The modules.
    #[must_use]
    pub fn modules(&self) -> &[Arc<Stack>] {
        &self.stacks[1..]
    }

    /// A module by its name.
    #[must_use]
    pub fn module(&self, name: &str) -> Option<&Stack> {
        self.stacks.iter().find(|stack| stack.module == name).map(Arc::as_ref)
    }

    /// A parameter of the root, its default if it was not given.
    #[must_use]
    pub fn parameter(&self, name: &str) -> String {
        self.root().parameters.get(name).map(Look::text).unwrap_or_default()
    }

    /// dev, test or prod.
    #[must_use]
    pub fn environment(&self) -> String {
        self.parameter("Environment")
    }

    /// Every resource of every module.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.stacks.iter().flat_map(|stack| &stack.resources)
    }

    /// The resources of these types.
    pub fn of_type<'a, 'k>(&'a self, kinds: &'k [&'k str]) -> impl Iterator<Item = &'a Resource> + use<'a, 'k> {
        self.stacks
            .iter()
            .flat_map(move |stack| kinds.iter().flat_map(|kind| stack.of_type(kind)))
    }

    /// The resource that a value names, by Ref or by attribute.
    #[must_use]
    pub fn owner(&self, value: &Value) -> Option<&Resource> {
        self.behind(&Placeholder::parse(value.as_str()?)?)
    }

    /// The resource that a placeholder stands for.
    #[must_use]
    pub fn behind(&self, placeholder: &Placeholder) -> Option<&Resource> {
        self.module(&placeholder.module)?.resource(&placeholder.logical_id)
    }
}

/// A stack, and those that it nests, in their order.
fn gather(stack: &Arc<Stack>, found: &mut Vec<Arc<Stack>>) {
    found.push(stack.clone());
    for resource in &stack.resources {
        if let Some(child) = stack.children.get(&resource.logical_id) {
            gather(child, found);
        }
    }
}

/// What the root's rules say against the parameters.
///
/// # Errors
/// A value against its constraint, or a rule that is none.
pub fn refusals(templates: &Templates, given: &Parameters) -> Result<Vec<String>, TemplateError> {
    let template = templates.root();
    let (parameters, tags) = (parameters::accept(template, given)?, BTreeMap::new());
    let scope = Scope::new(templates, template, &parameters, &tags);
    let mut refused = Vec::new();
    for (_, rule) in template.section("Rules") {
        if rule
            .get("RuleCondition")
            .map_or(Ok(true), |condition| scope.judge(condition))?
        {
            for assertion in rule.at("Assertions").listed() {
                if !scope.judge(assertion.at("Assert"))? {
                    refused.push(assertion.at("AssertDescription").text());
                }
            }
        }
    }
    Ok(refused)
}
