//! SES's events: any text is read or refused, alike on every way on which it comes, and a refusal shows nothing of it.
//!
//! The input is a message's text, or Lambda's whole batch.

use bounce_handler::incident::Incident;
use bounce_handler::policy::Policy;
use serde_json::{Value, json};
use ses_events::{Batch, Event, Message, Origin};

use crate::secrets;

/// Holds for any input.
///
/// # Panics
/// When it does not.
pub fn hold(input: &[u8]) {
    if let Ok(batch) = serde_json::from_slice::<Batch>(input) {
        for record in batch.records() {
            drop(record);
        }
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let read = Message::read(text);
    let queued = json!({"Records": [{"messageId": "1", "body": text}, {"Sns": {"Message": text}}]}).to_string();
    let batch: Batch = serde_json::from_str(&queued).expect("two records");
    let records: Vec<_> = batch.records().collect();
    assert_eq!(records[0].origin, Origin::Queue("1".to_owned()));
    assert!(records.iter().all(|record| record.message == read), "{records:?}");
    match &read {
        Ok(Message::Event(event)) => {
            let wrapped = json!({"Type": "Notification", "Message": text}).to_string();
            // What is wrapped already is not unwrapped twice.
            if !text.contains("\"Notification\"") {
                assert_eq!(Message::read(&wrapped), read);
            }
            taken(event);
        }
        Ok(_) => {}
        Err(malformed) => {
            let value: Value = serde_json::from_str(text).unwrap_or_default();
            let message = malformed.to_string();
            assert!(
                secrets(&value).iter().all(|secret| !message.contains(secret)),
                "{message}"
            );
        }
    }
}

/// What Mautic's tables would get fits there.
fn taken(event: &Event) {
    let policy = Policy {
        soft_threshold: 3,
        soft_days: 14,
        permanent_statuses: Vec::new(),
    };
    let incidents = Incident::all(event, &policy, 1_795_477_100);
    for incident in &incidents {
        let address = incident.address.as_str();
        let parts = address
            .rsplit_once('@')
            .map(|(local, domain)| (local.len(), domain.len()));
        assert!(
            address.len() <= 320 && parts.is_some_and(|(local, domain)| local > 0 && domain > 0),
            "{address}"
        );
        assert!(!address.contains(char::is_control), "{address:?}");
        assert!(
            incident.reason.len() <= 1000 && !incident.reason.contains(char::is_control),
            "{incident:?}"
        );
        assert!((0..4_102_444_800).contains(&incident.at), "{incident:?}");
        let date = bounce_handler::plan::date(incident.at);
        assert!(date.len() == 19 && date.is_ascii(), "{date}");
        if let Some(hash) = &incident.clues.hash {
            assert!(
                hash.chars().all(|c| c.is_ascii_alphanumeric()) && hash.len() <= 64,
                "{hash}"
            );
        }
    }
    assert_eq!(incidents, Incident::all(event, &policy, 1_795_477_100));
}
