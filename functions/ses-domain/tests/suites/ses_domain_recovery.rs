//! The function may die anywhere, and the next event finishes; what is switched off is as if it had never been on.

use std::time::Duration;

use custom_resource::testing::{create, delete};
use proptest::prelude::*;
use serde_json::Value;
use ses_domain::attributes::Attributes;
use ses_domain::plan::Step;

use crate::generators::scene;
use crate::stage::{DOMAIN, ID, Stage, TYPE, properties, send, stage, succeeds, with};
use crate::world::settings;

#[test]
fn a_domain_comes_back_after_a_delete_that_never_finished() {
    let stage = stage();
    succeeds(&stage, &create(TYPE, properties()));
    let deleting = Step::Mark([("ses-domain:deleting".to_owned(), "true".to_owned())].into());
    stage.change(|world| world.step(DOMAIN, &deleting).unwrap());
    succeeds(&stage, &create(TYPE, properties()));
    assert!(
        !stage.world().identities[DOMAIN]
            .tags
            .contains_key("ses-domain:deleting")
    );
}

#[test]
fn a_delete_succeeds_where_the_role_may_not_tag() {
    let stage = stage();
    let before = stage.world().all_records();
    succeeds(&stage, &create(TYPE, properties()));
    stage.deny("ses:TagResource", 100);
    succeeds(&stage, &delete(TYPE, ID, properties()));
    assert!(stage.world().identities.is_empty());
    assert_eq!(stage.world().all_records(), before);
}

#[test]
fn a_delete_where_nothing_is_there_needs_to_look_only() {
    let stage = stage();
    succeeds(&stage, &delete(TYPE, ID, properties()));
    assert_eq!(stage.calls(), ["ses:GetEmailIdentity"]);
}

#[test]
fn a_policy_that_is_not_known_everywhere_yet_costs_a_pause_and_no_failure() {
    for action in [
        "ses:GetAccount",
        "ses:CreateEmailIdentity",
        "route53:ChangeResourceRecordSets",
    ] {
        let stage = stage();
        stage.deny(action, 2);
        // Two refusals end the pauses early; the rest is for a machine that is busy.
        let patient = create(TYPE, properties()).propagation(Duration::from_secs(3));
        succeeds(&stage, &patient);
        let calls = stage.calls();
        assert!(calls.iter().filter(|call| **call == action).count() > 2, "{calls:?}");
    }
}

fn largest(properties: &Value) -> usize {
    serde_json::to_string(&Attributes::largest(&settings(properties.clone())))
        .unwrap()
        .len()
}

/// The same settings with SPF at the domain itself and DMARC switched off.
fn without_policies(properties: &Value) -> Value {
    with(with(properties.clone(), "ApexSpf", "false"), "DmarcPolicy", "")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_switched_off_is_as_if_it_had_never_been_on_and_back_on_as_if_it_had_never_been_off((mut world, properties) in scene()) {
        let (on, off) = (settings(properties.clone()), settings(without_policies(&properties)));
        prop_assume!(world.set_up(&off).is_ok());
        let before = world.all_records();
        prop_assume!(world.set_up(&on).is_ok());
        let with = world.all_records();
        world.set_up(&off).unwrap();
        prop_assert_eq!(world.all_records(), before);
        let marks = world.identity(off.domain.as_str()).unwrap().marks();
        prop_assert!(marks.zones.values().all(|zone| zone.spf.is_none()), "{marks:?}");
        world.set_up(&on).unwrap();
        prop_assert_eq!(world.all_records(), with);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn wherever_the_function_dies_a_delete_cleans_up_and_a_repeat_finishes((world, properties) in scene(), at in 0_usize..40, repeat in any::<bool>()) {
        let stage = Stage::new(world);
        let before = stage.world();
        let making = create(TYPE, properties.clone());
        stage.die_at(Some(at));
        let response = send(&stage, &making);
        prop_assert!(serde_json::to_string(response.body()).unwrap().len() <= 4096);
        stage.die_at(None);
        let id = response.physical_id().to_owned();
        if repeat {
            let response = send(&stage, &making);
            if response.status() == "SUCCESS" {
                let data = serde_json::to_string(&response.body()["Data"]).unwrap().len();
                prop_assert!(data <= largest(&properties), "{} bytes of attributes, {} foreseen", data, largest(&properties));
                let domain = settings(properties.clone()).domain.to_string();
                prop_assert!(stage.world().identity(&domain).unwrap().is_verified());
            }
        }
        let response = send(&stage, &delete(TYPE, &id, properties));
        prop_assert_eq!(response.status(), "SUCCESS", "{}", response.reason());
        prop_assert_eq!(stage.world().all_records(), before.all_records());
        prop_assert!(stage.world().identities.is_empty());
    }

    #[test]
    fn wherever_a_delete_dies_the_next_one_finishes((world, properties) in scene(), at in 0_usize..20) {
        let stage = Stage::new(world);
        let before = stage.world();
        let id = send(&stage, &create(TYPE, properties.clone())).physical_id().to_owned();
        stage.die_at(Some(at));
        send(&stage, &delete(TYPE, &id, properties.clone()));
        stage.die_at(None);
        let response = send(&stage, &delete(TYPE, &id, properties));
        prop_assert_eq!(response.status(), "SUCCESS", "{}", response.reason());
        prop_assert_eq!(stage.world().all_records(), before.all_records());
        prop_assert!(stage.world().identities.is_empty());
    }
}
