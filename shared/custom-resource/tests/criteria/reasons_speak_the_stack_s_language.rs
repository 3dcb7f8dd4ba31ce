//! A reason names properties; the operator sets parameters. The template tells what they are called.

use custom_resource::testing::{LOG_HINT, create};
use serde_json::json;

use crate::shelf::{Shelf, TYPE};

#[tokio::test]
async fn a_reason_that_names_a_property_is_followed_by_the_parameter_s_name() {
    let names = json!({"AdoptExisting": "AdoptExistingThing", "Size": "ThingSize"});
    let shelf = Shelf::holding(&[("thing:cup", None)]);
    let event = create(TYPE, json!({"Name": "cup", "ParameterNames": names}));
    let run = event.send(&shelf.runtime()).await;
    assert_eq!(
        run.response().body()["Reason"],
        format!(
            "the thing `cup` is on the shelf already and not this stack's; set AdoptExisting to true to take it over. The \
             stack's parameter for AdoptExisting is AdoptExistingThing.{LOG_HINT}"
        )
    );
}

#[tokio::test]
async fn the_names_are_no_property_of_the_resource() {
    let event = create(TYPE, json!({"Name": "cup", "ParameterNames": {"Size": "ThingSize"}}));
    let run = event.send(&Shelf::default().runtime()).await;
    assert_eq!(run.response().status(), "SUCCESS");
}
