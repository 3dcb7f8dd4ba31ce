//! Both keys sign in from `createSecret` to the retirement, whatever lies between, and never are there three.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use custom_resource::testing::{Log, assert_absent};
use rotation::{Outcome, Step};
use serde_json::json;
use tokio::sync::RwLock;
use tokio::time::{interval, sleep};

use crate::world::{ARN, USER, World, now, password, rotation, trusting, version};

/// The step's error with hardly any time to try again.
async fn refused(rotation: &rotation::Rotation<rotate_smtp::MailUser>, one: Step) -> String {
    let payload = json!({"Step": one.to_string(), "SecretId": ARN, "ClientRequestToken": version(2)});
    let deadline = SystemTime::now() + Duration::from_secs(13);
    rotation.handle(payload, deadline).await.unwrap_err().to_string()
}

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
        world.shelf.die_at(Some(call));
        let _ = world.rotate(&version(2)).await;
        world.shelf.die_at(None);
        assert!(world.both_get_in(&before).await, "killed before call {call}");
        for one in Step::ROTATION {
            world.step(one, &version(2)).await.unwrap();
        }
        assert!(world.both_get_in(&before).await, "killed before call {call} and ended");
        world.step(Step::Retire, &version(2)).await.unwrap();
        assert!(world.lets_in(&world.held()).await && !world.lets_in(&before).await);
        let iam = world.iam();
        assert_eq!((iam.keys.len(), iam.most), (1, 2));
    }
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
async fn a_server_that_is_down_and_one_that_is_another_are_named() {
    let world = World::new();
    world.shelf.begin(ARN, &version(2));
    world.step(Step::Create, &version(2)).await.unwrap();
    let wrong = trusting(&world.iam().smtp.wrong_ca_file);
    let error = refused(&rotation(&world.shelf, &world.iam, wrong), Step::Test).await;
    assert!(error.contains(" cannot be trusted ("), "{error}");
    let (host, port) = {
        let iam = world.iam();
        (iam.smtp.host.clone(), iam.smtp.port)
    };
    world.iam().smtp = crate::server::SmtpServer::start();
    let error = refused(&world.rotation, Step::Test).await;
    assert!(
        error.starts_with(&format!(
            "testSecret of secret {ARN}: no conversation with {host}:{port} ("
        )),
        "{error}"
    );
}

#[tokio::test]
async fn a_retirement_without_the_current_key_deletes_nothing() {
    let world = World::new();
    world.rotate(&version(2)).await.unwrap();
    world.iam().keys.retain(|key| key.id != "KEY2");
    assert_eq!(
        refused(&world.rotation, Step::Retire).await,
        format!(
            "retireSecret of secret {ARN}: the secret's current key KEY2 is none of IAM user {USER}'s active keys, so that \
             nothing was deleted; deploy the stack with another value of Reconcile, which makes one"
        )
    );
    let kept: Vec<_> = world.iam().keys.iter().map(|key| key.id.clone()).collect();
    assert_eq!(kept, ["KEY1"]);
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
        world.step(Step::Retire, &version(number)).await.unwrap();
        assert!(!world.lets_in(&before).await && world.lets_in(&world.held()).await);
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
    let task = Arc::new(RwLock::new(world.held()));
    let over = Arc::new(AtomicBool::new(false));
    let client = async {
        let (mut ticks, mut opened) = (interval(Duration::from_millis(20)), 0);
        while !over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let held = task.read().await.clone();
            assert!(world.lets_in(&held).await, "connection {opened} was refused");
            opened += 1;
        }
        opened
    };
    let rotations = async {
        for number in 2..12 {
            let (before, token) = (world.held(), version(number));
            world.rotate(&token).await.unwrap();
            sleep(Duration::from_millis(150)).await;
            // The rollout: from here on, no task holds the old one.
            *task.write().await = world.held();
            sleep(Duration::from_millis(150)).await;
            world.step(Step::Retire, &token).await.unwrap();
            assert!(!world.lets_in(&before).await, "the old key is retired");
        }
        over.store(true, Ordering::Relaxed);
    };
    let (opened, ()) = tokio::join!(client, rotations);
    assert!(opened > 50, "only {opened} connections were opened");
    println!("{opened} connections through 10 rotations");
}
