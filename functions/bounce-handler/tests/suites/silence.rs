//! A server that is away, silent or busy: the function answers while it still can, and what it did not record comes again.

use bounce_handler::Handler;
use futures::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Duration, Instant, timeout};

use crate::report::{Report, batch};
use crate::scenario::{anew, everything, reports, stage, undisturbed};
use crate::wire::{Cut, Wire};
use crate::world::{World, all_well, hand, policy, worlds};

/// What a busy machine may take for the answer, once the time is over; less than an attempt to connect may take.
const ANSWER: Duration = Duration::from_secs(4);

/// Hands the scenario's batch over with so much time; what failed, and whether it was told soon after that.
async fn hand_within(handler: &Handler, time: Duration) -> Value {
    let texts: Vec<_> = reports().iter().map(Report::text).collect();
    let began = Instant::now();
    let answer = handler.handle(&batch(&texts), "hurried", began + time).await;
    let took = began.elapsed();
    assert!(took < time + ANSWER, "{took:?} of {time:?}");
    serde_json::to_value(answer.expect("a queue's")).expect("JSON")
}

fn all_failed() -> Value {
    let failures: Vec<_> = (0..reports().len())
        .map(|number| json!({"itemIdentifier": format!("q-{number}")}))
        .collect();
    json!({"batchItemFailures": failures})
}

#[tokio::test]
async fn what_cannot_be_reached_fails_every_message_that_needs_it_and_no_other() {
    let world = worlds("").await.remove(0);
    let handler = world.handler_at(1, policy(), None);
    let texts = [
        reports()[0].text(),
        json!({"eventType": "Send", "mail": {}}).to_string(),
    ];
    let soon = Instant::now() + Duration::from_millis(300);
    let answer = handler.handle(&batch(&texts), "x", soon).await.expect("a queue's");
    assert_eq!(
        serde_json::to_value(answer).expect("JSON"),
        json!({"batchItemFailures": [{"itemIdentifier": "q-0"}]})
    );
}

#[tokio::test]
async fn a_server_that_is_away_for_a_while_is_waited_for() {
    for world in worlds("").await {
        let expected = undisturbed(&world).await;
        anew(&world).await;
        // In the middle of the transaction; then nobody answers for two seconds.
        let wire = Wire::to(&world, Cut::Away(16)).await;
        assert_eq!(
            hand(&world.handler_at(wire.port, policy(), None), &reports()).await,
            all_well()
        );
        assert_eq!(everything(&world).await, expected);
    }
}

/// As in a failover to another zone: the old server is gone, and no packet says so.
#[tokio::test]
async fn a_server_that_falls_silent_is_not_waited_for_longer_than_there_is_time() {
    // On all servers at the same time, since each is waited for.
    let silent = |world: World| async move {
        let expected = undisturbed(&world).await;
        // While it shakes hands, while the tables are looked for, in the middle of the transaction.
        for number in [1, 9, 24] {
            anew(&world).await;
            let wire = Wire::to(&world, Cut::Silent(number)).await;
            let handler = world.handler_at(wire.port, policy(), None);
            assert_eq!(hand_within(&handler, Duration::from_secs(4)).await, all_failed());
            let silent = timeout(Duration::from_secs(1), wire.broken()).await;
            silent.expect("it has fallen silent");
            assert_eq!(hand(&handler, &reports()).await, all_well());
            assert_eq!(everything(&world).await, expected, "{number}");
        }
    };
    join_all(worlds("").await.into_iter().map(silent)).await;
}

/// A lock of each of these contacts, as another function takes them.
async fn hold(world: &World, contacts: [u32; 4]) -> database::Connection {
    let mut other = world.same_user().await;
    let digest = Sha256::digest(&world.own);
    let [a, b, c, d, ..] = digest[..] else {
        panic!("32 bytes")
    };
    for contact in contacts {
        let query = format!("SELECT GET_LOCK('bounces-{a:02x}{b:02x}{c:02x}{d:02x}-c{contact}', 0)");
        let got: Option<u8> = other.first(&query, ()).await.expect("a lock");
        assert_eq!(got, Some(1));
    }
    other
}

#[tokio::test]
async fn contacts_that_others_work_on_are_waited_for_together_and_then_all_is_tried_again() {
    let busy = |world: World| async move {
        stage(&world).await;
        let mut other = hold(&world, [1, 2, 3, 4]).await;
        let wire = Wire::to(&world, Cut::Never).await;
        let handler = world.handler_at(wire.port, policy(), None);
        // Five seconds for all four, not for each: after them there is time for another attempt, on a new connection.
        assert_eq!(hand_within(&handler, Duration::from_secs(9)).await, all_failed());
        assert_eq!(wire.connections(), 2);
        other.run("DO RELEASE_ALL_LOCKS()").await.expect("it holds them");
        assert_eq!(hand(&handler, &reports()).await, all_well());
    };
    join_all(worlds("").await.into_iter().map(busy)).await;
}
