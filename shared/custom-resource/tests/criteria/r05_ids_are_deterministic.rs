//! R5: the id follows from what defines identity, on failures too; an unknown id is deleted by leaving everything alone.

use custom_resource::PhysicalId;
use custom_resource::testing::{LOGICAL_ID, STACK_ID, create, delete, update};
use serde_json::json;

use crate::shelf::{INVENTED, Shelf, TYPE, our_mark};

#[tokio::test]
async fn a_create_that_failed_answers_with_the_id_that_it_would_have_had() {
    let shelf = Shelf::holding(&[("thing:cup", None)]);
    let run = create(TYPE, json!({"Name": "cup"})).send(&shelf.runtime()).await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(run.response().physical_id(), "thing:cup");
}

#[tokio::test]
async fn an_update_that_failed_answers_with_the_id_that_it_came_with() {
    let properties = json!({"Name": "jug", "Act": "FailWithTheName"});
    let event = update(TYPE, "thing:cup", properties, json!({"Name": "cup"}));
    let run = event.send(&Shelf::default().runtime()).await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(run.response().physical_id(), "thing:cup");
}

#[tokio::test]
async fn a_create_with_malformed_properties_has_a_placeholder_that_a_delete_accepts() {
    let shelf = Shelf::default();
    let run = create(TYPE, json!({})).send(&shelf.runtime()).await;
    let placeholder = run.response().physical_id().to_owned();
    assert_eq!(placeholder, PhysicalId::placeholder(STACK_ID, LOGICAL_ID).as_str());
    let run = delete(TYPE, &placeholder, json!({})).send(&shelf.runtime()).await;
    assert_eq!(run.response().status(), "SUCCESS");
    assert_eq!(run.response().physical_id(), placeholder);
    assert_eq!(shelf.calls(), [""; 0]);
}

#[tokio::test]
async fn deleting_an_unknown_id_succeeds_and_calls_nothing() {
    let shelf = Shelf::holding(&[("thing:cup", Some(our_mark()))]);
    for unknown in [
        "i-0123456789",
        "shop-Other-1K3ZP8QF0WXYZ",
        "unmade:0123456789abcdef01234567",
        "\u{7}",
    ] {
        let run = delete(TYPE, unknown, json!({"Name": "cup"}))
            .send(&shelf.runtime())
            .await;
        assert_eq!(run.response().status(), "SUCCESS");
        assert_eq!(run.response().physical_id(), unknown);
    }
    assert_eq!(shelf.calls(), [""; 0]);
    assert_eq!(shelf.ids(), ["thing:cup"]);
}

#[tokio::test]
async fn an_id_that_says_nothing_is_deleted_as_what_the_properties_identify() {
    let placeholder = PhysicalId::placeholder(STACK_ID, LOGICAL_ID);
    for anonymous in [INVENTED, placeholder.as_str()] {
        let shelf = Shelf::holding(&[("thing:cup", Some(our_mark())), ("thing:jug", Some(our_mark()))]);
        let run = delete(TYPE, anonymous, json!({"Name": "cup"}))
            .send(&shelf.runtime())
            .await;
        assert_eq!(run.response().status(), "SUCCESS");
        assert_eq!(run.response().physical_id(), anonymous);
        assert_eq!(shelf.ids(), ["thing:jug"]);
    }
}

#[tokio::test]
async fn an_update_of_an_id_that_says_nothing_keeps_it_while_it_stands_for_the_same_thing() {
    let shelf = Shelf::default();
    let event = update(
        TYPE,
        INVENTED,
        json!({"Name": "cup", "Size": 2}),
        json!({"Name": "cup"}),
    );
    let run = event.send(&shelf.runtime()).await;
    // Another id would make CloudFormation delete this one, and with it the cup.
    assert_eq!(run.response().physical_id(), INVENTED);
    let event = update(
        TYPE,
        INVENTED,
        json!({"Name": "jug"}),
        json!({"Name": "cup", "Size": 2}),
    );
    let run = event.send(&shelf.runtime()).await;
    assert_eq!(run.response().physical_id(), "thing:jug");
    let run = delete(TYPE, INVENTED, json!({"Name": "cup", "Size": 2}))
        .send(&shelf.runtime())
        .await;
    assert_eq!(run.response().status(), "SUCCESS");
    assert_eq!(
        shelf.calls(),
        ["create thing:cup", "create thing:jug", "delete thing:cup"]
    );
    assert_eq!(shelf.ids(), ["thing:jug"]);
}
