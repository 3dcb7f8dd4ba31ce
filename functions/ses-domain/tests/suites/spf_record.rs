//! The domain's own SPF record: extended, never broken, restored exactly.

use proptest::prelude::*;
use serde_json::{Value, json};
use ses_domain::spf::{self, MOST_LOOKUPS};
use ses_domain::txt::TxtValue;

use crate::generators::apex_texts;
use crate::world::{World, set, settings};

const DOMAIN: &str = "example.com";

fn world(values: &[&str]) -> World {
    let sets = if values.is_empty() {
        Vec::new()
    } else {
        vec![set(DOMAIN, "TXT", values)]
    };
    World::with_zone(DOMAIN, &sets)
}

fn properties() -> Value {
    json!({"Domain": DOMAIN, "ApexSpf": "true"})
}

/// The SPF records among TXT values, read naively: quotes and octal escapes away, joined, first word.
fn naive_spf(values: &[String]) -> Vec<String> {
    let text = |value: &String| {
        let mut text = String::new();
        let (mut quoted, mut chars) = (false, value.chars());
        while let Some(c) = chars.next() {
            match c {
                '"' => quoted = !quoted,
                '\\' => {
                    let rest = chars.as_str();
                    let octal = rest
                        .get(..3)
                        .and_then(|digits| u8::from_str_radix(digits, 8).ok())
                        .filter(|_| rest.as_bytes()[0].is_ascii_digit());
                    match octal {
                        Some(byte) => {
                            text.push(char::from(byte));
                            chars = rest[3..].chars();
                        }
                        None => text.extend(chars.next()),
                    }
                }
                c if quoted => text.push(c),
                _ => {}
            }
        }
        text
    };
    let spf = |text: &String| text.to_lowercase() == "v=spf1" || text.to_lowercase().starts_with("v=spf1 ");
    values.iter().map(text).filter(spf).collect()
}

#[test]
fn without_a_record_one_is_created_and_removed_again() {
    let mut world = world(&[]);
    let before = world.clone();
    world.set_up(&settings(properties())).unwrap();
    assert_eq!(world.value(DOMAIN, "TXT"), ["\"v=spf1 include:amazonses.com ~all\""]);
    world.tear_down(&settings(properties()).domain);
    assert_eq!(world.all_records(), before.all_records());
}

#[test]
fn other_texts_keep_their_place_order_and_ttl() {
    let mut world = world(&["\"one\"", "\"v=spf1 mx -all\"", "\"two\" \"\\164hree\""]);
    world.set_up(&settings(properties())).unwrap();
    let merged = [
        "\"one\"",
        "\"v=spf1 mx include:amazonses.com -all\"",
        "\"two\" \"\\164hree\"",
    ];
    assert_eq!(world.value(DOMAIN, "TXT"), merged);
    assert!(world.zones[0].sets.contains(&set(DOMAIN, "TXT", &merged)));
}

#[test]
fn by_default_the_domains_own_record_is_left_alone() {
    let mut world = world(&["\"v=spf1 mx -all\""]);
    world.set_up(&settings(json!({"Domain": DOMAIN}))).unwrap();
    assert_eq!(world.value(DOMAIN, "TXT"), ["\"v=spf1 mx -all\""]);
}

#[test]
fn two_records_fail_and_nothing_is_changed() {
    let mut world = world(&["\"v=spf1 mx -all\"", "\"v=spf1 a -all\""]);
    let before = world.clone();
    let error = world.set_up(&settings(properties())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "example.com in zone Z1 has 2 SPF records where one is allowed: merge them into one"
    );
    assert_eq!(world, before);
}

#[test]
fn an_eleventh_lookup_fails_and_nothing_is_changed() {
    let mut world = world(&[&format!("\"v=spf1 {}-all\"", "include:x.example ".repeat(10))]);
    let before = world.clone();
    let error = world.set_up(&settings(properties())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "example.com in zone Z1 has an SPF record that would need 11 DNS look-ups with include:amazonses.com, and 10 are \
         allowed (what its includes look up themselves comes on top): shorten it, or set ApexSpf to false"
    );
    assert_eq!(world, before);
}

#[test]
fn a_record_edited_afterwards_loses_only_our_mechanism() {
    let mut world = world(&["\"v=spf1 mx -all\""]);
    world.set_up(&settings(properties())).unwrap();
    world.edit(
        DOMAIN,
        "TXT",
        &[
            "\"v=spf1 mx include:amazonses.com include:crm.example -all\"",
            "\"new\"",
        ],
    );
    world.tear_down(&settings(properties()).domain);
    assert_eq!(
        world.value(DOMAIN, "TXT"),
        ["\"v=spf1 mx include:crm.example -all\"", "\"new\""]
    );
}

#[test]
fn a_record_of_ours_that_somebody_extended_loses_only_our_mechanism() {
    let mut world = world(&[]);
    world.set_up(&settings(properties())).unwrap();
    world.edit(
        DOMAIN,
        "TXT",
        &["\"v=spf1 include:amazonses.com include:crm.example ~all\""],
    );
    world.tear_down(&settings(properties()).domain);
    assert_eq!(world.value(DOMAIN, "TXT"), ["\"v=spf1 include:crm.example ~all\""]);
}

#[test]
fn a_record_that_allowed_ses_before_still_does_afterwards() {
    let mut world = world(&["\"v=spf1 include:amazonses.com mx -all\""]);
    let before = world.clone();
    world.set_up(&settings(properties())).unwrap();
    world.tear_down(&settings(properties()).domain);
    assert_eq!(world.all_records(), before.all_records());
}

#[test]
fn switching_it_off_takes_our_mechanism_out_again_and_a_rollback_puts_it_back() {
    let mut world = world(&["\"v=spf1 mx -all\""]);
    let off = settings(json!({"Domain": DOMAIN, "ApexSpf": "false"}));
    world.set_up(&settings(properties())).unwrap();
    let on = world.all_records();
    world.set_up(&off).unwrap();
    assert_eq!(world.value(DOMAIN, "TXT"), ["\"v=spf1 mx -all\""]);
    world.set_up(&settings(properties())).unwrap();
    assert_eq!(world.all_records(), on);
}

#[test]
fn switching_it_off_leaves_a_mechanism_that_was_there_before() {
    let mut world = world(&["\"v=spf1 include:amazonses.com -all\""]);
    let off = settings(json!({"Domain": DOMAIN, "ApexSpf": "false"}));
    world.set_up(&settings(properties())).unwrap();
    world.set_up(&off).unwrap();
    assert_eq!(world.value(DOMAIN, "TXT"), ["\"v=spf1 include:amazonses.com -all\""]);
}

#[test]
fn a_mechanism_that_somebody_wrote_after_ours_was_taken_out_is_theirs() {
    let mut world = world(&["\"v=spf1 mx -all\""]);
    let off = settings(json!({"Domain": DOMAIN, "ApexSpf": "false"}));
    world.set_up(&settings(properties())).unwrap();
    world.set_up(&off).unwrap();
    world.edit(DOMAIN, "TXT", &["\"v=spf1 include:amazonses.com -all\""]);
    world.tear_down(&off.domain);
    assert_eq!(world.value(DOMAIN, "TXT"), ["\"v=spf1 include:amazonses.com -all\""]);
}

#[test]
fn a_mechanism_that_somebody_removed_comes_back_with_the_next_update() {
    let mut world = world(&["\"v=spf1 mx -all\""]);
    world.set_up(&settings(properties())).unwrap();
    world.edit(DOMAIN, "TXT", &["\"v=spf1 a -all\""]);
    world.set_up(&settings(properties())).unwrap();
    assert_eq!(world.value(DOMAIN, "TXT"), ["\"v=spf1 a include:amazonses.com -all\""]);
    world.tear_down(&settings(properties()).domain);
    assert_eq!(world.value(DOMAIN, "TXT"), ["\"v=spf1 a -all\""]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_texts_stay_valid_keep_the_others_and_come_back_exactly(values in apex_texts()) {
        let values = values.iter().map(String::as_str).collect::<Vec<_>>();
        let (mut world, before) = (world(&values), world(&values));
        let settings = settings(properties());
        if world.set_up(&settings).is_err() {
            prop_assert_eq!(world, before);
            return Ok(());
        }
        let after = world.value(DOMAIN, "TXT");
        let records = naive_spf(&after);
        prop_assert_eq!(records.len(), 1, "{:?}", after);
        let terms = records[0].to_lowercase();
        let terms = terms.split(' ').filter(|term| !term.is_empty()).collect::<Vec<_>>();
        let ours = terms.iter().filter(|term| ["include:amazonses.com", "+include:amazonses.com"].contains(term)).count();
        prop_assert!(ours >= 1, "{:?}", terms);
        let all = terms.iter().position(|term| term.trim_start_matches(['+', '-', '~', '?']) == "all");
        let at = terms.iter().position(|term| term.ends_with("include:amazonses.com")).unwrap();
        prop_assert!(all.is_none_or(|all| at < all), "{:?}", terms);
        let parsed = after.iter().filter_map(|raw| TxtValue::parse(raw)).filter(spf::is_spf).collect::<Vec<_>>();
        prop_assert!(spf::lookups(&parsed[0]) <= MOST_LOOKUPS || after == before.value(DOMAIN, "TXT"));
        for value in &values {
            let changed = !naive_spf(&[(*value).to_owned()]).is_empty();
            prop_assert!(changed || after.iter().any(|kept| kept == value), "{} is lost", value);
        }
        prop_assert_eq!(world.plan(&settings).unwrap(), []);
        world.tear_down(&settings.domain);
        prop_assert_eq!(world.all_records(), before.all_records());
    }
}
