//! Intrinsic functions and conditions, as CloudFormation carries them out.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::parameters::Parameters;
use crate::stack::{NESTED, Stack, TemplateError, nested_file};
use crate::template::{Template, Templates};
use crate::value::Look;

/// What CloudFormation knows without being told.
pub const PSEUDO: [(&str, &str); 6] = [
    ("AWS::AccountId", "123456789012"),
    ("AWS::Partition", "aws"),
    ("AWS::Region", "eu-central-1"),
    (
        "AWS::StackId",
        "arn:aws:cloudformation:eu-central-1:123456789012:stack/mautic/7e1",
    ),
    ("AWS::StackName", "mautic"),
    ("AWS::URLSuffix", "amazonaws.com"),
];
const ZONES: [&str; 3] = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\$\{(!?)([^}]+)\}").expect("a valid pattern"));

/// A value; `None` where `AWS::NoValue` leaves a property out.
type Resolved = Result<Option<Value>, TemplateError>;

/// A template with its parameters, while it is being resolved.
pub(crate) struct Scope<'a> {
    templates: &'a Templates,
    template: &'a Template,
    parameters: &'a Parameters,
    tags: &'a BTreeMap<String, String>,
    /// Nested stacks that are resolved, by logical id.
    children: RefCell<BTreeMap<String, Arc<Stack>>>,
    /// Nested stacks that are being resolved: one that is asked for again needs itself.
    pending: RefCell<Vec<String>>,
    conditions: RefCell<BTreeMap<String, bool>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(
        templates: &'a Templates,
        template: &'a Template,
        parameters: &'a Parameters,
        tags: &'a BTreeMap<String, String>,
    ) -> Self {
        let (children, pending, conditions) = (RefCell::default(), RefCell::default(), RefCell::default());
        Self {
            templates,
            template,
            parameters,
            tags,
            children,
            pending,
            conditions,
        }
    }

    pub(crate) fn children(self) -> BTreeMap<String, Arc<Stack>> {
        self.children.into_inner()
    }

    fn fail<T>(&self, text: impl std::fmt::Display) -> Result<T, TemplateError> {
        Err(TemplateError::new(format!("{}: {text}", self.template.module)))
    }

    /// The entries of a section whose condition holds.
    pub(crate) fn made(&self, section: &str) -> Result<Vec<(&'a str, &'a Value)>, TemplateError> {
        let template: &'a Template = self.template;
        let judged = template
            .section(section)
            .map(|(name, declared)| Ok((self.is_made(declared)?, (name, declared))));
        let judged = judged.collect::<Result<Vec<_>, TemplateError>>()?;
        Ok(judged
            .into_iter()
            .filter(|(is_made, _)| *is_made)
            .map(|(_, entry)| entry)
            .collect())
    }

    fn is_made(&self, declared: &Value) -> Result<bool, TemplateError> {
        declared
            .get("Condition")
            .map_or(Ok(true), |name| self.holds(&name.text()))
    }

    /// A resource's properties; a nested stack is resolved with them.
    pub(crate) fn properties(&self, logical_id: &str, declared: &Value) -> Result<Value, TemplateError> {
        let properties = self.resolve(declared.at("Properties"))?.unwrap_or(Value::Null);
        if declared.at("Type") == NESTED {
            self.child(logical_id, &properties)?;
        }
        Ok(properties)
    }

    fn child(&self, logical_id: &str, properties: &Value) -> Result<Arc<Stack>, TemplateError> {
        if let Some(known) = self.children.borrow().get(logical_id) {
            return Ok(known.clone());
        }
        let file = nested_file(&self.template.file, &properties.at("TemplateURL").text());
        let given = properties.at("Parameters").as_object().cloned().unwrap_or_default();
        let mut tags = self.tags.clone();
        for tag in properties.at("Tags").listed() {
            tags.insert(tag.at("Key").text(), tag.at("Value").text());
        }
        let child = Stack::resolve(self.templates, &file, &given.into_iter().collect(), &tags)?;
        self.children.borrow_mut().insert(logical_id.to_owned(), child.clone());
        Ok(child)
    }

    // Conditions -----------------------------------------------------------------------------------------------------

    fn holds(&self, name: &str) -> Result<bool, TemplateError> {
        if let Some(known) = self.conditions.borrow().get(name) {
            return Ok(*known);
        }
        let Some(expression) = self.template.body.at("Conditions").get(name) else {
            return self.fail(format!("there is no condition {name}"));
        };
        let judged = self.judge(expression)?;
        self.conditions.borrow_mut().insert(name.to_owned(), judged);
        Ok(judged)
    }

    /// Whether a condition, or the assertion of a rule, holds.
    pub(crate) fn judge(&self, expression: &Value) -> Result<bool, TemplateError> {
        let Some((function, argument)) = single(expression) else {
            return self.fail(format!("{expression} is no condition"));
        };
        let parts = || {
            argument
                .listed()
                .into_iter()
                .map(|part| self.judge(part))
                .collect::<Result<Vec<_>, _>>()
        };
        match function {
            "Condition" => self.holds(&argument.text()),
            "Fn::Equals" => Ok(self.plain(argument.at("0"))?.text() == self.plain(argument.at("1"))?.text()),
            "Fn::Not" => Ok(!self.judge(argument.at("0"))?),
            "Fn::And" => Ok(parts()?.into_iter().all(|holds| holds)),
            "Fn::Or" => Ok(parts()?.into_iter().any(|holds| holds)),
            "Fn::Contains" => {
                let wanted = self.plain(argument.at("1"))?.text();
                Ok(self.plain(argument.at("0"))?.texts().contains(&wanted))
            }
            other => self.fail(format!("{other} is no condition function that this model knows")),
        }
    }

    // Intrinsic functions --------------------------------------------------------------------------------------------

    /// The value with every intrinsic function carried out.
    pub(crate) fn resolve(&self, value: &Value) -> Resolved {
        if let Some((function, argument)) = single(value)
            && (function == "Ref" || function.starts_with("Fn::"))
        {
            return self.call(function, argument);
        }
        match value {
            Value::Array(items) => {
                let items = items.iter().filter_map(|item| self.resolve(item).transpose());
                Ok(Some(items.collect::<Result<_, _>>()?))
            }
            Value::Object(entries) => {
                let entries = entries
                    .iter()
                    .filter_map(|(key, item)| self.resolve(item).transpose().map(|item| Ok((key.clone(), item?))));
                Ok(Some(Value::Object(
                    entries.collect::<Result<Map<_, _>, TemplateError>>()?,
                )))
            }
            scalar => Ok(Some(scalar.clone())),
        }
    }

    /// A value that must be there.
    fn plain(&self, value: &Value) -> Result<Value, TemplateError> {
        match self.resolve(value)? {
            Some(found) => Ok(found),
            None => self.fail(format!("AWS::NoValue has no place in {value}")),
        }
    }

    fn call(&self, function: &str, argument: &Value) -> Resolved {
        match function {
            "Ref" => self.reference(&argument.text()),
            "Fn::GetAtt" => self
                .attribute(&argument.at("0").text(), &argument.at("1").text())
                .map(Some),
            "Fn::If" => {
                let chosen = if self.holds(&argument.at("0").text())? {
                    "1"
                } else {
                    "2"
                };
                self.resolve(argument.at(chosen))
            }
            "Fn::FindInMap" => self.find(argument).map(Some),
            "Fn::Sub" => self.substitute(argument).map(Some),
            "Fn::Join" => {
                let items = self.plain(argument.at("1"))?.texts();
                Ok(Some(json!(items.join(&argument.at("0").text()))))
            }
            "Fn::Split" => {
                let text = self.plain(argument.at("1"))?.text();
                Ok(Some(text.split(&argument.at("0").text()).map(Value::from).collect()))
            }
            "Fn::Select" => {
                let (items, index) = (self.plain(argument.at("1"))?, self.plain(argument.at("0"))?.text());
                match items.at(&index) {
                    Value::Null => self.fail(format!("{items} has no item {index}")),
                    found => Ok(Some(found.clone())),
                }
            }
            "Fn::Length" => Ok(Some(json!(self.plain(argument)?.listed().len()))),
            "Fn::ToJsonString" => Ok(Some(json!(self.plain(argument)?.to_string()))),
            "Fn::GetAZs" => Ok(Some(json!(ZONES))),
            "Fn::Cidr" => self.ranges(&self.plain(argument)?).map(Some),
            other => self.fail(format!("{other} is no function that this model knows")),
        }
    }

    fn reference(&self, name: &str) -> Resolved {
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        if let Some((_, value)) = PSEUDO.iter().find(|(pseudo, _)| *pseudo == name) {
            return Ok(Some(json!(value)));
        }
        match self.parameters.get(name) {
            Some(value) => Ok(Some(value.clone())),
            None => self.placeholder(name, None).map(Some),
        }
    }

    fn attribute(&self, logical_id: &str, attribute: &str) -> Result<Value, TemplateError> {
        let declared = self.template.body.at("Resources").at(logical_id);
        let output = attribute.strip_prefix("Outputs.");
        let Some(output) = output.filter(|_| declared.at("Type") == NESTED) else {
            return self.placeholder(logical_id, Some(attribute));
        };
        if !self.is_made(declared)? {
            return self.placeholder(logical_id, Some(attribute));
        }
        let child = self.nested(logical_id, declared)?;
        match child.outputs.get(output) {
            Some(value) => Ok(value.clone()),
            None => self.fail(format!(
                "uses the output {output}, which {} does not have",
                child.module
            )),
        }
    }

    fn nested(&self, logical_id: &str, declared: &Value) -> Result<Arc<Stack>, TemplateError> {
        if let Some(known) = self.children.borrow().get(logical_id) {
            return Ok(known.clone());
        }
        if self.pending.borrow().iter().any(|one| one == logical_id) {
            return self.fail(format!("{} needs itself", self.pending.borrow().join(" -> ")));
        }
        self.pending.borrow_mut().push(logical_id.to_owned());
        self.properties(logical_id, declared)?;
        self.pending.borrow_mut().pop();
        Ok(self.children.borrow()[logical_id].clone())
    }

    fn placeholder(&self, logical_id: &str, attribute: Option<&str>) -> Result<Value, TemplateError> {
        let Some(declared) = self.template.body.at("Resources").get(logical_id) else {
            return self.fail(format!("there is neither a parameter nor a resource {logical_id}"));
        };
        if !self.is_made(declared)? {
            return self.fail(format!("refers to {logical_id}, which is not made"));
        }
        let attribute = attribute.map(|name| format!(".{name}")).unwrap_or_default();
        Ok(json!(format!("<{}.{logical_id}{attribute}>", self.template.module)))
    }

    fn find(&self, argument: &Value) -> Result<Value, TemplateError> {
        let keys = argument.listed().into_iter().map(|key| Ok(self.plain(key)?.text()));
        let keys = keys.collect::<Result<Vec<_>, TemplateError>>()?;
        let mut found = self.template.body.at("Mappings");
        for key in &keys {
            found = found.get(key).unwrap_or(&Value::Null);
        }
        match found {
            Value::Null => self.fail(format!("no mapping has {}", keys.join("/"))),
            value => Ok(value.clone()),
        }
    }

    fn substitute(&self, argument: &Value) -> Result<Value, TemplateError> {
        let (text, extra) = match argument {
            Value::Array(_) => (argument.at("0").text(), argument.at("1")),
            text => (text.text(), &Value::Null),
        };
        let mut failed = None;
        let replaced = VARIABLE.replace_all(&text, |found: &Captures<'_>| {
            // `${!Name}` is CloudFormation's way to write `${Name}`.
            if &found[1] == "!" {
                return format!("${{{}}}", &found[2]);
            }
            self.variable(&found[2], extra).unwrap_or_else(|error| {
                failed.get_or_insert(error);
                String::new()
            })
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(json!(replaced)),
        }
    }

    fn variable(&self, name: &str, extra: &Value) -> Result<String, TemplateError> {
        if let Some(value) = extra.get(name) {
            return Ok(self.plain(value)?.text());
        }
        if let Some((logical_id, attribute)) = name.split_once('.') {
            return Ok(self.attribute(logical_id, attribute)?.text());
        }
        match self.reference(name)? {
            Some(value) => Ok(value.text()),
            None => self.fail(format!("{name} is no text")),
        }
    }

    fn ranges(&self, argument: &Value) -> Result<Value, TemplateError> {
        let block = argument.at("0").text();
        let parsed = block.split_once('/').and_then(|(address, prefix)| {
            Some((
                address.parse::<Ipv4Addr>().ok()?,
                prefix.parse::<u32>().ok().filter(|prefix| *prefix <= 32)?,
            ))
        });
        let (Some((address, prefix)), Some(count), Some(bits)) =
            (parsed, argument.at("1").as_u64(), argument.at("2").as_u64())
        else {
            return self.fail(format!("Fn::Cidr of {argument} makes no ranges"));
        };
        let first = u64::from(u32::from(address) & u32::MAX.checked_shl(32 - prefix).unwrap_or(0));
        let (size, room) = (1u64 << bits, 1u64 << (32 - prefix));
        if size * count > room {
            return self.fail(format!("{block} has no room for {count} ranges of {size} addresses"));
        }
        let ranges = (0..count).map(|index| {
            let start = u32::try_from(first + index * size).expect("within the block");
            json!(format!("{}/{}", Ipv4Addr::from(start), 32 - bits))
        });
        Ok(ranges.collect())
    }
}

fn single(value: &Value) -> Option<(&str, &Value)> {
    let entries = value.as_object().filter(|entries| entries.len() == 1)?;
    entries.iter().next().map(|(key, value)| (key.as_str(), value))
}
