//! How long is waited, across invocations, and what then.

use std::time::Duration;

use custom_resource::testing::create;
use recorded_calls::Refusal;
use serde_json::json;

use crate::account::{Play, lock};
use crate::world::{TYPE, World, creation, id, properties, with};

#[tokio::test]
async fn a_wait_that_outlasts_the_invocation_goes_on_in_the_next_one_with_the_same_build() {
    let world = World::playing(Play::Never);
    // Less than what a look may take: nothing but the first steps fits.
    let creation = creation().timeout(Duration::from_secs(20));
    let first = world.send(&creation).await;
    let continuation = first.continuation()["Continuation"].clone();
    assert_eq!(continuation["state"]["started"], id(1));
    let second = world.send(&creation.clone().continued(1, &continuation["state"])).await;
    assert_eq!(second.continuation()["Continuation"]["count"], json!(2));
    assert_eq!(second.continuation()["Continuation"]["state"], continuation["state"]);
    lock(&world.account).succeed(&id(1));
    world.succeeds(&creation.continued(2, &continuation["state"])).await;
    assert_eq!(world.builds(), 1);
}

#[tokio::test]
async fn a_build_that_never_ends_is_left_alone_and_the_reason_has_the_command_that_shows_it() {
    let world = World::playing(Play::Never);
    lock(&world.account).say(&id(1), &["#12 apt-get upgrade"]);
    let patient = create(TYPE, with(properties(), "WaitSeconds", "1"));
    assert_eq!(
        world.fails(&patient).await,
        format!(
            "image TAG of repository shop-prod is still being built by {build} after 1 s. It was left alone and goes on: wait \
             for its end, which aws codebuild batch-get-builds --ids {build} shows, then update the stack again. The log ends: \
             #12 apt-get upgrade.",
            build = id(1)
        )
    );
    assert_eq!(lock(&world.account).count("codebuild:StopBuild"), 0);
}

#[tokio::test]
async fn when_the_time_is_over_nothing_is_started_any_more() {
    let world = World::new();
    let late = json!({"began": 0, "started": null});
    assert_eq!(
        world.fails(&creation().continued(1, &late)).await,
        "image TAG of repository shop-prod was not begun, since the 30 s of waiting were over before its turn came; update the \
         stack again."
    );
    assert_eq!(world.builds(), 0);
}

#[tokio::test]
async fn a_build_that_codebuild_does_not_show_yet_is_not_started_twice() {
    let world = World::new();
    lock(&world.account).lag = 3;
    lock(&world.account).play = Play::Never;
    let account = std::sync::Arc::clone(&world.account);
    tokio::spawn(async move {
        // It ends only after it has been asked for in vain as often as that.
        while lock(&account).builds.first().is_none_or(|build| build.unseen > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        lock(&account).succeed(&id(1));
    });
    world.succeeds(&creation()).await;
    assert_eq!(lock(&world.account).count("codebuild:StartBuild"), 1);
}

#[tokio::test]
async fn an_answer_that_aws_owes_does_not_end_the_wait() {
    for (action, code) in [
        ("codebuild:BatchGetBuilds", "InternalFailure"),
        ("codebuild:StartBuild", "AccountLimitExceededException"),
        ("s3:PutObject", "ServiceUnavailable"),
        ("ecr:DescribeImages", "ServerException"),
    ] {
        let world = World::new();
        let owed = Refusal(code, "later".to_owned());
        lock(&world.account).refused = Some((action, 2, owed));
        world.succeeds(&creation()).await;
        assert_eq!(world.builds(), 1, "{action}");
    }
}

#[tokio::test]
async fn what_took_all_the_time_is_the_reason() {
    let world = World::new();
    let owed = Refusal("AccountLimitExceededException", "later".to_owned());
    lock(&world.account).refused = Some(("codebuild:StartBuild", 99, owed));
    let patient = create(TYPE, with(properties(), "WaitSeconds", "1"));
    assert_eq!(
        world.fails(&patient).await,
        "codebuild:StartBuild for project shop-prod-image failed: AccountLimitExceededException: later; correct what it \
         names, or try again."
    );
}

#[tokio::test]
async fn an_account_that_may_have_no_build_is_not_waited_for() {
    let world = World::new();
    let none = Refusal(
        "AccountLimitExceededException",
        "Cannot have more than 0 builds in queue for the account".to_owned(),
    );
    lock(&world.account).refused = Some(("codebuild:StartBuild", 99, none));
    assert_eq!(
        world.fails(&creation()).await,
        "codebuild:StartBuild for project shop-prod-image failed: AccountLimitExceededException: Cannot have more than 0 \
         builds in queue for the account; new accounts may begin with none: ask in Service Quotas, AWS CodeBuild, for one of \
         \"Concurrently running builds for ARM/Small environment\", or of \"... Linux/Small environment\" with \
         TaskArchitecture X86_64; then deploy again."
    );
    assert_eq!(lock(&world.account).count("codebuild:StartBuild"), 1);
}
