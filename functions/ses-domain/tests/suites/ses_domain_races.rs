//! A Delete beside a Create that still runs, in every order of their calls.

use std::sync::Arc;

use custom_resource::testing::{Scenario, create, delete, update};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::stage::{Stage, TYPE, block_on, fails, succeeds};
use crate::world::{World, set};

const DOMAIN: &str = "example.com";
const CREATE: usize = 0;
const OTHER: usize = 1;
const PAGES: [usize; 2] = [2, 300];

fn run(stage: &Arc<Stage>, actor: usize, scenario: Scenario) -> std::thread::JoinHandle<(String, String)> {
    let stage = Arc::clone(stage);
    std::thread::spawn(move || {
        let run = block_on(scenario.send(&stage.runtime(actor)));
        stage.finish(actor);
        let response = run.response();
        (response.status().to_owned(), response.reason().to_owned())
    })
}

fn properties() -> Value {
    json!({"Domain": DOMAIN, "ApexSpf": "true"})
}

fn deletion() -> Scenario {
    delete(TYPE, "ses-domain:example.com", properties())
}

/// A Create and something else run at once, their calls in the order of `turns`; gives their answers.
fn race(stage: &Arc<Stage>, other: Scenario, turns: Vec<usize>) -> [(String, String); 2] {
    stage.take_turns(turns);
    let running = [run(stage, CREATE, create(TYPE, properties())), run(stage, OTHER, other)];
    running.map(|thread| thread.join().unwrap())
}

fn success() -> (String, String) {
    ("SUCCESS".to_owned(), String::new())
}

/// With so many record sets a page: of two, which needs a call a name, or all of them.
fn stage(page: usize) -> Arc<Stage> {
    let world = World::with_zone(DOMAIN, &[set(DOMAIN, "TXT", &["\"v=spf1 mx -all\""])]);
    Stage::new(World { page, ..world })
}

fn pages() -> impl Strategy<Value = usize> {
    prop::sample::select(PAGES.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_delete_beside_a_create_leaves_nothing(
        turns in prop::collection::vec(CREATE..=OTHER, 0..80),
        page in pages(),
    ) {
        let stage = stage(page);
        let before = stage.world().all_records();
        stage.withdraw_with(OTHER);
        let [_, deleted] = race(&stage, deletion(), turns);
        prop_assert_eq!(deleted, success());
        prop_assert!(stage.world().identities.is_empty());
        prop_assert_eq!(stage.world().all_records(), before);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_create_that_is_delivered_twice_at_once_is_one_create(
        turns in prop::collection::vec(CREATE..=OTHER, 0..60),
        page in pages(),
    ) {
        let stage = stage(page);
        let before = stage.world().all_records();
        prop_assert_eq!(race(&stage, create(TYPE, properties()), turns), [success(), success()]);
        prop_assert!(stage.world().identity(DOMAIN).unwrap().is_verified());
        succeeds(&stage, &deletion());
        prop_assert_eq!(stage.world().all_records(), before);
    }
}

#[test]
fn a_delete_between_any_two_calls_of_a_create_leaves_nothing() {
    let (mut undone, mut late) = (0, 0);
    // The Delete runs from its first call to its last before the Create goes on; or it has just read the marks, and waits
    // until the Create is done.
    for (head, deleting, page) in (0..=40)
        .flat_map(|head| PAGES.map(|page| [(head, 40, page), (head, 3, page)]))
        .flatten()
    {
        let stage = stage(page);
        let before = stage.world().all_records();
        stage.withdraw_with(OTHER);
        let turns = [vec![CREATE; head], vec![OTHER; deleting], vec![CREATE; 60]].concat();
        let [(_, reason), deleted] = race(&stage, deletion(), turns);
        assert_eq!(deleted, success());
        let world = stage.world();
        assert!(
            world.identities.is_empty() && world.all_records() == before,
            "{head} calls, then {deleting} of the Delete, pages of {page}: {:#?}",
            world.records()
        );
        undone += usize::from(reason.starts_with("SES identity example.com was deleted while"));
        late += usize::from(reason.is_empty());
    }
    assert!(undone > 30 && late > 2, "{undone} undone, {late} too late to be undone");
}

#[test]
fn a_create_that_its_delete_overtook_takes_back_what_it_made() {
    let stage = stage(PAGES[0]);
    let before = stage.world();
    // The Delete has found nothing and succeeded, before the identity is made.
    stage.meanwhile("ses:CreateEmailIdentity", |world| world.withdrawn = true);
    let reason = fails(&stage, &create(TYPE, properties()));
    assert!(
        reason.starts_with("SES identity example.com was deleted while it was being set up"),
        "{reason}"
    );
    let after = stage.world();
    assert_eq!(
        (after.all_records(), after.identities),
        (before.all_records(), before.identities)
    );
}

#[test]
fn an_update_is_not_asked_whether_it_is_wanted() {
    let stage = stage(PAGES[0]);
    succeeds(&stage, &create(TYPE, properties()));
    stage.change(|world| world.withdrawn = true);
    let changed = json!({"Domain": DOMAIN, "ApexSpf": "false"});
    succeeds(&stage, &update(TYPE, "ses-domain:example.com", changed, properties()));
}

#[test]
fn a_create_whose_identity_is_deleted_under_its_hands_undoes_its_records_and_says_so() {
    let stage = stage(PAGES[0]);
    let before = stage.world().all_records();
    stage.meanwhile("route53:ChangeResourceRecordSets", |world| world.identities.clear());
    let response =
        block_on(create(TYPE, json!({"Domain": DOMAIN, "ApexSpf": "true"})).send(&stage.runtime(CREATE))).response();
    assert_eq!(
        response.reason(),
        "SES identity example.com was deleted while it was being set up; the DNS records written for it were removed again: \
         create the stack again if this was not intended."
    );
    assert_eq!(stage.world().all_records(), before);
}

#[test]
fn a_create_that_waits_while_its_identity_is_deleted_undoes_its_records() {
    let stage = stage(PAGES[0]);
    let before = stage.world().all_records();
    stage.change(|world| world.spreading = 1);
    stage.meanwhile("route53:GetChange", |world| world.identities.clear());
    let response = block_on(create(TYPE, json!({"Domain": DOMAIN})).send(&stage.runtime(CREATE))).response();
    assert!(
        response
            .reason()
            .starts_with("SES identity example.com was deleted while it was being set up")
    );
    assert_eq!(stage.world().all_records(), before);
}
