//! Both passwords open the real cache from `setSecret` to the retirement, whatever lies between.

use std::sync::Arc;
use std::time::Duration;

use custom_resource::testing::{Log, assert_absent};
use rotation::testing::{ARN, Scene, refused, version};
use rotation::{Outcome, Step};
use tokio::time::sleep;

use crate::world::{USER_ID, World, worlds};

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
            world.rotate_killed_before(call, &token).await;
            world.retire(&before, &token).await;
        }
    }
}

#[tokio::test]
async fn a_rotation_that_is_killed_wherever_it_waits_is_ended_by_the_next_attempt() {
    for world in worlds("killed-amid") {
        let places = world.rotate_killed_everywhere().await;
        println!("{:?}: killed at each of {places} places", world.server);
        assert!(places > 15, "only {places} places");
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
async fn a_node_that_lets_the_user_in_is_no_proof_while_elasticache_is_still_at_the_others() {
    for world in worlds("partial") {
        let before = world.held();
        world.user().is_slow = true;
        world.shelf.begin(ARN, &version(2));
        for one in [Step::Create, Step::Set] {
            world.step(one, &version(2)).await.unwrap();
        }
        let pending = world.shelf.content(ARN, "AWSPENDING").unwrap();
        let asked = world.server.ports[0];
        world.user().reach(&[asked]);
        assert!(world.opens(asked, &pending).await, "{:?}", world.server);
        assert_eq!(world.lets_in(&pending).await, world.server.ports.len() == 1);
        assert_eq!(
            refused(&world.rotation, Step::Test).await,
            format!(
                "testSecret of secret {ARN}: ElastiCache is still changing user {USER_ID}; it takes minutes, and Secrets Manager \
                 tries again by itself"
            )
        );
        assert!(world.both_get_in(&before).await);
        world.user().settle();
        for one in [Step::Test, Step::Finish] {
            assert_eq!(world.step(one, &version(2)).await.unwrap(), Outcome::Done);
        }
        assert!(world.both_get_in(&before).await);
    }
}

#[tokio::test]
async fn eight_deliveries_of_each_step_at_once_do_what_one_does() {
    for world in worlds("eightfold") {
        let before = world.held();
        world.user().is_slow = true;
        world.shelf.begin(ARN, &version(2));
        for one in Step::ROTATION {
            world.deliver_eightfold(one, &version(2)).await;
            world.user().settle();
            assert!(world.both_get_in(&before).await, "{one}");
        }
        assert_eq!(
            world.user().changes,
            1,
            "one began the change, the others found it in flight"
        );
        let outcomes = world.deliver_eightfold(Step::Retire, &version(2)).await;
        assert_eq!(outcomes, [Outcome::UnderWay; 8]);
        assert!(world.both_get_in(&before).await && !world.shelf.is_settled(ARN));
        world.user().settle();
        world.deliver_eightfold(Step::Retire, &version(2)).await;
        assert_eq!((world.user().changes, world.shelf.is_settled(ARN)), (2, true));
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
        let opened = world.rotate_under_load(10).await;
        println!("{:?}: {opened} connections through 10 rotations", world.server);
    }
}
