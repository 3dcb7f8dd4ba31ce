//! Prevents: a bill whose largest part nobody could assign.
//!
//! CloudFormation gives the tags of a nested stack to everything in it that can carry tags when it is made; which types
//! can, `data/taggable.txt` says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use template_properties::combinations::TEMPLATES;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Resource};

use crate::support::{each, set, unless};

const TAGS: [&str; 5] = ["Application", "Component", "CostCenter", "Environment", "ManagedBy"];
const TABLE: &str = include_str!("../../data/taggable.txt");

/// Type -> whether it inherits the stack's tags, and the property that holds its own; nothing if it has no tags.
fn table() -> BTreeMap<&'static str, Option<(bool, &'static str)>> {
    let rows = TABLE.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [kind, "none"] => (*kind, None),
            [kind, behaviour, property] => (*kind, Some((*behaviour == "inherits", *property))),
            _ => panic!("data/taggable.txt: {line}"),
        }
    });
    rows.collect()
}

/// Keys of tags, which types write as a list or as a mapping.
fn keys(tags: &Value) -> BTreeSet<String> {
    match tags {
        Value::Object(_) => set(tags.keys()),
        list => set(list.listed().into_iter().map(|tag| tag.at("Key").text())),
    }
}

fn tagged(deployment: &Deployment) -> Vec<Finding> {
    let table = table();
    let judge = |resource: &Resource, inherited: &BTreeMap<String, String>| {
        let (inherits, property) = (*table.get(resource.kind.as_str())?)?;
        let mut found = keys(resource.properties.at(property));
        if inherits {
            found.extend(inherited.keys().cloned());
        }
        let missing: Vec<String> = set(TAGS).difference(&found).cloned().collect();
        unless(missing.is_empty(), || format!("lacks {}", missing.join(", ")))
    };
    // The root's own resources are stacks, whose tags the modules inherit.
    let modules = deployment.modules().iter();
    let resources = modules.flat_map(|stack| stack.resources.iter().map(|resource| (resource, &stack.tags)));
    resources
        .filter_map(|(one, tags)| judge(one, tags).map(|wrong| Finding::new(one, wrong)))
        .collect()
}

#[test]
fn everything_taggable_has_the_five_tags() {
    proven(
        tagged,
        &Seed::remove("mautic.yaml", "Resources/Ses/Properties/Tags/3"),
        "ses: EventTopic (AWS::SNS::Topic): lacks CostCenter",
    );
}

fn as_component(deployment: &Deployment) -> Vec<Finding> {
    let judged = deployment.modules().iter().filter_map(|stack| {
        let wanted = BTreeMap::from([
            ("Application".to_owned(), deployment.parameter("Application")),
            ("Component".to_owned(), stack.module.clone()),
            ("CostCenter".to_owned(), deployment.parameter("CostCenter")),
            ("Environment".to_owned(), deployment.environment()),
            ("ManagedBy".to_owned(), "CloudFormation".to_owned()),
        ]);
        unless(stack.tags == wanted, || format!("is tagged {:?}", stack.tags))
            .map(|wrong| Finding::new(&stack.module, wrong))
    });
    judged.collect()
}

#[test]
fn every_nested_stack_is_tagged_as_the_component_that_it_is() {
    proven(
        as_component,
        &Seed::set("mautic.yaml", "Resources/Ses/Properties/Tags/2/Value", json!("mail")),
        "ses: is tagged {\"Application\": \"mautic\", \"Component\": \"mail\", \"CostCenter\": \"marketing\", \"Environment\": \
         \"dev\", \"ManagedBy\": \"CloudFormation\"}",
    );
}

/// What is made by AWS in the resource's name, and takes its tags only when told to: type, property, value.
const COPIED: [(&str, &str, &str); 3] = [
    ("AWS::RDS::DBInstance", "CopyTagsToSnapshot", "true"),
    ("AWS::ECS::Service", "PropagateTags", "SERVICE"),
    (
        "AWS::Scheduler::Schedule",
        "Target/EcsParameters/PropagateTags",
        "TASK_DEFINITION",
    ),
];

fn copied(deployment: &Deployment) -> Vec<Finding> {
    let judged = COPIED.iter().flat_map(|(kind, name, value)| {
        each(deployment, &[kind], |resource| {
            let found = resource.properties.at(name).text();
            let is_copied = found == *value || (*name == "PropagateTags" && found == "TASK_DEFINITION");
            unless(is_copied, || format!("{name} is '{found}'"))
        })
    });
    judged.collect()
}

#[test]
fn final_snapshots_carry_the_tags_of_their_database() {
    proven(
        copied,
        &Seed::remove(
            "modules/database.yaml",
            "Resources/DatabaseInstance/Properties/CopyTagsToSnapshot",
        ),
        "database: DatabaseInstance (AWS::RDS::DBInstance): CopyTagsToSnapshot is ''",
    );
}

#[test]
fn tasks_carry_the_tags_of_their_service() {
    proven(
        copied,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/Service",
            json!({"Type": "AWS::ECS::Service", "Properties": {}}),
        ),
        "ses: Service (AWS::ECS::Service): PropagateTags is ''",
    );
}

#[test]
fn tasks_of_a_schedule_carry_the_tags_of_their_definition() {
    let tags = "Target/EcsParameters/PropagateTags";
    proven(
        copied,
        &Seed::remove(
            "modules/mautic-schedules.yaml",
            &format!("Resources/ImportContacts/Properties/{tags}"),
        ),
        &format!("mautic-schedules: ImportContacts (AWS::Scheduler::Schedule): {tags} is ''"),
    );
}

#[test]
fn the_table_has_every_type_of_the_templates_and_no_other() {
    let resources = TEMPLATES.iter().flat_map(|template| template.section("Resources"));
    let used = set(resources
        .map(|(_, declared)| declared.at("Type").text())
        .filter(|kind| kind.starts_with("AWS::")));
    let known = set(table().into_keys());
    assert_eq!(known, used, "run .local/venv/bin/python tests/templates/taggable.py");
}
