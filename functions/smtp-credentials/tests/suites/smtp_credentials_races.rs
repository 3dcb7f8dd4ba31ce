//! Others at work at the same time: a second delivery, a Delete, somebody at a console.

use custom_resource::testing::create;
use smtp_credentials::plan::GRACE;

use crate::world::{HOST, REGION, Stage, TYPE, World, fails, password, properties, seconds, succeeds};

/// The id of every event of these tests: two deliveries of one event have the same.
const REQUEST: &str = "0c5f7c9e-1111-4444-8888-2f1f5f0f9e01";

/// The other delivery's second half.
fn write(world: &mut World, index: usize) {
    let key = &world.keys[index];
    let content = serde_json::json!({
        "username": key.id, "password": password(key, REGION), "host": HOST, "port": 587, "region": REGION,
    });
    world.write(REQUEST, &content.to_string()).expect("the first to write");
}

#[tokio::test]
async fn a_key_that_another_delivery_is_about_to_write_is_waited_for() {
    let stage = Stage::new();
    stage.edit().make_key().expect("room");
    stage.meanwhile("iam:ListUserTags", 2, |world| write(world, 0));
    succeeds(&stage, &create(TYPE, properties())).await;
    assert!(stage.world().serves() && stage.world().made == 1, "no second key");
}

#[tokio::test]
async fn a_key_that_nobody_wrote_in_time_is_forgotten_and_goes_when_room_is_needed() {
    let stage = Stage::new();
    {
        let mut world = stage.edit();
        for _ in 0..2 {
            world.make_key().expect("room");
        }
        // One second is left of the time in which somebody may write them.
        let made = seconds() - GRACE.as_secs() + 1;
        world.keys.iter_mut().for_each(|key| key.made = made);
    }
    succeeds(&stage, &create(TYPE, properties())).await;
    assert!(stage.world().serves());
    assert_eq!((stage.world().keys.len(), stage.world().made), (2, 3));
    assert!(
        stage
            .calls()
            .iter()
            .filter(|call| **call == "iam:ListAccessKeys")
            .count()
            > 2,
        "it was waited"
    );
}

#[tokio::test]
async fn of_two_deliveries_that_both_made_a_key_the_second_to_write_takes_its_own_back() {
    let stage = Stage::new();
    stage.meanwhile("secretsmanager:PutSecretValue", 0, |world| {
        world.make_key().expect("room");
        write(world, 1);
    });
    succeeds(&stage, &create(TYPE, properties())).await;
    let world = stage.world();
    assert!(world.serves());
    let ids = world.keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>();
    assert_eq!(ids, ["AKIA-2"]);
}

#[tokio::test]
async fn a_delete_that_came_before_the_key_was_made_is_noticed() {
    let stage = Stage::new();
    stage.meanwhile("iam:CreateAccessKey", 0, |world| world.withdrawn = true);
    let deleted = "the access keys of IAM user shop-MailUser-1ABCDEFGHIJKL were deleted while they were being set up; create \
                   the stack again if this was not intended.";
    assert_eq!(fails(&stage, &create(TYPE, properties())).await, deleted);
    assert_eq!((stage.world().keys.len(), stage.world().versions.len()), (0, 0));
}

#[tokio::test]
async fn a_delete_that_came_after_it_makes_the_create_fail_and_leaves_no_key() {
    let stages = ["secretsmanager:PutSecretValue", "cloudformation:DescribeStackResource"].map(|action| {
        let stage = Stage::new();
        stage.meanwhile(action, 0, |world| world.keys.clear());
        stage
    });
    for stage in stages {
        let reason = fails(&stage, &create(TYPE, properties())).await;
        assert!(
            reason.starts_with("the access keys of IAM user shop-MailUser-1ABCDEFGHIJKL were deleted"),
            "{reason}"
        );
        assert_eq!(stage.world().keys, []);
    }
}

#[tokio::test]
async fn a_new_key_that_iam_lists_late_is_waited_for() {
    let stage = Stage::new();
    // Right after it was written it is not listed; a second later it is.
    stage.meanwhile("iam:ListAccessKeys", 1, |world| {
        world.late = std::mem::take(&mut world.keys);
    });
    stage.meanwhile("iam:ListAccessKeys", 1, |world| {
        world.keys = std::mem::take(&mut world.late);
    });
    succeeds(&stage, &create(TYPE, properties())).await;
    assert!(stage.world().serves() && stage.world().made == 1, "no second key");
}
