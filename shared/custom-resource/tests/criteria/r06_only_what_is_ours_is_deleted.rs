//! R6: a mark of stack and logical id decides; adoption is asked for, and what was adopted is never deleted.

use custom_resource::Owner;
use custom_resource::testing::{STACK_ID, create, delete};
use serde_json::json;

use crate::shelf::{Shelf, TYPE, our_mark};

#[tokio::test]
async fn a_foreign_thing_is_neither_taken_over_nor_deleted_by_the_rollback() {
    for owner in [None, Some(Owner::new(STACK_ID, "Other"))] {
        let shelf = Shelf::holding(&[("thing:cup", owner)]);
        let run = create(TYPE, json!({"Name": "cup"})).send(&shelf.runtime()).await;
        assert_eq!(
            run.response().reason(),
            "the thing `cup` is on the shelf already and not this stack's; set AdoptExisting to true to take it over."
        );
        let run = delete(TYPE, run.response().physical_id(), json!({"Name": "cup"}))
            .send(&shelf.runtime())
            .await;
        assert_eq!(run.response().status(), "SUCCESS");
        assert_eq!(shelf.ids(), ["thing:cup"]);
    }
}

#[tokio::test]
async fn an_adopted_thing_survives_its_delete() {
    let shelf = Shelf::holding(&[("thing:cup", None)]);
    let properties = json!({"Name": "cup", "AdoptExisting": "true"});
    let run = create(TYPE, properties.clone()).send(&shelf.runtime()).await;
    assert_eq!(run.response().status(), "SUCCESS");
    let run = delete(TYPE, "thing:cup", properties).send(&shelf.runtime()).await;
    assert_eq!(run.response().status(), "SUCCESS");
    assert_eq!(shelf.ids(), ["thing:cup"]);
}

#[tokio::test]
async fn what_the_resource_made_bears_its_mark_and_goes_with_it() {
    let shelf = Shelf::default();
    create(TYPE, json!({"Name": "cup"})).send(&shelf.runtime()).await;
    assert_eq!(shelf.things.lock().unwrap()["thing:cup"].owner, Some(our_mark()));
    let run = delete(TYPE, "thing:cup", json!({"Name": "cup"}))
        .send(&shelf.runtime())
        .await;
    assert_eq!(run.response().status(), "SUCCESS");
    assert_eq!(shelf.ids(), [""; 0]);
}
