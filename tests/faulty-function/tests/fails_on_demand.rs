//! The modes that leave the process alive, through the real runtime; those that end it are for the end-to-end tests.

use std::time::Duration;

use custom_resource::Runtime;
use custom_resource::testing::{create, delete};
use faulty_function::Faulty;
use serde_json::json;

const TYPE: &str = "Custom::Faulty";

fn runtime() -> Runtime {
    Runtime::new().on(TYPE, Faulty)
}

#[tokio::test]
async fn it_succeeds_unless_told_otherwise() {
    let run = create(TYPE, json!({"Name": "a"})).send(&runtime()).await;
    assert_eq!(run.response().status(), "SUCCESS");
    assert_eq!(run.response().physical_id(), "faulty:a");
    assert_eq!(run.response().attribute("Invocations"), "1");
}

#[tokio::test]
async fn each_fault_that_can_be_answered_is_answered() {
    // Half of it is a hang's, half the answer's.
    let timeout = Duration::from_secs(6);
    for mode in ["fail", "panic", "hang"] {
        let made = create(TYPE, json!({"Name": "a", "Mode": mode})).timeout(timeout);
        let deleted = delete(TYPE, "faulty:a", json!({"DeleteMode": mode})).timeout(timeout);
        let runtime = runtime();
        let (made, deleted) = tokio::join!(made.send(&runtime), deleted.send(&runtime));
        for run in [made, deleted] {
            assert_eq!(run.response().status(), "FAILED", "{mode}");
        }
    }
}

#[tokio::test]
async fn it_continues_as_often_as_it_is_told() {
    let event = create(TYPE, json!({"Name": "a", "Mode": "continue", "Seconds": "1"}));
    let run = event.send(&runtime()).await;
    assert_eq!(run.continuation()["Continuation"], json!({"count": 1, "state": 1}));
    let run = event.continued(1, &json!(1)).send(&runtime()).await;
    assert_eq!(run.response().attribute("Invocations"), "2");
}
