//! The DMARC record: only where there is none, changed only while it is ours.

use serde_json::{Value, json};

use crate::world::{World, set, settings};

const DOMAIN: &str = "example.com";
const NAME: &str = "_dmarc.example.com";

fn properties(policy: &str) -> Value {
    json!({"Domain": DOMAIN, "DmarcPolicy": policy})
}

#[test]
fn without_a_record_one_that_only_watches_is_created() {
    let mut world = World::with_zone(DOMAIN, &[]);
    world
        .set_up(&settings(
            json!({"Domain": DOMAIN, "DmarcReportAddress": "dmarc@example.com"}),
        ))
        .unwrap();
    assert_eq!(
        world.value(NAME, "TXT"),
        ["\"v=DMARC1; p=none; rua=mailto:dmarc@example.com;\""]
    );
}

#[test]
fn a_record_that_is_there_stays_as_it_is() {
    for present in [
        "\"v=DMARC1; p=reject\"",
        "\"V=dmarc1;p=none;\"",
        "\"v=DM\" \"ARC1; p=reject\"",
    ] {
        let mut world = World::with_zone(DOMAIN, &[set(NAME, "TXT", &[present])]);
        world.set_up(&settings(properties("none"))).unwrap();
        assert_eq!(world.value(NAME, "TXT"), [present]);
        world.tear_down(&settings(properties("none")).domain);
        assert_eq!(world.value(NAME, "TXT"), [present]);
    }
}

#[test]
fn a_record_behind_a_cname_stays_as_it_is() {
    let mut world = World::with_zone(DOMAIN, &[set(NAME, "CNAME", &["dmarc.example.org."])]);
    world.set_up(&settings(properties("none"))).unwrap();
    assert_eq!(world.value(NAME, "TXT"), [] as [String; 0]);
}

#[test]
fn a_record_of_the_domain_above_is_not_weakened() {
    let mut world = World::with_zone(DOMAIN, &[set(NAME, "TXT", &["\"v=DMARC1; p=reject;\""])]);
    world.set_up(&settings(json!({"Domain": "news.example.com"}))).unwrap();
    assert_eq!(world.value("_dmarc.news.example.com", "TXT"), [] as [String; 0]);
}

#[test]
fn unrelated_texts_stay_beside_ours() {
    let mut world = World::with_zone(DOMAIN, &[set(NAME, "TXT", &["\"unrelated\""])]);
    let before = world.all_records();
    world.set_up(&settings(properties("none"))).unwrap();
    assert_eq!(world.value(NAME, "TXT"), ["\"unrelated\"", "\"v=DMARC1; p=none;\""]);
    world.tear_down(&settings(properties("none")).domain);
    assert_eq!(world.all_records(), before);
}

#[test]
fn our_record_follows_the_settings_and_goes_with_the_delete() {
    let mut world = World::with_zone(DOMAIN, &[]);
    let before = world.all_records();
    for policy in ["none", "reject", "none", "quarantine"] {
        world.set_up(&settings(properties(policy))).unwrap();
        assert_eq!(world.value(NAME, "TXT"), [format!("\"v=DMARC1; p={policy};\"")]);
    }
    world.tear_down(&settings(properties("none")).domain);
    assert_eq!(world.all_records(), before);
}

#[test]
fn our_record_that_somebody_changed_is_theirs() {
    let mut world = World::with_zone(DOMAIN, &[]);
    world.set_up(&settings(properties("none"))).unwrap();
    world.edit(NAME, "TXT", &["\"v=DMARC1; p=reject;\""]);
    world.set_up(&settings(properties("quarantine"))).unwrap();
    assert_eq!(world.value(NAME, "TXT"), ["\"v=DMARC1; p=reject;\""]);
    world.tear_down(&settings(properties("none")).domain);
    assert_eq!(world.value(NAME, "TXT"), ["\"v=DMARC1; p=reject;\""]);
}

#[test]
fn without_a_policy_nothing_is_published_and_what_was_is_taken_back() {
    let mut world = World::with_zone(DOMAIN, &[]);
    world.set_up(&settings(properties(""))).unwrap();
    assert_eq!(world.value(NAME, "TXT"), [] as [String; 0]);
    world.set_up(&settings(properties("none"))).unwrap();
    world.set_up(&settings(properties(""))).unwrap();
    assert_eq!(world.value(NAME, "TXT"), [] as [String; 0]);
    world.edit(NAME, "TXT", &["\"v=DMARC1; p=none;\""]);
    world.tear_down(&settings(properties("")).domain);
    // Theirs by now, though it reads the same.
    assert_eq!(world.value(NAME, "TXT"), ["\"v=DMARC1; p=none;\""]);
}
