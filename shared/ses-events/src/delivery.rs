//! What Lambda hands over: a list of records, each of which may be unreadable alone.

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
        self.records.iter().map(|record| Record::read(record.get()))
    }
}

impl Record {
    fn read(text: &str) -> Self {
        let record: Value = match serde_json::from_str(&mended(text)) {
            Ok(record) => record,
            Err(_) => {
                return Self {
                    origin: Origin::Topic,
                    message: Err(Malformed::NoRecord),
                };
            }
        };
        let queued = record["messageId"].as_str().filter(|_| record["Sns"].is_null());
        let (origin, text) = match queued {
            Some(id) => (Origin::Queue(id.to_owned()), record["body"].as_str()),
            None => (Origin::Topic, record["Sns"]["Message"].as_str()),
        };
        let message = text.ok_or(Malformed::NoRecord).and_then(Message::read);
        Self { origin, message }
    }
}
