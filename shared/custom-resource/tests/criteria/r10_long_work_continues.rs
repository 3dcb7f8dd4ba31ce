//! R10: work beyond one invocation goes on in another with its state, five times at most; then it fails.

use custom_resource::testing::create;
use serde_json::json;

use crate::shelf::{Shelf, TYPE};

#[tokio::test]
async fn a_continuation_is_the_same_event_with_a_counter_and_the_state() {
    let shelf = Shelf::default();
    let event = create(TYPE, json!({"Name": "cup", "Act": "Continue"}));
    let run = event.send(&shelf.runtime()).await;
    let mut next = run.continuation().clone();
    let continuation = next.as_object_mut().unwrap().remove("Continuation").unwrap();
    assert_eq!(continuation, json!({"count": 1, "state": {"polls": 1}}));
    next.as_object_mut().unwrap().remove("ResponseURL").unwrap();
    let mut first = event.event("");
    first.as_object_mut().unwrap().remove("ResponseURL").unwrap();
    assert_eq!(next, first);
}

#[tokio::test]
async fn a_continued_invocation_gets_the_state() {
    let shelf = Shelf::default();
    let event = create(TYPE, json!({"Name": "cup"})).continued(3, &json!({"polls": 3}));
    assert_eq!(event.send(&shelf.runtime()).await.response().status(), "SUCCESS");
    assert_eq!(shelf.calls(), [r#"create thing:cup from {"polls":3}"#]);
}

#[tokio::test]
async fn the_fifth_continuation_is_the_last() {
    let shelf = Shelf::default();
    let event = create(TYPE, json!({"Name": "cup", "Act": "Continue"}));
    let run = event
        .clone()
        .continued(4, &json!({"polls": 4}))
        .send(&shelf.runtime())
        .await;
    assert_eq!(
        run.continuation()["Continuation"],
        json!({"count": 5, "state": {"polls": 5}})
    );
    let run = event.continued(5, &json!({"polls": 5})).send(&shelf.runtime()).await;
    assert_eq!(run.response().status(), "FAILED");
    assert_eq!(
        run.response().reason(),
        "Custom::Thing was not ready after 6 invocations, the most that are made; look whether what it waits for goes on \
         at all, then update the stack again, or raise the function's Timeout."
    );
    assert_eq!(run.response().physical_id(), "thing:cup");
}

#[tokio::test]
async fn a_function_that_may_not_invoke_itself_fails_and_names_the_permission() {
    let event = create(TYPE, json!({"Name": "cup", "Act": "Continue"})).invocations_denied();
    let run = event.send(&Shelf::default().runtime()).await;
    assert_eq!(run.invocations.len(), 1);
    assert_eq!(run.puts.len(), 1);
    let body: serde_json::Value = serde_json::from_str(&run.puts[0].body).unwrap();
    assert_eq!(body["Status"], "FAILED");
    assert_eq!(
        body["Reason"],
        format!(
            "Custom::Thing needs more time, but its function could not invoke itself (AccessDeniedException); its role needs \
             lambda:InvokeFunction on `arn:aws:lambda:eu-central-1:123456789012:function:things`.{}",
            custom_resource::testing::LOG_HINT
        )
    );
}
