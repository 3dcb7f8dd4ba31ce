//! A Delete beside a Create that still runs, in every order of their calls.

use std::sync::Arc;

use custom_resource::testing::{Scenario, create, delete};
use proptest::prelude::*;
use serde_json::json;

use crate::stage::{Stage, TYPE, block_on};
use crate::world::{World, set};

const DOMAIN: &str = "example.com";
const CREATE: usize = 0;
const DELETE: usize = 1;

fn run(stage: &Arc<Stage>, actor: usize, scenario: Scenario) -> std::thread::JoinHandle<(String, String)> {
    let stage = Arc::clone(stage);
    std::thread::spawn(move || {
        let run = block_on(scenario.send(&stage.runtime(actor)));
        stage.finish(actor);
        let response = run.response();
        (response.status().to_owned(), response.reason().to_owned())
    })
}

/// Both run at once, their calls in the order of `turns`; gives the Create's answer.
fn race(stage: &Arc<Stage>, turns: Vec<usize>) -> (String, String) {
    let properties = json!({"Domain": DOMAIN, "ApexSpf": "true"});
    stage.take_turns(turns);
    let making = run(stage, CREATE, create(TYPE, properties.clone()));
    let removing = run(stage, DELETE, delete(TYPE, "ses-domain:example.com", properties));
    let made = making.join().unwrap();
    assert_eq!(removing.join().unwrap(), ("SUCCESS".to_owned(), String::new()));
    made
}

fn stage() -> Arc<Stage> {
    Stage::new(World::with_zone(DOMAIN, &[set(DOMAIN, "TXT", &["\"v=spf1 mx -all\""])]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_delete_beside_a_create_leaves_nothing_or_comes_too_early(head in 4_usize..40, tail in prop::collection::vec(CREATE..=DELETE, 0..40)) {
        let stage = stage();
        let before = stage.world().all_records();
        let turns = [vec![CREATE; head], tail].concat();
        let (status, reason) = race(&stage, turns);
        let left = stage.world();
        if left.identities.is_empty() {
            prop_assert_eq!(left.all_records(), before);
        } else {
            // The Delete looked before there was anything to see, so that the Create stands.
            prop_assert_eq!(status, "SUCCESS", "{}", reason);
            prop_assert!(left.identity(DOMAIN).unwrap().is_verified());
        }
    }
}

#[test]
fn a_delete_between_any_two_calls_of_a_create_is_seen_or_finds_everything() {
    let (mut undone, mut stood) = (0, 0);
    for head in 1..=24 {
        let stage = stage();
        let before = stage.world().all_records();
        // The Delete runs from its first call to its last; then the Create goes on.
        let (_, reason) = race(&stage, [vec![CREATE; head], vec![DELETE; 40]].concat());
        let there = !stage.world().identities.is_empty();
        assert!(
            there || stage.world().all_records() == before,
            "after {head} calls: {:#?}",
            stage.world().records()
        );
        undone += usize::from(reason.starts_with("SES identity example.com was deleted while"));
        stood += usize::from(there);
    }
    assert!(undone > 10 && stood > 2, "{undone} undone, {stood} stood");
}

#[test]
fn a_create_whose_identity_is_deleted_under_its_hands_undoes_its_records_and_says_so() {
    let stage = stage();
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
    let stage = stage();
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
