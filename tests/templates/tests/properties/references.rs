//! Prevents: a condition that switched a resource off while an output still named it, found when the stack was deployed;
//! modules that need each other; parameters that nobody reads.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use template_properties::combinations::{TEMPLATES, resolve, sample};
use template_properties::proof::{Finding, Seed, proven, proven_of_files};
use template_properties::value::Look;
use template_properties::{Deployment, NESTED, Placeholder, ROOT, Template, Templates, nested_file};

use crate::support::{each_declared, nested};

/// A planted fault keeps the templates from being resolved, with this text; `every_combination_resolves` is the rest.
fn is_refused(seed: &Seed, expected: &str) {
    let resolved = resolve(seed.templates(), &sample(seed.templates()));
    let texts: BTreeSet<&str> = resolved.broken.iter().map(|(_, text)| text.as_str()).collect();
    assert!(texts.contains(expected), "not refused with {expected:?} but {texts:#?}");
}

#[test]
fn a_reference_to_what_is_not_made_is_refused() {
    is_refused(
        &Seed::set(
            "modules/networking.yaml",
            "Resources/FlowLogRole/Condition",
            json!("HasThirdZone"),
        ),
        "networking: refers to FlowLogRole, which is not made",
    );
}

#[test]
fn an_output_of_what_is_not_made_is_refused() {
    is_refused(
        &Seed::set("modules/networking.yaml", "Outputs/VpcId/Value", json!({"Ref": "Vpc"})),
        "networking: refers to Vpc, which is not made",
    );
}

#[test]
fn a_reference_to_nothing_is_refused() {
    is_refused(
        &Seed::set("modules/ses.yaml", "Outputs/Domain/Value", json!({"Ref": "Sesdomain"})),
        "ses: there is neither a parameter nor a resource Sesdomain",
    );
}

#[test]
fn a_module_is_given_what_it_requires_and_nothing_that_it_does_not_know() {
    is_refused(
        &Seed::remove("mautic.yaml", "Resources/Database/Properties/Parameters/AlarmTopicArn"),
        "database requires AlarmTopicArn, which nobody gives",
    );
    is_refused(
        &Seed::set(
            "mautic.yaml",
            "Resources/Database/Properties/Parameters/Engine",
            json!("mysql"),
        ),
        "database has no parameter Engine",
    );
}

#[test]
fn an_output_that_another_module_uses_is_there() {
    is_refused(
        &Seed::remove("modules/foundation.yaml", "Outputs/AlarmTopicArn"),
        "mautic: uses the output AlarmTopicArn, which foundation does not have",
    );
}

#[test]
fn what_one_module_puts_out_fits_the_constraints_of_the_one_that_takes_it() {
    is_refused(
        &Seed::set("modules/foundation.yaml", "Outputs/LogLevel/Value", json!("verbose")),
        "database refuses LogLevel='verbose': one of [\"DEBUG\", \"INFO\", \"WARN\", \"ERROR\"]",
    );
}

#[test]
fn modules_do_not_need_each_other() {
    let output = json!({"Fn::GetAtt": ["Database", "Outputs.Host"]});
    is_refused(
        &Seed::set(
            "mautic.yaml",
            "Resources/Foundation/Properties/Parameters/AlarmEmail",
            output,
        ),
        "mautic: Database -> Networking -> Foundation needs itself",
    );
}

/// What each nested stack of a template uses: names of others, in their order.
fn dependencies(template: &Template) -> Vec<(String, BTreeSet<String>)> {
    let nested = template
        .section("Resources")
        .filter(|(_, declared)| declared.at("Type") == NESTED);
    let needs = nested.map(|(name, declared)| {
        let mut needs = BTreeSet::from_iter(declared.at("DependsOn").texts());
        visit(declared, &mut |function, argument| {
            needs.extend(match function {
                "Ref" => vec![argument.text()],
                "Fn::GetAtt" => vec![argument.at("0").text()],
                "Fn::Sub" => variables(argument),
                _ => Vec::new(),
            });
        });
        needs.retain(|name| template.body.at("Resources").get(name).is_some());
        (name.to_owned(), needs)
    });
    needs.collect()
}

fn out_of_order(templates: &Templates) -> Vec<Finding> {
    let mut found = Vec::new();
    for template in templates.iter() {
        let all: BTreeSet<String> = dependencies(template).into_iter().map(|(name, _)| name).collect();
        let mut before = BTreeSet::new();
        for (name, needs) in dependencies(template) {
            for missing in needs.intersection(&all).filter(|one| !before.contains(*one)) {
                let thing = format!("{}: {name}", template.file);
                found.push(Finding::new(thing, format!("uses {missing}, which stands after it")));
            }
            before.insert(name);
        }
    }
    found
}

#[test]
fn a_module_uses_only_what_stands_before_it() {
    let seed = Seed::set(
        "mautic.yaml",
        "Resources/Networking/DependsOn",
        json!(["SecurityGroups"]),
    );
    proven_of_files(
        out_of_order,
        &seed,
        "mautic.yaml: Networking: uses SecurityGroups, which stands after it",
    );
}

fn dangling(deployment: &Deployment) -> Vec<Finding> {
    let mut found = Vec::new();
    for resource in deployment.resources() {
        let texts = resource.properties.leaves().into_iter().filter_map(Value::as_str);
        let missing = texts
            .flat_map(Placeholder::all)
            .filter(|one| deployment.behind(one).is_none());
        found.extend(missing.map(|one| Finding::new(resource, format!("names {one}, which is not made"))));
    }
    found
}

#[test]
fn every_reference_leads_to_something_that_is_made() {
    let seed = Seed::set(
        "modules/ses.yaml",
        "Resources/EventTopic/Properties/DisplayName",
        json!("<ses.NoTopic>"),
    );
    proven(
        dangling,
        &seed,
        "ses: EventTopic (AWS::SNS::Topic): names <ses.NoTopic>, which is not made",
    );
}

fn waits_for_nothing(templates: &Templates) -> Vec<Finding> {
    templates
        .iter()
        .flat_map(|template| {
            let names = template.body.at("Resources");
            template.section("Resources").flat_map(move |(name, declared)| {
                let missing = declared
                    .at("DependsOn")
                    .texts()
                    .into_iter()
                    .filter(|one| names.get(one).is_none());
                missing.map(move |one| {
                    Finding::new(
                        format!("{}: {name}", template.file),
                        format!("depends on {one}, which is not there"),
                    )
                })
            })
        })
        .collect()
}

#[test]
fn depends_on_names_resources_of_the_template() {
    proven_of_files(
        waits_for_nothing,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/SesDomain/DependsOn",
            json!("SesDomainPolice"),
        ),
        "modules/ses.yaml: SesDomain: depends on SesDomainPolice, which is not there",
    );
}

/// Calls `see` with every function (or condition) and its argument.
fn visit(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(entries) => {
            for (key, item) in entries {
                if matches!(key.as_str(), "Ref" | "Condition") || key.starts_with("Fn::") {
                    see(key, item);
                }
                visit(item, see);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
        _ => {}
    }
}

/// The names in a Sub's text, without attributes.
fn variables(argument: &Value) -> Vec<String> {
    let text = if argument.is_array() {
        argument.at("0").text()
    } else {
        argument.text()
    };
    let pieces = text.split("${").skip(1).filter_map(|piece| piece.split_once('}'));
    pieces
        .map(|(name, _)| name.split('.').next().unwrap_or(name).to_owned())
        .collect()
}

fn unused(templates: &Templates) -> Vec<Finding> {
    let mut found = Vec::new();
    for template in templates.iter() {
        let mut used = BTreeSet::new();
        for section in ["Rules", "Conditions", "Resources", "Outputs"] {
            visit(template.body.at(section), &mut |function, argument| match function {
                "Ref" => _ = used.insert(("Parameters", argument.text())),
                "Fn::Sub" => used.extend(variables(argument).into_iter().map(|name| ("Parameters", name))),
                "Condition" if argument.is_string() => _ = used.insert(("Conditions", argument.text())),
                "Fn::If" => _ = used.insert(("Conditions", argument.at("0").text())),
                "Fn::FindInMap" => _ = used.insert(("Mappings", argument.at("0").text())),
                _ => {}
            });
        }
        for section in ["Parameters", "Conditions", "Mappings"] {
            for (name, _) in template.section(section) {
                if !used.contains(&(section, name.to_owned())) {
                    let thing = format!("{}: {name}", template.file);
                    found.push(Finding::new(thing, format!("stands in {section} and nobody uses it")));
                }
            }
        }
    }
    found
}

#[test]
fn every_parameter_is_used() {
    let seed = Seed::set("modules/ses.yaml", "Parameters/Colour", json!({"Type": "String"}));
    proven_of_files(
        unused,
        &seed,
        "modules/ses.yaml: Colour: stands in Parameters and nobody uses it",
    );
}

#[test]
fn every_condition_is_used() {
    let seed = Seed::set(
        "modules/ses.yaml",
        "Conditions/IsBlue",
        json!({"Fn::Equals": ["a", "b"]}),
    );
    proven_of_files(
        unused,
        &seed,
        "modules/ses.yaml: IsBlue: stands in Conditions and nobody uses it",
    );
}

#[test]
fn every_mapping_is_used() {
    let seed = Seed::set("modules/ses.yaml", "Mappings/Colours", json!({"sky": {"Name": "blue"}}));
    proven_of_files(
        unused,
        &seed,
        "modules/ses.yaml: Colours: stands in Mappings and nobody uses it",
    );
}

/// Attributes of a mapping that no `FindInMap` names; a column that is computed from a parameter uses all of them.
fn unused_attributes(templates: &Templates) -> Vec<Finding> {
    let mut found = Vec::new();
    for template in templates.iter() {
        let (mut used, mut all_of) = (BTreeSet::new(), BTreeSet::new());
        for section in ["Conditions", "Resources", "Outputs"] {
            visit(template.body.at(section), &mut |function, argument| {
                if function == "Fn::FindInMap" {
                    let name = argument.at("0").text();
                    match argument.at("2").as_str() {
                        Some(attribute) => _ = used.insert((name, attribute.to_owned())),
                        None => _ = all_of.insert(name),
                    }
                }
            });
        }
        for (name, rows) in template.section("Mappings").filter(|(name, _)| !all_of.contains(*name)) {
            let attributes: BTreeSet<&str> = rows
                .as_object()
                .into_iter()
                .flatten()
                .flat_map(|(_, row)| row.keys())
                .collect();
            for attribute in attributes
                .into_iter()
                .filter(|one| !used.contains(&(name.to_owned(), (*one).to_owned())))
            {
                found.push(Finding::new(
                    format!("{}: {name}", template.file),
                    format!("nobody asks for {attribute}"),
                ));
            }
        }
    }
    found
}

/// What is written for a reader: the rule that one figure follows from another is held by a property, not by a template.
#[test]
fn every_figure_of_a_mapping_is_asked_for() {
    let seed = Seed::set("modules/ses.yaml", "Mappings/ServiceTimeout/0/Minutes", json!(2));
    proven_of_files(
        unused_attributes,
        &seed,
        "modules/ses.yaml: ServiceTimeout: nobody asks for Minutes",
    );
}

fn no_part_of_the_root(templates: &Templates) -> Vec<Finding> {
    let nested: BTreeSet<String> = nested(templates)
        .into_iter()
        .map(|(parent, _, declared)| nested_file(&parent.file, &declared.at("Properties/TemplateURL").text()))
        .collect();
    let files = templates
        .iter()
        .map(|template| template.file.as_str())
        .filter(|file| *file != ROOT);
    files
        .filter(|file| !nested.contains(*file))
        .map(|file| Finding::new(file, "is no part of mautic.yaml"))
        .collect()
}

#[test]
fn every_module_is_part_of_the_root() {
    let seed = Seed::remove("mautic.yaml", "Resources/Ses");
    proven_of_files(
        no_part_of_the_root,
        &seed,
        "modules/ses.yaml: is no part of mautic.yaml",
    );
}

#[test]
fn foundation_needs_nothing_and_comes_first() {
    let needs = dependencies(TEMPLATES.root());
    assert_eq!(needs[0], ("Foundation".to_owned(), BTreeSet::new()));
    assert!(needs.len() >= 6, "{needs:?}");
}

fn outputs_described(templates: &Templates) -> Vec<Finding> {
    each_declared(templates, "Outputs", |_, _, output| {
        output
            .at("Description")
            .text()
            .is_empty()
            .then(|| "has no description".to_owned())
    })
}

#[test]
fn every_output_is_described() {
    let seed = Seed::remove("modules/ses.yaml", "Outputs/Domain/Description");
    proven_of_files(outputs_described, &seed, "modules/ses.yaml: Domain: has no description");
}
