//! Deploys a CloudFormation stack and shows what happens: progress, root cause, summary.
//!
//! The binary runs the real `aws cloudformation deploy` as a child process and reads the stack's events beside it,
//! those of nested stacks too. What is judged and what is printed are plain values and pure functions: a [`Journal`]
//! gathers events into a story, [`root_cause()`] finds the failure that the others follow from, [`Summary`] tells what
//! stands. The calls to AWS stand apart, in [`cloud`], [`preview`] and [`inspect`].
//!
//! It writes nothing but what it is asked for: package and deployment go through the AWS CLI, a preview's change set is
//! deleted at once, what holds data is put under stack policies, `delete` deletes. [`smoke`] tests what stands; it alone reads a
//! secret's value, that of Mautic's administrator, and it removes what it makes there.
//!
//! What is judged before anything is changed stands in [`preflight`], what may not be lost in [`stateful`] and [`guard`], and
//! how CloudFormation is told so in [`protection`]: each a pure function over plain values.
//!
//! ```
//! use stack_driver::event::{Event, Status};
//! use stack_driver::{Journal, root_cause};
//! use std::time::Duration;
//!
//! let failed = Event {
//!     id: "1".into(),
//!     stack_id: "arn:aws:cloudformation:eu-central-1:111122223333:stack/mautic/0a1b".into(),
//!     logical_id: "Schema".into(),
//!     physical_id: String::new(),
//!     resource_type: "Custom::Database".into(),
//!     status: Status::new("CREATE_FAILED"),
//!     reason: "The schema mautic exists already: set AdoptExisting.".into(),
//!     at: Duration::from_secs(1_795_478_658),
//! };
//! let mut journal = Journal::new(&failed.stack_id.clone(), Duration::ZERO);
//! journal.take(vec![failed]);
//! assert_eq!(root_cause(&journal).expect("a failure").first.path, "Schema");
//! ```
//!
//! [`Journal`]: journal::Journal
//! [`root_cause()`]: root_cause::root_cause
//! [`Summary`]: summary::Summary

pub mod arguments;
pub mod aws_cli;
pub mod aws_query;
pub mod change_set;
pub mod cloud;
pub mod command_line;
pub mod deploy;
pub mod dns;
pub mod error;
pub mod event;
pub mod follow;
pub mod guard;
pub mod guarded;
pub mod inputs;
pub mod inspect;
pub mod journal;
pub mod name_servers;
pub mod own_image;
pub mod package;
pub mod plan;
pub mod preflight;
pub mod preview;
pub mod private_file;
pub mod protection;
pub mod readiness;
pub mod report;
pub mod root_cause;
pub mod screen;
pub mod settings;
pub mod smoke;
pub mod stand;
pub mod stateful;
pub mod steps;
pub mod style;
pub mod summary;
pub mod template;
pub mod verdict;

#[cfg(test)]
mod testing;

pub use journal::Journal;
pub use root_cause::root_cause;
