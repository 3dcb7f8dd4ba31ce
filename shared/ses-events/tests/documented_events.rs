//! Every event that AWS's documentation describes is read, on every way on which it comes. The files in `fixtures` are
//! written from the documented fields.

use proptest::prelude::*;
use serde_json::{Value, json};
use ses_events::{Batch, BounceType, Event, Kind, Malformed, Message, Origin};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("fixtures/", $name, ".json"))
    };
}

/// 2026-11-23T23:38:20Z.
const SENT: i64 = 1_795_477_100;
const MESSAGE_ID: &str = "00000137860315fd-34208509-5b74-41f3-95c5-22c1edc3c924-000000";

fn event(text: &str) -> Event {
    match Message::read(text) {
        Ok(Message::Event(event)) => *event,
        other => panic!("{other:?}"),
    }
}

fn batch(value: &Value) -> Vec<ses_events::Record> {
    let batch: Batch = serde_json::from_str(&value.to_string()).expect("records");
    batch.records().collect()
}

#[test]
fn both_formats_of_a_bounce_are_the_same_event() {
    let (notified, published) = (event(fixture!("notification-bounce")), event(fixture!("event-bounce")));
    assert_eq!(notified, published);
    assert_eq!(
        (notified.message_id.as_str(), notified.sent_at, notified.name()),
        (MESSAGE_ID, Some(SENT), "Bounce")
    );
    let Kind::Bounce(bounce) = &notified.kind else {
        panic!("{notified:?}")
    };
    assert_eq!(
        (&bounce.class, bounce.subtype.as_str()),
        (&BounceType::Permanent, "General")
    );
    assert_eq!(
        bounce.feedback_id.as_deref(),
        Some("010001378603177f-7a5433e7-8edb-42ae-af10-f0181f34d6ee-000000")
    );
    assert_eq!(bounce.at, Some(SENT + 5));
    let [recipient] = bounce.recipients.as_slice() else {
        panic!("{bounce:?}")
    };
    assert_eq!(recipient.address.as_str(), "jane@example.com");
    assert_eq!(recipient.status.as_deref(), Some("5.1.1"));
    assert_eq!(
        recipient.diagnostic.as_deref(),
        Some("smtp; 550 5.1.1 <jane@example.com>... User unknown")
    );
    let tracked: Vec<_> = notified.header("x-mautic-TRACK").collect();
    assert_eq!(
        tracked,
        ["https://mautic.example.com/email/6b04ceb7e06a6739209454.gif?ct=YTo"]
    );
}

#[test]
fn both_formats_of_a_complaint_are_the_same_event() {
    let (notified, published) = (
        event(fixture!("notification-complaint")),
        event(fixture!("event-complaint")),
    );
    assert_eq!(notified, published);
    let Kind::Complaint(complaint) = &notified.kind else {
        panic!("{notified:?}")
    };
    assert_eq!(
        (complaint.feedback_type.as_deref(), complaint.subtype.as_deref()),
        (Some("abuse"), None)
    );
    assert_eq!(complaint.at, Some(SENT + 8));
    assert_eq!(complaint.recipients[0].address.as_str(), "jane@example.com");
}

#[test]
fn what_lasts_for_a_while_and_what_ses_did_not_send_are_told_by_type_and_subtype() {
    let of = |event: Event| match event.kind {
        Kind::Bounce(bounce) => (Some(bounce.class), Some(bounce.subtype), bounce.recipients),
        Kind::Complaint(complaint) => (None, complaint.subtype, complaint.recipients),
        other => panic!("{other:?}"),
    };
    let listed = || Some("OnAccountSuppressionList".to_owned());
    for (text, class, subtype, status) in [
        (
            fixture!("event-bounce-transient"),
            Some(BounceType::Transient),
            Some("MailboxFull".to_owned()),
            Some("4.2.2"),
        ),
        (
            fixture!("event-bounce-suppressed"),
            Some(BounceType::Permanent),
            listed(),
            Some("5.1.1"),
        ),
        (fixture!("event-complaint-suppressed"), None, listed(), None),
    ] {
        let (found_class, found_subtype, recipients) = of(event(text));
        assert_eq!((found_class, found_subtype), (class, subtype));
        let found: Vec<_> = recipients
            .iter()
            .map(|one| (one.address.as_str(), one.status.as_deref()))
            .collect();
        assert_eq!(found, [("jane@example.com", status)]);
    }
}

#[test]
fn headers_and_details_may_be_missing_and_all_recipients_count() {
    let bounced = event(fixture!("notification-bounce-without-headers"));
    let Kind::Bounce(bounce) = &bounced.kind else {
        panic!("{bounced:?}")
    };
    let addresses: Vec<_> = bounce.recipients.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(addresses, ["Jane@Example.com"]);
    assert_eq!(
        (
            bounced.odd_recipients,
            bounced.destinations.len(),
            bounced.headers.len()
        ),
        (1, 2, 0)
    );

    let complained = event(fixture!("notification-complaint-without-feedback"));
    let Kind::Complaint(complaint) = &complained.kind else {
        panic!("{complained:?}")
    };
    let addresses: Vec<_> = complaint.recipients.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(addresses, ["jane@example.com", "joe@example.com"]);
    assert_eq!(
        (complaint.feedback_type.as_deref(), complained.odd_recipients),
        (None, 0)
    );
}

#[test]
fn all_other_documented_types_are_known_and_a_new_one_is_told() {
    for (text, name) in [
        (fixture!("notification-delivery"), "Delivery"),
        (fixture!("event-delivery"), "Delivery"),
        (fixture!("event-send"), "Send"),
        (fixture!("event-reject"), "Reject"),
        (fixture!("event-open"), "Open"),
        (fixture!("event-click"), "Click"),
        (fixture!("event-rendering-failure"), "Rendering Failure"),
        (fixture!("event-delivery-delay"), "DeliveryDelay"),
        (fixture!("event-subscription"), "Subscription"),
    ] {
        let read = event(text);
        assert_eq!((&read.kind, read.message_id.as_str()), (&Kind::Other(name), MESSAGE_ID));
    }
    let new = event(r#"{"eventType": "Teleport", "mail": 7, "teleport": {}}"#);
    assert_eq!(
        (new.kind, new.message_id.as_str()),
        (Kind::Unknown("Teleport".into()), "")
    );
}

#[test]
fn members_of_another_type_count_as_missing_and_unknown_ones_do_not_disturb() {
    let text = json!({"notificationType": "Bounce", "new": [{}], "mail": {"messageId": "m", "headers": {"name": 1}, "destination": "a@b",
        "timestamp": "yesterday"}, "bounce": {"bounceType": "Sideways", "bounceSubType": 7, "timestamp": 1,
        "bouncedRecipients": [{"emailAddress": "a@b.c", "status": 5, "mood": "bad"}, 7, null]}});
    let read = event(&text.to_string());
    let Kind::Bounce(bounce) = &read.kind else {
        panic!("{read:?}")
    };
    assert_eq!(
        (&bounce.class, bounce.subtype.as_str()),
        (&BounceType::Unknown("Sideways".into()), "")
    );
    assert_eq!((bounce.at, read.sent_at, read.odd_recipients), (None, None, 2));
    assert_eq!(bounce.recipients[0].status, None);
}

#[test]
fn what_is_not_ses_s_is_told_apart() {
    for (text, expected) in [
        ("hello", Malformed::NoJson),
        ("", Malformed::NoJson),
        ("[]", Malformed::NoType),
        (r#"{"Type": "Notification", "Message": "hello"}"#, Malformed::NoJson),
        (r#"{"Type": "Notification"}"#, Malformed::NoType),
        (
            r#"{"eventType": "Bounce", "bounce": {}, "mail": {"messageId": ""}}"#,
            Malformed::NoId,
        ),
        (r#"{"eventType": 7}"#, Malformed::NoType),
    ] {
        assert_eq!(Message::read(text), Err(expected), "{text}");
    }
    let nested = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(Message::read(&nested), Err(Malformed::NoJson));
    for (malformed, text) in [
        (
            Malformed::NoJson,
            "the message is no JSON; send only what SES publishes to this queue or topic, and delete the message",
        ),
        (
            Malformed::NoType,
            "the message names neither eventType nor notificationType; send only what SES publishes to this queue or topic, and delete the message",
        ),
        (
            Malformed::NoId,
            "the report has neither feedbackId nor mail.messageId; it is not SES's, delete the message",
        ),
        (
            Malformed::NoRecord,
            "the record is neither an SQS message nor an SNS notification; connect only those with this function",
        ),
    ] {
        assert_eq!(malformed.to_string(), text);
    }
}

#[test]
fn ses_s_trial_and_sns_s_subscriptions_are_no_events() {
    for trial in [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        fixture!("notification-subscribed"),
    ] {
        assert_eq!(Message::read(trial), Ok(Message::Trial));
        let wrapped = json!({"Type": "Notification", "MessageId": "1", "Message": trial});
        assert_eq!(Message::read(&wrapped.to_string()), Ok(Message::Trial));
    }
    let confirmation = json!({"Type": "SubscriptionConfirmation", "Message": "You have chosen", "SubscribeURL": "https://sns.example.com/"});
    assert_eq!(
        Message::read(&confirmation.to_string()),
        Ok(Message::Subscription("SubscriptionConfirmation".into()))
    );
}

#[test]
fn the_same_event_comes_out_of_every_way() {
    let text = fixture!("event-bounce");
    let wrapped = json!({"Type": "Notification", "MessageId": "n-1", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:ses", "Message": text,
        "Timestamp": "2026-11-23T23:38:26.000Z", "SignatureVersion": "1", "Signature": "x", "SigningCertURL": "https://sns.example.com/x.pem"});
    let records = batch(&json!({"Records": [
        {"messageId": "q-1", "receiptHandle": "r", "body": wrapped.to_string(), "attributes": {"SentTimestamp": "1"}, "eventSource": "aws:sqs"},
        {"messageId": "q-2", "receiptHandle": "r", "body": text, "eventSource": "aws:sqs"},
        {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Type": "Notification", "MessageId": "n-2", "Message": text, "SigningCertUrl": "https://sns.example.com/x.pem"}},
    ]}));
    let expected = event(text);
    for record in &records {
        let Ok(Message::Event(read)) = &record.message else {
            panic!("{record:?}")
        };
        assert_eq!(**read, expected);
    }
    let origins: Vec<_> = records.into_iter().map(|record| record.origin).collect();
    assert_eq!(
        origins,
        [Origin::Queue("q-1".into()), Origin::Queue("q-2".into()), Origin::Topic]
    );
}

#[test]
fn half_a_surrogate_pair_spoils_neither_its_event_nor_its_peers() {
    let body = r#"{\"eventType\": \"Send\", \"mail\": {\"messageId\": \"m\", \"headers\": [{\"name\": \"Subject\", \"value\": \"x\\ud83d\"}]}}"#;
    let text = format!(
        r#"{{"Records": [{{"messageId": "1\ud83d", "body": "{body}"}}, {{"messageId": "2", "body": "\ud83d"}}, {{"messageId": "3", "body": "{body}"}}]}}"#
    );
    let batch: Batch = serde_json::from_str(&text).expect("records");
    let records: Vec<_> = batch.records().collect();
    let Ok(Message::Event(read)) = &records[0].message else {
        panic!("{records:?}")
    };
    assert_eq!(read.headers[0].value, "x\u{fffd}");
    assert_eq!(records[1].message, Err(Malformed::NoJson));
    assert_eq!(records[2].message, records[0].message);
}

#[test]
fn a_record_of_something_else_is_malformed_alone() {
    let records = batch(&json!({"Records": [7, {"messageId": "1"}, {"messageId": "2", "body": "{}"}, {"s3": {}}]}));
    let found: Vec<_> = records
        .into_iter()
        .map(|record| (record.origin, record.message))
        .collect();
    assert_eq!(
        found,
        [
            (Origin::Topic, Err(Malformed::NoRecord)),
            (Origin::Queue("1".into()), Err(Malformed::NoRecord)),
            (Origin::Queue("2".into()), Err(Malformed::NoType)),
            (Origin::Topic, Err(Malformed::NoRecord)),
        ]
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = Message::read(&text);
    }

    #[test]
    fn an_address_survives_any_display_name(name in "[^\\\\\"]{0,20}") {
        let text = format!("\"{name}\" <jane@example.com>");
        let address = ses_events::Address::parse(&text);
        prop_assert_eq!(address.as_ref().map(ses_events::Address::as_str), Some("jane@example.com"));
    }
}
