//! docs/environments.md: everything that differs between the environments, by the resolved templates themselves.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::combinations::{TEMPLATES, environments, owned, parameter_files};
use crate::deployment::Deployment;
use crate::features;
use crate::value::Look;

/// The page, below the project's folder.
pub const PATH: &str = "docs/environments.md";

const HEAD: &str = "\
<!-- Made by `make docs` out of the templates; edit those instead. -->

# What differs between the environments

`Environment` decides sizes and safety. This page lists every property of every resource that is not the same in dev, test and
prod when the other parameters are left alone. What is not listed is the same. A parameter with a value of its own wins over the
environment: [parameters.md](parameters.md). Names and tags that only carry the environment's name are left out.
";
const FILES: &str = "\
## What the shipped parameter files choose

`make deploy ENV=...` takes its parameters from `cloudformation/environments/`. Put your own domain and addresses there.
";
static PLACEHOLDER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<([a-z0-9-]+)\.([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?>").expect("a valid pattern"));

/// A property of a resource; without a path: that the resource is made.
type Key = (String, String);
/// What one environment has, in the template's order.
type Properties = Vec<(Key, String)>;

/// The page as the templates are now.
///
/// # Panics
/// If an environment cannot be deployed with the least that the rules accept everywhere.
#[must_use]
pub fn text() -> String {
    let names = environments(&TEMPLATES);
    let deployments: Vec<Deployment> = names.iter().map(|name| deployment(name)).collect();
    let mut blocks = vec![HEAD.trim_end().to_owned()];
    let mut modules: Vec<&str> = Vec::new();
    for stack in deployments.iter().flat_map(Deployment::modules) {
        if !modules.contains(&stack.module.as_str()) {
            modules.push(&stack.module);
        }
    }
    let head = |first: &[&str]| {
        first
            .iter()
            .map(|cell| (*cell).to_owned())
            .chain(names.clone())
            .collect::<Vec<_>>()
    };
    for module in modules {
        let columns: Vec<Properties> = names
            .iter()
            .zip(&deployments)
            .map(|(name, deployment)| properties(deployment, module, name))
            .collect();
        let file = TEMPLATES
            .iter()
            .find(|template| template.module == module)
            .expect("its template");
        let resources: Vec<&str> = file.section("Resources").map(|(name, _)| name).collect();
        let rows = differences(&resources, &columns);
        if !rows.is_empty() {
            blocks.push(format!("## {module}"));
            blocks.push(table(&head(&["Resource", "Property"]), &rows));
        }
    }
    blocks.push(FILES.trim_end().to_owned());
    blocks.push(table(&head(&["Parameter"]), &chosen(&names)));
    blocks.join("\n\n") + "\n"
}

fn deployment(environment: &str) -> Deployment {
    let mut given = owned(features::MINIMAL);
    // The least that the rules accept everywhere, so that nothing but the environment decides.
    given.extend(owned(features::production("prod")));
    given.insert("Environment".to_owned(), environment.into());
    Deployment::resolve(&TEMPLATES, environment, &given).unwrap_or_else(|error| panic!("{environment}: {error}"))
}

/// The properties of a module's resources, the environment's own name made neutral.
fn properties(deployment: &Deployment, module: &str, environment: &str) -> Properties {
    let own = Regex::new(&format!(r"\b{environment}\b")).expect("a name");
    let mut found = Properties::new();
    for resource in deployment.module(module).into_iter().flat_map(|stack| &stack.resources) {
        found.push(((resource.logical_id.clone(), String::new()), "yes".to_owned()));
        for (path, value) in leaves("", &resource.properties) {
            let neutral = own.replace_all(&value, "ENVIRONMENT").into_owned();
            found.push((
                (resource.logical_id.clone(), path.trim_start_matches('.').to_owned()),
                neutral,
            ));
        }
    }
    found
}

/// Each value of a property with its path; a list of names and values by those names.
fn leaves(path: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(entries) => entries
            .iter()
            .flat_map(|(key, item)| leaves(&format!("{path}.{key}"), item))
            .collect(),
        Value::Array(items) => {
            let numbered = items.iter().enumerate().flat_map(|(number, item)| {
                let name = ["Key", "Name"].into_iter().find_map(|key| item.at(key).as_str());
                leaves(
                    &format!("{path}[{}]", name.map_or(number.to_string(), str::to_owned)),
                    item,
                )
            });
            numbered.collect()
        }
        scalar => vec![(
            path.to_owned(),
            PLACEHOLDER.replace_all(&scalar.text(), "`$1.$2`").into_owned(),
        )],
    }
}

/// A row for each property that is not the same everywhere, and one for each resource that is not made everywhere.
fn differences(resources: &[&str], columns: &[Properties]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for resource in resources {
        let own: Vec<Vec<(&str, &str)>> = columns
            .iter()
            .map(|column| {
                let own = column.iter().filter(|((name, _), _)| name.as_str() == *resource);
                own.map(|((_, path), value)| (path.as_str(), value.as_str())).collect()
            })
            .collect();
        rows.extend(differences_of(resource, &own));
    }
    rows
}

fn differences_of(resource: &str, columns: &[Vec<(&str, &str)>]) -> Vec<Vec<String>> {
    let cell = |column: &[(&str, &str)], path: &str, absent: &str| {
        let value = column.iter().find(|(known, _)| *known == path).map(|(_, value)| *value);
        value.filter(|value| !value.is_empty()).unwrap_or(absent).to_owned()
    };
    let name = format!("`{resource}`");
    if columns.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    if columns.iter().any(Vec::is_empty) {
        let made = columns.iter().map(|column| cell(column, "", "no"));
        return vec![[name, "is made".to_owned()].into_iter().chain(made).collect()];
    }
    let mut paths: Vec<&str> = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, _) in columns.iter().flatten() {
        if seen.insert(path) {
            paths.push(path);
        }
    }
    let rows = paths.into_iter().filter_map(|path| {
        let values: Vec<String> = columns.iter().map(|column| cell(column, path, "not set")).collect();
        let differs = values.iter().any(|value| *value != values[0]);
        differs.then(|| [name.clone(), format!("`{path}`")].into_iter().chain(values).collect())
    });
    rows.collect()
}

/// What the parameter files of the environments choose.
fn chosen(names: &[String]) -> Vec<Vec<String>> {
    let files = parameter_files();
    let files: Vec<_> = names
        .iter()
        .map(|name| {
            let file = format!("{name}.json");
            files
                .iter()
                .find(|(known, _)| *known == file)
                .map(|(_, parameters)| parameters)
        })
        .collect();
    let is_chosen = |name: &str| files.iter().flatten().any(|file| file.contains_key(name));
    let parameters = TEMPLATES
        .root()
        .section("Parameters")
        .map(|(name, _)| name)
        .filter(|name| is_chosen(name));
    let row = |name: &str| {
        let values = files
            .iter()
            .map(|file| file.and_then(|file| file.get(name)).map(Look::text).unwrap_or_default());
        std::iter::once(format!("`{name}`")).chain(values).collect()
    };
    parameters.map(row).collect()
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let rule = vec!["---".to_owned(); head.len()];
    let mut text = String::new();
    for line in [head, &rule].into_iter().chain(rows.iter().map(Vec::as_slice)) {
        let cells: Vec<String> = line.iter().map(|cell| cell.replace('|', "\\|")).collect();
        writeln!(text, "| {} |", cells.join(" | ")).expect("a String takes everything");
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn column(entries: &[(&str, &str, &str)]) -> Properties {
        let owned = |(resource, path, value): &(&str, &str, &str)| {
            (((*resource).to_owned(), (*path).to_owned()), (*value).to_owned())
        };
        entries.iter().map(owned).collect()
    }

    #[test]
    fn a_property_that_only_one_environment_has_is_a_difference() {
        let same = [("A", "", "yes"), ("A", "X", "1")];
        let more = [("A", "", "yes"), ("A", "X", "1"), ("A", "Y", "2")];
        assert_eq!(
            differences(&["A"], &[column(&same), column(&more)]),
            [["`A`", "`Y`", "not set", "2"]]
        );
    }

    #[test]
    fn a_resource_that_only_one_environment_has_is_one_row() {
        let made = [("A", "", "yes"), ("A", "X", "1")];
        assert_eq!(
            differences(&["A"], &[column(&[]), column(&made)]),
            [["`A`", "is made", "no", "yes"]]
        );
    }

    #[test]
    fn items_of_a_list_are_named_where_they_have_a_name() {
        let found = leaves("P", &json!([{"Key": "a", "Value": 1}, {"B": ["<ses.Topic.Arn>"]}]));
        let found: Vec<String> = found
            .into_iter()
            .map(|(path, value)| format!("{path}={value}"))
            .collect();
        assert_eq!(found, ["P[a].Key=a", "P[a].Value=1", "P[1].B[0]=`ses.Topic`"]);
    }
}
