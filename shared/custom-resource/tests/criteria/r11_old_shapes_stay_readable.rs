//! R11: strings count as what they mean, old shapes stop nothing, and a nonce forces a reconciliation.

use custom_resource::testing::{create, update};
use serde_json::json;

use crate::shelf::{Shelf, TYPE};

#[tokio::test]
async fn booleans_and_numbers_are_read_from_strings() {
    let run = create(TYPE, json!({"Name": 42, "Size": "7", "Masked": "false"}))
        .send(&Shelf::default().runtime())
        .await;
    assert_eq!(run.response().attribute("Name"), "42");
    assert_eq!(run.response().attribute("Size"), "7");
    assert!(!run.response().no_echo(), "\"false\" is not true");
}

#[tokio::test]
async fn an_old_shape_that_no_longer_parses_does_not_stop_an_update() {
    let shelf = Shelf::default();
    let event = update(
        TYPE,
        "thing:cup",
        json!({"Name": "cup"}),
        json!({"Title": "cup", "Colour": "red"}),
    );
    assert_eq!(event.send(&shelf.runtime()).await.response().status(), "SUCCESS");
    assert_eq!(shelf.calls(), ["update from an unknown shape thing:cup"]);
}

#[tokio::test]
async fn a_changed_nonce_reconciles_and_is_no_property() {
    let shelf = Shelf::default();
    let event = update(
        TYPE,
        "thing:cup",
        json!({"Name": "cup", "Nonce": "2", "ServiceTimeout": "660"}),
        json!({"Name": "cup", "Nonce": "1"}),
    );
    assert_eq!(event.send(&shelf.runtime()).await.response().status(), "SUCCESS");
    assert_eq!(shelf.calls(), ["update thing:cup"]);
}
