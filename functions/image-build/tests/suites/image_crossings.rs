//! Events that come twice, at once, or beside a Delete.

use custom_resource::testing::delete;
use image_build::context;
use recorded_calls::Refusal;

use crate::account::{Play, lock};
use crate::world::{ID, REQUEST, TYPE, World, creation, id, properties, variables};

#[tokio::test]
async fn two_deliveries_at_once_start_one_build() {
    let world = World::new();
    let event = creation();
    let (first, second) = tokio::join!(world.succeeds(&event), world.succeeds(&event));
    assert_eq!(first.body()["Data"], second.body()["Data"]);
    assert_eq!(world.builds(), 1);
}

#[tokio::test]
async fn a_repeated_event_finds_its_build_by_the_event_s_id_long_after_the_token_is_forgotten() {
    let world = World::playing(Play::Never);
    // As an earlier delivery left it, whose state is lost.
    let own = lock(&world.account).add(variables(REQUEST));
    lock(&world.account).end(&own, "FAILED", "BUILD", "");
    let reason = world.fails(&creation()).await;
    assert!(
        reason.contains(&format!("build {own} ended FAILED in phase BUILD")),
        "{reason}"
    );
    assert_eq!(lock(&world.account).count("codebuild:StartBuild"), 0);
}

#[tokio::test]
async fn a_create_whose_delete_came_first_stops_its_build_and_leaves_nothing_in_the_bucket() {
    let world = World::playing(Play::Never);
    lock(&world.account).withdrawn = true;
    assert_eq!(
        world.fails(&creation()).await,
        format!(
            "the image was deleted before its build {} had ended, and that was stopped; create the stack again.",
            id(1)
        )
    );
    let account = lock(&world.account);
    assert_eq!((account.builds[0].status, account.objects.len()), (Some("STOPPED"), 0));
}

#[tokio::test]
async fn a_delete_beside_a_running_create_stops_its_build() {
    let world = World::playing(Play::Never);
    let event = creation();
    let (reason, _) = tokio::join!(world.fails(&event), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(lock(&world.account).objects.contains_key(&context::key()));
        world.succeeds(&delete(TYPE, ID, properties())).await
    });
    assert!(
        reason.contains(&format!("build {} ended STOPPED in phase BUILD", id(1))),
        "{reason}"
    );
    assert!(lock(&world.account).objects.is_empty());
}

#[tokio::test]
async fn whether_it_is_still_wanted_may_stay_unknown() {
    let world = World::new();
    let owed = Refusal("InternalFailure", "later".to_owned());
    lock(&world.account).refused = Some(("cloudformation:DescribeStackResource", 9, owed));
    world.succeeds(&creation()).await;
    let world = World::new();
    let denied = Refusal("AccessDenied", "no".to_owned());
    lock(&world.account).refused = Some(("cloudformation:DescribeStackResource", 9, denied));
    let reason = world.fails(&creation()).await;
    assert!(
        reason.starts_with("cloudformation:DescribeStackResource for stack "),
        "{reason}"
    );
}
