//! R4: no body is larger than 4,096 bytes, and attributes that could be are refused before anything is changed.

use custom_resource::LARGEST_RESPONSE;
use custom_resource::testing::{LOG_HINT, create};
use proptest::prelude::*;
use serde_json::json;

use crate::shelf::{Shelf, TYPE};

#[tokio::test]
async fn attributes_that_would_not_fit_fail_before_anything_is_changed() {
    let shelf = Shelf::default();
    let run = create(TYPE, json!({"Name": "cup", "Size": 4000}))
        .send(&shelf.runtime())
        .await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(
        run.response().reason(),
        "the resource's attributes make the response 4304 bytes long, of which CloudFormation reads 4096; shorten what \
         they are built from in the template; nothing was changed."
    );
    assert_eq!(shelf.calls(), [""; 0]);
    assert_eq!(shelf.ids(), [""; 0]);
}

#[tokio::test]
async fn attributes_larger_than_announced_fail_too() {
    let run = create(TYPE, json!({"Name": "cup", "Act": "LieAboutTheSize"}))
        .send(&Shelf::default().runtime())
        .await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(
        run.response().reason(),
        "the resource's attributes make the response 5287 bytes long, of which CloudFormation reads 4096; shorten what \
         they are built from in the template."
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_reason_of_any_length_is_cut_and_keeps_the_place_of_the_log(name in "\\PC{1,40}", times in 1_usize..200) {
        // As a Delete's, so that the long name is no part of the id.
        let event = custom_resource::testing::delete(
            TYPE,
            "thing:cup",
            json!({"Name": name.repeat(times), "Act": "FailWithTheName"}),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let run = runtime.block_on(event.send(&Shelf::default().runtime()));
        let reason = run.response().body()["Reason"].as_str().unwrap().to_owned();
        prop_assert!(run.puts[0].body.len() <= LARGEST_RESPONSE);
        prop_assert!(reason.ends_with(LOG_HINT), "{reason}");
        let whole = format!("the thing `{}` broke; glue it.{LOG_HINT}", name.repeat(times));
        if reason != whole {
            let kept = reason.strip_suffix(LOG_HINT).and_then(|cut| cut.strip_suffix('…')).unwrap();
            prop_assert!(whole.starts_with(kept));
            // At most one character's worth is given away: six bytes escaped, and the ellipsis.
            prop_assert!(run.puts[0].body.len() > LARGEST_RESPONSE - 9, "{}", run.puts[0].body.len());
        }
    }
}
