//! R1: malformed properties fail a Create and an Update with a reason, and never keep a Delete from succeeding.

use custom_resource::testing::{create, delete, update};
use custom_resource::{MalformedEvent, Unanswered};
use serde_json::{Value, json};

use crate::shelf::{Shelf, TYPE, our_mark};

async fn reason_for(properties: Value) -> String {
    let run = create(TYPE, properties).send(&Shelf::default().runtime()).await;
    assert_eq!(run.response().status(), "FAILED");
    run.response().reason().to_owned()
}

#[tokio::test]
async fn a_create_with_malformed_properties_fails_and_names_the_property() {
    assert_eq!(
        reason_for(json!({"Name": "cup", "Size": "large"})).await,
        "The property `Size` must be a whole number from 0 to 4294967295, but is another string; correct it in the template."
    );
    assert_eq!(
        reason_for(json!({"Size": "1"})).await,
        "The property `Name` is required, but missing; correct it in the template."
    );
    assert_eq!(
        reason_for(json!({"Name": ["cup"]})).await,
        "The property `Name` must be a string, but is a list; correct it in the template."
    );
    assert_eq!(
        reason_for(json!({"Name": "cup", "Colour": "red"})).await,
        "The property `Colour` is not known, known are `Name`, `Size`, `AdoptExisting`, `Password`, `Masked`, `Act`; \
         correct it in the template."
    );
    assert_eq!(
        reason_for(json!("cup")).await,
        "The resource's list of properties must be an object, but is another string; correct it in the template."
    );
}

#[tokio::test]
async fn an_update_with_malformed_properties_fails_and_keeps_its_id() {
    let shelf = Shelf::default();
    let event = update(
        TYPE,
        "thing:cup",
        json!({"Name": "cup", "Masked": "perhaps"}),
        json!({"Name": "cup"}),
    );
    let run = event.send(&shelf.runtime()).await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(
        run.response().reason(),
        "The property `Masked` must be true or false, but is another string; correct it in the template."
    );
    assert_eq!(run.response().physical_id(), "thing:cup");
    assert_eq!(shelf.calls(), [""; 0]);
}

#[tokio::test]
async fn a_delete_with_malformed_properties_acts_from_the_id_alone() {
    let shelf = Shelf::holding(&[("thing:cup", Some(our_mark()))]);
    let run = delete(TYPE, "thing:cup", json!({"Nonsense": {}}))
        .send(&shelf.runtime())
        .await;
    assert_eq!(run.response().status(), "SUCCESS");
    assert_eq!(shelf.calls(), ["delete by id alone thing:cup"]);
    assert_eq!(shelf.ids(), [""; 0]);
}

#[tokio::test]
async fn a_type_that_the_function_does_not_know_fails_on_create_and_succeeds_on_delete() {
    let shelf = Shelf::default();
    let run = create("Custom::Thnig", json!({})).send(&shelf.runtime()).await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(
        run.response().reason(),
        "The function does not know the resource type Custom::Thnig, only Custom::Thing; correct the resource's Type or \
         its ServiceToken."
    );
    let run = delete("Custom::Thnig", "thing:cup", json!({}))
        .send(&shelf.runtime())
        .await;
    assert_eq!(run.response().status(), "SUCCESS");
    assert_eq!(shelf.calls(), [""; 0]);
}

#[tokio::test]
async fn an_event_that_cannot_be_answered_fails_the_function_and_names_every_fault() {
    let event = create(TYPE, json!({"Name": "cup"}))
        .without("RequestId")
        .with("StackId", json!("shop"))
        .with("ResponseURL", json!("ftp://secret"));
    let run = event.send(&Shelf::default().runtime()).await;
    assert!(matches!(run.result, Err(Unanswered::Malformed(MalformedEvent { .. }))));
    assert_eq!(
        run.result.unwrap_err().to_string(),
        "the event is not a custom resource's request, so nobody can be answered: ResponseURL is not an HTTP address, \
         RequestId is missing, StackId is not the ARN of a stack; let only CloudFormation invoke this function, through a \
         resource's ServiceToken"
    );
    assert_eq!(run.puts, []);
}
