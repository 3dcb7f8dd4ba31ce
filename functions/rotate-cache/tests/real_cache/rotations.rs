//! Both passwords open the real cache from `setSecret` to the retirement, whatever lies between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use custom_resource::testing::{Log, assert_absent};
use rotate_cache::Cache;
use rotation::{Outcome, Step};
use serde_json::json;
use tokio::sync::RwLock;
use tokio::time::{interval, sleep};

use crate::world::{ARN, USER_ID, World, rotation, version, worlds};

/// The step's error with hardly any time to try again.
async fn refused(rotation: &rotation::Rotation<rotate_cache::CacheUser>, one: Step) -> String {
    let payload = json!({"Step": one.to_string(), "SecretId": ARN, "ClientRequestToken": version(2)});
    let deadline = SystemTime::now() + Duration::from_secs(13);
    rotation.handle(payload, deadline).await.unwrap_err().to_string()
}

#[tokio::test]
async fn both_passwords_work_until_the_retirement_and_every_step_may_come_again() {
    for world in worlds("twice") {
        let before = world.held();
        world.shelf.begin(ARN, &version(2));
        for one in Step::ROTATION {
            for _ in 0..2 {
                world.step(one, &version(2)).await.unwrap();
                assert!(world.both_get_in(&before).await, "{:?} after {one}", world.server);
            }
        }
        assert_eq!(world.user().changes, 1);
        let after = world.held();
        assert_ne!(after["password"], before["password"]);
        assert_eq!(world.step(Step::Retire, &version(2)).await.unwrap(), Outcome::Done);
        assert!(world.lets_in(&after).await && !world.lets_in(&before).await);
        assert_eq!(world.step(Step::Retire, &version(2)).await.unwrap(), Outcome::Nothing);
    }
}

#[tokio::test]
async fn a_rotation_that_is_killed_before_any_call_is_ended_by_the_next_attempt() {
    for world in worlds("killed") {
        for call in 0..13 {
            let (before, token) = (world.held(), version(call + 2));
            world.shelf.die_at(Some(call));
            let _ = world.rotate(&token).await;
            world.shelf.die_at(None);
            assert!(world.both_get_in(&before).await, "killed before call {call}");
            for one in Step::ROTATION {
                world.step(one, &token).await.unwrap();
            }
            assert!(world.both_get_in(&before).await, "killed before call {call} and ended");
            world.step(Step::Retire, &token).await.unwrap();
            assert!(world.lets_in(&world.held()).await && !world.lets_in(&before).await);
        }
    }
}

#[tokio::test]
async fn a_change_in_flight_is_waited_for_by_the_test_and_never_begun_twice() {
    for world in worlds("slow") {
        let before = world.held();
        world.user().is_slow = true;
        world.shelf.begin(ARN, &version(2));
        world.step(Step::Create, &version(2)).await.unwrap();
        for _ in 0..3 {
            assert_eq!(world.step(Step::Set, &version(2)).await.unwrap(), Outcome::Done);
        }
        assert_eq!(world.user().changes, 1);
        assert_eq!(
            refused(&world.rotation, Step::Test).await,
            format!(
                "testSecret of secret {ARN}: ElastiCache is still changing user {USER_ID}; it takes minutes, and Secrets Manager \
                 tries again by itself"
            )
        );
        assert_eq!(world.held(), before);
        let user = Arc::clone(&world.user);
        let change = async move {
            sleep(Duration::from_millis(700)).await;
            user.lock().unwrap().settle();
        };
        let token = version(2);
        let (tested, ()) = tokio::join!(world.step(Step::Test, &token), change);
        assert_eq!(tested.unwrap(), Outcome::Done);
        world.step(Step::Finish, &version(2)).await.unwrap();
        assert!(world.both_get_in(&before).await);
        for _ in 0..2 {
            assert_eq!(world.step(Step::Retire, &version(2)).await.unwrap(), Outcome::UnderWay);
            assert!(world.both_get_in(&before).await && !world.shelf.is_settled(ARN));
        }
        world.user().settle();
        assert_eq!(world.step(Step::Retire, &version(2)).await.unwrap(), Outcome::Done);
        assert!(world.lets_in(&world.held()).await && !world.lets_in(&before).await);
    }
}

#[tokio::test]
async fn a_second_rotation_and_one_given_up_leave_the_current_password_good() {
    for world in worlds("orphan") {
        let before = world.held();
        world.shelf.begin(ARN, &version(2));
        for one in [Step::Create, Step::Set] {
            world.step(one, &version(2)).await.unwrap();
        }
        world.shelf.remove_label(ARN, "AWSPENDING");
        world.rotate(&version(3)).await.unwrap();
        assert!(world.both_get_in(&before).await);
        let third = world.rotate(&version(4)).await.unwrap_err().to_string();
        assert!(
            third.contains(" is still good, because tasks may use it: a third one would end it."),
            "{third}"
        );
        assert!(world.both_get_in(&before).await);
    }
}

#[tokio::test]
async fn a_wrong_current_password_a_cache_that_is_down_and_one_that_is_another_are_named() {
    for world in worlds("stopped") {
        world.shelf.begin(ARN, &version(2));
        world.step(Step::Create, &version(2)).await.unwrap();
        let (host, port) = (world.server.host.as_str(), world.server.ports[0]);
        let authority = |file: &std::path::Path| tls_connection::Trust::from_file(file).unwrap();
        let down = rotation(
            &world.shelf,
            &world.user,
            Cache::new(host, 1, authority(&world.server.ca_file)),
        );
        let error = refused(&down, Step::Set).await;
        assert!(
            error.starts_with(&format!("setSecret of secret {ARN}: no conversation with {host}:1 (")),
            "{error}"
        );
        let other = Cache::new(host, port, authority(&world.server.wrong_ca_file));
        let error = refused(&rotation(&world.shelf, &world.user, other), Step::Set).await;
        assert!(
            error.starts_with(&format!("setSecret of secret {ARN}: {host}:{port} cannot be trusted (")),
            "{error}"
        );
        world.user().changing = Some(vec!["another".to_owned()]);
        world.user().settle();
        assert_eq!(
            refused(&world.rotation, Step::Set).await,
            format!(
                "setSecret of secret {ARN}: ElastiCache user {USER_ID} does not sign in with the secret's current password, so \
                 that there is nothing to keep; see that the user is on and has this password (aws elasticache modify-user \
                 --passwords), and rotate again"
            )
        );
        assert_eq!(world.user().changes, 0);
    }
}

#[tokio::test]
async fn neither_log_nor_error_shows_a_password() {
    for world in worlds("secrecy") {
        let log = Log::capture();
        let before = world.held();
        world.shelf.begin(ARN, &version(2));
        world.step(Step::Create, &version(2)).await.unwrap();
        let mut seen = refused(&world.rotation, Step::Test).await;
        for one in Step::ROTATION {
            world.step(one, &version(2)).await.unwrap();
        }
        world.step(Step::Retire, &version(2)).await.unwrap();
        seen += &log.text();
        assert!(seen.contains("changing the user's passwords"), "{seen}");
        for secret in [&before["password"], &world.held()["password"]] {
            assert_absent(secret.as_str().unwrap(), &seen);
        }
    }
}

#[tokio::test]
async fn fifty_connections_a_second_through_ten_rotations_with_rollouts_are_all_let_in() {
    for server in local_servers::caches() {
        let world = World::new(server, "load");
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
            for number in 0..10 {
                let (before, token) = (world.held(), version(number + 2));
                world.rotate(&token).await.unwrap();
                sleep(Duration::from_millis(100)).await;
                // The rollout: from here on, no task holds the old one.
                *task.write().await = world.held();
                sleep(Duration::from_millis(100)).await;
                world.step(Step::Retire, &token).await.unwrap();
                assert!(!world.lets_in(&before).await, "the old password is retired");
            }
            over.store(true, Ordering::Relaxed);
        };
        let (opened, ()) = tokio::join!(client, rotations);
        assert!(opened > 50, "only {opened} connections were opened");
        println!("{:?}: {opened} connections through 10 rotations", world.server);
    }
}
