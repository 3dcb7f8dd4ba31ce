//! Events that come twice, at once, or when somebody else has been there.

use custom_resource::testing::{create, delete};
use futures::future::join;

use crate::ecs::lock;
use crate::stand_in::Play;
use crate::world::{ID, TYPE, arn, worlds};

#[tokio::test]
async fn the_same_event_again_starts_no_second_task_and_has_the_same_answer() {
    for world in worlds().await {
        let first = world.succeeds(&world.creation()).await;
        assert_eq!(world.succeeds(&world.creation()).await, first);
        assert_eq!(world.started().len(), 1);
        // ECS forgets a task an hour after its end; the schema remembers the release.
        lock(&world.place.ecs).tasks.clear();
        let late = world.succeeds(&world.creation()).await;
        assert_eq!((late.attribute("Action"), late.attribute("TaskArn")), ("install", ""));
        assert!(world.started().is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn two_deliveries_at_once_start_one_task() {
    for world in worlds().await {
        let (creation, runtime) = (world.creation(), &world.runtime);
        let (one, two) = Box::pin(join(creation.send(runtime), creation.send(runtime))).await;
        assert_eq!(one.response().status(), "SUCCESS");
        assert_eq!(one.response(), two.response());
        assert_eq!(world.started(), ["release install"]);
        world.end().await;
    }
}

#[tokio::test]
async fn a_repeat_that_finds_the_first_one_s_tables_but_not_its_task_asks_ecs_by_the_token() {
    for world in worlds().await {
        // The task is at work already, and ECS neither lists nor describes it for a while.
        lock(&world.place.ecs).lag = 4;
        let first = world.succeeds(&world.creation()).await;
        assert_eq!(first.attribute("TaskArn"), arn(1));
        lock(&world.place.ecs).task(&arn(1), |task| task.unseen = 2);
        world
            .run(&[&format!("DELETE FROM {}.aws_releases", world.place.schema)])
            .await;
        // It would migrate now, under the token of the installation: a conflict that names the task.
        let reason = world.fails(&world.creation()).await;
        assert!(
            reason.starts_with(&format!(
                "schema `SCHEMA` at SERVER was not installed: task {} ended",
                arn(1)
            )),
            "{reason}"
        );
        assert_eq!(world.started(), ["release install"]);
        assert_eq!(lock(&world.place.ecs).count("ecs:RunTask"), 2);
        world.end().await;
    }
}

#[tokio::test]
async fn a_failed_event_that_is_delivered_again_fails_again_without_a_task() {
    for world in worlds().await {
        world.play(Play::EndsWith(3));
        world.installed().await;
        let reason = world.fails(&world.upgrade()).await;
        assert_eq!(world.fails(&world.upgrade()).await, reason);
        assert_eq!(world.started().len(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn a_create_whose_delete_came_first_stops_its_task_before_it_works() {
    for world in worlds().await {
        lock(&world.place.ecs).withdrawn = true;
        world.play(Play::Never);
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "the release was deleted before its task {} had begun, and that was stopped; create the stack again.",
                arn(1)
            )
        );
        let stopped = lock(&world.place.ecs).tasks[0].clone();
        assert_eq!(
            (stopped.stopped, stopped.stopped_reason.as_str()),
            (true, "the stack is being deleted")
        );
        assert!(world.tables().await.is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn an_update_does_not_ask_whether_it_is_wanted() {
    for world in worlds().await {
        world.installed().await;
        world.succeeds(&world.upgrade()).await;
        assert_eq!(lock(&world.place.ecs).count("cloudformation:DescribeStackResource"), 0);
        world.end().await;
    }
}

#[tokio::test]
async fn a_delete_beside_a_create_waits_for_its_task_and_leaves_the_schema() {
    for world in worlds().await {
        let creating = world.creation();
        let deleting = async {
            while lock(&world.place.ecs).tasks.is_empty() {
                tokio::task::yield_now().await;
            }
            delete(TYPE, ID, world.properties()).send(&world.runtime).await
        };
        let (created, deleted) = Box::pin(join(creating.send(&world.runtime), deleting)).await;
        assert_eq!(
            (created.response().status(), deleted.response().status()),
            ("SUCCESS", "SUCCESS")
        );
        assert!(lock(&world.place.ecs).tasks[0].stopped && !world.tables().await.is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn properties_that_cannot_be_used_start_nothing() {
    for world in worlds().await {
        for (name, value, problem) in [
            (
                "TaskDefinition",
                "shop-prod-release",
                "must be a task definition with its revision, FAMILY:REVISION or its ARN",
            ),
            ("WaitSeconds", "4000", "must be a number of seconds from 1 to 3540"),
            (
                "Subnets",
                "",
                "must be a list of ids, or ids separated by commas; give at least one",
            ),
        ] {
            let scenario = create(TYPE, crate::world::with(world.properties(), name, value));
            assert_eq!(
                world.fails(&scenario).await,
                format!("The property `{name}` {problem}; correct it in the template.")
            );
        }
        assert!(lock(&world.place.ecs).calls.is_empty());
        world.end().await;
    }
}
