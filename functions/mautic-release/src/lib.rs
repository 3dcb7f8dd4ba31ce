//! `Custom::MauticRelease`: Mautic's schema is installed, or brought to the image's version, before any service has the image.
//!
//! A one-off task of the new image does the work ([`Action`]); this function decides whether it is to, starts it, waits for
//! it and judges what came of it. It goes the same three steps until nothing is left to do:
//!
//! 1. observe: which tasks of the release's family there are ([`tasks`]), and what the schema holds ([`schema`]);
//! 2. plan, [`mod@plan`]: the next step, or why there is none, decided without a connection;
//! 3. apply: start the task.
//!
//! Reads: the properties, the secret of Mautic's own database user, the schema; after an installation the administrator's
//! secret. Never does: install where there is any table, drop anything, migrate down, run a task beside another of its
//! family, write to the database, log a secret.
//!
//! An exit code is not believed alone: Mautic's installer ends with 0 after "Install canceled". The task's last act is a
//! record in the schema, under the event's own id, and only with that record the release has reached its end. The same
//! record, ECS's client token and the task's "started by" keep an event that is delivered again from starting a second
//! task. A wait that outlasts the invocation goes on in a further one; one that outlasts `WaitSeconds` fails, and leaves the
//! task alone.
//!
//! CloudFormation's way back is seen by the task definition, whose revision is then lower than before: nothing is started,
//! and the attributes say in what state the schema stays.
//!
//! # Permissions
//! `ecs:RunTask` on the family's task definitions, with `iam:PassRole` on the task's two roles and `ecs:TagResource` on the
//! task; `ecs:ListTasks`, `ecs:DescribeTasks`, `ecs:StopTask` in the cluster; `logs:GetLogEvents` on the task's log group;
//! `secretsmanager:GetSecretValue` on both secrets and `kms:Decrypt` on their key; `cloudformation:DescribeStackResource` on
//! its stack; `lambda:InvokeFunction` on itself.
//!
//! # Example
//! An empty schema is installed; once the task has left its record there, nothing is left to do.
//! ```
//! use mautic_release::Action;
//! use mautic_release::plan::{Direction, Done, Observed, Order, Step, plan};
//! use mautic_release::schema::{Installed, Record, Schema};
//! use mautic_release::tasks::{Ending, Task, started_by};
//!
//! let order = Order { direction: Direction::Forward, request_id: "0c5f7c9e", over: None };
//! let mut observed = Observed { tasks: Vec::new(), schema: Schema::Empty };
//! assert_eq!(plan(order, &observed)?, Step::Start(Action::Install));
//!
//! let arn = "arn:aws:ecs:eu-central-1:1:task/shop/7e1";
//! observed.tasks.push(Task {
//!     arn: arn.into(),
//!     started_by: started_by("0c5f7c9e"),
//!     action: Some(Action::Install),
//!     ending: Some(Ending { exit_code: Some(0), reason: "Essential container in task exited".into() }),
//! });
//! assert!(plan(order, &observed).is_err(), "the exit code is 0, the schema still empty");
//!
//! observed.schema = Schema::Installed(Installed {
//!     latest_migration: r"Mautic\Migrations\Version20260301120000".into(),
//!     last: None,
//!     own: Some(Record { action: Action::Install, mautic_version: "7.2.1".into() }),
//! });
//! let done = Done::Released { action: Action::Install, task: Some(arn.into()) };
//! assert_eq!(plan(order, &observed)?, Step::Done(done));
//! # Ok::<(), mautic_release::plan::Refusal>(())
//! ```
//!
//! Criteria met: R5 to R11 of the project's list. What the image does for its part stands in docs/operations.md, Releases.

mod action;
mod administrator;
mod apply;
mod attributes;
mod error;
mod handler;
pub mod plan;
mod properties;
pub mod schema;
pub mod tasks;

pub use action::Action;
pub use administrator::Fault;
pub use attributes::Attributes;
pub use error::Error;
pub use handler::{Clients, MauticRelease};
pub use properties::{Host, Properties, SchemaName, TablePrefix, TaskDefinition};
