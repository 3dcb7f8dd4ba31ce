//! What SES reports about mails, read from any of the ways on which it comes to a Lambda function.
//!
//! - [`Batch`]: what Lambda hands over, SQS messages or SNS notifications; each record stands alone, so that one that
//!   cannot be read leaves the others as they are.
//! - [`Message`]: what a record holds, wrapped by SNS or raw: an [`Event`], or one of the texts that are sent besides.
//! - [`Event`]: both of SES's formats, `notificationType` of identity notifications and `eventType` of event publishing
//!   (<https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>,
//!   <https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html>).
//!
//! Types, subtypes and members that are not known are taken as they come: SES adds some every year.
//!
//! ```
//! use ses_events::{Event, Kind, Message};
//!
//! let text = r#"{"eventType": "Bounce", "mail": {"messageId": "0102", "destination": ["a@example.com"]}, "bounce": {
//!     "bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [{"emailAddress": "A <a@example.com>"}]}}"#;
//! let Message::Event(event) = Message::read(text)? else { panic!("an event") };
//! let Kind::Bounce(bounce) = &event.kind else { panic!("a bounce") };
//! assert_eq!(bounce.recipients[0].address.as_str(), "a@example.com");
//! # Ok::<(), ses_events::Malformed>(())
//! ```
//!
//! It decides nothing: what a bounce means for a contact is the reader's business.

mod address;
mod delivery;
mod event;
mod mending;
mod message;

pub use address::Address;
pub use delivery::{Batch, Origin, Record};
pub use event::{Bounce, BounceType, Complaint, Event, Header, Kind, Recipient};
pub use message::{Malformed, Message};
