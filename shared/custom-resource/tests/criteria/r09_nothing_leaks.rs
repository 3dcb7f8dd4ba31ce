//! R9: neither the log at its finest level, nor a reason, nor the attributes show a secret or the URL's signature.

use std::time::Duration;

use custom_resource::Event;
use custom_resource::testing::{Log, Reply, SIGNATURE, Scenario, assert_absent, create, delete, update};
use serde_json::{Value, json};

use crate::shelf::{Shelf, TYPE};

const PASSWORD: &str = "s3nt1nel/P\"ssw+rd=&é";

fn thing(act: &str) -> Value {
    json!({"Name": "cup", "Password": PASSWORD, "Act": act})
}

/// Every way in which a run can go.
fn runs() -> Vec<Scenario> {
    let short = Duration::from_millis(400);
    vec![
        create(TYPE, thing("Normally")),
        create(TYPE, thing("FailWithTheName")),
        create(TYPE, thing("PanicWithThePassword")),
        create(TYPE, thing("Hang")).timeout(short),
        create(TYPE, thing("Continue")),
        create(TYPE, thing("LieAboutTheSize")),
        create(TYPE, thing(PASSWORD)),
        create(TYPE, json!({"Name": [PASSWORD]})),
        create(TYPE, json!({"Name": "cup", "Size": PASSWORD, "Masked": PASSWORD})),
        create(TYPE, json!({"Name": "cup", "Masked": PASSWORD})),
        create(TYPE, json!(PASSWORD)),
        update(TYPE, "thing:cup", thing("Normally"), thing(PASSWORD)),
        delete(TYPE, "thing:cup", thing(PASSWORD)),
        create("Custom::Other", thing("Normally")),
        create(TYPE, thing("Normally")).replies([Reply::Status(403)]),
        create(TYPE, thing("Normally")).replies([Reply::Status(500), Reply::HangUp]),
        create(TYPE, thing("Normally"))
            .replies([Reply::HangUp; 50])
            .timeout(short),
        create(TYPE, thing("Normally")).without("RequestId"),
    ]
}

#[tokio::test]
async fn neither_log_nor_reason_nor_attributes_show_a_secret() {
    let log = Log::capture();
    let shelf = Shelf::default();
    let runtime = shelf.runtime();
    for event in runs() {
        let run = event.send(&runtime).await;
        for put in &run.puts {
            assert_absent(PASSWORD, &put.body);
            assert_absent(SIGNATURE, &put.body);
        }
        let result = format!(
            "{:?} {}",
            run.result,
            run.result.as_ref().err().map(ToString::to_string).unwrap_or_default()
        );
        assert_absent(PASSWORD, &result);
        assert_absent(SIGNATURE, &result);
    }
    let log = log.text();
    assert!(
        log.contains(r#""outcome":"FAILED""#) && log.contains(r#""outcome":"CONTINUE""#),
        "{log}"
    );
    assert_absent(PASSWORD, &log);
    assert_absent(SIGNATURE, &log);
}

#[tokio::test]
async fn a_line_of_the_log_holds_listed_fields_only() {
    let log = Log::capture();
    create(TYPE, thing("Normally")).send(&Shelf::default().runtime()).await;
    create(TYPE, thing("FailWithTheName"))
        .replies([Reply::Status(500)])
        .send(&Shelf::default().runtime())
        .await;
    let allowed = [
        "timestamp",
        "level",
        "message",
        "spans",
        "outcome",
        "attempts",
        "handled",
        "milliseconds",
        "result",
    ];
    let of_event = [
        "name",
        "request_type",
        "resource_type",
        "logical_id",
        "stack",
        "request_id",
        "continued",
    ];
    let text = log.text();
    assert_eq!(text.lines().count(), 5, "{text}");
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        for name in line.as_object().unwrap().keys() {
            assert!(allowed.contains(&name.as_str()), "{name} in {line}");
        }
        for name in line["spans"][0].as_object().unwrap().keys() {
            assert!(of_event.contains(&name.as_str()), "{name} in {line}");
        }
    }
}

#[tokio::test]
async fn attributes_are_masked_on_demand() {
    let masked = json!({"Name": "cup", "Masked": "true"});
    assert!(
        create(TYPE, masked)
            .send(&Shelf::default().runtime())
            .await
            .response()
            .no_echo()
    );
    let plain = json!({"Name": "cup"});
    assert!(
        !create(TYPE, plain)
            .send(&Shelf::default().runtime())
            .await
            .response()
            .no_echo()
    );
}

#[test]
fn an_event_shows_neither_its_url_nor_its_properties() {
    let event = Event::parse(create(TYPE, thing("Normally")).event("http://127.0.0.1:1")).unwrap();
    assert_eq!(
        format!("{event:?}"),
        "Event { request_type: Create, resource_type: \"Custom::Thing\", scope: Scope { stack_id: \
         \"arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/5a1c0d70-9f3e-11f0-8a4e-06d5c2f0a3b1\", logical_id: \
         \"Thing\", stack_name: \"shop\", region: \"eu-central-1\" }, request_id: \"0c5f7c9e-1111-4444-8888-2f1f5f0f9e01\", .. }"
    );
}
