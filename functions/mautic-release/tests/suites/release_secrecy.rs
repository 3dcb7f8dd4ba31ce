//! Passwords stand in no log, reason or attribute, not even where the task's own log shows them.

use custom_resource::testing::{Log, assert_absent, create};
use serde_json::json;

use crate::ecs::lock;
use crate::stand_in::Play;
use crate::world::{ADMINISTRATOR_PASSWORD, DATABASE_SECRET, TYPE, arn, with, worlds};

#[tokio::test]
async fn no_password_stands_in_the_log_or_in_any_answer_whatever_happens() {
    for world in worlds().await {
        let log = Log::capture();
        let mut answers = String::new();
        let password = world.place.password.clone();
        let lines = [
            format!("SQLSTATE[HY000] [1045] Access denied, using {password}"),
            format!("mysql://mautic:{ADMINISTRATOR_PASSWORD}@db:3306"),
            format!("admin_password={ADMINISTRATOR_PASSWORD}"),
        ];
        lock(&world.place.ecs).say(&arn(1), &lines.each_ref().map(String::as_str));
        world.play(Play::EndsWith(1));
        for scenario in [
            world.creation(),
            world.creation(),
            create(TYPE, with(world.properties(), "Schema", "no such schema")).with("RequestId", json!("third")),
            create(TYPE, with(world.properties(), "Port", "1"))
                .with("RequestId", json!("fourth"))
                .timeout(std::time::Duration::from_secs(20)),
        ] {
            let run = world.send(&scenario).await;
            answers.extend([format!("{:?}", run.puts), format!("{:?}", run.invocations)]);
        }
        world.play(Play::Well);
        answers += &world
            .succeeds(&world.upgrade().with("RequestId", json!("fifth")))
            .await
            .body()
            .to_string();
        // A password that does not open the database is none the less one.
        world.secret(
            DATABASE_SECRET,
            &json!({"username": world.place.schema, "password": ADMINISTRATOR_PASSWORD}),
        );
        answers += &world.fails(&world.upgrade().with("RequestId", json!("sixth"))).await;
        let text = log.text();
        drop(log);
        assert!(
            text.contains("start the task that is to install"),
            "the log is captured: {text}"
        );
        assert!(
            answers.contains("Access denied, using ***"),
            "the task's log is shown: {answers}"
        );
        for secret in [password.as_str(), ADMINISTRATOR_PASSWORD] {
            assert_absent(secret, &text);
            assert_absent(secret, &answers);
        }
        world.end().await;
    }
}
