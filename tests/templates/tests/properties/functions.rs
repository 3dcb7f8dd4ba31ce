//! Prevents: functions of which each is built and configured in a way of its own.

use serde_json::json;
use template_properties::proof::{Finding, Seed, proven, proven_of_files};
use template_properties::value::Look;
use template_properties::{Deployment, Templates, project};

use crate::support::{each, each_declared, kebab, unless};

const FUNCTION: &str = "AWS::Lambda::Function";
const SES: &str = "modules/ses.yaml";
const DOMAIN: &str = "ses: SesDomainFunction (AWS::Lambda::Function)";

fn shaped(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[FUNCTION], |function| {
        let found = &function.properties;
        let shape =
            ["Runtime", "Handler", "Architectures", "LoggingConfig/LogFormat"].map(|path| found.at(path).text());
        let architecture = deployment.parameter("FunctionArchitecture");
        unless(shape == ["provided.al2023", "bootstrap", &architecture, "JSON"], || {
            format!("{shape:?}")
        })
    })
}

#[test]
fn each_is_a_bootstrap_of_the_chosen_architecture_that_logs_json() {
    proven(
        shaped,
        &Seed::set(
            SES,
            "Resources/SesDomainFunction/Properties/Runtime",
            json!("python3.13"),
        ),
        &format!("{DOMAIN}: [\"python3.13\", \"bootstrap\", \"arm64\", \"JSON\"]"),
    );
    proven(
        shaped,
        &Seed::remove(SES, "Resources/SesDomainFunction/Properties/LoggingConfig/LogFormat"),
        &format!("{DOMAIN}: [\"provided.al2023\", \"bootstrap\", \"arm64\", \"\"]"),
    );
}

fn own_log(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[FUNCTION], |function| {
        let group = deployment.owner(function.properties.at("LoggingConfig/LogGroup"));
        let is_own = group.is_some_and(|group| group.module == function.module && group.kind == "AWS::Logs::LogGroup");
        unless(is_own, || "logs to no group of its module".to_owned())
    })
}

#[test]
fn each_logs_to_a_group_of_its_module() {
    proven(
        own_log,
        &Seed::set(
            SES,
            "Resources/SesDomainFunction/Properties/LoggingConfig/LogGroup",
            json!("/aws/lambda/ses"),
        ),
        &format!("{DOMAIN}: logs to no group of its module"),
    );
}

fn small(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &[FUNCTION], |function| {
        let figures = ["MemorySize", "Timeout"].map(|name| function.properties.at(name).number().unwrap_or(f64::MAX));
        unless(figures[0] <= 256.0 && figures[1] <= 900.0, || {
            format!("{} MB, {} s", figures[0], figures[1])
        })
    })
}

#[test]
fn each_is_small() {
    proven(
        small,
        &Seed::set(SES, "Resources/SesDomainFunction/Properties/MemorySize", json!(1024)),
        &format!("{DOMAIN}: 1024 MB, 900 s"),
    );
}

fn reasoned(templates: &Templates) -> Vec<Finding> {
    let mut found = Vec::new();
    for template in templates.iter() {
        for (number, line) in template.lines() {
            let figure = ["MemorySize: ", "Timeout: "]
                .iter()
                .find_map(|key| line.trim_start().strip_prefix(key));
            if figure.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()) && !rest.contains('#'))
            {
                found.push(Finding::new(
                    format!("{}:{number}", template.file),
                    "a number without a reason",
                ));
            }
        }
    }
    found
}

#[test]
fn memory_and_timeout_give_their_reason() {
    let seed = Seed::text(SES, "Timeout: 900 # ", "Timeout: 900\n      # ");
    let text = seed.templates().file(SES).unwrap();
    let line = text.lines().find(|(_, line)| line.trim() == "Timeout: 900").unwrap().0;
    proven_of_files(reasoned, &seed, &format!("{SES}:{line}: a number without a reason"));
}

fn packaged(templates: &Templates) -> Vec<Finding> {
    each_declared(templates, "Resources", |_, logical_id, declared| {
        if declared.at("Type") != FUNCTION {
            return None;
        }
        let name = kebab(logical_id.strip_suffix("Function").unwrap_or(logical_id));
        let code = declared.at("Properties/Code").text();
        if code != format!("../functions/{name}.zip") {
            return Some(format!("Code is {code}, not {name}"));
        }
        let has_binary = std::fs::read_dir(project().join("functions"))
            .expect("functions/ is there")
            .any(|crate_| {
                let folder = crate_.expect("a readable folder").path();
                folder.ends_with(&name) && folder.join("Cargo.toml").is_file()
                    || folder.join(format!("src/bin/{name}.rs")).is_file()
            });
        unless(has_binary, || {
            format!("there is no crate functions/{name} and no binary of this name")
        })
    })
}

#[test]
fn each_is_packaged_from_the_crate_or_binary_of_its_name() {
    proven_of_files(
        packaged,
        &Seed::set(
            SES,
            "Resources/SesDomainFunction/Properties/Code",
            json!("../functions/ses.zip"),
        ),
        &format!("{SES}: SesDomainFunction: Code is ../functions/ses.zip, not ses-domain"),
    );
    let function = json!({"Type": FUNCTION, "Properties": {"Code": "../functions/no-such.zip"}});
    proven_of_files(
        packaged,
        &Seed::set(SES, "Resources/NoSuchFunction", function),
        &format!("{SES}: NoSuchFunction: there is no crate functions/no-such and no binary of this name"),
    );
}
