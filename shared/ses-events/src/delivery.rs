//! What Lambda hands over: a list of records, each of which may be unreadable alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::mending::mended;
use crate::message::{Malformed, Message};

/// Lambda's event for SQS queues and SNS topics. Its records are read one by one.
#[derive(Debug, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Box<RawValue>>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who handed it over.
    pub origin: Origin,
    /// What it holds.
    pub message: Result<Message, Malformed>,
}

/// Who handed a record over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A queue: the message's id, by which Lambda is told that it failed.
    Queue(String),
    /// A topic, or something unknown: Lambda can be told only that all failed.
    Topic,
}

impl Batch {
    /// The records in their order.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        self.records.iter().map(|record| {
            let read = guarded(|| Ok(Record::read(record.get(), Message::read)));
            read.unwrap_or_else(Record::nobody_s)
        })
    }
}

impl Record {
    /// A record that does not even say whose it is.
    fn nobody_s(malformed: Malformed) -> Self {
        Self {
            origin: Origin::Topic,
            message: Err(malformed),
        }
    }

    fn read(text: &str, reader: fn(&str) -> Result<Message, Malformed>) -> Self {
        let Ok(record) = serde_json::from_str::<Value>(&mended(text)) else {
            return Self::nobody_s(Malformed::NoRecord);
        };
        let queued = record["messageId"].as_str().filter(|_| record["Sns"].is_null());
        let (origin, text) = match queued {
            Some(id) => (Origin::Queue(id.to_owned()), record["body"].as_str()),
            None => (Origin::Topic, record["Sns"]["Message"].as_str()),
        };
        let message = text.ok_or(Malformed::NoRecord);
        let message = message.and_then(|text| guarded(|| reader(text)));
        Self { origin, message }
    }
}

/// A defect of ours that one message reveals is that message's affair.
fn guarded<T>(read: impl FnOnce() -> Result<T, Malformed>) -> Result<T, Malformed> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(Malformed::Panicked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_makes_its_reader_panic_fails_alone_under_its_own_id() {
        let reader = |text: &str| match text {
            "bad" => panic!("a defect"),
            text => Message::read(text),
        };
        let record = |body: &str| Record::read(&format!(r#"{{"messageId": "q-1", "body": "{body}"}}"#), reader);
        let origin = Origin::Queue("q-1".into());
        assert_eq!(
            record("bad"),
            Record {
                origin: origin.clone(),
                message: Err(Malformed::Panicked)
            }
        );
        assert_eq!(
            Malformed::Panicked.to_string(),
            "the message made its reader panic, whose place the log says above; it comes again, and stays in the dead-letter queue until the reader is mended"
        );
        assert_eq!(
            record("good"),
            Record {
                origin,
                message: Err(Malformed::NoJson)
            }
        );
    }
}
