//! Passwords stand in no log, reason or attribute.

use custom_resource::testing::{Log, assert_absent, create, delete, update};
use serde_json::json;

use crate::user::{TYPE, drop_user};
use crate::world::{fresh, worlds};

const SENTINEL: &str = "s3nt1nel-'\\\"%-pässwörd";

#[tokio::test]
async fn no_password_stands_in_the_log_or_in_any_answer_whatever_happens() {
    for world in worlds() {
        let user = fresh("quiet");
        world.user_secret(&user, SENTINEL);
        let log = Log::capture();
        let mut answers = String::new();
        let properties = world.user("shop", &["SELECT"], &json!({"DeletionPolicy": "DropUser"}));
        let more = world.user("shop", &["SELECT", "INSERT"], &json!({"DeletionPolicy": "DropUser"}));
        let made = create(TYPE, properties.clone()).send(&world.runtime).await.response();
        world
            .run(&[format!("ALTER USER `{user}` IDENTIFIED BY 'another'")])
            .await;
        for scenario in [
            update(TYPE, made.physical_id(), more.clone(), properties.clone()),
            // Refused: a privilege that is none, a wrong administrator, a secret without a user's name.
            create(TYPE, world.user("shop", &["SUPER"], &json!({}))),
            create(
                TYPE,
                world.user("shop", &["SELECT"], &json!({"AdminSecretArn": world.secret_arn})),
            ),
            create(
                TYPE,
                world.user(
                    "no_such",
                    &["SELECT"],
                    &json!({"Grants": [{"Database": "no_such", "Table": "t", "Privileges": ["SELECT"]}]}),
                ),
            ),
            delete(TYPE, made.physical_id(), more),
        ] {
            answers += &scenario.send(&world.runtime).await.response().body().to_string();
        }
        let text = log.text();
        drop(log);
        assert!(
            text.contains("set the secret's password, which did not open it"),
            "the log is captured: {text}"
        );
        for secret in [SENTINEL, world.server.admin_password.as_str()] {
            assert_absent(secret, &text);
            assert_absent(secret, &answers);
        }
        drop_user(&world, &user).await;
    }
}
