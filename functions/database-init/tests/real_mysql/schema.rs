//! `Custom::Database`.

use std::time::Duration;

use custom_resource::Owner;
use custom_resource::testing::{LOGICAL_ID, STACK_ID, create, delete, update};
use database::{Name, NameKind};
use database_init::schema::{Desired, apply, observe, plan};
use futures::future::join_all;
use serde_json::json;

use crate::world::{ADMIN_SECRET, OTHER_STACK, World, fresh, worlds};

const TYPE: &str = "Custom::Database";

async fn drop_schema(world: &World, name: &str) {
    world.run(&[format!("DROP DATABASE IF EXISTS `{name}`")]).await;
}

#[tokio::test]
async fn a_schema_is_made_for_all_of_unicode_and_making_it_again_changes_nothing() {
    for world in worlds() {
        let name = fresh("shop");
        let scenario = create(TYPE, world.schema(&name, &json!({})));
        let response = scenario.send(&world.runtime).await.response();
        assert_eq!(response.reason(), "", "{:?}", world.server);
        let (host, port) = (&world.server.host, world.server.port);
        assert_eq!(response.physical_id(), format!("mysql-schema:{host}:{port}/{name}"));
        assert_eq!(response.attribute("Name"), name);
        assert_eq!(response.attribute("CharacterSet"), "utf8mb4");
        assert_eq!(response.attribute("Collation"), "utf8mb4_unicode_ci");
        assert_eq!(world.schemas(&name).await, [name.as_str()]);
        assert!(response.attribute("ServerVersion").starts_with(&world.server.version));
        assert_eq!(scenario.send(&world.runtime).await.response(), response);
        drop_schema(&world, &name).await;
    }
}

#[tokio::test]
async fn a_schema_that_was_there_before_is_refused_or_adopted_and_then_never_dropped() {
    for world in worlds() {
        let name = fresh("found");
        world
            .run(&[
                format!("CREATE DATABASE `{name}` CHARACTER SET latin1"),
                format!("CREATE TABLE `{name}`.t (a INT)"),
            ])
            .await;
        let refused = create(TYPE, world.schema(&name, &json!({})))
            .send(&world.runtime)
            .await
            .response();
        assert_eq!(
            refused.reason(),
            format!(
                "the schema `{name}` on localhost:{} exists already and was not made by this stack; set AdoptExisting to true \
                 to take it over, or choose another name.",
                world.server.port
            )
        );
        let more = json!({"AdoptExisting": "true", "DeletionPolicy": "DropAll", "ConfirmDeletion": name});
        let properties = world.schema(&name, &more);
        let adopted = create(TYPE, properties.clone()).send(&world.runtime).await.response();
        assert_eq!(adopted.reason(), "");
        let character_set =
            format!("SELECT DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{name}'");
        assert_eq!(world.column(&character_set).await, ["utf8mb4"]);
        let deleted = delete(TYPE, adopted.physical_id(), properties)
            .send(&world.runtime)
            .await
            .response();
        assert_eq!(deleted.reason(), "");
        assert_eq!(
            world.column(&format!("SHOW TABLES FROM `{name}`")).await,
            ["t"],
            "an adopted schema keeps its data"
        );
        drop_schema(&world, &name).await;
    }
}

#[tokio::test]
async fn another_stack_s_schema_is_refused_and_another_stack_s_delete_leaves_it() {
    for world in worlds() {
        let name = fresh("theirs");
        let properties = world.schema(&name, &json!({"DeletionPolicy": "DropAll", "ConfirmDeletion": name}));
        let made = create(TYPE, properties.clone()).send(&world.runtime).await.response();
        let other = create(TYPE, properties.clone()).with("StackId", json!(OTHER_STACK));
        assert_eq!(
            other.send(&world.runtime).await.response().reason(),
            format!(
                "the schema `{name}` on localhost:{} belongs to the resource {LOGICAL_ID} of stack {STACK_ID}; choose another \
                 name, or set AdoptExisting to true to take it away from there.",
                world.server.port
            )
        );
        let delete = delete(TYPE, made.physical_id(), properties);
        let theirs = delete
            .clone()
            .with("StackId", json!(OTHER_STACK))
            .send(&world.runtime)
            .await
            .response();
        assert_eq!(
            (theirs.status(), world.schemas(&name).await),
            ("SUCCESS", vec![name.clone()])
        );
        let ours = delete.send(&world.runtime).await.response();
        assert_eq!((ours.status(), world.schemas(&name).await), ("SUCCESS", vec![]));
        assert_eq!(delete_again(&world, &delete).await, "SUCCESS");
    }
}

async fn delete_again(world: &World, delete: &custom_resource::testing::Scenario) -> String {
    delete.send(&world.runtime).await.response().status().to_owned()
}

#[tokio::test]
async fn dropping_must_be_asked_for_twice() {
    for world in worlds() {
        let name = fresh("shop");
        let unconfirmed = world.schema(&name, &json!({"DeletionPolicy": "DropAll", "ConfirmDeletion": "shop"}));
        let refused = create(TYPE, unconfirmed.clone()).send(&world.runtime).await.response();
        assert_eq!(
            refused.reason(),
            format!(
                "DeletionPolicy DropAll destroys `{name}` when the resource is deleted; set ConfirmDeletion to `{name}`, or \
                 DeletionPolicy to Retain."
            )
        );
        assert_eq!(world.schemas(&name).await, [""; 0]);
        let made = create(TYPE, world.schema(&name, &json!({})))
            .send(&world.runtime)
            .await
            .response();
        for properties in [unconfirmed, world.schema(&name, &json!({})), json!({"Nonsense": true})] {
            let deleted = delete(TYPE, made.physical_id(), properties)
                .send(&world.runtime)
                .await
                .response();
            assert_eq!(
                (deleted.status(), world.schemas(&name).await),
                ("SUCCESS", vec![name.clone()])
            );
        }
        drop_schema(&world, &name).await;
    }
}

#[tokio::test]
async fn a_create_that_was_killed_after_any_statement_is_completed_by_the_next_delivery() {
    for world in worlds() {
        for done in 0..3 {
            let name = fresh("killed");
            let properties = world.schema(&name, &json!({}));
            let id = format!("mysql-schema:{}:{}/{name}", world.server.host, world.server.port);
            let desired = Desired {
                owner: Owner::new(STACK_ID, LOGICAL_ID),
                id,
                adopt: false,
            };
            let subject = Name::new(NameKind::Schema, &name).expect("a name");
            let mut connection = world.connect().await;
            let _: Option<u8> = connection
                .first("SELECT GET_LOCK('database-init', 60)", ())
                .await
                .expect("the lock");
            let observed = observe::observe(&mut connection, &subject).await.expect("a look");
            let changes = plan(&desired, &observed).expect("nothing is there");
            let begun = &changes[..done.min(changes.len())];
            apply::apply(&mut connection, &subject, begun)
                .await
                .expect("the first statements");
            connection.close().await;
            let response = create(TYPE, properties).send(&world.runtime).await.response();
            assert_eq!(response.reason(), "", "after {done} of {changes:?}");
            drop_schema(&world, &name).await;
        }
    }
}

#[tokio::test]
async fn a_secret_that_a_new_role_may_not_read_yet_is_read_a_moment_later() {
    let world = worlds().remove(0);
    let name = fresh("shop");
    let scenario = create(TYPE, world.schema(&name, &json!({})));
    world.deny(1);
    let at_once = scenario.send(&world.runtime).await.response();
    assert_eq!(
        at_once.reason(),
        format!(
            "secret {ADMIN_SECRET} cannot be read (AccessDeniedException: not authorized); check that it exists, and that \
             the function's role may call secretsmanager:GetSecretValue on it and kms:Decrypt on its key."
        )
    );
    world.deny(2);
    let patient = scenario.propagation(Duration::from_secs(20));
    assert_eq!(patient.send(&world.runtime).await.response().reason(), "");
    drop_schema(&world, &name).await;
}

#[tokio::test]
async fn many_deliveries_at_once_make_one_schema() {
    for world in worlds() {
        let name = fresh("many");
        let scenario = create(TYPE, world.schema(&name, &json!({})));
        let runs = join_all((0..8).map(|_| scenario.send(&world.runtime))).await;
        let reasons: Vec<_> = runs.iter().map(|run| run.response().reason().to_owned()).collect();
        assert_eq!(reasons, [""; 8]);
        assert_eq!(world.schemas(&name).await, [name.as_str()]);
        drop_schema(&world, &name).await;
    }
}

#[tokio::test]
async fn the_delete_of_a_create_that_was_never_answered_undoes_what_it_had_made() {
    for world in worlds() {
        let name = fresh("cancelled");
        let properties = world.schema(&name, &json!({"DeletionPolicy": "DropAll", "ConfirmDeletion": name}));
        create(TYPE, properties.clone()).send(&world.runtime).await;
        let deleted = delete(TYPE, "shop-Thing-1ABCDEFGHIJKL", properties)
            .send(&world.runtime)
            .await
            .response();
        assert_eq!((deleted.status(), world.schemas(&name).await), ("SUCCESS", vec![]));
    }
}

#[tokio::test]
async fn another_name_means_another_schema_and_the_way_back_finds_the_first_one() {
    for world in worlds() {
        let (a, b) = (fresh("a"), fresh("b"));
        let (pa, pb) = (world.schema(&a, &json!({})), world.schema(&b, &json!({})));
        let first = create(TYPE, pa.clone()).send(&world.runtime).await.response();
        world.run(&[format!("CREATE TABLE `{a}`.t (x INT)")]).await;
        let there = update(TYPE, first.physical_id(), pb.clone(), pa.clone())
            .send(&world.runtime)
            .await
            .response();
        assert_ne!(there.physical_id(), first.physical_id());
        let back = update(TYPE, there.physical_id(), pa, pb.clone())
            .send(&world.runtime)
            .await
            .response();
        assert_eq!((back.reason(), back.physical_id()), ("", first.physical_id()));
        delete(TYPE, there.physical_id(), pb).send(&world.runtime).await;
        assert_eq!(world.column(&format!("SHOW TABLES FROM `{a}`")).await, ["t"]);
        drop_schema(&world, &a).await;
        drop_schema(&world, &b).await;
    }
}

#[tokio::test]
async fn mysql_s_own_schemas_and_names_that_it_does_not_take_are_refused() {
    let world = worlds().remove(0);
    for (name, reason) in [
        (
            "MySQL",
            "`MySQL` is one of MySQL's own schemas, or this function's; choose another Name.".to_owned(),
        ),
        (
            &"x".repeat(65),
            format!(
                "`{}` is no schema name that MySQL takes: it has 65 characters, 64 are allowed; choose another one.",
                "x".repeat(65)
            ),
        ),
    ] {
        let response = create(TYPE, world.schema(name, &json!({})))
            .send(&world.runtime)
            .await
            .response();
        assert_eq!((response.status(), response.reason()), ("FAILED", reason.as_str()));
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_tried_until_the_time_is_nearly_up() {
    let world = worlds().remove(0);
    let properties = world.schema("shop", &json!({"Port": "1"}));
    let began = std::time::Instant::now();
    let scenario = create(TYPE, properties).timeout(Duration::from_secs(12));
    let response = scenario.send(&world.runtime).await.response();
    assert_eq!(
        response.reason(),
        "no connection to localhost:1 (Connection refused (os error 111)); check that the server runs, and that its security \
         group admits the function on this port."
    );
    assert!(
        began.elapsed() > Duration::from_secs(1),
        "given up after {:?}",
        began.elapsed()
    );
}
