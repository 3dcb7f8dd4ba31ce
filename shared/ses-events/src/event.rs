//! SES's events as values. Only what stands where it should and is of the type that it should be is taken; nothing else of
//! an event makes it unreadable.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;

use crate::address::Address;
use crate::message::Malformed;

/// One event about one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: Kind,
    /// SES's id of the mail.
    pub message_id: String,
    /// When SES sent it, in seconds since 1970.
    pub sent_at: Option<i64>,
    /// To whom it was sent. Addresses that are none are left out.
    pub destinations: Vec<Address>,
    /// How many of those to whom it was sent are no addresses.
    pub odd_destinations: usize,
    /// The mail's headers, where SES includes them.
    pub headers: Vec<Header>,
    /// How many recipients a bounce or complaint names that are no addresses; they are left out.
    pub odd_recipients: usize,
}

/// A header of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// As it was spelled.
    pub name: String,
    /// As it was sent.
    pub value: String,
}

/// What happened to a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It could not be delivered.
    Bounce(Bounce),
    /// A recipient called it spam, or may have.
    Complaint(Complaint),
    /// Delivery, Send, Reject, Open, Click, Rendering Failure, `DeliveryDelay` or Subscription.
    Other(&'static str),
    /// A type that was not there when this was written.
    Unknown(String),
}

/// A mail that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// How lasting it is.
    pub class: BounceType,
    /// `bounceSubType` as it came, such as `MailboxFull`; empty if there was none.
    pub subtype: String,
    /// Whom it concerns.
    pub recipients: Vec<Recipient>,
    /// SES's id of the report.
    pub feedback_id: Option<String>,
    /// When it bounced, in seconds since 1970.
    pub at: Option<i64>,
}

/// How lasting a bounce is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BounceType {
    /// The address does not work.
    Permanent,
    /// It may work another time.
    Transient,
    /// The receiving server did not say.
    Undetermined,
    /// Another word of SES's.
    Unknown(String),
}

/// A mail that was called spam.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// `complaintFeedbackType`, such as `abuse`; providers often send none.
    pub feedback_type: Option<String>,
    /// `complaintSubType`.
    pub subtype: Option<String>,
    /// Who may have complained: all recipients at that provider.
    pub recipients: Vec<Recipient>,
    /// SES's id of the report.
    pub feedback_id: Option<String>,
    /// When it was reported, in seconds since 1970.
    pub at: Option<i64>,
}

/// One recipient that an event concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Who.
    pub address: Address,
    /// The enhanced status code, such as `5.1.1`.
    pub status: Option<String>,
    /// The receiving server's words.
    pub diagnostic: Option<String>,
}

/// The types whose recipients need no attention.
const OTHERS: [&str; 8] = [
    "Delivery",
    "Send",
    "Reject",
    "Open",
    "Click",
    "Rendering Failure",
    "DeliveryDelay",
    "Subscription",
];

const BOUNCED: &str = "bouncedRecipients";
const COMPLAINED: &str = "complainedRecipients";

impl Event {
    /// Reads an event of either format.
    ///
    /// # Errors
    /// If the object names no type, or is a bounce or complaint without any id: it could not be told from its repetition.
    pub(crate) fn read(object: &Value) -> Result<Self, Malformed> {
        let named = text(object, "eventType").or_else(|| text(object, "notificationType"));
        let named = named.ok_or(Malformed::NoType)?;
        let mail = &object["mail"];
        let kind = match named.as_str() {
            "Bounce" => Kind::Bounce(bounce(&object["bounce"])),
            "Complaint" => Kind::Complaint(complaint(&object["complaint"])),
            other => OTHERS
                .into_iter()
                .find(|known| *known == other)
                .map_or(Kind::Unknown(named), Kind::Other),
        };
        let message_id = text(mail, "messageId").unwrap_or_default();
        let (listed, taken) = match &kind {
            Kind::Bounce(Bounce { feedback_id, .. }) | Kind::Complaint(Complaint { feedback_id, .. })
                if feedback_id.is_none() && message_id.is_empty() =>
            {
                return Err(Malformed::NoId);
            }
            Kind::Bounce(bounce) => (list(&object["bounce"], BOUNCED).count(), bounce.recipients.len()),
            Kind::Complaint(complaint) => (
                list(&object["complaint"], COMPLAINED).count(),
                complaint.recipients.len(),
            ),
            Kind::Other(_) | Kind::Unknown(_) => (0, 0),
        };
        let destinations: Vec<_> = list(mail, "destination")
            .filter_map(|one| Address::parse(one.as_str()?))
            .collect();
        Ok(Self {
            kind,
            message_id,
            sent_at: time(mail, "timestamp"),
            odd_destinations: list(mail, "destination").count() - destinations.len(),
            destinations,
            headers: list(mail, "headers").filter_map(header).collect(),
            odd_recipients: listed - taken,
        })
    }

    /// The type as SES spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Bounce(_) => "Bounce",
            Kind::Complaint(_) => "Complaint",
            Kind::Other(name) => name,
            Kind::Unknown(name) => name,
        }
    }

    /// The values of a header, in the order in which they stand; its name in any case.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self
            .headers
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name));
        named.map(|header| header.value.as_str())
    }
}

fn bounce(object: &Value) -> Bounce {
    let class = match text(object, "bounceType").unwrap_or_default().as_str() {
        "Permanent" => BounceType::Permanent,
        "Transient" => BounceType::Transient,
        "Undetermined" => BounceType::Undetermined,
        other => BounceType::Unknown(other.to_owned()),
    };
    Bounce {
        class,
        subtype: text(object, "bounceSubType").unwrap_or_default(),
        recipients: recipients(object, BOUNCED),
        feedback_id: text(object, "feedbackId"),
        at: time(object, "timestamp"),
    }
}

fn complaint(object: &Value) -> Complaint {
    Complaint {
        feedback_type: text(object, "complaintFeedbackType"),
        subtype: text(object, "complaintSubType"),
        recipients: recipients(object, COMPLAINED),
        feedback_id: text(object, "feedbackId"),
        at: time(object, "timestamp"),
    }
}

fn recipients(object: &Value, member: &str) -> Vec<Recipient> {
    let recipient = |one: &Value| {
        Some(Recipient {
            address: Address::parse(one["emailAddress"].as_str()?)?,
            status: text(one, "status"),
            diagnostic: text(one, "diagnosticCode"),
        })
    };
    list(object, member).filter_map(recipient).collect()
}

fn header(one: &Value) -> Option<Header> {
    Some(Header {
        name: one["name"].as_str()?.to_owned(),
        value: one["value"].as_str()?.to_owned(),
    })
}

/// A text that is there and not empty.
fn text(object: &Value, member: &str) -> Option<String> {
    object[member]
        .as_str()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

fn list<'a>(object: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    object[member].as_array().into_iter().flatten()
}

/// ISO 8601, as `2016-01-27T14:59:38.237Z`.
fn time(object: &Value, member: &str) -> Option<i64> {
    let text = object[member].as_str()?;
    let time = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
    Some(time.secs())
}
