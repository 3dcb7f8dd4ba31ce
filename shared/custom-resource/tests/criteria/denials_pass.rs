//! A policy that was attached a moment ago is not known everywhere yet: what it will allow is tried again. (Part of R6's and
//! R8's bargain: a handler may be called from the start as often as it takes.)

use std::time::{Duration, Instant};

use custom_resource::testing::{Scenario, create, delete, update};
use serde_json::{Value, json};

use crate::shelf::{Shelf, TYPE};

/// In place of the half minute that AWS is given.
const PROPAGATION: Duration = Duration::from_secs(4);

fn locked_up() -> Value {
    json!({"Name": "cup", "Act": "BeDenied"})
}

async fn reason(scenario: Scenario, shelf: &Shelf) -> String {
    let run = scenario.propagation(PROPAGATION).send(&shelf.runtime()).await;
    run.response().reason().to_owned()
}

#[tokio::test]
async fn a_create_and_an_update_that_are_denied_at_first_succeed_as_soon_as_they_are_allowed() {
    for scenario in [
        create(TYPE, locked_up()),
        update(TYPE, "thing:cup", locked_up(), json!({"Name": "cup"})),
    ] {
        let shelf = Shelf::denying(2);
        assert_eq!(reason(scenario, &shelf).await, "");
        assert_eq!((shelf.calls().len(), shelf.ids()), (3, vec!["thing:cup".to_owned()]));
    }
}

#[tokio::test]
async fn what_stays_denied_fails_with_its_own_reason_when_the_time_is_over() {
    let (began, shelf) = (Instant::now(), Shelf::denying(1000));
    assert_eq!(
        reason(create(TYPE, locked_up()), &shelf).await,
        "the shelf is locked for `cup`; unlock it."
    );
    assert!(began.elapsed() > PROPAGATION / 2, "{:?}", began.elapsed());
    assert!((3..=11).contains(&shelf.calls().len()), "{:?}", shelf.calls());
}

#[tokio::test]
async fn a_denial_never_costs_the_answer() {
    let shelf = Shelf::denying(1000);
    let scenario = create(TYPE, locked_up()).timeout(Duration::from_secs(10));
    let run = scenario
        .propagation(Duration::from_mins(1))
        .send(&shelf.runtime())
        .await;
    assert_eq!(run.response().reason(), "the shelf is locked for `cup`; unlock it.");
}

#[tokio::test]
async fn other_failures_deletes_and_continued_events_are_not_tried_again() {
    let failing = json!({"Name": "cup", "Act": "FailWithTheName"});
    for scenario in [
        create(TYPE, failing),
        delete(TYPE, "thing:cup", locked_up()),
        create(TYPE, locked_up()).continued(1, &json!({"polls": 1})),
    ] {
        let shelf = Shelf::denying(1000);
        let reason = reason(scenario, &shelf).await;
        assert_eq!(shelf.calls().len(), 1, "{reason}");
        assert!(reason.ends_with("it."), "{reason}");
    }
}
