//! Prevents: a domain that the template hands to ses-domain in words that it does not understand, an hour into a
//! deployment; and mail that is sent before the domain is proven.

use custom_resource::Owner;
use serde_json::{Map, Value, json};
use ses_domain::plan::{Observed, Step, plan};
use ses_domain::settings::{OnTimeout, Settings, ZoneChoice, ZoneId};
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, Placeholder, Resource};

use crate::support::{each, of_one, unless};

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

fn blank(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The DMARC record that the operator chose, as it is published.
fn dmarc(deployment: &Deployment) -> Option<String> {
    let policy = blank(deployment.parameter("DmarcPolicy"))?;
    let report = blank(deployment.parameter("DmarcReportAddress"));
    let report = report
        .map(|address| format!(" rua=mailto:{address};"))
        .unwrap_or_default();
    Some(format!("v=DMARC1; p={policy};{report}"))
}

fn records_as_chosen(deployment: &Deployment, settings: &Settings) -> Option<String> {
    let given = |name: &str| deployment.parameter(name);
    if settings.mail_from != blank(given("MailFromSubdomain")) {
        return Some(format!("MAIL FROM is {:?}", settings.mail_from));
    }
    if settings.apex_spf != (given("ApexSpf") == "true") {
        return Some(format!("SPF at the domain itself: {}", settings.apex_spf));
    }
    let published = settings.dmarc.as_ref().map(ToString::to_string);
    if published != dmarc(deployment) {
        return Some(format!("DMARC is {published:?}"));
    }
    if settings.role != blank(given("HostedZoneRoleArn")) {
        return Some(format!("the role is {:?}", settings.role));
    }
    let chosen = ZoneId::parse(&given("HostedZoneId")).map_or(ZoneChoice::LongestSuffix, |id| ZoneChoice::Id(id, None));
    let zone = (given("ExternalDns") != "true").then_some(chosen);
    unless(settings.zone == zone, || format!("the zone is {:?}", settings.zone))
}

fn identity_as_chosen(deployment: &Deployment, settings: &Settings) -> Option<String> {
    let given = |name: &str| deployment.parameter(name);
    if settings.adopt_existing != (given("AdoptExistingDomain") == "true") {
        return Some(format!(
            "an identity that exists is adopted: {}",
            settings.adopt_existing
        ));
    }
    let set = deployment.of_type(&["AWS::SES::ConfigurationSet"]).next();
    if settings.configuration_set != set.map(|set| set.logical_id.clone()) {
        return Some(format!("the configuration set is {:?}", settings.configuration_set));
    }
    let chosen = if given("OnTimeout") == "SUCCEED" {
        OnTimeout::Succeed
    } else {
        OnTimeout::Fail
    };
    let wait = settings.wait.as_ref()?;
    unless(wait.on_timeout == chosen, || {
        format!("when the wait is over: {:?}", wait.on_timeout)
    })
}

fn as_chosen(deployment: &Deployment) -> Vec<Finding> {
    each_domain(deployment, |_, settings| {
        records_as_chosen(deployment, settings).or_else(|| identity_as_chosen(deployment, settings))
    })
}

#[test]
fn every_choice_of_the_operator_reaches_ses_domain() {
    let reported = "DMARC is Some(\"v=DMARC1; p=none; rua=mailto:dmarc@example.org;\")";
    for (property, value, wrong) in [
        ("MailFromSubdomain", json!("bounce"), "MAIL FROM is Some(\"bounce\")"),
        ("ApexSpf", json!("true"), "SPF at the domain itself: true"),
        ("DmarcPolicy", json!(""), "DMARC is None"),
        ("DmarcPolicy", json!("reject"), "DMARC is Some(\"v=DMARC1; p=reject;\")"),
        ("DmarcReportAddress", json!("dmarc@example.org"), reported),
        ("RoleArn", json!(""), "the role is None"),
        ("ExternalDns", json!("true"), "the zone is None"),
        ("HostedZoneId", json!(""), "the zone is Some(LongestSuffix)"),
        (
            "HostedZoneId",
            json!("Z1"),
            "the zone is Some(Id(ZoneId(\"Z1\"), None))",
        ),
        (
            "AdoptExisting",
            json!("true"),
            "an identity that exists is adopted: true",
        ),
        (
            "AdoptExisting",
            json!("false"),
            "an identity that exists is adopted: false",
        ),
        ("ConfigurationSet", json!(""), "the configuration set is None"),
        ("OnTimeout", json!("SUCCEED"), "when the wait is over: Succeed"),
        ("OnTimeout", json!("FAIL"), "when the wait is over: Fail"),
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

/// Whether a queue takes what is published to the topic that the value names.
fn is_queued(deployment: &Deployment, topic: &Value) -> bool {
    let is_topic = deployment
        .owner(topic)
        .is_some_and(|owner| owner.kind == "AWS::SNS::Topic");
    is_topic
        && deployment
            .of_type(&["AWS::SNS::Subscription"])
            .any(|one| one.properties.at("TopicArn") == topic && one.properties.at("Protocol") == "sqs")
}

/// Mail names the configuration set that reports bounces: a set without a destination reports to nobody, and so does one
/// that reports to where no queue listens.
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
                    && is_queued(deployment, found.at("EventDestination/SnsDestination/TopicARN"))
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
    let destination = |name: &str| format!("Resources/EventDestination/Properties/EventDestination/{name}");
    let file = "modules/ses.yaml";
    for seed in [
        Seed::set(file, &destination("MatchingEventTypes"), json!(["delivery"])),
        Seed::remove(file, &destination("SnsDestination")),
        Seed::set(
            file,
            &destination("SnsDestination/TopicARN"),
            json!({"Ref": "AlarmTopicArn"}),
        ),
    ] {
        let wrong = "ses: ConfigurationSet (AWS::SES::ConfigurationSet): nobody hears of bounces and complaints";
        proven(bounces_are_heard, &seed, wrong);
    }
}

/// Mautic's transactional mail ignores its own do-not-contact list.
fn suppressed(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::SES::ConfigurationSet"], |set| {
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

/// Without it CloudWatch has no rates of this configuration set: only those of the account, where others send as well.
fn measured(deployment: &Deployment) -> Vec<Finding> {
    each(deployment, &["AWS::SES::ConfigurationSet"], |set| {
        let is_measured = set
            .properties
            .at("ReputationOptions/ReputationMetricsEnabled")
            .is_true();
        unless(is_measured, || "its reputation is not measured".to_owned())
    })
}

#[test]
fn the_reputation_of_every_configuration_set_is_measured() {
    let options = "Resources/ConfigurationSet/Properties/ReputationOptions";
    for seed in [
        Seed::remove("modules/ses.yaml", options),
        Seed::set(
            "modules/ses.yaml",
            &format!("{options}/ReputationMetricsEnabled"),
            json!(false),
        ),
    ] {
        let wrong = "ses: ConfigurationSet (AWS::SES::ConfigurationSet): its reputation is not measured";
        proven(measured, &seed, wrong);
    }
}

/// The sentence with what to do, not the bare `false`.
fn standing(deployment: &Deployment) -> Vec<Finding> {
    let said = deployment
        .root()
        .outputs
        .get("SesAccount")
        .map(Look::text)
        .unwrap_or_default();
    let wrong = unless(said == "<ses.SesDomain.ProductionAccessText>", || {
        format!("says '{said}'")
    });
    of_one("mautic: SesAccount", wrong)
}

#[test]
fn an_output_says_whether_the_account_is_in_the_sandbox_and_what_to_do() {
    for (seed, said) in [
        (Seed::remove("mautic.yaml", "Outputs/SesAccount"), ""),
        (
            Seed::set(
                "mautic.yaml",
                "Outputs/SesAccount/Value",
                json!({"Fn::GetAtt": ["Ses", "Outputs.ProductionAccess"]}),
            ),
            "<ses.SesDomain.ProductionAccess>",
        ),
    ] {
        proven(standing, &seed, &format!("mautic: SesAccount: says '{said}'"));
    }
}
