//! `Custom::DatabaseUser`: the rights that a template lists.

use custom_resource::testing::{create, update};
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::json;

use crate::user::{TYPE, drop_user, left_to_do};
use crate::world::{fresh, worlds};

#[tokio::test]
async fn an_update_takes_back_only_what_was_given_and_the_way_back_restores_it() {
    for world in worlds() {
        let (user, schema) = (fresh("reader"), fresh("shop"));
        world.user_secret(&user, "pw");
        world
            .run(&[
                format!("CREATE DATABASE `{schema}`"),
                format!("CREATE TABLE `{schema}`.t (a INT, b INT)"),
            ])
            .await;
        let a = world.user(&schema, &["SELECT", "INSERT"], &json!({}));
        let grants = json!([
            {"Database": schema, "Privileges": ["SELECT"]},
            {"Database": schema, "Table": "t", "Privileges": ["DELETE"]},
            {"Database": schema, "Table": "t", "Columns": ["a", "b"], "Privileges": ["UPDATE"]},
        ]);
        let b = world.user(&schema, &[], &json!({"Grants": grants}));
        let made = create(TYPE, a.clone()).send(&world.runtime).await.response();
        let first = world.grants(&user).await;
        let pattern = schema.replace('_', "\\_");
        world
            .run(&[format!("GRANT EXECUTE ON `{pattern}`.* TO `{user}`")])
            .await;

        let there = update(TYPE, made.physical_id(), b.clone(), a.clone())
            .send(&world.runtime)
            .await
            .response();
        assert_eq!((there.reason(), &there.body()["Data"]["GrantCount"]), ("", &json!("4")));
        let to = format!("TO `{user}`@`%`");
        assert_eq!(
            world.grants(&user).await,
            [
                format!("GRANT USAGE ON *.* {to}"),
                format!("GRANT SELECT, EXECUTE ON `{pattern}`.* {to}"),
                format!("GRANT UPDATE (`a`, `b`), DELETE ON `{schema}`.`t` {to}"),
            ]
        );
        let back = update(TYPE, made.physical_id(), a.clone(), b)
            .send(&world.runtime)
            .await
            .response();
        assert_eq!(back.reason(), "");
        world
            .run(&[format!("REVOKE EXECUTE ON `{pattern}`.* FROM `{user}`")])
            .await;
        assert_eq!(world.grants(&user).await, first);
        drop_user(&world, &user).await;
        world.run(&[format!("DROP DATABASE `{schema}`")]).await;
    }
}

#[tokio::test]
async fn a_privilege_that_mysql_does_not_give_at_its_level_is_refused_before_anything_is_changed() {
    for world in worlds() {
        let user = fresh("refused");
        world.user_secret(&user, "pw");
        let properties = world.user("shop", &["SELECT", "GRANT OPTION"], &json!({}));
        let response = create(TYPE, properties).send(&world.runtime).await.response();
        assert_eq!(
            (response.status(), response.reason()),
            (
                "FAILED",
                "Grants name the privilege `GRANT OPTION` for schema `shop`, which MySQL does not give there; it gives ALTER, \
                 ALTER ROUTINE, CREATE, CREATE ROUTINE, CREATE TEMPORARY TABLES, CREATE VIEW, DELETE, DROP, EVENT, EXECUTE, \
                 INDEX, INSERT, LOCK TABLES, REFERENCES, SELECT, SHOW VIEW, TRIGGER, UPDATE."
            )
        );
        assert_eq!(world.grants(&user).await, [""; 0], "the user was not made");
    }
}

const PRIVILEGES: [&str; 8] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "EXECUTE",
    "LOCK TABLES",
    "SHOW VIEW",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_is_listed_one_after_another_nothing_is_left_to_do(
        lists in prop::collection::vec(subsequence(PRIVILEGES.to_vec(), 1..=8), 1..4)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            for world in worlds() {
                let user = fresh("property");
                world.user_secret(&user, "pw");
                let mut last = None;
                for list in &lists {
                    let properties = world.user("my_shop", list, &json!({}));
                    let response = match last.take() {
                        None => create(TYPE, properties.clone()).send(&world.runtime).await.response(),
                        Some((id, old)) => update(TYPE, id, properties.clone(), old).send(&world.runtime).await.response(),
                    };
                    prop_assert_eq!(response.reason(), "");
                    let left = left_to_do(&world, &user, "pw", &properties, response.physical_id()).await;
                    prop_assert_eq!(left, Vec::<String>::new());
                    let id: &'static str = response.physical_id().to_owned().leak();
                    last = Some((id, properties));
                }
                drop_user(&world, &user).await;
            }
            Ok(())
        })?;
    }
}
