//! The account's suppression list: after the record, and again until SES has taken it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sesv2::error::ErrorMetadata;
use aws_sdk_sesv2::operation::put_suppressed_destination::{
    PutSuppressedDestinationError, PutSuppressedDestinationOutput,
};
use aws_sdk_sesv2::{Client, Config};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use futures::future::join_all;
use recorded_calls::Recorder;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::{Duration, Instant};

use crate::report::{Report, batch};
use crate::world::{World, all_well, hand, policy, worlds};

type Listed = Arc<Mutex<Vec<String>>>;

/// SES, which at first refuses so many calls; whom it was told.
fn ses(refusals: usize) -> (Client, Listed) {
    let listed = Listed::default();
    let (theirs, refused) = (Arc::clone(&listed), AtomicUsize::new(0));
    let rule = mock!(Client::put_suppressed_destination).then_compute_response(move |request| {
        if refused.fetch_add(1, Ordering::SeqCst) < refusals {
            let meta = ErrorMetadata::builder()
                .code("AccessDeniedException")
                .message("jane@example.com")
                .build();
            return MockResponse::Error(PutSuppressedDestinationError::generic(meta));
        }
        let one = format!(
            "{} {}",
            request.email_address().unwrap_or_default(),
            request.reason().map_or("", |reason| reason.as_str())
        );
        theirs.lock().expect("no panic before").push(one);
        MockResponse::Output(PutSuppressedDestinationOutput::builder().build())
    });
    let client = mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, [&rule], |config| config
        .interceptor(Recorder::of("bounce-handler")));
    (client, listed)
}

#[tokio::test]
async fn what_is_suppressed_in_mautic_is_suppressed_in_ses() {
    for world in worlds("").await {
        let (client, listed) = ses(0);
        let handler = world.handler_at(world.server.port, policy(), Some(client));
        let soft: Vec<_> = (0..3)
            .map(|n| Report::soft(&format!("s{n}"), "full@example.com"))
            .collect();
        let reports = [
            Report::bounce("1", "jane@example.com", "550"),
            Report::complaint("2", "joe@example.com", "abuse"),
            Report::complaint("3", "kind@example.com", "not-spam"),
            Report {
                subtype: "OnAccountSuppressionList",
                ..Report::bounce("4", "there@example.com", "")
            },
            soft[0].clone(),
            soft[1].clone(),
        ];
        assert_eq!(hand(&handler, &reports).await, all_well());
        let sorted = || {
            let mut listed = std::mem::take(&mut *listed.lock().expect("no panic before"));
            listed.sort();
            listed
        };
        assert_eq!(sorted(), ["jane@example.com BOUNCE", "joe@example.com COMPLAINT"]);
        assert_eq!(hand(&handler, &soft[2..]).await, all_well());
        assert_eq!(sorted(), ["full@example.com BOUNCE"]);
    }
}

#[tokio::test]
async fn a_message_comes_again_until_ses_has_taken_its_addresses_and_mautic_s_rows_stay() {
    for world in worlds("").await {
        world
            .run(&["INSERT INTO {leads} (id, email) VALUES (1, 'jane@example.com')"])
            .await;
        let (client, listed) = ses(1);
        let handler = world.handler_at(world.server.port, policy(), Some(client));
        let report = [Report::bounce("1", "jane@example.com", "550")];
        assert_eq!(
            hand(&handler, &report).await,
            json!({"batchItemFailures": [{"itemIdentifier": "q-0"}]})
        );
        let rows = world.rows().await;
        assert_eq!(hand(&handler, &report).await, all_well());
        assert_eq!(*listed.lock().expect("no panic before"), ["jane@example.com BOUNCE"]);
        assert_eq!((world.rows().await, rows.len()), (rows, 1));
    }
}

/// SES behind a port that takes connections and says nothing.
async fn silent_ses() -> (Client, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(format!("http://{address}"))
        .interceptor(Recorder::of("bounce-handler"))
        .build();
    (Client::from_conf(config), listener)
}

#[tokio::test]
async fn ses_is_not_waited_for_longer_than_there_is_time_and_what_is_recorded_stays() {
    // On all servers at the same time, since SES is waited for.
    let silent = |world: World| async move {
        world
            .run(&["INSERT INTO {leads} (id, email) VALUES (1, 'jane@example.com')"])
            .await;
        let (client, _listener) = silent_ses().await;
        let handler = world.handler_at(world.server.port, policy(), Some(client));
        let texts = [
            Report::bounce("1", "jane@example.com", "550").text(),
            Report::bounce("2", "joe@example.com", "550").text(),
            Report::soft("3", "full@example.com").text(),
        ];
        let began = Instant::now();
        let deadline = began + Duration::from_secs(5);
        let answer = handler.handle(&batch(&texts), "x", deadline).await.expect("a queue's");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        assert_eq!(
            serde_json::to_value(answer).expect("JSON"),
            json!({"batchItemFailures": [{"itemIdentifier": "q-0"}, {"itemIdentifier": "q-1"}]})
        );
        assert_eq!(world.rows().await.len(), 1);
    };
    join_all(worlds("").await.into_iter().map(silent)).await;
}
