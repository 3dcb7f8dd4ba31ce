//! Repeated, killed, doubled or given up: both passwords work until the retirement, one after it.

use rotation::testing::{ARN, Scene, V1, version};
use rotation::{Outcome, Step};
use serde_json::json;

use crate::world::{World, worlds};

#[tokio::test]
async fn both_passwords_work_from_set_secret_to_the_retirement_and_one_after_it() {
    for mut world in worlds().await {
        let before = world.held();
        world.shelf.begin(ARN, &version(2));
        for one in Step::ROTATION {
            for _ in 0..2 {
                world.step(one, &version(2)).await.unwrap();
                assert!(world.both_get_in(&before).await, "{} after {one}", world.server.version);
            }
        }
        let after = world.held();
        assert_eq!((&after["host"], &after["dbname"]), (&before["host"], &json!("shop")));
        assert_ne!(after["password"], before["password"]);
        assert_eq!(world.step(Step::Retire, &version(2)).await.unwrap(), Outcome::Done);
        assert!(world.lets_in(&after).await && !world.lets_in(&before).await);
        assert_eq!(world.step(Step::Retire, &version(2)).await.unwrap(), Outcome::Nothing);
        world.sql("DROP USER THEM").await;
    }
}

#[tokio::test]
async fn an_open_connection_outlives_rotation_and_retirement() {
    for mut world in worlds().await {
        let before = world.held();
        let text = |name: &str| before[name].as_str().unwrap().to_owned();
        let credentials = database::Credentials::new(&text("username"), text("password").into());
        let mut open = crate::world::connector(&world.server)
            .connect(&credentials)
            .await
            .unwrap();
        world.rotate(&version(2)).await.unwrap();
        world.step(Step::Retire, &version(2)).await.unwrap();
        assert_eq!(open.first::<i64>("SELECT 1", ()).await.unwrap(), Some(1));
        open.close().await;
        world.sql("DROP USER THEM").await;
    }
}

#[tokio::test]
async fn a_rotation_that_is_killed_before_any_call_is_ended_by_the_next_attempt() {
    for mut world in worlds().await.into_iter().take(3) {
        for call in 0..16 {
            let (before, token) = (world.held(), version(call + 2));
            let killed = world.rotate_killed_before(call, &token).await;
            world.shelf.die_at(Some(call % 4));
            let retired = world.step(Step::Retire, &token).await.is_err();
            world.shelf.die_at(None);
            assert!(
                world.lets_in(&world.held()).await && (killed || call > 12) && retired,
                "{call}"
            );
            world.retire(&before, &token).await;
        }
        world.sql("DROP USER THEM").await;
    }
}

#[tokio::test]
async fn a_rotation_that_is_killed_wherever_it_waits_is_ended_by_the_next_attempt() {
    for server in local_servers::mysql() {
        let mut world = World::new(&server, &server.admin_user).await;
        let places = world.rotate_killed_everywhere().await;
        println!("MySQL {}: killed at each of {places} places", server.version);
        assert!(places > 15, "only {places} places");
        world.sql("DROP USER THEM").await;
    }
}

#[tokio::test]
async fn eight_deliveries_of_each_step_at_once_do_what_one_does() {
    for mut world in worlds().await {
        let before = world.held();
        world.shelf.begin(ARN, &version(2));
        for one in Step::ROTATION {
            world.deliver_eightfold(one, &version(2)).await;
            assert!(world.both_get_in(&before).await, "{one}");
        }
        world.deliver_eightfold(Step::Retire, &version(2)).await;
        assert!(world.shelf.is_settled(ARN));
        assert!(world.lets_in(&world.held()).await && !world.lets_in(&before).await);
        world.sql("DROP USER THEM").await;
    }
}

#[tokio::test]
async fn two_users_of_one_server_are_rotated_at_once() {
    for server in local_servers::mysql() {
        let mut service = World::new(&server, &server.admin_user).await;
        let mut bounces = World::new(&server, &server.no_backslash_admin_user).await;
        for number in 2..6 {
            let (before, token) = ((service.held(), bounces.held()), version(number));
            let (one, other) = tokio::join!(service.rotate(&token), bounces.rotate(&token));
            one.and(other).unwrap();
            assert!(service.both_get_in(&before.0).await && bounces.both_get_in(&before.1).await);
            tokio::join!(service.retire(&before.0, &token), bounces.retire(&before.1, &token));
        }
        for world in [&mut service, &mut bounces] {
            world.sql("DROP USER THEM").await;
        }
    }
}

#[tokio::test]
async fn a_rotation_given_up_after_set_secret_does_not_end_the_current_password_in_the_next() {
    for mut world in worlds().await {
        let before = world.held();
        world.shelf.begin(ARN, &version(2));
        for one in [Step::Create, Step::Set] {
            world.step(one, &version(2)).await.unwrap();
        }
        let orphan = world.shelf.content(ARN, "AWSPENDING").unwrap();
        world.shelf.remove_label(ARN, "AWSPENDING");
        world.shelf.begin(ARN, &version(3));
        for one in Step::ROTATION {
            world.step(one, &version(3)).await.unwrap();
            assert!(world.both_get_in(&before).await, "{one}");
        }
        assert!(!world.lets_in(&orphan).await);
        world.sql("DROP USER THEM").await;
    }
}

#[tokio::test]
async fn a_password_that_was_changed_by_hand_with_an_overlap_is_retired_alike() {
    for mut world in worlds().await {
        let before = world.held();
        world
            .sql("ALTER USER THEM IDENTIFIED BY 'by-hand' RETAIN CURRENT PASSWORD")
            .await;
        let mut content = before.clone();
        content["password"] = json!("by-hand");
        world.shelf.write_by_hand(ARN, &version(2), &content);
        world.shelf.begin(ARN, &version(3));
        let error = world.step(Step::Create, &version(3)).await.unwrap_err().to_string();
        assert!(
            error.contains(&format!("the credential of its previous version {V1} is still good")),
            "{error}"
        );
        assert!(world.both_get_in(&before).await);
        world.step(Step::Retire, &version(2)).await.unwrap();
        assert!(world.lets_in(&content).await && !world.lets_in(&before).await);
        world.sql("DROP USER THEM").await;
    }
}
