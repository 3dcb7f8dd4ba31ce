//! The DKIM and MAIL FROM records: exactly SES's, beside nothing foreign, gone exactly.

use serde_json::{Value, json};
use ses_domain::records::{DkimKeys, desired};

use crate::world::{World, set, settings};

const DOMAIN: &str = "example.com";

fn properties() -> Value {
    json!({"Domain": DOMAIN, "DmarcPolicy": ""})
}

fn world(sets: &[(&str, &str, &[&str])]) -> World {
    let sets = sets
        .iter()
        .map(|(name, kind, values)| set(name, kind, values))
        .collect::<Vec<_>>();
    World::with_zone(DOMAIN, &sets)
}

#[test]
fn a_new_domain_gets_three_keys_and_a_mail_from_domain() {
    let mut world = world(&[]);
    world.set_up(&settings(properties())).unwrap();
    assert_eq!(
        world.records(),
        [
            "00000000000000000000000000000011._domainkey.example.com CNAME 00000000000000000000000000000011.dkim.amazonses.com",
            "00000000000000000000000000000012._domainkey.example.com CNAME 00000000000000000000000000000012.dkim.amazonses.com",
            "00000000000000000000000000000013._domainkey.example.com CNAME 00000000000000000000000000000013.dkim.amazonses.com",
            "example.com NS ns-1.example.net.",
            "example.com SOA ns-1.example.net. a. 1 1 1 1 1",
            "mail.example.com MX 10 feedback-smtp.eu-central-1.amazonses.com",
            "mail.example.com TXT \"v=spf1 include:amazonses.com ~all\"",
        ]
    );
}

#[test]
fn the_keys_lead_to_the_zone_that_ses_names() {
    let keys = DkimKeys {
        tokens: vec!["t".to_owned()],
        zone: Some("abc.dkim.eu-central-2.amazonses.com".to_owned()),
    };
    let records = desired(&settings(properties()), &keys, "eu-central-2");
    assert_eq!(records[0].value, "t.abc.dkim.eu-central-2.amazonses.com");
}

#[test]
fn an_international_domain_stands_in_the_zone_as_punycode() {
    let mut world = World::with_zone("xn--bcher-kva.example", &[]);
    world.set_up(&settings(json!({"Domain": "Bücher.example"}))).unwrap();
    assert_eq!(world.identities.keys().collect::<Vec<_>>(), ["xn--bcher-kva.example"]);
    assert_eq!(
        world.value("_dmarc.xn--bcher-kva.example", "TXT"),
        ["\"v=DMARC1; p=none;\""]
    );
}

#[test]
fn whatever_is_in_the_way_is_named_and_nothing_is_changed() {
    let remedy = "remove it, or choose another MailFromSubdomain: SES needs a name of its own for MAIL FROM";
    for (kind, values, found, wanted) in [
        (
            "MX",
            &["10 mx.example.org."] as &[&str],
            "10 mx.example.org.",
            "MX 10 feedback-smtp.eu-central-1.amazonses.com",
        ),
        (
            "MX",
            &["10 feedback-smtp.eu-central-1.amazonses.com", "20 mx.example.org"],
            "10 feedback-smtp.eu-central-1.amazonses.com | 20 mx.example.org",
            "MX 10 feedback-smtp.eu-central-1.amazonses.com",
        ),
        (
            "CNAME",
            &["web.example.org."],
            "web.example.org.",
            "MX 10 feedback-smtp.eu-central-1.amazonses.com",
        ),
        (
            "NS",
            &["ns.example.org."],
            "ns.example.org.",
            "MX 10 feedback-smtp.eu-central-1.amazonses.com",
        ),
        (
            "TXT",
            &["\"v=spf1 -all\""],
            "\"v=spf1 -all\"",
            "TXT \"v=spf1 include:amazonses.com ~all\"",
        ),
    ] {
        let mut world = world(&[("mail.example.com", kind, values)]);
        let before = world.clone();
        assert_eq!(
            world.set_up(&settings(properties())).unwrap_err().to_string(),
            format!(
                "mail.example.com has the {kind} record {found} in zone Z1, which keeps {wanted} from being created; {remedy}"
            ),
        );
        assert_eq!(world, before);
    }
}

#[test]
fn a_routed_record_set_is_never_touched() {
    let mut world = world(&[("mail.example.com", "TXT", &["\"x\""])]);
    world.zones[0].sets.last_mut().unwrap().special = true;
    let error = world.set_up(&settings(properties())).unwrap_err().to_string();
    assert!(
        error.starts_with("mail.example.com has the TXT record with an alias or a routing policy in zone Z1"),
        "{error}"
    );
}

#[test]
fn addresses_and_unrelated_texts_at_the_mail_from_domain_are_no_conflict() {
    let mut world = world(&[
        ("mail.example.com", "A", &["192.0.2.1"]),
        ("mail.example.com", "TXT", &["\"x\""]),
    ]);
    let before = world.all_records();
    world.set_up(&settings(properties())).unwrap();
    assert_eq!(
        world.value("mail.example.com", "TXT"),
        ["\"x\"", "\"v=spf1 include:amazonses.com ~all\""]
    );
    world.tear_down(&settings(properties()).domain);
    assert_eq!(world.all_records(), before);
}

#[test]
fn a_record_that_was_there_in_another_spelling_is_kept_and_not_counted_as_ours() {
    let mut world = world(&[
        (
            "mail.example.com",
            "MX",
            &["10 Feedback-SMTP.eu-central-1.amazonses.com."],
        ),
        (
            "mail.example.com",
            "TXT",
            &["\"v=spf1 include:\" \"amazonses.com ~all\""],
        ),
    ]);
    let before = world.all_records();
    world.set_up(&settings(properties())).unwrap();
    world.tear_down(&settings(properties()).domain);
    assert_eq!(world.all_records(), before);
}

#[test]
fn what_somebody_changed_since_is_left_to_them() {
    let mut world = world(&[]);
    world.set_up(&settings(properties())).unwrap();
    let name = "00000000000000000000000000000011._domainkey.example.com";
    world.edit(name, "CNAME", &["elsewhere.example.org"]);
    world.edit(
        "mail.example.com",
        "TXT",
        &["\"v=spf1 include:amazonses.com ~all\"", "\"x\""],
    );
    world.edit("mail.example.com", "MX", &[]);
    world.tear_down(&settings(properties()).domain);
    assert_eq!(
        world.records(),
        [
            "00000000000000000000000000000011._domainkey.example.com CNAME elsewhere.example.org",
            "example.com NS ns-1.example.net.",
            "example.com SOA ns-1.example.net. a. 1 1 1 1 1",
            "mail.example.com TXT \"x\"",
        ]
    );
}

#[test]
fn an_earlier_mail_from_domain_stays_until_the_delete() {
    let mut world = world(&[]);
    let before = world.all_records();
    world.set_up(&settings(properties())).unwrap();
    let mut other = properties();
    other["MailFromSubdomain"] = json!("bounce");
    world.set_up(&settings(other)).unwrap();
    assert_eq!(
        world.value("mail.example.com", "MX"),
        world.value("bounce.example.com", "MX")
    );
    world.set_up(&settings(properties())).unwrap();
    assert_eq!(
        world.identity(DOMAIN).unwrap().mail_from.unwrap().domain,
        "mail.example.com"
    );
    world.tear_down(&settings(properties()).domain);
    assert_eq!(world.all_records(), before);
}
