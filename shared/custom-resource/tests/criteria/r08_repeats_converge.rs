//! R8: whatever is delivered twice, or at the same time, ends as if it had come once and in order.

use custom_resource::testing::{create, delete, update};
use serde_json::json;

use crate::shelf::{INVENTED, Shelf, TYPE};

#[tokio::test]
async fn an_event_delivered_twice_at_once_makes_one_thing() {
    let shelf = Shelf::default();
    let runtime = shelf.runtime();
    let event = create(TYPE, json!({"Name": "cup", "Act": "TakeTime"}));
    let (first, second) = tokio::join!(event.send(&runtime), event.send(&runtime));
    assert_eq!(first.response(), second.response());
    assert_eq!(first.response().status(), "SUCCESS");
    assert_eq!(shelf.ids(), ["thing:cup"]);
}

#[tokio::test]
async fn every_event_delivered_twice_in_a_row_answers_the_same() {
    let shelf = Shelf::default();
    let runtime = shelf.runtime();
    let (old, new) = (json!({"Name": "cup"}), json!({"Name": "cup", "Size": "2"}));
    let life = [
        create(TYPE, old.clone()),
        update(TYPE, "thing:cup", new.clone(), old),
        delete(TYPE, "thing:cup", new),
    ];
    for event in life {
        let first = event.send(&runtime).await.response();
        let second = event.send(&runtime).await.response();
        assert_eq!(first.status(), "SUCCESS");
        assert_eq!(first, second);
    }
    assert_eq!(shelf.ids(), [""; 0]);
}

#[tokio::test]
async fn a_delete_beside_a_running_create_leaves_nothing() {
    let shelf = Shelf::default();
    let runtime = shelf.runtime();
    let properties = json!({"Name": "cup", "Act": "AwaitARemoval"});
    let cancelled = create(TYPE, properties.clone());
    // What CloudFormation sends when it gives a Create up: an id of its own invention.
    let removal = delete(TYPE, INVENTED, properties);
    let (made, removed) = tokio::join!(cancelled.send(&runtime), async {
        shelf.marked.notified().await;
        removal.send(&runtime).await
    });
    assert_eq!(removed.response().status(), "SUCCESS");
    assert_eq!(made.response().status(), "FAILED");
    assert_eq!(
        made.response().reason(),
        "the thing `cup` was removed while it was made; nothing of it is left."
    );
    assert_eq!(shelf.ids(), [""; 0]);
}
