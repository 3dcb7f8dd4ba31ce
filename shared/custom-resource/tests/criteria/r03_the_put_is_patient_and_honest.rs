//! R3: the PUT has an empty content type, is repeated after network errors, 429 and 5xx, and only 2xx is success.

use std::time::{Duration, Instant};

use custom_resource::testing::{Reply, Run, create};
use custom_resource::{Unanswered, Undelivered};
use serde_json::json;
use tokio::net::TcpListener;

use crate::shelf::{Shelf, TYPE};

async fn answered_with(replies: impl IntoIterator<Item = Reply>) -> Run {
    let event = create(TYPE, json!({"Name": "cup"}))
        .replies(replies)
        .timeout(Duration::from_secs(10));
    event.send(&Shelf::default().runtime()).await
}

/// What holds in one of three tries holds: of one amid which the machine stalled, nothing is known.
async fn in_one_of_three(one: impl AsyncFn() -> Result<(), String>) {
    let mut tries = Vec::new();
    for _ in 0..3 {
        match one().await {
            Ok(()) => return,
            Err(found) => tries.push(found),
        }
    }
    panic!("{tries:#?}");
}

#[tokio::test]
async fn the_request_is_what_the_url_was_signed_for() {
    let run = answered_with([]).await;
    let [put] = run.puts.as_slice() else {
        panic!("one PUT, not {:?}", run.puts)
    };
    assert_eq!(put.header("content-type"), Some(""));
    assert_eq!(put.header("content-length"), Some(put.body.len().to_string().as_str()));
    assert_eq!(
        put.target,
        "/cloudformation-custom-resource-response/arn%3Aaws%3Acloudformation%7CThing?AWSAccessKeyId=AKIDEXAMPLE\
         &Expires=1795500000&Signature=s3nt1nel%2FSignature%2Bof%3Dthe%26URL"
    );
}

#[tokio::test]
async fn what_passes_is_tried_again_with_the_same_body() {
    let replies = [
        Reply::Status(500),
        Reply::Status(503),
        Reply::Status(429),
        Reply::HangUp,
    ];
    let run = answered_with(replies).await;
    assert_eq!(run.result, Ok(()));
    assert_eq!(run.puts.len(), 5);
    assert!(
        run.puts.iter().all(|put| put.body == run.puts[0].body),
        "{:#?}",
        run.puts
    );
}

#[tokio::test]
async fn a_refusal_is_final_and_never_success() {
    for status in [301, 400, 403, 404] {
        let run = answered_with([Reply::Status(status)]).await;
        assert_eq!(
            run.result,
            Err(Unanswered::Undelivered(Undelivered::Refused { status }))
        );
        assert_eq!(run.puts.len(), 1);
    }
    assert_eq!(
        Undelivered::Refused { status: 403 }.to_string(),
        "the response was refused with HTTP status 403: ResponseURL has expired (after two hours), was altered, or its \
         bucket is barred to this function, by an endpoint's policy perhaps; delete or update the stack once more"
    );
}

#[tokio::test]
async fn attempts_end_with_the_invocation() {
    in_one_of_three(async || {
        let began = Instant::now();
        let event = create(TYPE, json!({"Name": "cup"}))
            .replies([Reply::Status(500); 100])
            .timeout(Duration::from_secs(2));
        let run = event.send(&Shelf::default().runtime()).await;
        let took = began.elapsed();
        let attempts = u32::try_from(run.puts.len()).unwrap();
        let last = "HTTP status 500".to_owned();
        let out_of_time = Err(Unanswered::Undelivered(Undelivered::OutOfTime { attempts, last }));
        if took < Duration::from_secs(2) && attempts > 1 && run.result == out_of_time {
            return Ok(());
        }
        Err(format!("{attempts} attempts ended after {took:?}: {:?}", run.result))
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_slow_within_the_limit_is_waited_for() {
    let run = answered_with([Reply::After(Duration::from_millis(500))]).await;
    assert_eq!(run.response().status(), "SUCCESS");
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_for_another_in_time() {
    let began = Instant::now();
    let event = create(TYPE, json!({"Name": "cup"}))
        .replies([Reply::Silence])
        .timeout(Duration::from_secs(8));
    let run = event.send(&Shelf::default().runtime()).await;
    assert_eq!(run.result, Ok(()));
    let [silent, answered] = run.puts.as_slice() else {
        panic!("two PUTs, not {:#?}", run.puts)
    };
    assert_eq!(silent.body, answered.body);
    let waited = began.elapsed();
    let half = Duration::from_millis(3800)..Duration::from_millis(7700);
    assert!(half.contains(&waited), "the first was left after {waited:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_does_not_outlast_the_invocation() {
    in_one_of_three(async || {
        let began = Instant::now();
        let event = create(TYPE, json!({"Name": "cup"}))
            .replies([Reply::Silence; 9])
            .timeout(Duration::from_secs(2));
        let error = event.send(&Shelf::default().runtime()).await.result.unwrap_err();
        let took = began.elapsed();
        assert_eq!(
            error.to_string(),
            "the response could not be sent: attempt 1, the last, ended with no answer in time; a function inside a VPC \
             needs a way to S3: a gateway endpoint or a NAT gateway, and port 443 open in its security group"
        );
        if took < Duration::from_secs(2) {
            return Ok(());
        }
        Err(format!("ended after {took:?}"))
    })
    .await;
}

#[tokio::test]
async fn no_connection_at_all_names_the_ways_out_of_a_vpc() {
    in_one_of_three(async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = listener.local_addr().unwrap();
        drop(listener);
        let event = create(TYPE, json!({"Name": "cup"}))
            .with("ResponseURL", json!(format!("http://{nobody}/secret")))
            .timeout(Duration::from_secs(1));
        let error = event.send(&Shelf::default().runtime()).await.result.unwrap_err();
        let Unanswered::Undelivered(Undelivered::OutOfTime { attempts, .. }) = error else {
            return Err(format!("out of time, not {error:?}"));
        };
        let named = format!(
            "the response could not be sent: attempt {attempts}, the last, ended with no connection; a function \
             inside a VPC needs a way to S3: a gateway endpoint or a NAT gateway, and port 443 open in its security group"
        );
        if error.to_string() == named {
            return Ok(());
        }
        Err(error.to_string())
    })
    .await;
}
