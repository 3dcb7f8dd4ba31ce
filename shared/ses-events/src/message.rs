//! What a record holds: SES's event, or something that comes besides; wrapped by SNS, or raw.

use serde_json::Value;
use thiserror::Error;

use crate::event::Event;
use crate::mending::mended;

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// SES reports something.
    Event(Box<Event>),
    /// The plain text with which SES tries whether it may publish to a topic.
    Trial,
    /// SNS tells that a subscription begins or ends, under this type.
    Subscription(String),
}

/// Something else than SES or SNS sends. No message shows what it holds, which may be anybody's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Malformed {
    /// Neither JSON nor SES's own plain text.
    #[error("the message is no JSON; send only what SES publishes to this queue or topic, and delete the message")]
    NoJson,
    /// JSON of another kind.
    #[error(
        "the message names neither eventType nor notificationType; send only what SES publishes to this queue or topic, and delete the message"
    )]
    NoType,
    /// A report that could not be told from its repetition.
    #[error("the report has neither feedbackId nor mail.messageId; it is not SES's, delete the message")]
    NoId,
    /// A record of another service, or without its message.
    #[error("the record is neither an SQS message nor an SNS notification; connect only those with this function")]
    NoRecord,
    /// The reader has a defect.
    #[error(
        "the message made its reader panic, whose place the log says above; it comes again, and stays in the dead-letter queue until the reader is mended"
    )]
    Panicked,
}

/// The beginning of the text with which SES tries a topic: "Successfully validated SNS topic for Amazon SES event publishing."
const TRIAL: &str = "Successfully validated SNS topic";
/// SNS's types that hold no message for us.
const SUBSCRIPTIONS: [&str; 2] = ["SubscriptionConfirmation", "UnsubscribeConfirmation"];

impl Message {
    /// Reads the text of an SQS message or the message of an SNS notification.
    ///
    /// # Errors
    /// [`Malformed`] if it is neither SNS's nor SES's.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        if text.trim_start().starts_with(TRIAL) {
            return Ok(Self::Trial);
        }
        let object: Value = serde_json::from_str(&mended(text)).map_err(|_| Malformed::NoJson)?;
        let wrapped = || object["Message"].as_str();
        match (object["Type"].as_str(), wrapped()) {
            (Some(kind), _) if SUBSCRIPTIONS.contains(&kind) => Ok(Self::Subscription(kind.to_owned())),
            (Some("Notification"), Some(inner)) => Self::unwrapped(inner),
            _ => Event::read(&object).map(|event| Self::Event(Box::new(event))),
        }
    }

    /// What SNS wrapped; it wraps once.
    fn unwrapped(text: &str) -> Result<Self, Malformed> {
        if text.trim_start().starts_with(TRIAL) {
            return Ok(Self::Trial);
        }
        let object: Value = serde_json::from_str(&mended(text)).map_err(|_| Malformed::NoJson)?;
        Event::read(&object).map(|event| Self::Event(Box::new(event)))
    }
}
