//! What a Delete takes away, and what it leaves.

use custom_resource::testing::delete;
use recorded_calls::Refusal;
use serde_json::json;

use crate::account::lock;
use crate::world::{ID, TYPE, World, creation, properties, variables};

#[tokio::test]
async fn images_stay_builds_are_stopped_and_contexts_leave_the_bucket() {
    let world = World::new();
    world.succeeds(&creation()).await;
    {
        let mut account = lock(&world.account);
        account.add(variables("a-later-event"));
        for key in [
            "contexts/1.zip",
            "contexts/2.zip",
            "contexts/3.zip",
            "someone-elses.txt",
        ] {
            account.objects.insert(key.to_owned(), 1);
        }
    }
    world.succeeds(&delete(TYPE, ID, properties())).await;
    {
        let account = lock(&world.account);
        assert_eq!(account.images.len(), 1);
        assert_eq!(account.builds[0].status, Some("SUCCEEDED"));
        assert_eq!(account.builds[1].status, Some("STOPPED"));
        assert_eq!(account.objects.keys().collect::<Vec<_>>(), ["someone-elses.txt"]);
    }
    world.succeeds(&delete(TYPE, ID, properties())).await;
}

#[tokio::test]
async fn what_is_gone_already_is_no_obstacle() {
    for (action, code) in [
        ("codebuild:ListBuildsForProject", "ResourceNotFoundException"),
        ("s3:ListBucket", "NoSuchBucket"),
    ] {
        let world = World::new();
        lock(&world.account).refused = Some((action, 9, Refusal(code, "gone".to_owned())));
        world.succeeds(&delete(TYPE, ID, properties())).await;
    }
    let world = World::new();
    lock(&world.account).add(variables("an-event"));
    let gone = Refusal("ResourceNotFoundException", "gone".to_owned());
    lock(&world.account).refused = Some(("codebuild:StopBuild", 9, gone));
    world.succeeds(&delete(TYPE, ID, properties())).await;
}

#[tokio::test]
async fn a_bucket_that_cannot_be_emptied_is_named_before_cloudformation_fails_over_it() {
    let world = World::new();
    world.succeeds(&creation()).await;
    let denied = Refusal("AccessDenied", "no".to_owned());
    lock(&world.account).refused = Some(("s3:ListBucket", 9, denied));
    assert_eq!(
        world.fails(&delete(TYPE, ID, properties())).await,
        "s3:ListBucket for bucket shop-prod-builds failed: AccessDenied: no; allow s3:ListBucket on it to the function's role."
    );
    let owed = Refusal("InternalError", "later".to_owned());
    lock(&world.account).refused = Some(("codebuild:ListBuildsForProject", 9, owed));
    let reason = world.fails(&delete(TYPE, ID, properties())).await;
    assert!(
        reason.starts_with("codebuild:ListBuildsForProject for project shop-prod-image failed"),
        "{reason}"
    );
}

#[tokio::test]
async fn an_id_of_somebody_else_or_properties_that_do_not_parse_touch_nothing() {
    let world = World::new();
    world.succeeds(&creation()).await;
    let before = lock(&world.account).calls.len();
    world
        .succeeds(&delete(TYPE, "mautic-release:shop/Thing", properties()))
        .await;
    world.succeeds(&delete(TYPE, ID, json!({"Bucket": 7}))).await;
    assert_eq!(lock(&world.account).calls.len(), before);
}
