//! Every way in which a build ends.

use std::time::Duration;

use recorded_calls::Refusal;
use serde_json::json;

use crate::account::{Play, digest, lock};
use crate::world::{World, change, creation, id, plain_tag, variables};

const LOG: &str = "Its log is stream 00000001 of log group shop-prod-BuildLogGroup";

#[tokio::test]
async fn a_failed_build_is_quoted_with_phase_status_and_the_end_of_its_log() {
    let play = Play::Ends(
        "FAILED",
        "BUILD",
        "COMMAND_EXECUTION_ERROR: Error while executing command: bash build.sh.",
    );
    let world = World::playing(play);
    let said = [
        "#9 ERROR: failed to solve",
        "password=s3nt1nel",
        "build: the lines above say why",
    ];
    lock(&world.account).say(&id(1), &said);
    assert_eq!(
        world.fails(&creation()).await,
        format!(
            "image TAG of repository shop-prod was not built: build {build} ended FAILED in phase BUILD \
             (COMMAND_EXECUTION_ERROR: Error while executing command: bash build.sh). {LOG}; correct what it names, or try \
             again when it was the network's or a registry's, then update the stack again. The log ends: #9 ERROR: failed to \
             solve | password=*** | build: the lines above say why.",
            build = id(1)
        )
    );
    assert_eq!(world.builds(), 1);
}

#[tokio::test]
async fn each_other_ending_has_its_own_remedy() {
    for (status, phase, words) in [
        (
            "FAULT",
            "PROVISIONING",
            "FAULT in phase PROVISIONING. {LOG}; that is AWS's own fault: update the stack again.",
        ),
        (
            "STOPPED",
            "BUILD",
            "STOPPED in phase BUILD. {LOG}; somebody stopped it: update the stack again when it may run to its end.",
        ),
        (
            "TIMED_OUT",
            "BUILD",
            "TIMED_OUT in phase BUILD. {LOG}; look there for what it waited for, then update the stack again.",
        ),
        (
            "SUCCEEDED",
            "",
            "SUCCEEDED, but the repository has no image of that tag. {LOG}; somebody took the image away meanwhile: update \
             the stack again.",
        ),
    ] {
        let world = World::playing(Play::Ends(status, phase, ""));
        let reason = world.fails(&creation()).await;
        let expected = format!(
            "image TAG of repository shop-prod was not built: build {} ended {words}",
            id(1)
        );
        assert_eq!(reason, expected.replace("{LOG}", LOG));
    }
}

#[tokio::test]
async fn a_build_whose_push_was_refused_because_the_image_is_there_has_done_no_harm() {
    let world = World::playing(Play::PushRefused);
    let response = world.succeeds(&creation()).await;
    assert_eq!(response.attribute("Digest"), digest(&plain_tag()));
}

#[tokio::test]
async fn a_failed_build_does_not_keep_the_next_event_from_trying_again() {
    let world = World::playing(Play::Ends("FAILED", "BUILD", ""));
    world.fails(&creation()).await;
    lock(&world.account).play = Play::Well;
    world
        .succeeds(&change().with("RequestId", json!("another-event")))
        .await;
    assert_eq!(world.builds(), 2);
}

#[tokio::test]
async fn a_build_of_the_same_tag_that_runs_is_waited_for() {
    let world = World::new();
    let other = lock(&world.account).add(variables("an-earlier-event"));
    let account = std::sync::Arc::clone(&world.account);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(600)).await;
        lock(&account).succeed(&other);
    });
    world.succeeds(&creation()).await;
    assert_eq!(
        (world.builds(), lock(&world.account).count("codebuild:StartBuild")),
        (1, 0)
    );
}

#[tokio::test]
async fn when_that_one_fails_this_event_starts_its_own() {
    let world = World::new();
    let other = lock(&world.account).add(variables("an-earlier-event"));
    let account = std::sync::Arc::clone(&world.account);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(600)).await;
        lock(&account).end(&other, "FAILED", "BUILD", "");
    });
    world.succeeds(&creation()).await;
    assert_eq!(world.builds(), 2);
}

#[tokio::test]
async fn a_build_of_another_tag_is_nobodys_business() {
    let world = World::new();
    let mut others = variables("an-earlier-event");
    others.insert("PATCH".to_owned(), "20261201".to_owned());
    lock(&world.account).add(others);
    world.succeeds(&creation()).await;
    assert_eq!(world.builds(), 2);
}

#[tokio::test]
async fn what_aws_denies_names_the_call_and_the_remedy() {
    for (action, thing) in [
        ("codebuild:ListBuildsForProject", "project shop-prod-image"),
        ("codebuild:StartBuild", "project shop-prod-image"),
    ] {
        let world = World::new();
        let refusal = Refusal("AccessDeniedException", "no".to_owned());
        lock(&world.account).refused = Some((action, 9, refusal));
        assert_eq!(
            world.fails(&creation()).await,
            format!(
                "{action} for {thing} failed: AccessDeniedException: no; allow {action} on it to the function's role."
            )
        );
    }
}

#[tokio::test]
async fn a_repository_or_a_bucket_that_is_gone_is_named() {
    let world = World::new();
    let gone = Refusal("RepositoryNotFoundException", "no such repository".to_owned());
    lock(&world.account).refused = Some(("ecr:DescribeImages", 9, gone));
    assert_eq!(
        world.fails(&creation()).await,
        "ecr:DescribeImages for image TAG of repository shop-prod failed: RepositoryNotFoundException: no such repository; \
         correct what it names, or try again."
    );
    let gone = Refusal("NoSuchBucket", "no such bucket".to_owned());
    lock(&world.account).refused = Some(("s3:PutObject", 9, gone));
    let reason = world.fails(&creation()).await;
    assert!(
        reason.starts_with("s3:PutObject for contexts/")
            && reason.contains("in bucket shop-prod-builds failed: NoSuchBucket"),
        "{reason}"
    );
    assert_eq!(world.builds(), 0);
}
