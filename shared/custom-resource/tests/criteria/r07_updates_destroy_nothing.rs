//! R7: an update to another identity makes the new one and leaves the old one to CloudFormation.

use custom_resource::testing::{create, delete, update};
use serde_json::json;

use crate::shelf::{Shelf, TYPE};

#[tokio::test]
async fn a_rollback_from_a_to_b_to_a_leaves_a_intact() {
    let shelf = Shelf::default();
    let (runtime, a, b) = (shelf.runtime(), json!({"Name": "a"}), json!({"Name": "b"}));
    create(TYPE, a.clone()).send(&runtime).await;
    let run = update(TYPE, "thing:a", b.clone(), a.clone()).send(&runtime).await;
    assert_eq!(run.response().physical_id(), "thing:b");
    assert_eq!(shelf.ids(), ["thing:a", "thing:b"]);
    let run = update(TYPE, "thing:b", a.clone(), b.clone()).send(&runtime).await;
    assert_eq!(run.response().physical_id(), "thing:a");
    delete(TYPE, "thing:b", b).send(&runtime).await;
    assert_eq!(
        shelf.calls(),
        ["create thing:a", "create thing:b", "create thing:a", "delete thing:b"]
    );
    assert_eq!(shelf.ids(), ["thing:a"]);
}

#[tokio::test]
async fn an_update_that_fails_rolls_back_to_what_still_stands() {
    let shelf = Shelf::default();
    let (runtime, a) = (shelf.runtime(), json!({"Name": "a"}));
    let broken = json!({"Name": "b", "Act": "FailWithTheName"});
    create(TYPE, a.clone()).send(&runtime).await;
    let run = update(TYPE, "thing:a", broken.clone(), a.clone()).send(&runtime).await;
    assert_eq!(run.response().status(), "FAILED");
    let run = update(TYPE, run.response().physical_id(), a, broken)
        .send(&runtime)
        .await;
    assert_eq!(run.response().status(), "SUCCESS");
    assert_eq!(run.response().physical_id(), "thing:a");
    assert_eq!(shelf.ids(), ["thing:a"]);
}
