//! Prevents: an image that is built although there is one, one that changes below production's tasks, and one of the wrong
//! processor.

use serde_json::json;
use template_properties::Deployment;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;

use crate::support::{each, of_one, unless};

const FILE: &str = "modules/mautic-image.yaml";
const REPOSITORY: &str = "AWS::ECR::Repository";
const PROJECT: &str = "AWS::CodeBuild::Project";
const IMAGE: &str = "Custom::ContainerImage";
const DEFINITION: &str = "AWS::ECS::TaskDefinition";

fn only_where_none_is_named(deployment: &Deployment) -> Vec<Finding> {
    let made = deployment.of_type(&[REPOSITORY, PROJECT, IMAGE]).count();
    let wanted = if deployment.parameter("ImageUri").is_empty() {
        3
    } else {
        0
    };
    let wrong = unless(made == wanted, || {
        format!("{made} of repository, project and image instead of {wanted}")
    });
    of_one("mautic-image", wrong)
}

#[test]
fn an_image_is_built_where_none_is_named_and_nowhere_else() {
    proven(
        only_where_none_is_named,
        &Seed::set(
            "modules/mautic-service.yaml",
            "Conditions/IsImageBuilt",
            json!({"Fn::Equals": ["a", "a"]}),
        ),
        "mautic-image: 3 of repository, project and image instead of 0",
    );
}

fn run(deployment: &Deployment) -> Vec<Finding> {
    let named = deployment.parameter("ImageUri");
    each(deployment, &[DEFINITION], |definition| {
        let image = definition.properties.at("ContainerDefinitions/0/Image").text();
        let wanted = if named.is_empty() {
            "<mautic-image.Image.ImageUri>"
        } else {
            named.as_str()
        };
        unless(image.as_str() == wanted, || format!("runs {image}, not {wanted}"))
    })
}

#[test]
fn every_task_runs_the_image_that_was_built_or_named() {
    proven(
        run,
        &Seed::set(
            "modules/mautic-service.yaml",
            "Resources/Tasks/Properties/Parameters/ImageUri",
            json!("example.com/another:1"),
        ),
        "mautic-tasks: WebTaskDefinition (AWS::ECS::TaskDefinition): runs example.com/another:1, not \
         <mautic-image.Image.ImageUri>",
    );
}

fn fixed_in_production(deployment: &Deployment) -> Vec<Finding> {
    let follows = if deployment.environment() == "prod" {
        "false"
    } else {
        "true"
    };
    each(deployment, &[IMAGE, PROJECT], |resource| {
        let variables = resource.properties.at("Environment/EnvironmentVariables").listed();
        let variable = variables.into_iter().find(|one| one.at("Name") == "ROLLING");
        let rolling = variable.map_or_else(
            || resource.properties.at("Rolling").text(),
            |one| one.at("Value").text(),
        );
        unless(rolling == follows, || {
            format!("follows the newest build: '{rolling}', not {follows}")
        })
    })
}

#[test]
fn the_image_changes_by_itself_everywhere_but_in_production() {
    for (path, resource) in [
        ("Resources/Image/Properties/Rolling", "Image (Custom::ContainerImage)"),
        (
            "Resources/BuildProject/Properties/Environment/EnvironmentVariables/1/Value",
            "BuildProject (AWS::CodeBuild::Project)",
        ),
    ] {
        proven(
            fixed_in_production,
            &Seed::set(FILE, path, json!("true")),
            &format!("mautic-image: {resource}: follows the newest build: 'true', not false"),
        );
    }
}

/// What checkov's rule on tags does not know: all but the ones that tasks follow.
fn kept(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[REPOSITORY], |repository| {
        let found = &repository.properties;
        let but = found.at("ImageTagMutabilityExclusionFilters").listed();
        let but: Vec<_> = but
            .into_iter()
            .map(|one| one.at("ImageTagMutabilityExclusionFilterValue").text())
            .collect();
        let is_kept = found.at("ImageTagMutability") == "IMMUTABLE_WITH_EXCLUSION" && but == ["rolling-*"];
        let is_scanned = found.at("ImageScanningConfiguration/ScanOnPush").is_true();
        unless(is_kept && is_scanned && found.at("EmptyOnDelete").is_true(), || {
            format!("tags change but for {but:?}, no scan, or it outlives the stack")
        })
    })
}

#[test]
fn a_tag_names_one_image_for_ever_and_every_image_is_scanned() {
    for (path, value) in [
        ("ImageTagMutability", json!("MUTABLE")),
        ("ImageScanningConfiguration/ScanOnPush", json!(false)),
        ("EmptyOnDelete", json!(false)),
    ] {
        proven(
            kept,
            &Seed::set(FILE, &format!("Resources/Repository/Properties/{path}"), value),
            "mautic-image: Repository (AWS::ECR::Repository): tags change but for [\"rolling-*\"], no scan, or it outlives the \
             stack",
        );
    }
}

fn on_its_processor(deployment: &Deployment) -> Vec<Finding> {
    let (kind, part) = match deployment.parameter("TaskArchitecture").as_str() {
        "X86_64" => ("LINUX_CONTAINER", "-x86_64-"),
        _ => ("ARM_CONTAINER", "-aarch64-"),
    };
    each(deployment, &[PROJECT], |project| {
        let environment = project.properties.at("Environment");
        let found = (environment.at("Type").text(), environment.at("Image").text());
        unless(found.0 == kind && found.1.contains(part), || {
            format!("builds on {found:?}")
        })
    })
}

#[test]
fn an_image_is_built_on_the_processor_that_it_runs_on() {
    proven(
        on_its_processor,
        &Seed::set(
            FILE,
            "Resources/BuildProject/Properties/Environment/Type",
            json!("ARM_CONTAINER"),
        ),
        "mautic-image: BuildProject (AWS::CodeBuild::Project): builds on (\"ARM_CONTAINER\", \
         \"aws/codebuild/amazonlinux-x86_64-standard:5.0\")",
    );
}
