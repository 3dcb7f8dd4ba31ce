//! Both keys sign in from `createSecret` to the retirement, whatever lies between, and never are there three.

use std::sync::Arc;
use std::time::Duration;

use custom_resource::testing::{Log, assert_absent};
use rotation::testing::{ARN, Scene, refused, version};
use rotation::{Outcome, Step};
use serde_json::json;
use tokio::time::sleep;

use crate::world::{USER, World, now, password};

#[tokio::test]
async fn both_keys_work_until_the_retirement_and_every_step_may_come_again() {
    let world = World::new();
    let before = world.held();
    world.shelf.begin(ARN, &version(2));
    for one in Step::ROTATION {
        for _ in 0..2 {
            world.step(one, &version(2)).await.unwrap();
            assert!(world.both_get_in(&before).await, "{one}");
        }
    }
    let after = world.held();
    assert_eq!(
        (&after["username"], &after["region"]),
        (&json!("KEY2"), &before["region"])
    );
    assert_eq!(world.step(Step::Retire, &version(2)).await.unwrap(), Outcome::Done);
    assert!(world.lets_in(&after).await && !world.lets_in(&before).await);
    assert_eq!(world.step(Step::Retire, &version(2)).await.unwrap(), Outcome::Nothing);
    let made = world.iam().made;
    assert_eq!(made, 2);
}

#[tokio::test]
async fn a_rotation_that_is_killed_before_any_call_is_ended_by_the_next_attempt() {
    for call in 0..13 {
        let world = World::new();
        let before = world.held();
        world.rotate_killed_before(call, &version(2)).await;
        world.retire(&before, &version(2)).await;
        let iam = world.iam();
        assert_eq!((iam.keys.len(), iam.most), (1, 2));
    }
}

#[tokio::test]
async fn a_rotation_that_is_killed_wherever_it_waits_is_ended_by_the_next_attempt() {
    let world = World::new();
    let places = world.rotate_killed_everywhere().await;
    println!("killed at each of {places} places");
    assert!(places > 15, "only {places} places");
    let iam = world.iam();
    assert_eq!((iam.keys.len(), iam.most), (1, 2));
    assert!(iam.made > places + 2, "an attempt that died has left a key behind");
}

#[tokio::test]
async fn a_key_that_a_dead_attempt_left_behind_is_deleted_once_nobody_can_be_about_to_write_it() {
    let world = World::new();
    world.iam().make(now() - 61).unwrap();
    world.rotate(&version(2)).await.unwrap();
    assert_eq!(world.held()["username"], "KEY3");
    let keys: Vec<_> = world.iam().keys.iter().map(|key| key.id.clone()).collect();
    assert_eq!(keys, ["KEY1", "KEY3"]);
}

#[tokio::test]
async fn a_rotation_given_up_leaves_a_key_that_the_next_one_deletes() {
    let world = World::new();
    let before = world.held();
    world.shelf.begin(ARN, &version(2));
    world.step(Step::Create, &version(2)).await.unwrap();
    let orphan = world.shelf.content(ARN, "AWSPENDING").unwrap();
    world.shelf.remove_label(ARN, "AWSPENDING");
    world.pass_time();
    world.rotate(&version(3)).await.unwrap();
    assert!(world.both_get_in(&before).await && !world.lets_in(&orphan).await);
    world.retire(&before, &version(3)).await;
    let iam = world.iam();
    assert_eq!((iam.keys.len(), iam.most), (1, 2));
}

#[tokio::test]
async fn a_key_that_another_delivery_may_be_about_to_write_is_waited_for() {
    let world = World::new();
    world.iam().make(now()).unwrap();
    world.shelf.begin(ARN, &version(2));
    assert_eq!(
        refused(&world.rotation, Step::Create).await,
        format!(
            "createSecret of secret {ARN}: IAM user {USER} has a key KEY2 that was made less than a minute ago and is in no \
             version of the secret; try again"
        )
    );
    let keys = world.iam().keys.len();
    assert_eq!(keys, 2);
}

#[tokio::test]
async fn eight_deliveries_of_each_step_at_once_do_what_one_does() {
    let world = World::new();
    let before = world.held();
    world.shelf.begin(ARN, &version(2));
    for one in Step::ROTATION {
        let outcomes = world.deliver_eightfold(one, &version(2)).await;
        assert!(world.both_get_in(&before).await, "{one}");
        if one == Step::Create {
            let made = outcomes.iter().filter(|outcome| **outcome == Outcome::Done);
            assert_eq!(
                (outcomes.len(), made.count()),
                (8, 1),
                "one made a key, the others found it"
            );
        }
    }
    world.deliver_eightfold(Step::Retire, &version(2)).await;
    assert!(world.shelf.is_settled(ARN));
    assert!(world.lets_in(&world.held()).await && !world.lets_in(&before).await);
    let iam = world.iam();
    assert_eq!((iam.keys.len(), iam.made, iam.most), (1, 2, 2));
}

#[tokio::test]
async fn a_key_that_ses_does_not_know_yet_is_tried_again_until_it_does() {
    let world = World::new();
    let before = world.held();
    world.iam().is_slow = true;
    world.shelf.begin(ARN, &version(2));
    for one in [Step::Create, Step::Set] {
        world.step(one, &version(2)).await.unwrap();
    }
    let error = refused(&world.rotation, Step::Test).await;
    let address = format!("{}:{}", before["host"].as_str().unwrap(), before["port"]);
    assert_eq!(
        error,
        format!(
            "testSecret of secret {ARN}: {address} does not let key KEY2 in (535 Authentication Credentials Invalid); IAM may take minutes to tell SES of a new key: rotate again, and if that does not help, see whether the \
             key is active"
        )
    );
    assert_eq!(world.held(), before);
    let iam = Arc::clone(&world.iam);
    let told = async move {
        sleep(Duration::from_millis(800)).await;
        iam.lock().unwrap().propagate();
    };
    let token = version(2);
    let (tested, ()) = tokio::join!(world.step(Step::Test, &token), told);
    assert_eq!(tested.unwrap(), Outcome::Done);
    world.step(Step::Finish, &version(2)).await.unwrap();
    assert!(world.both_get_in(&before).await);
}

#[tokio::test]
async fn ten_rotations_in_a_row_never_refuse_who_holds_the_last_two_and_refuse_a_third() {
    let world = World::new();
    for number in 2..12 {
        let before = world.held();
        world.rotate(&version(number)).await.unwrap();
        assert!(world.both_get_in(&before).await);
        let third = world.rotate(&version(100 + number)).await.unwrap_err().to_string();
        assert!(
            third.contains(" is still good, because tasks may use it: a third one would end it."),
            "{third}"
        );
        world.shelf.remove_label(ARN, "AWSPENDING");
        world.retire(&before, &version(number)).await;
    }
    let most = world.iam().most;
    assert_eq!(most, 2, "never more than two keys");
}

#[tokio::test]
async fn neither_log_nor_error_shows_a_password_or_the_key_s_secret() {
    let log = Log::capture();
    let world = World::new();
    world.iam().is_slow = true;
    world.shelf.begin(ARN, &version(2));
    world.step(Step::Create, &version(2)).await.unwrap();
    let mut seen = refused(&world.rotation, Step::Test).await;
    world.iam().propagate();
    for one in Step::ROTATION {
        world.step(one, &version(2)).await.unwrap();
    }
    let secrets: Vec<_> = world.iam().keys.iter().map(|key| key.secret.clone()).collect();
    world.step(Step::Retire, &version(2)).await.unwrap();
    seen += &log.text();
    assert!(seen.contains("made an access key"), "{seen}");
    for secret in secrets {
        assert_absent(&secret, &seen);
        assert_absent(&password(&secret), &seen);
    }
}

#[tokio::test]
async fn fifty_connections_a_second_through_ten_rotations_with_rollouts_are_all_let_in() {
    let world = World::new();
    let opened = world.rotate_under_load(10).await;
    println!("{opened} connections through 10 rotations");
}
