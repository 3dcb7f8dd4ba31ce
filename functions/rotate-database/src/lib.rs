//! Rotates the passwords of MySQL users, with MySQL's own second password: the old one works until it is retired.
//!
//! The secret of a user is `{username, password, host, port, ...}`. Its password is changed by the master user, whose secret
//! RDS keeps and rotates: it is read at each step, and again once when it does not let us in. `ALTER USER ... RETAIN CURRENT
//! PASSWORD` makes the new password the first one and keeps the present one as the second; `DISCARD OLD PASSWORD` ends that.
//! MySQL has room for two, and retains whatever is the *first* at that moment, whichever the secret names; so each step
//! [looks](observe) at what is there, [plans](mod@plan), and works alone, under a lock of the server's.
//!
//! Whether the server knows second passwords is found out by asking for one, not from its version: where it does not, the
//! statement is refused and nothing has been changed.
//!
//! ```
//! use rotate_database::plan::{Observed, Statement, plan_installation, plan_retirement};
//! use rotate_database::Login;
//!
//! let mut user = Observed { current: Login::Accepted, pending: Login::Refused, has_second: false };
//! assert_eq!(plan_installation(&user)?, [Statement::Install]);
//!
//! user = Observed { current: Login::Accepted, pending: Login::Accepted, has_second: true };
//! assert_eq!(plan_installation(&user)?, []);
//!
//! // After the rotation the pending password is the current one.
//! user = Observed { current: Login::Accepted, pending: Login::Refused, has_second: true };
//! assert_eq!(plan_retirement(&user)?, [Statement::PutCurrentFirst, Statement::DiscardSecond]);
//! # Ok::<(), rotate_database::plan::Refusal>(())
//! ```
//!
//! # Permissions
//! Those of [`rotation`], and `secretsmanager:GetSecretValue` on the master's secret. In MySQL the master user needs CREATE
//! USER and SELECT on `mysql.user`, which RDS's has.
//!
//! Criteria met: O1, O2 and O6 of the project's list.

mod error;
pub mod observe;
pub mod plan;
mod users;

pub use error::Error;
pub use observe::Login;
pub use users::{MASTER, MySqlUsers};
