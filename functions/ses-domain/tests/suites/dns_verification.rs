//! The right zone, and the wait until everybody sees the records.

use std::time::Duration;

use custom_resource::testing::{Run, create};
use proptest::prelude::*;
use serde_json::{Value, json};
use ses_domain::names::Domain;
use ses_domain::settings::ZoneChoice;
use ses_domain::zone::{HostedZone, ZoneError, choose};

use crate::stage::{Stage, TYPE, block_on};
use crate::world::{World, hosted_zone, zone_id};

const DOMAIN: &str = "news.example.com";

fn private(zone: HostedZone) -> HostedZone {
    HostedZone { private: true, ..zone }
}

fn chosen(choice: &ZoneChoice, zones: &[HostedZone]) -> Result<String, String> {
    let domain = Domain::parse(DOMAIN).unwrap();
    choose(choice, &domain, zones)
        .map(|zone| zone.id.to_string())
        .map_err(|error| error.to_string())
}

#[test]
fn the_public_zone_of_the_longest_suffix_is_chosen() {
    let zones = [
        hosted_zone("Z1", "com"),
        hosted_zone("Z2", "Example.COM."),
        hosted_zone("Z3", "ample.com"),
        private(hosted_zone("Z4", "example.com")),
        private(hosted_zone("Z5", "news.example.com")),
        hosted_zone("Z6", "a.news.example.com"),
    ];
    assert_eq!(chosen(&ZoneChoice::LongestSuffix, &zones), Ok("Z2".to_owned()));
}

#[test]
fn what_makes_a_zone_unusable_is_said_with_the_remedy() {
    let zones = [
        hosted_zone("Z1", "example.com"),
        hosted_zone("Z2", "example.com"),
        private(hosted_zone("Z3", "example.com")),
        hosted_zone("Z4", "example.org"),
    ];
    let by_id = |id, name: Option<&str>| ZoneChoice::Id(zone_id(id), name.map(ses_domain::names::DnsName::parse));
    let by_name = |name| ZoneChoice::Name(ses_domain::names::DnsName::parse(name));
    for (choice, reason) in [
        (
            ZoneChoice::LongestSuffix,
            "example.com has several public hosted zones (Z1, Z2), and only one of them is delegated to; give its id as HostedZoneId",
        ),
        (
            by_name("example.com."),
            "example.com has several public hosted zones (Z1, Z2), and only one of them is delegated to; give its id as HostedZoneId",
        ),
        (
            by_id("Z3", None),
            "hosted zone Z3 (example.com) is private, so SES cannot see it; give the id of the public zone of that name",
        ),
        (
            by_id("Z4", None),
            "hosted zone Z4 is for example.org and does not hold news.example.com; give the id of the zone of news.example.com, or leave HostedZoneId empty",
        ),
        (
            by_id("Z1", Some("example.org")),
            "hosted zone Z1 is named example.com, not example.org; correct HostedZoneId or ZoneName, or give only one of them",
        ),
        (
            by_name("example.net"),
            "no public hosted zone holds news.example.com under the name example.net; create one, give RoleArn if it belongs to another account, or set ExternalDns to true and publish the records yourself",
        ),
    ] {
        assert_eq!(chosen(&choice, &zones), Err(reason.to_owned()));
    }
    assert_eq!(chosen(&by_id("Z2", Some("Example.com.")), &zones), Ok("Z2".to_owned()));
}

/// The same choice by comparing texts.
fn naive(domain: &str, zones: &[HostedZone]) -> Vec<String> {
    let holds = |zone: &&HostedZone| !zone.private && format!(".{domain}").ends_with(&format!(".{}", zone.name));
    let longest = zones.iter().filter(holds).map(|zone| zone.name.to_string().len()).max();
    let best = |zone: &&HostedZone| Some(zone.name.to_string().len()) == longest;
    zones
        .iter()
        .filter(holds)
        .filter(best)
        .map(|zone| zone.id.to_string())
        .collect()
}

proptest! {
    #[test]
    fn any_zones_are_chosen_from_as_a_reader_would(domain in "([ab]\\.){0,3}[ab]\\.com", names in prop::collection::vec(("(([ab]\\.){0,3}com|org)", any::<bool>()), 0..12)) {
        let zones = names.iter().enumerate().map(|(index, (name, private))| HostedZone {
            private: *private,
            ..hosted_zone(&format!("Z{index}"), name)
        });
        let zones = zones.collect::<Vec<_>>();
        let choice = choose(&ZoneChoice::LongestSuffix, &Domain::parse(&domain).unwrap(), &zones);
        match naive(&domain, &zones).as_slice() {
            [] => prop_assert!(matches!(choice, Err(ZoneError::Missing { .. })), "{:?}", choice),
            [id] => prop_assert_eq!(&choice.unwrap().id.to_string(), id),
            several => match choice {
                Err(ZoneError::Ambiguous { ids, .. }) => prop_assert_eq!(ids, several.join(", ")),
                other => prop_assert!(false, "{:?}", other),
            },
        }
    }
}

fn world() -> World {
    let mut world = World::with_zone("example.com", &[]);
    let first = ["Z2", "Z3", "Z4", "Z5"].map(|id| hosted_zone(id, &format!("{}.example", id.to_lowercase())));
    let others = first.map(|zone| ses_domain::zone::ZoneState { zone, sets: Vec::new() });
    // Behind others, so that only a search over all pages finds it.
    world.zones.extend(others);
    world.zones.rotate_left(1);
    world
}

fn run(stage: &std::sync::Arc<Stage>, properties: Value) -> Run {
    block_on(create(TYPE, properties).send(&stage.runtime(0)))
}

#[test]
fn the_zone_is_found_over_all_pages() {
    let stage = Stage::new(world());
    let run = run(&stage, json!({"Domain": DOMAIN}));
    assert_eq!(run.response().attribute("HostedZoneId"), "Z1");
    assert_eq!(
        stage
            .calls()
            .iter()
            .filter(|call| **call == "route53:ListHostedZones")
            .count(),
        3
    );
}

#[test]
fn a_zone_given_by_its_id_is_not_searched() {
    let stage = Stage::new(world());
    run(&stage, json!({"Domain": DOMAIN, "HostedZoneId": "/hostedzone/Z1"}));
    assert!(stage.calls().contains(&"route53:GetHostedZone") && !stage.calls().contains(&"route53:ListHostedZones"));
}

#[test]
fn a_zone_that_does_not_exist_is_named() {
    let stage = Stage::new(world());
    let run = run(&stage, json!({"Domain": DOMAIN, "HostedZoneId": "Z9"}));
    assert_eq!(
        run.response().reason(),
        "route53:GetHostedZone for hosted zone Z9 failed: NoSuchHostedZone: No hosted zone found with ID: Z9; give the id of \
         a zone that exists, in this account or in RoleArn's."
    );
    assert!(stage.world().identities.is_empty());
}

#[test]
fn the_answer_waits_until_the_change_has_spread() {
    let stage = Stage::new(world());
    stage.change(|world| world.spreading = 1);
    let run = run(&stage, json!({"Domain": DOMAIN}));
    assert_eq!(run.response().attribute("Status"), "VERIFIED");
    assert_eq!(
        stage
            .calls()
            .iter()
            .filter(|call| **call == "route53:GetChange")
            .count(),
        2
    );
}

#[test]
fn after_the_wait_the_failure_names_what_is_pending_and_where_to_look() {
    let stage = Stage::new(world());
    stage.change(|world| world.ses_looks = false);
    let run = run(&stage, json!({"Domain": "example.com", "WaitSeconds": "0"}));
    assert_eq!(
        run.response().reason(),
        "SES has not verified example.com after 0 s: DKIM is PENDING, MAIL FROM mail.example.com is PENDING. Check that the \
         registrar delegates example.com to the name servers of hosted zone Z1 and that these records can be seen from \
         outside: 00000000000000000000000000000011._domainkey.example.com CNAME, \
         00000000000000000000000000000012._domainkey.example.com CNAME, \
         00000000000000000000000000000013._domainkey.example.com CNAME, mail.example.com MX. If they can, update the stack \
         again or raise WaitSeconds; OnTimeout SUCCEED does not wait for it."
    );
}

#[test]
fn after_the_wait_it_may_be_a_success_that_is_pending() {
    let stage = Stage::new(world());
    stage.change(|world| world.ses_looks = false);
    let run = run(
        &stage,
        json!({"Domain": DOMAIN, "WaitSeconds": "0", "OnTimeout": "SUCCEED"}),
    );
    assert_eq!(run.response().status(), "SUCCESS");
    assert_eq!(run.response().attribute("Status"), "PENDING");
}

#[test]
fn without_waiting_the_answer_says_what_is_pending() {
    let stage = Stage::new(world());
    stage.change(|world| world.ses_looks = false);
    let run = run(
        &stage,
        json!({"Domain": DOMAIN, "WaitForVerification": "false", "MailFromSubdomain": ""}),
    );
    let response = run.response();
    let statuses = ["Status", "DkimStatus", "MailFromStatus"].map(|name| response.attribute(name));
    assert_eq!(statuses, ["PENDING", "PENDING", "NOT_CONFIGURED"]);
    assert!(!stage.calls().contains(&"route53:GetChange"));
}

#[test]
fn a_long_wait_continues_where_it_was_and_counts_from_the_first_attempt() {
    let stage = Stage::new(world());
    stage.change(|world| world.ses_looks = false);
    let creation = create(TYPE, json!({"Domain": DOMAIN, "WaitSeconds": "3000"}));
    let run = block_on(
        creation
            .clone()
            .timeout(Duration::from_secs(13))
            .send(&stage.runtime(0)),
    );
    let continuation = run.continuation()["Continuation"].clone();
    assert_eq!(continuation["state"]["zone"], "Z1");
    let calls = stage.calls().len();

    stage.change(|world| world.ses_looks = true);
    let resumed = block_on(
        creation
            .clone()
            .continued(1, &continuation["state"])
            .send(&stage.runtime(0)),
    );
    assert_eq!(resumed.response().attribute("Status"), "VERIFIED");
    assert_eq!(resumed.response().attribute("HostedZoneId"), "Z1");
    let made = stage.calls().split_off(calls);
    assert_eq!(made, ["ses:GetAccount", "ses:GetEmailIdentity"]);

    stage.change(|world| world.ses_looks = false);
    let mut long_ago = continuation["state"].clone();
    long_ago["started"] = json!(long_ago["started"].as_u64().unwrap() - 3000);
    let late = block_on(creation.continued(2, &long_ago).send(&stage.runtime(0)));
    assert!(
        late.response()
            .reason()
            .starts_with("SES has not verified news.example.com after 3000 s")
    );
}
