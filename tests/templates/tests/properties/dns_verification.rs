//! Prevents: a domain that SES never verifies, because a record that the template asks for is none: too long a name, two SPF
//! records at one name, an unquoted text.
//!
//! Any domain, MAIL FROM subdomain and DMARC policy that the root's patterns let through is handed to ses-domain exactly as
//! the template does; the records are those of its own planner.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use ses_domain::records::{DkimKeys, MAIL_FROM_SPF, Purpose, Record, desired};
use ses_domain::spf::{MOST_LOOKUPS, is_spf, lookups};
use ses_domain::txt::{LONGEST_STRING, TxtValue};
use ses_domain::zone::RecordType;
use template_properties::combinations::{TEMPLATES, minimal};
use template_properties::parameters::Parameters;
use template_properties::proof::{Finding, Seed, proven};
use template_properties::value::Look;
use template_properties::{Deployment, draw, refusals};

use crate::ses_domain::settings;

const REGION: &str = "eu-central-1";
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Three tokens as SES makes them: 32 letters and digits each.
fn keys() -> DkimKeys {
    let tokens = ["a", "b", "c"].map(|letter| format!("{letter}3kfb4qz6xw7u2nd5gy5hm4rt6p7s8vj"));
    DkimKeys {
        tokens: tokens.into(),
        zone: None,
    }
}

/// What is wrong with a name, if anything.
fn name_fault(name: &str) -> Option<String> {
    let fits = |label: &str| {
        let length = (1..=LONGEST_LABEL).contains(&label.len());
        length
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
    };
    let is_name = name.len() <= LONGEST_NAME && name.split('.').all(fits);
    (!is_name).then(|| format!("{name} is no name"))
}

/// What is wrong with one record for a domain, if anything.
fn fault(record: &Record, domain: &str) -> Option<String> {
    let name = record.name.to_string();
    if name_fault(&name).is_some() || !(name == domain || name.ends_with(&format!(".{domain}"))) {
        return Some(format!("{name} is no name of {domain}"));
    }
    match record.kind() {
        RecordType::Cname => name_fault(&record.value),
        RecordType::Mx => {
            let wanted = format!("10 feedback-smtp.{REGION}.amazonses.com");
            (record.value != wanted).then(|| format!("{name} receives bounces at {}", record.value))
        }
        _ => text_fault(record),
    }
}

fn text_fault(record: &Record) -> Option<String> {
    let wrong = |what: &str| Some(format!("{} has {what}: {}", record.name, record.value));
    let Some(parsed) = TxtValue::parse(&record.value) else {
        return wrong("a text without quotes");
    };
    if parsed.decoded().iter().any(|string| string.len() > LONGEST_STRING) {
        return wrong("a string of more than 255 bytes");
    }
    let text = parsed.text().unwrap_or_default();
    match record.purpose {
        Purpose::MailFromSpf if text != MAIL_FROM_SPF => wrong("another SPF record than SES's"),
        Purpose::MailFromSpf | Purpose::ApexSpf => {
            let is_valid = is_spf(&parsed) && lookups(&parsed) <= MOST_LOOKUPS && text.ends_with("all");
            if is_valid { None } else { wrong("no SPF record") }
        }
        Purpose::Dmarc => {
            let policy = ["none", "quarantine", "reject"]
                .iter()
                .any(|policy| text.starts_with(&format!("v=DMARC1; p={policy};")));
            if policy && record.name.to_string().starts_with("_dmarc.") {
                None
            } else {
                wrong("no DMARC record")
            }
        }
        _ => None,
    }
}

/// What is wrong with records beside each other.
fn crowd_faults(records: &[Record]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let beside = || records[..index].iter().filter(|other| other.name == record.name);
        let is_alone = record.kind() != RecordType::Cname && beside().all(|other| other.kind() != RecordType::Cname);
        if beside().next().is_some() && !is_alone {
            found.push(format!("{} has a CNAME beside something else", record.name));
        }
        let spf = |one: &Record| matches!(one.purpose, Purpose::MailFromSpf | Purpose::ApexSpf);
        if spf(record) && beside().any(spf) {
            found.push(format!("{} has two SPF records", record.name));
        }
    }
    let keys = records.iter().filter(|record| record.purpose == Purpose::Dkim).count();
    if keys != 3 {
        found.push(format!("{keys} DKIM keys"));
    }
    found
}

fn faults(records: &[Record], domain: &str) -> Vec<String> {
    let own = records.iter().filter_map(|record| fault(record, domain));
    own.chain(crowd_faults(records)).collect()
}

/// Parameters of the mail's records, any that the patterns allow.
fn mail() -> impl Strategy<Value = Parameters> {
    let names = ["MailFromSubdomain", "DmarcPolicy", "DmarcReportAddress", "ApexSpf"];
    let values = names.map(|name| {
        let declared = TEMPLATES.root().body.at("Parameters").at(name);
        draw::value(declared).prop_map(move |value| (name.to_owned(), Value::from(value)))
    });
    // Longer than people's own, up to what DNS holds: the pattern itself would draw nothing but names that are too long.
    let domain = "([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.]){1,3}[a-z]([a-z0-9-]{0,20}[a-z0-9])";
    let sets = (values, domain).prop_map(|(values, domain)| {
        let drawn = values.into_iter().chain([("Domain".to_owned(), Value::from(domain))]);
        minimal("dev").into_iter().chain(drawn).collect::<Parameters>()
    });
    sets.prop_filter("the rules refuse it", |set| {
        refusals(&TEMPLATES, set).is_ok_and(|refused| refused.is_empty())
    })
}

/// The records for these parameters, or why ses-domain refuses them.
fn records(parameters: &Parameters) -> Result<Vec<Record>, String> {
    let deployment = Deployment::resolve(&TEMPLATES, "drawn", parameters).expect("within the patterns and rules");
    let resource = deployment.of_type(&["Custom::SesDomain"]).next().expect("a domain");
    Ok(desired(&settings(resource)?, &keys(), REGION))
}

#[test]
fn for_any_domain_the_records_are_well_formed() {
    let (made, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&mail(), |parameters| {
        match records(&parameters) {
            Ok(records) => {
                prop_assert_eq!(faults(&records, &parameters["Domain"].text()), Vec::<String>::new());
                made.set(made.get() + 1);
            }
            // What the pattern cannot say, ses-domain does, before it writes anything: the property and its value.
            Err(error) => {
                let names = ["Domain", "MailFromSubdomain", "DmarcReportAddress"];
                prop_assert!(
                    names.iter().any(|name| error.starts_with(&format!("{name} `"))),
                    "{}",
                    error
                );
                refused.set(refused.get() + 1);
            }
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(
        made.get() > refused.get(),
        "only {} of {} were judged",
        made.get(),
        made.get() + refused.get()
    );
}

/// The judge itself: each fault is seen.
#[test]
fn records_that_no_resolver_takes_are_found() {
    let mut parameters = minimal("dev");
    parameters.insert("ApexSpf".to_owned(), json!("true"));
    let good = records(&parameters).unwrap();
    assert_eq!(faults(&good, "example.com"), [] as [&str; 0]);
    let of = |purpose| good.iter().position(|record| record.purpose == purpose).unwrap();
    let changed = |index: usize, change: &dyn Fn(&mut Record)| {
        let mut records = good.clone();
        change(&mut records[index]);
        faults(&records, "example.com")
    };
    let value = |purpose, text: &str| changed(of(purpose), &|record| text.clone_into(&mut record.value));
    assert_eq!(value(Purpose::Dkim, "to..nowhere"), ["to..nowhere is no name"]);
    assert_eq!(
        value(Purpose::MailFromMx, "10 mail"),
        ["mail.example.com receives bounces at 10 mail"]
    );
    assert_eq!(
        value(Purpose::Dmarc, "\"p=none\""),
        ["_dmarc.example.com has no DMARC record: \"p=none\""]
    );
    let unquoted = "mail.example.com has a text without quotes: v=spf1 ~all";
    assert_eq!(value(Purpose::MailFromSpf, "v=spf1 ~all"), [unquoted]);
    let other = "mail.example.com has another SPF record than SES's: \"v=spf1 ~all\"";
    assert_eq!(value(Purpose::MailFromSpf, "\"v=spf1 ~all\""), [other]);
    assert_eq!(
        value(Purpose::ApexSpf, "\"v=spf2\""),
        ["example.com has no SPF record: \"v=spf2\""]
    );
    let long = format!("\"{}\"", "x".repeat(256));
    assert_eq!(
        value(Purpose::ApexSpf, &long),
        [format!("example.com has a string of more than 255 bytes: {long}")]
    );
    let elsewhere = changed(of(Purpose::Dmarc), &|record| record.name = good[0].name.clone());
    assert!(
        elsewhere[0].ends_with(" has no DMARC record: \"v=DMARC1; p=none;\""),
        "{elsewhere:?}"
    );
    assert!(
        elsewhere[1].ends_with(" has a CNAME beside something else"),
        "{elsewhere:?}"
    );
    let twice = changed(of(Purpose::ApexSpf), &|record| {
        record.name = good[of(Purpose::MailFromSpf)].name.clone();
    });
    assert_eq!(twice, ["mail.example.com has two SPF records"]);
    assert_eq!(faults(&good[1..], "example.com"), ["2 DKIM keys"]);
    let foreign = faults(&good, "example.org");
    assert!(foreign[0].ends_with(" is no name of example.org"), "{foreign:?}");
}

const RECORD: &str = "AWS::Route53::RecordSet";

/// The site's own name: in the zone, or told to whoever makes it elsewhere.
fn site_record(deployment: &Deployment) -> Vec<Finding> {
    let outputs = &deployment.module("load-balancer").expect("a load balancer").outputs;
    let site = outputs.get("SiteDomain").map(Look::text).unwrap_or_default();
    let missing = outputs.get("MissingDnsRecords").map(Look::text).unwrap_or_default();
    let records: Vec<_> = deployment.of_type(&[RECORD]).collect();
    let named = records
        .iter()
        .find(|record| record.properties.at("Name") == site.as_str());
    let mut found = Vec::new();
    match named {
        None if !missing.starts_with(&format!("{site}. ")) => {
            found.push(Finding::new(&site, "stands in no zone, and nobody is told"));
        }
        Some(record) if !missing.is_empty() => found.push(Finding::new(record, "is made, and asked for elsewhere")),
        _ => {}
    }
    for record in records {
        let (alias, zone) = (
            record.properties.at("AliasTarget/DNSName"),
            record.properties.at("HostedZoneId"),
        );
        let leads_here = deployment
            .owner(alias)
            .is_some_and(|owner| owner.kind == "AWS::ElasticLoadBalancingV2::LoadBalancer");
        if !leads_here || zone.text().is_empty() {
            found.push(Finding::new(
                record,
                format!("leads to {} in zone '{}'", alias.text(), zone.text()),
            ));
        }
        found.extend(name_fault(&record.properties.at("Name").text()).map(|wrong| Finding::new(record, wrong)));
    }
    found
}

#[test]
fn the_sites_name_leads_to_the_load_balancer_or_somebody_is_told() {
    let file = "modules/load-balancer.yaml";
    proven(
        site_record,
        &Seed::remove(file, "Resources/SiteRecord"),
        "mautic.example.com: stands in no zone, and nobody is told",
    );
    proven(
        site_record,
        &Seed::set(
            file,
            "Outputs/MissingDnsRecords/Value",
            json!("mautic.example.com. 300 IN CNAME somewhere."),
        ),
        "load-balancer: SiteRecord (AWS::Route53::RecordSet): is made, and asked for elsewhere",
    );
    proven(
        site_record,
        &Seed::set(
            file,
            "Resources/SiteRecord/Properties/AliasTarget/DNSName",
            json!("elsewhere.example.net"),
        ),
        "load-balancer: SiteRecord (AWS::Route53::RecordSet): leads to elsewhere.example.net in zone \
         '<ses.SesDomain.HostedZoneId>'",
    );
}
