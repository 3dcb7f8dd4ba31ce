//! The domain's own SPF record: extended, never broken, restored exactly.

use custom_resource::testing::{Log, create};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::generators::apex_texts;
use crate::stage::{Stage, TYPE, succeeds};
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

/// Whether a value is an SPF record that became another by nothing but SES's mechanism.
pub fn is_extended(old: &str, new: &str) -> bool {
    let terms = |value: &str| {
        let records = naive_spf(&[value.to_owned()]);
        let terms = records.iter().flat_map(|text| text.split(' '));
        terms
            .filter(|term| !term.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (old, mut new) = (terms(old), terms(new));
    let ours = new.iter().position(|term| term == "include:amazonses.com");
    ours.map(|at| new.remove(at)).is_some() && !old.is_empty() && new == old
}

/// The terms of a record in lower case that make a receiver ask DNS (RFC 7208, section 4.6.4).
fn naive_lookups(record: &str) -> usize {
    let asks = |term: &&str| {
        let term = term.strip_prefix(['+', '-', '~', '?']).unwrap_or(term);
        let host = ["a", "mx", "ptr"].iter().any(|name| {
            let rest = term.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        host || ["include:", "exists:", "redirect="]
            .iter()
            .any(|name| term.starts_with(name))
    };
    record.split(' ').filter(asks).count()
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
fn what_others_records_look_up_themselves_is_said_not_to_be_counted() {
    for (terms, brought) in [
        ("mx include:crm.example -all", Some("include:crm.example")),
        (
            "~Include:crm.example include:_spf.example.net ?all",
            Some("~Include:crm.example, include:_spf.example.net"),
        ),
        ("a redirect=_spf.example.net", Some("redirect=_spf.example.net")),
        (
            "include:amazonses.com include:crm.example -all",
            Some("include:crm.example"),
        ),
        ("a mx ptr exists:a.example include=x ip4:192.0.2.1 -all", None),
        ("include:amazonses.com -all", None),
    ] {
        let log = Log::capture();
        let stage = Stage::new(world(&[&format!("\"v=spf1 {terms}\"")]));
        succeeds(&stage, &create(TYPE, properties()));
        let text = log.text();
        let told = brought.map(|brought| {
            format!(
                "the SPF record of example.com brings in others ({brought}); what they look up themselves was not counted, and \
                 receivers allow 10 DNS look-ups in all"
            )
        });
        assert_eq!(
            text.matches("not counted").count(),
            usize::from(told.is_some()),
            "{terms}\n{text}"
        );
        assert!(text.contains(&told.unwrap_or_default()), "{terms}\n{text}");
    }
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
        let record = records[0].to_lowercase();
        let terms = record.split(' ').filter(|term| !term.is_empty()).collect::<Vec<_>>();
        let ours = terms.iter().filter(|term| ["include:amazonses.com", "+include:amazonses.com"].contains(term)).count();
        prop_assert!(ours >= 1, "{:?}", terms);
        let all = terms.iter().position(|term| term.trim_start_matches(['+', '-', '~', '?']) == "all");
        let at = terms.iter().position(|term| term.ends_with("include:amazonses.com")).unwrap();
        prop_assert!(all.is_none_or(|all| at < all), "{:?}", terms);
        prop_assert!(naive_lookups(&record) <= 10 || after == before.value(DOMAIN, "TXT"), "{:?}", terms);
        for value in &values {
            let changed = !naive_spf(&[(*value).to_owned()]).is_empty();
            prop_assert!(changed || after.iter().any(|kept| kept == value), "{} is lost", value);
        }
        prop_assert_eq!(world.plan(&settings).unwrap(), []);
        world.tear_down(&settings.domain);
        prop_assert_eq!(world.all_records(), before.all_records());
    }
}
