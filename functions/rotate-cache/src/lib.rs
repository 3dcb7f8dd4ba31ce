//! Rotates the password of an ElastiCache user, who has two of them until the old one is retired.
//!
//! `ModifyUser` replaces a user's passwords by one or two others, and takes its time: minutes, once twenty of them. So
//! `setSecret` only begins the change, and finds one that is in flight good enough; `testSecret` waits until ElastiCache has
//! told every node, as long as the invocation lasts, and then proves the password as a client would: AUTH and PING over TLS.
//! Nothing is waited for beyond the deadline; Secrets Manager tries again. ElastiCache tells how many passwords a user has,
//! and which they are only the cache itself can tell: so each step tries them there, and [plans](mod@plan) by what came of it.
//!
//! The secret is `{username, password}`; host and port come from the function's environment.
//!
//! ```
//! use rotate_cache::plan::{Change, Observed, plan_installation, plan_retirement};
//!
//! let mut user = Observed { current_works: true, pending_works: false, passwords: 1, is_changing: false };
//! assert_eq!(plan_installation(&user), Ok(Change::BothPasswords));
//! user.is_changing = true;
//! assert_eq!(plan_installation(&user), Ok(Change::InFlight));
//! user = Observed { passwords: 2, is_changing: false, ..user };
//! assert_eq!(plan_retirement(&user), Ok(Change::CurrentPassword));
//! ```
//!
//! # Permissions
//! Those of [`rotation`]; on the user `elasticache:DescribeUsers` and `elasticache:ModifyUser`.
//!
//! Criteria met: O1, O3 and O6 of the project's list.

mod cache;
mod error;
pub mod plan;
mod user;

pub use cache::{Cache, command};
pub use error::Error;
pub use user::CacheUser;
