//! Whatever ended a function, CloudFormation hears of it at once, with what to do about it.

use std::time::{Duration, SystemTime};

use custom_resource::testing::{
    LOGICAL_ID, Log, Reply, SIGNATURE, STACK_ID, Scenario, assert_absent, create, delete, update,
};
use custom_resource::{PhysicalId, Undelivered};
use failure_responder::{NotAnswered, respond};
use serde_json::{Value, json};

const HINT: &str = " Its log: aws logs tail --since 1h $(aws lambda get-function-configuration --function-name things \
                    --query LoggingConfig.LogGroup --output text)";
const PASSWORD: &str = "s3nt1nel/P\"ssw+rd";

fn record(event: &Value, condition: &str, response: &Value) -> Value {
    json!({
        "version": "1.0",
        "timestamp": "2026-11-24T00:00:00.000Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:things:$LATEST",
            "condition": condition,
            "approximateInvokeCount": 1,
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": response,
    })
}

fn soon() -> SystemTime {
    SystemTime::now() + Duration::from_secs(20)
}

fn thing() -> Scenario {
    create("Custom::Thing", json!({"Name": "cup", "Password": PASSWORD}))
}

async fn answer(scenario: Scenario, condition: &str, response: Value) -> Value {
    let puts = scenario
        .hand_to(async |event| respond(record(&event, condition, &response), soon()).await.unwrap())
        .await;
    let [put] = puts.as_slice() else {
        panic!("one response, not {puts:#?}")
    };
    put.response().body().clone()
}

async fn reason(condition: &str, response: Value) -> String {
    let body = answer(thing(), condition, response).await;
    let reason = body["Reason"].as_str().unwrap();
    reason.strip_suffix(HINT).unwrap().to_owned()
}

#[tokio::test]
async fn a_function_out_of_time_is_told_apart() {
    let aws = json!({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out after 30.00 seconds"});
    let older = json!({"errorMessage": "2026-11-24T00:00:00.000Z 1 Task timed out after 30.00 seconds"});
    for response in [aws, older] {
        assert_eq!(
            reason("RetriesExhausted", response).await,
            "The function things gave no answer to the Create of Custom::Thing: Lambda ended it at its Timeout after 30.00 \
             seconds; look in its log for what it waited for, or raise its Timeout."
        );
    }
}

#[tokio::test]
async fn a_function_out_of_memory_is_told_apart() {
    let killed = json!({"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error: Runtime exited with error: signal: killed"});
    let named = json!({"errorType": "Runtime.OutOfMemory", "errorMessage": "RequestId: 1 Error: out of memory"});
    for response in [killed, named] {
        assert_eq!(
            reason("RetriesExhausted", response).await,
            "The function things gave no answer to the Create of Custom::Thing: it was killed, as a rule for lack of memory; \
             raise its MemorySize."
        );
    }
}

#[tokio::test]
async fn a_function_that_exited_is_told_apart() {
    let status = json!({"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error: Runtime exited with error: exit status 3"});
    assert_eq!(
        reason("RetriesExhausted", status).await,
        "The function things gave no answer to the Create of Custom::Thing: its process ended with status 3, which is a \
         defect or a lack of memory; look in its log, or raise its MemorySize."
    );
    let bare = json!({"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited before returning a response"});
    assert_eq!(
        reason("RetriesExhausted", bare).await,
        "The function things gave no answer to the Create of Custom::Thing: its process ended, which is a defect or a lack \
         of memory; look in its log, or raise its MemorySize."
    );
}

#[tokio::test]
async fn a_function_that_failed_is_told_apart_and_its_message_is_not_shown() {
    let message = format!("Lambda panicked: {PASSWORD}");
    for response in [
        json!({"errorType": "Unanswered", "errorMessage": message}),
        Value::Null,
        json!("text"),
    ] {
        assert_eq!(
            reason("RetriesExhausted", response).await,
            "The function things gave no answer to the Create of Custom::Thing: it failed, as when its answer cannot be \
             delivered; look in its log for why, and whether it can reach S3."
        );
    }
}

#[tokio::test]
async fn a_function_that_never_ran_is_told_apart() {
    assert_eq!(
        reason("EventAgeExceeded", Value::Null).await,
        "The function things gave no answer to the Create of Custom::Thing: Lambda did not start it (EventAgeExceeded); look \
         whether its reserved concurrency or the account's leaves room for it, then try again."
    );
}

#[tokio::test]
async fn a_create_is_answered_with_the_placeholder_and_the_rest_with_their_own_id() {
    let exit = json!({"errorType": "Runtime.ExitError", "errorMessage": "exit"});
    let body = answer(thing(), "RetriesExhausted", exit.clone()).await;
    assert_eq!(body["Status"], "FAILED");
    assert_eq!(
        body["PhysicalResourceId"],
        PhysicalId::placeholder(STACK_ID, LOGICAL_ID).as_str()
    );
    assert_eq!(body["StackId"], STACK_ID);
    assert_eq!(body["LogicalResourceId"], LOGICAL_ID);
    for event in [
        update(
            "Custom::Thing",
            "thing:cup",
            json!({"Name": "jug"}),
            json!({"Name": "cup"}),
        ),
        delete("Custom::Thing", "thing:cup", json!({"Name": "cup"})),
    ] {
        let body = answer(event, "RetriesExhausted", exit.clone()).await;
        assert_eq!(body["Status"], "FAILED");
        assert_eq!(body["PhysicalResourceId"], "thing:cup");
    }
}

#[tokio::test]
async fn a_function_that_died_in_a_continuation_is_answered_for_like_any_other() {
    let first = answer(thing(), "RetriesExhausted", Value::Null).await;
    let later = answer(
        thing().continued(3, &json!({"task": 1})),
        "RetriesExhausted",
        Value::Null,
    )
    .await;
    assert_eq!(first, later);
}

#[tokio::test]
async fn an_answer_that_is_refused_is_an_error() {
    let scenario = thing().replies([Reply::Status(403)]);
    scenario
        .hand_to(async |event| {
            let result = respond(record(&event, "RetriesExhausted", &Value::Null), soon()).await;
            assert_eq!(
                result,
                Err(NotAnswered::Undelivered(Undelivered::Refused { status: 403 }))
            );
        })
        .await;
}

#[tokio::test]
async fn anything_but_a_record_is_refused_and_says_why() {
    let event = || thing().event("http://127.0.0.1:1");
    let expected = |what| {
        format!(
            "the event is not Lambda's record of a failed asynchronous invocation: {what}; invoke this function only as the \
             on-failure destination of a custom resource's function"
        )
    };
    let refused = async |record| respond(record, soon()).await.unwrap_err().to_string();
    assert_eq!(
        refused(event()).await,
        expected("requestContext.functionArn is missing")
    );
    assert_eq!(
        refused(json!([])).await,
        expected("requestContext.functionArn is missing")
    );
    let context = json!({"functionArn": "arn", "condition": 1});
    assert_eq!(
        refused(json!({"requestContext": context, "requestPayload": event()})).await,
        expected("a member of requestContext is not a string")
    );
    assert_eq!(
        refused(json!({"requestContext": {"functionArn": "arn", "condition": ""}})).await,
        expected("requestPayload is missing")
    );
    assert_eq!(
        refused(record(&json!({"Records": []}), "RetriesExhausted", &Value::Null)).await,
        "the record's requestPayload cannot be answered: the event is not a custom resource's request, so nobody can be \
         answered: RequestType is missing, ResponseURL is missing, RequestId is missing, StackId is missing, LogicalResourceId \
         is missing, ResourceType is missing, PhysicalResourceId is missing; let only CloudFormation invoke this function, \
         through a resource's ServiceToken"
    );
}

#[tokio::test]
async fn neither_log_nor_reason_shows_a_secret() {
    let log = Log::capture();
    for replies in [vec![], vec![Reply::Status(500)], vec![Reply::Status(403)]] {
        let puts = thing()
            .replies(replies)
            .hand_to(async |event| {
                let message =
                    json!({"errorType": "X", "errorMessage": format!("Task timed out after {PASSWORD} seconds")});
                let result = respond(record(&event, "RetriesExhausted", &message), soon()).await;
                assert_absent(SIGNATURE, &format!("{result:?}"));
            })
            .await;
        for put in puts {
            assert_absent(PASSWORD, &put.body);
            assert_absent(SIGNATURE, &put.body);
        }
    }
    let log = log.text();
    assert!(log.contains("answered"), "{log}");
    assert_absent(PASSWORD, &log);
    assert_absent(SIGNATURE, &log);
}
