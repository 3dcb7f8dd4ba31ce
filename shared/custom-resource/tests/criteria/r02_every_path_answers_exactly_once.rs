//! R2: success, error, panic and deadline each give one response. (`Run::response` asserts that there was exactly one.)

use std::time::{Duration, Instant};

use custom_resource::testing::{LOG_HINT, create, delete, update};
use serde_json::{Value, json};

use crate::shelf::{Shelf, TYPE};

fn thing(act: &str) -> Value {
    json!({"Name": "cup", "Act": act})
}

#[tokio::test]
async fn a_success_is_answered_with_the_attributes() {
    let run = create(TYPE, json!({"Name": "cup", "Size": "3"}))
        .send(&Shelf::default().runtime())
        .await;
    assert_eq!(
        run.response().body(),
        &json!({
            "Status": "SUCCESS",
            "PhysicalResourceId": "thing:cup",
            "StackId": custom_resource::testing::STACK_ID,
            "RequestId": "0c5f7c9e-1111-4444-8888-2f1f5f0f9e01",
            "LogicalResourceId": "Thing",
            "Data": {"Name": "cup", "Size": "3", "Filling": "xxx"},
        })
    );
}

#[tokio::test]
async fn an_error_is_answered_with_its_text_and_the_place_of_the_log() {
    let run = create(TYPE, thing("FailWithTheName"))
        .send(&Shelf::default().runtime())
        .await;
    assert_eq!(
        run.response().body(),
        &json!({
            "Status": "FAILED",
            "Reason": format!("the thing `cup` broke; glue it.{LOG_HINT}"),
            "PhysicalResourceId": "thing:cup",
            "StackId": custom_resource::testing::STACK_ID,
            "RequestId": "0c5f7c9e-1111-4444-8888-2f1f5f0f9e01",
            "LogicalResourceId": "Thing",
        })
    );
}

#[tokio::test]
async fn an_error_of_a_delete_is_answered() {
    let event = delete(TYPE, "thing:cup", thing("FailWithTheName"));
    let run = event.send(&Shelf::default().runtime()).await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(run.response().reason(), "the thing `cup` broke; glue it.");
    assert_eq!(run.response().physical_id(), "thing:cup");
}

#[tokio::test]
async fn a_panic_is_answered_without_its_message() {
    let run = create(TYPE, thing("PanicWithThePassword"))
        .send(&Shelf::default().runtime())
        .await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(
        run.response().reason(),
        "The function has a defect: it panicked during the Create of Custom::Thing, and how far it came is not known; \
         the log names the place in its code; update the function."
    );
    assert_eq!(run.response().physical_id(), "thing:cup");
}

#[tokio::test]
async fn a_panic_during_an_update_leaves_the_resource_its_id() {
    let event = update(
        TYPE,
        "thing:cup",
        json!({"Name": "jug", "Act": "PanicWithThePassword"}),
        json!({"Name": "cup"}),
    );
    let run = event.send(&Shelf::default().runtime()).await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(run.response().physical_id(), "thing:cup");
}

#[tokio::test]
async fn a_handler_that_hangs_is_cut_off_in_time_for_the_answer() {
    let began = Instant::now();
    let event = create(TYPE, thing("Hang")).timeout(Duration::from_secs(8));
    let run = event.send(&Shelf::default().runtime()).await;
    assert!(
        began.elapsed() < Duration::from_millis(7500),
        "answered after {:?}",
        began.elapsed()
    );
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(
        run.response().reason(),
        "The function was cut off during the Create of Custom::Thing, since the time of its invocation had run out but \
         for what this answer needs; look for what it waited for, or raise its Timeout."
    );
    assert_eq!(run.response().physical_id(), "thing:cup");
}
