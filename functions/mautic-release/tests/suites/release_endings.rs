//! What is made of each way that a task ends.

use std::time::Duration;

use custom_resource::testing::create;
use recorded_calls::Refusal;

use crate::ecs::lock;
use crate::stand_in::Play;
use crate::world::{DATABASE_SECRET, TYPE, World, arn, installed_words, with, worlds};

const FROM_THERE: &str = "correct what the task's log shows, and update the stack again: it goes on from there";
const NOTHING_MADE: &str = "nothing was made: correct what the task's log shows, and update the stack again";

async fn fails_to_migrate(world: &World, play: Play) -> String {
    world.installed().await;
    world.play(play);
    world.fails(&world.upgrade()).await
}

#[tokio::test]
async fn an_exit_code_of_0_without_a_record_is_a_failure() {
    for world in worlds().await {
        world.play(Play::Lies);
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "schema `SCHEMA` at SERVER was not installed: task {} ended with exit code 0, but left no record of its end in the \
                 table aws_releases (Essential container in task exited). The schema now holds no tables; {NOTHING_MADE}. The \
                 task's log ends: release install | Install canceled.",
                arn(1)
            )
        );
        world.end().await;
    }
}

#[tokio::test]
async fn so_it_is_for_a_migration() {
    for world in worlds().await {
        let reason = fails_to_migrate(&world, Play::Lies).await;
        assert_eq!(
            reason,
            format!(
                "schema `SCHEMA` at SERVER was not migrated: task {} ended with exit code 0, but left no record of its end in the \
                 table aws_releases (Essential container in task exited). The schema now holds {}; {FROM_THERE}. The task's log \
                 ends: release migrate | Install canceled.",
                arn(1),
                installed_words()
            )
        );
        world.end().await;
    }
}

#[tokio::test]
async fn tables_without_the_record_are_no_success_either() {
    for world in worlds().await {
        world.play(Play::Unrecorded);
        let reason = world.fails(&world.creation()).await;
        assert!(reason.contains("left no record of its end"), "{reason}");
        // Whatever that was, the next event goes on from what is there.
        world.play(Play::Well);
        assert_eq!(world.succeeds(&again(&world)).await.attribute("Action"), "migrate");
        world.end().await;
    }
}

/// Another event of the same kind.
fn again(world: &World) -> custom_resource::testing::Scenario {
    world.upgrade().with("RequestId", serde_json::json!("another-event"))
}

#[tokio::test]
async fn another_exit_code_is_a_failure_even_with_the_record() {
    for world in worlds().await {
        let reason = fails_to_migrate(&world, Play::EndsWith(1)).await;
        let newer = installed_words().replace(crate::stand_in::FIRST, crate::stand_in::NEWER);
        assert_eq!(
            reason,
            format!(
                "schema `SCHEMA` at SERVER was not migrated: task {} ended with exit code 1 (Essential container in task exited). \
                 The schema now holds {newer}; {FROM_THERE}. The task's log ends: release migrate | An exception occurred.",
                arn(1)
            )
        );
        world.end().await;
    }
}

#[tokio::test]
async fn an_installation_that_was_killed_tells_how_to_start_anew() {
    for world in worlds().await {
        world.play(Play::KilledHalfway);
        let reason = world.fails(&world.creation()).await;
        assert_eq!(
            reason,
            format!(
                "schema `SCHEMA` at SERVER was not installed: task {} ended with exit code 137 (Essential container in task \
                 exited). The schema now holds half a Mautic, without users and fields of contacts, from an installation that did \
                 not reach its end; nothing of it was dropped: look whether anything of worth was brought into it \
                 (docs/operations.md, Releases). If not, start anew: run the task with the command release reinstall, which \
                 removes it and installs again, then update the stack. The task's log ends: release install | Creating database tables.",
                arn(1)
            )
        );
        world.play(Play::Well);
        let before = world.tables().await;
        let next = world.fails(&again(&world)).await;
        assert!(
            next.starts_with("schema `SCHEMA` at SERVER holds half a Mautic"),
            "{next}"
        );
        assert_eq!((world.started().len(), world.tables().await), (1, before));
        world.end().await;
    }
}

#[tokio::test]
async fn a_task_that_never_started_shows_ecs_s_own_reason() {
    for world in worlds().await {
        world.play(Play::NotStarted("CannotPullContainerError: image not found"));
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "schema `SCHEMA` at SERVER was not installed: task {} ended before its container ran (CannotPullContainerError: \
                 image not found). The schema now holds no tables; {NOTHING_MADE}.",
                arn(1)
            )
        );
        world.end().await;
    }
}

#[tokio::test]
async fn the_container_s_reason_stands_beside_the_task_s() {
    for world in worlds().await {
        world.play(Play::Never);
        let killed = std::sync::Arc::clone(&world.place.ecs);
        tokio::spawn(async move {
            while lock(&killed).tasks.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let mut ecs = lock(&killed);
            ecs.task(&arn(1), |task| {
                "OutOfMemoryError: Container killed due to memory usage".clone_into(&mut task.container_reason);
            });
            ecs.end(&arn(1), Some(137), "Essential container in task exited");
            ecs.say(&arn(1), &["Allowed memory size exhausted"]);
        });
        let reason = world.fails(&world.creation()).await;
        let both = "ended with exit code 137 (Essential container in task exited; OutOfMemoryError: Container killed due to \
                    memory usage).";
        assert!(reason.contains(both), "{reason}");
        world.end().await;
    }
}

#[tokio::test]
async fn an_administrator_with_another_password_is_found() {
    for world in worlds().await {
        world.play(Play::OtherPassword);
        let advice = "the task must be given this secret's ADMIN_USERNAME and ADMIN_PASSWORD, and the secret must not change \
                      meanwhile. Ask for a new password at the site's login page, and update the stack again: what is installed \
                      stays.";
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Administrator-GhIjKl";
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "schema `SCHEMA` was installed, but the administrator `admin` of secret {secret} has another password there: {advice}"
            )
        );
        world.secret(
            crate::world::ADMINISTRATOR_SECRET,
            &serde_json::json!({"username": "root", "password": crate::world::ADMINISTRATOR_PASSWORD}),
        );
        // The same event once more: its task is not started again, and judged anew.
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "schema `SCHEMA` was installed, but the administrator `root` of secret {secret} is not among Mautic's users: {advice}"
            )
        );
        assert_eq!(world.started().len(), 1);
        world.end().await;
    }
}

#[tokio::test]
async fn where_ecs_has_no_room_it_is_asked_again_with_the_same_token() {
    for world in worlds().await {
        lock(&world.place.ecs).no_place = vec![("Capacity is unavailable at this time. Please try again later", ""); 2];
        assert_eq!(world.succeeds(&world.creation()).await.attribute("Action"), "install");
        assert_eq!(lock(&world.place.ecs).count("ecs:RunTask"), 3);
        world.end().await;
    }
}

#[tokio::test]
async fn where_room_never_comes_the_wait_ends_with_ecs_s_reason() {
    for world in worlds().await {
        lock(&world.place.ecs).no_place = vec![("RESOURCE:FARGATE", "no subnet has an address"); 99];
        let short = create(TYPE, with(world.properties(), "WaitSeconds", "2"));
        assert_eq!(
            world.fails(&short).await,
            format!(
                "ECS started no task of {} in cluster shop-prod: RESOURCE:FARGATE: no subnet has an address; nothing was changed: \
                 correct what it names, or wait until there is room, and update the stack again.",
                crate::world::DEFINITION
            )
        );
        assert!(world.started().is_empty() && world.tables().await.is_empty());
        world.end().await;
    }
}

#[tokio::test]
async fn what_ecs_refuses_for_good_fails_at_once() {
    for world in worlds().await {
        lock(&world.place.ecs).no_place = vec![("MISSING", "")];
        let reason = world.fails(&world.creation()).await;
        assert!(reason.starts_with("ECS started no task of arn:aws:ecs:"), "{reason}");
        let refusal = Refusal("InvalidParameterException", "No Container Instances were found.".into());
        lock(&world.place.ecs).refused = Some(("ecs:RunTask", 1, refusal));
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "ecs:RunTask for task definition {} failed: InvalidParameterException: No Container Instances were found; correct \
                 what it names, or try again.",
                crate::world::DEFINITION
            )
        );
        world.end().await;
    }
}

#[tokio::test]
async fn a_denial_names_the_roles_that_must_be_passed_and_is_patient_while_they_are_new() {
    for world in worlds().await {
        let denial = || {
            Refusal(
                "AccessDeniedException",
                "not authorized to perform: iam:PassRole".into(),
            )
        };
        lock(&world.place.ecs).refused = Some(("ecs:RunTask", 1, denial()));
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "ecs:RunTask for task definition {} failed: AccessDeniedException: not authorized to perform: iam:PassRole; allow \
                 ecs:RunTask on it to the function's role, and iam:PassRole on the task's two roles.",
                crate::world::DEFINITION
            )
        );
        for refusal in [
            denial(),
            Refusal(
                "InvalidParameterException",
                "Unable to assume the service linked role".into(),
            ),
        ] {
            lock(&world.place.ecs).refused = Some(("ecs:RunTask", 2, refusal));
            let patient = again(&world).propagation(Duration::from_secs(20));
            world.succeeds(&patient).await;
        }
        world.end().await;
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_yet_is_waited_for() {
    for world in worlds().await {
        let denial = Refusal("AccessDeniedException", "not authorized".into());
        lock(&world.place.ecs).refused = Some(("secretsmanager:GetSecretValue", 1, denial));
        assert_eq!(
            world.fails(&world.creation()).await,
            format!(
                "schema `SCHEMA` at SERVER cannot be looked into: secret {DATABASE_SECRET} cannot be read (AccessDeniedException: \
                 not authorized); check that it exists, and that the function's role may call secretsmanager:GetSecretValue on it \
                 and kms:Decrypt on its key."
            )
        );
        let denial = Refusal("AccessDeniedException", "not authorized".into());
        lock(&world.place.ecs).refused = Some(("secretsmanager:GetSecretValue", 2, denial));
        world
            .succeeds(&world.creation().propagation(Duration::from_secs(20)))
            .await;
        world.end().await;
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_read_leaves_the_reason_whole() {
    for world in worlds().await {
        world.play(Play::EndsWith(2));
        let denial = Refusal("AccessDeniedException", "not authorized".into());
        lock(&world.place.ecs).refused = Some(("logs:GetLogEvents", 9, denial));
        let reason = world.fails(&world.creation()).await;
        assert!(
            reason.contains("ended with exit code 2 (") && !reason.contains("log ends"),
            "{reason}"
        );
        world.end().await;
    }
}
