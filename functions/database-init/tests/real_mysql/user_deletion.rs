//! `Custom::DatabaseUser`: what a Delete does, and what it leaves alone.

use std::time::{Duration, Instant};

use custom_resource::testing::{create, delete, update};
use database::Connection;
use serde_json::json;

use crate::user::{TYPE, drop_user};
use crate::world::{OTHER_STACK, fresh, worlds};

#[tokio::test]
async fn each_policy_does_what_it_says_and_a_second_delete_finds_nothing_to_do() {
    for world in worlds() {
        for (policy, exists, opens) in [
            ("Retain", true, true),
            ("LockUser", true, false),
            ("DropUser", false, false),
            ("DropAll", false, false),
        ] {
            let user = fresh("leaving");
            world.user_secret(&user, "pw");
            let more = json!({"DeletionPolicy": policy, "ConfirmDeletion": user});
            let properties = world.user("shop", &["SELECT"], &more);
            let made = create(TYPE, properties.clone()).send(&world.runtime).await.response();
            assert_eq!(made.reason(), "");
            // The secret may be gone before the user is: the mark tells which user is meant.
            world.secret(&world.secret_arn, &json!({}));
            let scenario = delete(TYPE, made.physical_id(), properties);
            for _ in 0..2 {
                assert_eq!(
                    scenario.send(&world.runtime).await.response().status(),
                    "SUCCESS",
                    "{policy}"
                );
                assert_eq!(!world.grants(&user).await.is_empty(), exists, "{policy}");
                assert_eq!(world.log_in(&user, "pw").await.is_ok(), opens, "{policy}");
            }
            drop_user(&world, &user).await;
        }
    }
}

#[tokio::test]
async fn an_adopted_user_is_only_released_with_its_own_rights() {
    for world in worlds() {
        let user = fresh("adopted");
        world.user_secret(&user, "pw");
        world
            .run(&[
                format!("CREATE USER `{user}` IDENTIFIED BY 'pw'"),
                format!("GRANT SELECT ON shop.* TO `{user}`"),
            ])
            .await;
        let before = world.grants(&user).await;
        let more = json!({"AdoptExisting": "true", "DeletionPolicy": "DropAll", "ConfirmDeletion": user});
        let properties = world.user("shop", &["SELECT", "INSERT"], &more);
        let adopted = create(TYPE, properties.clone()).send(&world.runtime).await.response();
        assert_eq!(adopted.reason(), "");
        assert_ne!(world.grants(&user).await, before);
        delete(TYPE, adopted.physical_id(), properties)
            .send(&world.runtime)
            .await;
        assert_eq!(world.grants(&user).await, before);
        world.log_in(&user, "pw").await.expect("it still logs in").close().await;
        drop_user(&world, &user).await;
    }
}

#[tokio::test]
async fn another_stack_s_delete_leaves_the_user() {
    for world in worlds() {
        let user = fresh("ours");
        world.user_secret(&user, "pw");
        let properties = world.user("shop", &["SELECT"], &json!({"DeletionPolicy": "DropUser"}));
        let made = create(TYPE, properties.clone()).send(&world.runtime).await.response();
        let theirs = delete(TYPE, made.physical_id(), properties).with("StackId", json!(OTHER_STACK));
        assert_eq!(theirs.send(&world.runtime).await.response().status(), "SUCCESS");
        world
            .log_in(&user, "pw")
            .await
            .expect("it is still there")
            .close()
            .await;
        drop_user(&world, &user).await;
    }
}

#[tokio::test]
async fn after_a_replacement_deleting_the_old_id_leaves_the_user_to_the_new_one() {
    for world in worlds() {
        let user = fresh("moving");
        world.user_secret(&user, "pw");
        let by_name = world.user("shop", &["SELECT"], &json!({"DeletionPolicy": "DropUser"}));
        // The same server by another name, as after a change of the endpoint's alias.
        let by_address = world.user(
            "shop",
            &["SELECT"],
            &json!({"DeletionPolicy": "DropUser", "Host": "127.0.0.1"}),
        );
        let made = create(TYPE, by_name.clone()).send(&world.runtime).await.response();
        let moved = update(TYPE, made.physical_id(), by_address, by_name.clone())
            .send(&world.runtime)
            .await
            .response();
        assert_ne!(moved.physical_id(), made.physical_id());
        delete(TYPE, made.physical_id(), by_name).send(&world.runtime).await;
        world
            .log_in(&user, "pw")
            .await
            .expect("the new resource's user")
            .close()
            .await;
        drop_user(&world, &user).await;
    }
}

#[tokio::test]
async fn a_delete_that_retains_does_not_even_look_for_the_server() {
    let world = worlds().remove(0);
    let nowhere = json!({"Host": "gone.invalid", "AdminSecretArn": "arn:none"});
    for scenario in [
        delete(
            TYPE,
            "mysql-user:gone.invalid:3306/arn:none@%",
            world.user("shop", &["SELECT"], &nowhere),
        ),
        delete(
            "Custom::Database",
            "mysql-schema:gone.invalid:3306/shop",
            world.schema("shop", &nowhere),
        ),
    ] {
        let response = scenario.send(&world.runtime).await.response();
        assert_eq!((response.status(), response.reason()), ("SUCCESS", ""));
    }
}

#[tokio::test]
async fn a_delete_beside_a_running_create_leaves_nothing_whichever_comes_first() {
    for world in worlds() {
        for _ in 0..6 {
            let user = fresh("beside");
            world.user_secret(&user, "pw");
            let properties = world.user("shop", &["SELECT"], &json!({"DeletionPolicy": "DropUser"}));
            let making = create(TYPE, properties.clone());
            let deleting = delete(TYPE, "shop-Thing-1ABCDEFGHIJKL", properties);
            let (made, deleted) = futures::join!(making.send(&world.runtime), deleting.send(&world.runtime));
            assert_eq!(deleted.response().status(), "SUCCESS");
            let reason = made.response().reason().to_owned();
            let overtaken = "the resource was deleted while it was being made, so nothing was made; create it again.";
            assert!(reason.is_empty() || reason == overtaken, "{reason}");
            assert_eq!(world.grants(&user).await, [""; 0], "made: {reason:?}");
        }
    }
}

/// Returns once somebody is in the queue for the server's lock who wants to wait for so many seconds, as LIKE has it.
async fn waits_for_the_lock(onlooker: &mut Connection, seconds: &str) {
    let query = format!(
        "SELECT ID FROM information_schema.PROCESSLIST WHERE STATE = 'User lock' AND INFO LIKE 'SELECT GET_LOCK(_database-init_, {seconds})'"
    );
    let until = Instant::now() + Duration::from_secs(30);
    while onlooker
        .rows::<u64>(&query, ())
        .await
        .expect("the processes")
        .is_empty()
    {
        assert!(Instant::now() < until, "nobody waits for {seconds} s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_create_that_a_delete_overtook_makes_nothing_and_a_later_one_is_not_disturbed() {
    for world in worlds() {
        let user = fresh("overtaken");
        world.user_secret(&user, "pw");
        let properties = world.user("shop", &["SELECT"], &json!({"DeletionPolicy": "DropUser"}));
        // Something holds the lock, so both wait; the Delete is let in first.
        let mut holder = world.connect().await;
        let _: Option<u8> = holder
            .first("SELECT GET_LOCK('database-init', 60)", ())
            .await
            .expect("the lock");
        // Their times tell them apart from whatever else waits: the server shows for how long each wants the lock.
        let (making, deleting) = (
            create(TYPE, properties.clone()).timeout(Duration::from_mins(13)),
            delete(TYPE, "shop-Thing-1ABCDEFGHIJKL", properties).timeout(Duration::from_mins(10)),
        );
        let overtaking = async {
            let deleted = deleting.send(&world.runtime);
            tokio::pin!(deleted);
            let waits = waits_for_the_lock(&mut holder, "5__");
            tokio::select! { _ = &mut deleted => panic!("the lock is held"), () = waits => {} }
            let made = making.send(&world.runtime);
            tokio::pin!(made);
            let waits = waits_for_the_lock(&mut holder, "7__");
            tokio::select! { _ = &mut made => panic!("the lock is held"), _ = &mut deleted => panic!("the lock is held"), () = waits => {} }
            holder.close().await;
            futures::join!(made, deleted)
        };
        let (made, deleted) = Box::pin(overtaking).await;
        assert_eq!(deleted.response().status(), "SUCCESS");
        assert_eq!(
            made.response().reason(),
            "the resource was deleted while it was being made, so nothing was made; create it again."
        );
        assert_eq!(making.send(&world.runtime).await.response().reason(), "");
        drop_user(&world, &user).await;
    }
}
