//! Every bounce and complaint that SES reports, recorded in Mautic's own tables as Mautic itself would have recorded it:
//! once, and tied to the very e-mail that caused it.
//!
//! Reads: Lambda's batch ([`ses_events`]), the contacts, sends and do-not-contact rows that it is about. Writes:
//! `lead_donotcontact`, two columns of `email_stats`, and its own two tables, all of a batch in one transaction.
//! Never does: change or remove what a person chose, contact anybody, write an address into a log or a table of its own.
//!
//! 1. judge, [`policy`] and [`clues`]: each recipient of a report becomes an [`incident`] with a verdict, a pure function;
//! 2. observe, under locks that keep functions apart ([`store`]): whom Mautic knows;
//! 3. plan, [`mod@plan`]: which rows become what, a plain value, decided without a connection;
//! 4. apply: a constant number of statements, whatever the number of incidents.
//!
//! An incident's key is written in the transaction that records it, so that a repetition finds it and changes nothing.
//!
//! ```
//! use bounce_handler::incident::Incident;
//! use bounce_handler::plan::{Correlation, Observed, Target, plan};
//! use bounce_handler::policy::Policy;
//! use ses_events::Message;
//!
//! let policy = Policy { soft_threshold: 3, soft_days: 14, permanent_statuses: Vec::new() };
//! let text = r#"{"eventType": "Bounce", "mail": {"messageId": "0102"}, "bounce": {"bounceType": "Permanent",
//!     "bounceSubType": "NoEmail", "bouncedRecipients": [{"emailAddress": "a@example.com"}]}}"#;
//! let Message::Event(event) = Message::read(text)? else { panic!("an event") };
//! let incidents = Incident::all(&event, &policy, 1_795_477_100);
//! let target = Target { correlation: Correlation::Address, contacts: vec![7], ..Target::default() };
//!
//! let mut observed = Observed::default();
//! let first = plan(&[(&incidents[0], &target)], &observed, &policy);
//! assert_eq!(first.new[&7].reason.number(), 2);
//!
//! observed.rows.insert(7, vec![(1, 2)]);
//! assert!(plan(&[(&incidents[0], &target)], &observed, &policy).new.is_empty());
//! # Ok::<(), ses_events::Malformed>(())
//! ```
//!
//! Meets E1, E3, E4 and E5 of the project's criteria; E2 by the subscription's resource policy.

pub mod clues;
mod error;
mod handler;
pub mod incident;
pub mod plan;
pub mod policy;
mod report;
mod settings;
pub mod store;
mod suppression;
mod tables;

pub use error::Error;
pub use handler::{Answer, Failed, Handler};
pub use settings::{InvalidSettings, Settings};
pub use tables::Place;
