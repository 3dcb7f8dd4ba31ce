//! Prevents: a domain that the template hands to ses-domain in words that it does not understand, an hour into a
//! deployment; and mail that is sent before the domain is proven.

use custom_resource::Owner;
use serde_json::{Map, Value, json};
use ses_domain::plan::{Observed, Step, plan};
use ses_domain::settings::Settings;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Placeholder, Resource};

use crate::support::unless;

const KIND: &str = "Custom::SesDomain";
const DOMAIN: &str = "ses: SesDomain (Custom::SesDomain)";

/// The settings as the function reads them: what CloudFormation sends, its own properties apart.
pub fn settings(resource: &Resource) -> Result<Settings, String> {
    let own = ["ServiceToken", "ServiceTimeout", "Nonce", "ParameterNames"];
    let given = resource.properties.as_object().into_iter().flatten();
    let sent: Map<String, Value> = given
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .map(|(name, value)| {
            // What AWS will put there is a name like the resource's.
            let made = value
                .as_str()
                .and_then(Placeholder::parse)
                .map(|one| Value::from(one.logical_id));
            (name.clone(), made.unwrap_or_else(|| value.clone()))
        })
        .collect();
    serde_json::from_value(Value::Object(sent)).map_err(|error| error.to_string())
}

fn each_domain(deployment: &Deployment, judge: impl Fn(&Resource, &Settings) -> Option<String>) -> Vec<Finding> {
    let judged = deployment.of_type(&[KIND]).filter_map(|resource| {
        let wrong = match settings(resource) {
            Ok(settings) => judge(resource, &settings),
            Err(error) => Some(error),
        };
        wrong.map(|wrong| Finding::new(resource, wrong))
    });
    judged.collect()
}

fn understood(deployment: &Deployment) -> Vec<Finding> {
    each_domain(deployment, |_, settings| {
        let domain = deployment.parameter("Domain");
        let planned = plan(
            &Owner::new("arn:aws:cloudformation:eu-central-1:1:stack/s/1", "SesDomain"),
            settings,
            Observed {
                identity: None,
                zone: None,
                region: "eu-central-1",
            },
        );
        match planned {
            Ok(plan) => unless(matches!(plan.steps.as_slice(), [Step::CreateIdentity { .. }]), || {
                format!("the first step for {domain} is {:?}", plan.steps)
            }),
            Err(error) => Some(error.to_string()),
        }
    })
}

#[test]
fn what_the_template_says_ses_domain_understands() {
    proven(
        understood,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/SesDomain/Properties/OnTimeout",
            json!("IGNORE"),
        ),
        &format!("{DOMAIN}: OnTimeout `IGNORE` is neither outcome; give FAIL or SUCCEED"),
    );
}

fn as_chosen(deployment: &Deployment) -> Vec<Finding> {
    each_domain(deployment, |_, settings| {
        let given = |name: &str| deployment.parameter(name);
        let blank = |text: String| Some(text).filter(|text| !text.is_empty());
        if settings.mail_from != blank(given("MailFromSubdomain")) {
            return Some(format!("MAIL FROM is {:?}", settings.mail_from));
        }
        if settings.apex_spf != (given("ApexSpf") == "true") {
            return Some(format!("SPF at the domain itself: {}", settings.apex_spf));
        }
        if settings.dmarc.is_some() == given("DmarcPolicy").is_empty() {
            return Some(format!("DMARC is {:?}", settings.dmarc));
        }
        if settings.role != blank(given("HostedZoneRoleArn")) {
            return Some(format!("the role is {:?}", settings.role));
        }
        let is_external = given("ExternalDns") == "true";
        unless(settings.zone.is_none() == is_external, || {
            format!("the zone is {:?}", settings.zone)
        })
    })
}

#[test]
fn every_choice_of_the_operator_reaches_ses_domain() {
    for (property, value, wrong) in [
        ("MailFromSubdomain", json!("bounce"), "MAIL FROM is Some(\"bounce\")"),
        ("ApexSpf", json!("true"), "SPF at the domain itself: true"),
        ("DmarcPolicy", json!(""), "DMARC is None"),
        ("RoleArn", json!(""), "the role is None"),
        ("ExternalDns", json!("true"), "the zone is None"),
    ] {
        let path = format!("Resources/SesDomain/Properties/{property}");
        proven(
            as_chosen,
            &Seed::set("modules/ses.yaml", &path, value),
            &format!("{DOMAIN}: {wrong}"),
        );
    }
}

fn waits_as_told(deployment: &Deployment) -> Vec<Finding> {
    each_domain(deployment, |_, settings| {
        let told: u64 = deployment.parameter("WaitSeconds").parse().unwrap_or_default();
        let wanted = if deployment.parameter("ExternalDns") == "true" {
            0
        } else {
            told
        };
        let found = settings.wait.as_ref().map_or(0, |wait| wait.limit.as_secs());
        unless(found == wanted, || format!("waits {found} s, not {wanted} s"))
    })
}

#[test]
fn it_waits_as_long_as_it_is_told_and_not_for_dns_elsewhere() {
    proven(
        waits_as_told,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/SesDomain/Properties/WaitForVerification",
            json!("false"),
        ),
        &format!("{DOMAIN}: waits 0 s, not 600 s"),
    );
}

/// Mail names the configuration set that reports bounces: a set without a destination reports to nobody.
fn bounces_are_heard(deployment: &Deployment) -> Vec<Finding> {
    let sets = deployment.of_type(&["AWS::SES::ConfigurationSet"]);
    let judged = sets.filter_map(|set| {
        let mut destinations = deployment
            .of_type(&["AWS::SES::ConfigurationSetEventDestination"])
            .filter(|one| {
                let found = &one.properties;
                let types = found.at("EventDestination/MatchingEventTypes").texts();
                found.at("ConfigurationSetName") == set.reference().as_str()
                    && found.at("EventDestination/Enabled").is_true()
                    && ["bounce", "complaint"]
                        .iter()
                        .all(|kind| types.iter().any(|one| one == kind))
            });
        unless(destinations.next().is_some(), || {
            "nobody hears of bounces and complaints".to_owned()
        })
        .map(|wrong| Finding::new(set, wrong))
    });
    judged.collect()
}

#[test]
fn bounces_and_complaints_are_heard() {
    proven(
        bounces_are_heard,
        &Seed::set(
            "modules/ses.yaml",
            "Resources/EventDestination/Properties/EventDestination/MatchingEventTypes",
            json!(["delivery"]),
        ),
        "ses: ConfigurationSet (AWS::SES::ConfigurationSet): nobody hears of bounces and complaints",
    );
}

/// Mautic's transactional mail ignores its own do-not-contact list.
fn suppressed(deployment: &Deployment) -> Vec<Finding> {
    crate::support::each(deployment, &["AWS::SES::ConfigurationSet"], |set| {
        let reasons = set.properties.at("SuppressionOptions/SuppressedReasons").texts();
        unless(reasons == ["BOUNCE", "COMPLAINT"], || format!("suppresses {reasons:?}"))
    })
}

#[test]
fn who_bounced_or_complained_is_not_written_to_again() {
    proven(
        suppressed,
        &Seed::remove(
            "modules/ses.yaml",
            "Resources/ConfigurationSet/Properties/SuppressionOptions",
        ),
        "ses: ConfigurationSet (AWS::SES::ConfigurationSet): suppresses []",
    );
}
