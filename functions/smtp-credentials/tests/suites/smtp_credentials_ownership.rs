//! Whose the keys are, and what a Delete takes.

use custom_resource::testing::{create, delete};
use serde_json::json;
use smtp_credentials::OWNER_TAG;

use crate::world::{ID, Stage, TYPE, fails, properties, succeeds};

const OTHER: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/other/0b2e/SmtpCredentials";

#[tokio::test]
async fn a_user_that_was_made_for_somebody_else_is_neither_used_nor_cleared() {
    for (tag, found) in [(Some(OTHER), format!("is {OTHER}")), (None, "is missing".to_owned())] {
        let stage = Stage::new();
        {
            let mut world = stage.edit();
            world.make_key().expect("room");
            let tags = world.user.as_mut().expect("a user");
            tags.remove(OWNER_TAG);
            tags.extend(tag.map(|tag| (OWNER_TAG.to_owned(), tag.to_owned())));
        }
        let before = stage.world();
        let wanted = format!(
            "{}/{}",
            custom_resource::testing::STACK_ID,
            custom_resource::testing::LOGICAL_ID
        );
        assert_eq!(
            fails(&stage, &create(TYPE, properties())).await,
            format!(
                "IAM user shop-MailUser-1ABCDEFGHIJKL was not made for this resource: its tag smtp-credentials:owner {found}; \
                 make a user in the template, with that tag set to {wanted}."
            )
        );
        succeeds(&stage, &delete(TYPE, ID, properties())).await;
        assert_eq!(stage.world(), before);
    }
}

#[tokio::test]
async fn a_delete_takes_every_key_so_that_the_user_can_go_and_a_second_one_finds_nothing() {
    let stage = Stage::new();
    succeeds(&stage, &create(TYPE, properties())).await;
    stage.edit().make_key().expect("room");
    // Not even the properties are needed: the id names the user.
    let scenario = delete(TYPE, ID, json!({"Nonsense": "1"}));
    for _ in 0..2 {
        succeeds(&stage, &scenario).await;
        assert_eq!(stage.world().keys, []);
    }
    stage.edit().user = None;
    succeeds(&stage, &scenario).await;
}

#[tokio::test]
async fn the_delete_of_a_create_that_was_never_answered_takes_its_key() {
    let stage = Stage::new();
    succeeds(&stage, &create(TYPE, properties())).await;
    succeeds(&stage, &delete(TYPE, "shop-Thing-1ABCDEFGHIJKL", properties())).await;
    assert_eq!(stage.world().keys, []);
}

#[tokio::test]
async fn an_id_that_is_not_ours_changes_nothing() {
    let stage = Stage::new();
    succeeds(&stage, &create(TYPE, properties())).await;
    let before = stage.world();
    for id in ["smtp-credentials:", "smtp-credentials:a b", "something-else"] {
        succeeds(&stage, &delete(TYPE, id, json!({}))).await;
        assert_eq!(stage.world(), before);
    }
}
