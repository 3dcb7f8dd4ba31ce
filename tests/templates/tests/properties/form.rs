//! Prevents: a console form of forty bare names; a template that CloudFormation refuses for its size; and files of which
//! each is laid out in a way of its own.

use serde_json::json;
use template_properties::proof::{Finding, Seed, proven_of_files};
use template_properties::value::Look;
use template_properties::{ROOT, Template, Templates, nested_file};

use crate::support::{each_declared, nested, unless};

const SECTIONS: [&str; 9] = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
];
const RESOURCE_KEYS: [&str; 7] = [
    "Condition",
    "DependsOn",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "UpdatePolicy",
    "Type",
    "Properties",
];
const CONSTRAINTS: [&str; 6] = [
    "AllowedValues",
    "AllowedPattern",
    "MinValue",
    "MinLength",
    "MaxLength",
    "MaxValue",
];
/// What CloudFormation takes from S3, and inline, in bytes.
const LARGEST: (usize, usize) = (1_000_000, 51_200);

fn each_file(templates: &Templates, judge: impl Fn(&Template) -> Option<String>) -> Vec<Finding> {
    templates
        .iter()
        .filter_map(|one| judge(one).map(|wrong| Finding::new(&one.file, wrong)))
        .collect()
}

fn interface(template: &Template) -> &serde_json::Value {
    template.body.at("Metadata").at("AWS::CloudFormation::Interface")
}

fn grouped(templates: &Templates) -> Vec<Finding> {
    each_file(templates, |template| {
        let groups = interface(template).at("ParameterGroups").listed();
        let grouped: Vec<String> = groups.iter().flat_map(|group| group.at("Parameters").texts()).collect();
        let declared = template.body.at("Parameters").keys();
        let odd = grouped.iter().zip(&declared).find(|(one, other)| one != *other);
        unless(
            odd.is_none()
                && grouped.len() == declared.len()
                && groups.iter().all(|group| !group.at("Label/default").is_null()),
            || {
                format!(
                    "{} parameters, {} in labelled groups, differing from {odd:?} on",
                    declared.len(),
                    grouped.len()
                )
            },
        )
    })
}

#[test]
fn every_parameter_stands_in_one_group_and_in_the_groups_order() {
    let seed = Seed::remove(
        "modules/foundation.yaml",
        "Metadata/AWS::CloudFormation::Interface/ParameterGroups/2",
    );
    let text = "modules/foundation.yaml: 6 parameters, 5 in labelled groups, differing from None on";
    proven_of_files(grouped, &seed, text);
}

fn labelled(templates: &Templates) -> Vec<Finding> {
    each_file(templates, |template| {
        let (labels, declared) = (
            interface(template).at("ParameterLabels").keys(),
            template.body.at("Parameters").keys(),
        );
        unless(labels == declared, || format!("labels {labels:?}"))
    })
}

#[test]
fn every_parameter_has_a_label() {
    let path = "Metadata/AWS::CloudFormation::Interface/ParameterLabels/AlarmEmail";
    proven_of_files(
        labelled,
        &Seed::remove("modules/foundation.yaml", path),
        "modules/foundation.yaml: labels [\"Application\", \"Environment\", \"LogRetentionDays\", \"LogLevel\", \
         \"FunctionArchitecture\"]",
    );
}

fn explained(templates: &Templates) -> Vec<Finding> {
    each_declared(templates, "Parameters", |_, _, parameter| {
        let text = parameter.at("Description").text();
        let is_optional = parameter.get("Default").is_some();
        let begins = ["Optional", "Required in ", "Required with "]
            .iter()
            .any(|first| text.starts_with(first));
        if !(if is_optional {
            begins
        } else {
            text.starts_with("Required")
        }) {
            return Some(format!("begins '{}'", text.chars().take(20).collect::<String>()));
        }
        let says_blank = ["blank", "Blank", "otherwise unused"]
            .iter()
            .any(|word| text.contains(word));
        if parameter.at("Default") == "" && !says_blank {
            return Some("does not say what blank means".to_owned());
        }
        unless(text.ends_with('.'), || "is no sentence".to_owned())
    })
}

#[test]
fn every_description_says_first_whether_the_parameter_may_be_left_out() {
    let seed = Seed::set(
        "mautic.yaml",
        "Parameters/Domain/Description",
        json!("The domain that mail is sent from."),
    );
    proven_of_files(explained, &seed, "mautic.yaml: Domain: begins 'The domain that mail'");
}

#[test]
fn every_description_says_what_blank_means() {
    let seed = Seed::set(
        "mautic.yaml",
        "Parameters/AlarmEmail/Description",
        json!("Optional. An address."),
    );
    proven_of_files(
        explained,
        &seed,
        "mautic.yaml: AlarmEmail: does not say what blank means",
    );
}

#[test]
fn every_description_is_a_sentence() {
    let seed = Seed::set(
        "mautic.yaml",
        "Parameters/Domain/Description",
        json!("Required. The domain"),
    );
    proven_of_files(explained, &seed, "mautic.yaml: Domain: is no sentence");
}

fn constrained(templates: &Templates) -> Vec<Finding> {
    each_declared(templates, "Parameters", |file, _, parameter| {
        let is_constrained = CONSTRAINTS.iter().any(|name| parameter.get(name).is_some());
        unless(file != ROOT || is_constrained, || "takes anything".to_owned())
    })
}

#[test]
fn every_parameter_of_the_root_is_constrained() {
    let seed = Seed::remove("mautic.yaml", "Parameters/Reconcile/MaxLength");
    proven_of_files(constrained, &seed, "mautic.yaml: Reconcile: takes anything");
}

/// A looser root would let a value through that fails inside a nested stack, minutes later.
fn constrained_alike(templates: &Templates) -> Vec<Finding> {
    let mut found = Vec::new();
    // Between modules values come from where the root, or AWS itself, has judged them.
    for (parent, logical_id, declared) in nested(templates).into_iter().filter(|(parent, ..)| parent.file == ROOT) {
        let file = nested_file(&parent.file, &declared.at("Properties/TemplateURL").text());
        let Ok(module) = templates.file(&file) else { continue };
        for (name, value) in declared.at("Properties/Parameters").as_object().into_iter().flatten() {
            let Some(given) = value.get("Ref").and_then(|name| name.as_str()) else {
                continue;
            };
            let (ours, theirs) = (
                parent.body.at("Parameters").at(given),
                module.body.at("Parameters").at(name),
            );
            for key in CONSTRAINTS.into_iter().chain(["Default"]) {
                let is_strict = key == "Default" && (ours.get("Default").is_none() || name == "Application");
                let (here, there) = (ours.at(key), theirs.at(key));
                if !there.is_null() && here.text() != there.text() && !is_strict {
                    let thing = format!("{}: {logical_id}: {name}", parent.file);
                    let wrong = format!("{key} is {here} here, {there} in the module");
                    found.push(Finding::new(thing, wrong));
                }
            }
        }
    }
    found
}

#[test]
fn the_root_constrains_what_it_hands_on_exactly_as_the_module_does() {
    let seed = Seed::set("mautic.yaml", "Parameters/DatabaseGeneration/MaxValue", json!(1000));
    proven_of_files(
        constrained_alike,
        &seed,
        "mautic.yaml: Database: Generation: MaxValue is 1000 here, 999 in the module",
    );
}

/// Those of the names that are there, in the order of the names.
fn in_order<'a>(names: &[&'a str], found: &[&str]) -> Vec<&'a str> {
    names.iter().copied().filter(|name| found.contains(name)).collect()
}

fn sections(templates: &Templates) -> Vec<Finding> {
    each_file(templates, |template| {
        let found = template.body.keys();
        unless(found == in_order(&SECTIONS, &found), || format!("sections {found:?}"))
    })
}

#[test]
fn sections_come_in_one_order() {
    proven_of_files(
        sections,
        &Seed::text(
            "modules/ses.yaml",
            "\nConditions:",
            "\nConditions: {}\nTransform: []\nHooks:",
        ),
        "modules/ses.yaml: sections [\"AWSTemplateFormatVersion\", \"Description\", \"Metadata\", \"Parameters\", \
         \"Mappings\", \"Conditions\", \"Transform\", \"Hooks\", \"Resources\", \"Outputs\"]",
    );
}

fn resource_keys(templates: &Templates) -> Vec<Finding> {
    each_declared(templates, "Resources", |_, _, declared| {
        let found = declared.keys();
        unless(found == in_order(&RESOURCE_KEYS, &found), || {
            format!("keys in the order {found:?}")
        })
    })
}

#[test]
fn a_resource_says_whether_and_when_it_is_made_before_what_it_is() {
    proven_of_files(
        resource_keys,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/EventTopic/DependsOn",
            json!("EventDestination"),
        ),
        "modules/ses.yaml: EventTopic: keys in the order [\"Type\", \"Properties\", \"DependsOn\"]",
    );
}

fn names(templates: &Templates) -> Vec<Finding> {
    each_declared(templates, "Resources", |_, name, _| {
        let is_pascal = name.starts_with(|first: char| first.is_ascii_uppercase());
        unless(is_pascal && name.chars().all(|one| one.is_ascii_alphanumeric()), || {
            "is not in PascalCase".to_owned()
        })
    })
}

#[test]
fn logical_ids_are_in_pascal_case() {
    let seed = Seed::set(
        "modules/ses.yaml",
        "Resources/eventQueue",
        json!({"Type": "AWS::SQS::Queue"}),
    );
    proven_of_files(names, &seed, "modules/ses.yaml: eventQueue: is not in PascalCase");
}

fn opening(templates: &Templates) -> Vec<Finding> {
    each_file(templates, |template| {
        let lines: Vec<&str> = template.source.lines().collect();
        let description = lines.get(1).copied().unwrap_or_default();
        let is_module = description.starts_with("Description: '") && description.ends_with(", Mautic Server on AWS'");
        let is_root = description.starts_with("Description: 'Mautic Server on AWS: ");
        let comment = lines.iter().skip(3).take_while(|line| line.starts_with('#'));
        let heads: Vec<&str> = comment
            .filter_map(|line| line.strip_prefix("# ")?.split_once(':').map(|(head, _)| head))
            .filter(|head| ["Owns", "Needs", "Leaves"].contains(head))
            .collect();
        unless((is_module || is_root) && heads == ["Owns", "Needs", "Leaves"], || {
            format!("opens with {description:?} and {heads:?}")
        })
    })
}

#[test]
fn a_template_opens_with_what_it_owns_needs_and_leaves() {
    proven_of_files(
        opening,
        &Seed::text("modules/foundation.yaml", "# Leaves:", "# Leaves"),
        "modules/foundation.yaml: opens with \"Description: 'Foundation: keys, alarm topic, log bucket and failure \
         responder, Mautic Server on AWS'\" and [\"Owns\", \"Needs\"]",
    );
}

fn sizes(templates: &Templates) -> Vec<Finding> {
    each_file(templates, |template| {
        let largest = if template.file == ROOT { LARGEST.1 } else { LARGEST.0 };
        unless(template.source.len() <= largest, || {
            format!("has more than {largest} bytes")
        })
    })
}

#[test]
fn the_root_fits_into_a_request() {
    let long = format!("Outputs: # {}", "x".repeat(LARGEST.1));
    proven_of_files(
        sizes,
        &Seed::text("mautic.yaml", "Outputs:", &long),
        "mautic.yaml: has more than 51200 bytes",
    );
}

#[test]
fn a_module_is_small_enough_for_cloudformation() {
    let long = format!("Outputs: # {}", "x".repeat(LARGEST.0));
    let seed = Seed::text("modules/ses.yaml", "Outputs:", &long);
    proven_of_files(sizes, &seed, "modules/ses.yaml: has more than 1000000 bytes");
}
