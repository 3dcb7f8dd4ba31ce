//! How long is waited, across invocations, and what then.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use custom_resource::testing::{create, delete};
use recorded_calls::Refusal;
use serde_json::json;

use crate::ecs::lock;
use crate::stand_in::Play;
use crate::world::{ID, TYPE, World, arn, attributes, with, worlds};

/// A Create that waits so many seconds.
fn patient(world: &World, seconds: &str) -> custom_resource::testing::Scenario {
    create(TYPE, with(world.properties(), "WaitSeconds", seconds))
}

#[tokio::test]
async fn a_task_that_never_ends_is_left_alone_and_the_reason_has_the_command_that_waits_for_it() {
    for world in worlds().await {
        world.play(Play::Never);
        lock(&world.place.ecs).say(&arn(1), &["ALTER TABLE email_stats"]);
        assert_eq!(
            world.fails(&patient(&world, "1")).await,
            format!(
                "schema `SCHEMA` at SERVER is still at work in task {task} after 1 s. It was left alone and goes on: wait for its \
                 end with aws ecs wait tasks-stopped --cluster shop-prod --tasks {task}, once more when that gives up, then update \
                 the stack again. The task's log ends: ALTER TABLE email_stats.",
                task = arn(1)
            )
        );
        assert!(!lock(&world.place.ecs).tasks[0].stopped);
        assert_eq!(lock(&world.place.ecs).count("ecs:StopTask"), 0);
        world.end().await;
    }
}

#[tokio::test]
async fn the_update_after_it_waits_for_that_task_and_only_then_starts_its_own() {
    for world in worlds().await {
        world.installed().await;
        world.play(Play::Never);
        let update = world.upgrade();
        // Less than what a look may take: nothing but the first steps fits.
        let _ = world.send(&update.clone().timeout(Duration::from_secs(20))).await;
        assert_eq!(world.started(), ["release migrate"]);
        let ecs = std::sync::Arc::clone(&world.place.ecs);
        world.play(Play::Well);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(600)).await;
            assert_eq!(lock(&ecs).tasks.len(), 1, "no second task beside the first");
            lock(&ecs).end(&arn(1), Some(0), "Essential container in task exited");
        });
        let response = world.succeeds(&update.with("RequestId", json!("another-event"))).await;
        assert_eq!(response.attribute("TaskArn"), arn(2));
        world.end().await;
    }
}

#[tokio::test]
async fn a_task_that_somebody_started_by_hand_is_waited_for_too_and_named_when_it_does_not_end() {
    for world in worlds().await {
        let command = vec!["release".to_owned(), "migrate".to_owned()];
        let by_hand = lock(&world.place.ecs).add("", command);
        let reason = world.fails(&patient(&world, "1")).await;
        assert!(
            reason.starts_with(&format!(
                "schema `SCHEMA` at SERVER is still at work in task {by_hand} after 1 s."
            )),
            "{reason}"
        );
        assert_eq!(lock(&world.place.ecs).count("ecs:RunTask"), 0);
        world.end().await;
    }
}

#[tokio::test]
async fn a_wait_that_outlasts_the_invocation_goes_on_in_the_next_one_with_the_same_task() {
    for world in worlds().await {
        world.play(Play::Never);
        // Less than what a look may take: nothing but the first steps fits.
        let creation = world.creation().timeout(Duration::from_secs(20));
        let first = world.send(&creation).await;
        let continuation = first.continuation()["Continuation"].clone();
        assert_eq!(continuation["state"]["started"], arn(1));
        let second = world.send(&creation.clone().continued(1, &continuation["state"])).await;
        assert_eq!(second.continuation()["Continuation"]["count"], json!(2));
        assert_eq!(second.continuation()["Continuation"]["state"], continuation["state"]);
        let (mut connection, schema) = (world.place.connect().await, world.place.schema.as_str());
        crate::stand_in::install(&mut connection, schema, ("admin", crate::world::ADMINISTRATOR_PASSWORD)).await;
        let release = creation.event("")["RequestId"].as_str().unwrap().to_owned();
        crate::stand_in::record(&mut connection, schema, &release, "install", "7.2.1").await;
        connection.close().await;
        lock(&world.place.ecs).end(&arn(1), Some(0), "Essential container in task exited");
        let third = world.succeeds(&creation.continued(2, &continuation["state"])).await;
        assert_eq!(attributes(&third)[3..], ["install", &arn(1)]);
        assert_eq!(world.started().len(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn the_time_counts_from_the_first_delivery() {
    for world in worlds().await {
        world.play(Play::Never);
        let creation = world.creation().timeout(Duration::from_secs(20));
        let first = world.send(&creation).await;
        let mut state = first.continuation()["Continuation"]["state"].clone();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        assert!(
            state["began"]
                .as_u64()
                .is_some_and(|began| (now - 5..=now).contains(&began)),
            "{state}"
        );
        state["began"] = json!(now - 31);
        let reason = world.fails(&creation.continued(1, &state)).await;
        assert!(
            reason.starts_with(&format!(
                "schema `SCHEMA` at SERVER is still at work in task {} after 30 s.",
                arn(1)
            )),
            "{reason}"
        );
        world.end().await;
    }
}

#[tokio::test]
async fn when_the_time_is_over_nothing_is_started_any_more() {
    for world in worlds().await {
        let late = json!({"began": 0, "started": null});
        assert_eq!(
            world.fails(&world.creation().continued(1, &late)).await,
            "schema `SCHEMA` at SERVER was not touched, since the 30 s of waiting were over before its turn came; update the stack \
             again."
        );
        assert!(world.started().is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_tried_again_until_the_time_is_over() {
    for world in worlds().await {
        let mut closed = with(world.properties(), "Port", "1");
        closed["WaitSeconds"] = json!("1");
        let reason = world.fails(&create(TYPE, closed)).await;
        let host = &world.place.server.host;
        assert!(
            reason.starts_with(&format!(
                "schema `SCHEMA` at {host}:1 cannot be looked into: no connection to {host}:1 ("
            )),
            "{reason}"
        );
        assert!(
            lock(&world.place.ecs).count("ecs:ListTasks") > 2,
            "it was tried more than once"
        );
        world.end().await;
    }
}

#[tokio::test]
async fn a_password_that_does_not_fit_is_not_tried_again() {
    for world in worlds().await {
        world.secret(
            crate::world::DATABASE_SECRET,
            &json!({"username": world.place.schema, "password": "another"}),
        );
        let reason = world.fails(&world.creation()).await;
        assert!(
            reason
                .starts_with("schema `SCHEMA` at SERVER cannot be looked into: SERVER does not let user `SCHEMA` in ("),
            "{reason}"
        );
        assert_eq!(lock(&world.place.ecs).count("ecs:ListTasks"), 2, "one look");
        world.end().await;
    }
}

#[tokio::test]
async fn an_answer_that_ecs_owes_does_not_end_the_wait() {
    for world in worlds().await {
        let owed = Refusal("ServerException", "Service Unavailable".into());
        lock(&world.place.ecs).refused = Some(("ecs:DescribeTasks", 2, owed));
        assert_eq!(world.succeeds(&world.creation()).await.attribute("Action"), "install");
        let owed = Refusal("ServerException", "Service Unavailable".into());
        lock(&world.place.ecs).refused = Some(("ecs:ListTasks", 99, owed));
        let update = world.upgrade().with("RequestId", json!("another-event"));
        let properties = with(world.properties(), "WaitSeconds", "1");
        let reason = world.fails(&update.with("ResourceProperties", properties)).await;
        assert_eq!(
            reason,
            "ecs:ListTasks for cluster shop-prod failed: ServerException: Service Unavailable; correct what it names, or try again."
        );
        world.end().await;
    }
}

#[tokio::test]
async fn a_delete_lets_a_task_of_the_function_come_to_its_end() {
    for world in worlds().await {
        world.play(Play::Never);
        let _ = world.fails(&patient(&world, "1")).await;
        let ecs = std::sync::Arc::clone(&world.place.ecs);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            lock(&ecs).end(&arn(1), Some(0), "Essential container in task exited");
        });
        world.succeeds(&delete(TYPE, ID, world.properties())).await;
        assert!(lock(&world.place.ecs).tasks[0].stopped, "it was waited");
        // It does not wait for ever, and not for what a person has started.
        lock(&world.place.ecs).add("mautic-release/older", Vec::new());
        world
            .succeeds(&delete(TYPE, ID, world.properties()).timeout(Duration::from_secs(24)))
            .await;
        lock(&world.place.ecs).end(&arn(2), None, "");
        lock(&world.place.ecs).add("somebody", Vec::new());
        let before = lock(&world.place.ecs).count("ecs:ListTasks");
        world.succeeds(&delete(TYPE, ID, world.properties())).await;
        assert_eq!(lock(&world.place.ecs).count("ecs:ListTasks"), before + 2);
        assert_eq!(lock(&world.place.ecs).count("ecs:StopTask"), 0);
        world.end().await;
    }
}

#[tokio::test]
async fn a_delete_succeeds_where_ecs_says_nothing() {
    for world in worlds().await {
        let gone = Refusal("ClusterNotFoundException", "Cluster not found.".into());
        lock(&world.place.ecs).refused = Some(("ecs:ListTasks", 9, gone));
        world.succeeds(&delete(TYPE, ID, world.properties())).await;
        world.end().await;
    }
}
