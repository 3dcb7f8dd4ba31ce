//! After a rotation: replaces the tasks that hold the old credential, and only then has it retired.
//!
//! ECS gives a task its secrets when it starts. When Secrets Manager moves `AWSCURRENT`, every task that runs goes on with the
//! old credential, which [`rotation`] keeps good. This function ends that. Each invocation [observes](observe) which secrets
//! are in such an overlap, which services and tasks use them, and how their deployments stand; [plans](mod@plan) the next
//! step; carries it out; and ends. It keeps no state and never waits for a deployment: it is invoked again by the events of
//! ECS, by the next move of a label, and by a sweep every quarter of an hour. Killed anywhere, the next look goes on from what
//! there is.
//!
//! An old credential is retired when no deployment of a service that uses its secret is in progress, the last one began after
//! the label had moved, and no task that uses it, standalone ones included, is older than that. A deployment that failed is
//! not tried again: the old credential stays good, a metric tells of it, and the next rotation is refused until a deployment
//! that anybody makes has completed. AWS does not tell when a label moved: what is retired is judged by when the secret was
//! last changed at all, which cannot be earlier; what has failed, by when the version was rotated or written, which a
//! rotation that is refused does not change.
//!
//! All that are due are retired at once, and waited for until shortly before the invocation ends: one that takes its time
//! keeps neither the others from being retired nor the metrics from being told. The next look asks it again.
//!
//! Secrets that are rotated within [`Settings::settle`] of each other are rolled out by one deployment: that of the look which
//! the last of them causes.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use rotation_rollout::plan::{Deployment, Observed, Overlap, Service, State, plan};
//!
//! let (began, settle) = (SystemTime::UNIX_EPOCH, Duration::from_secs(60));
//! let deployment = |created, state| Deployment { is_primary: true, created, state };
//! let mut observed = Observed {
//!     overlaps: vec![Overlap { secret: "db".into(), current: "v2".into(), began, changed: began }],
//!     rotated: [("db".into(), began)].into(),
//!     services: vec![Service {
//!         name: "web".into(),
//!         uses: ["db".to_owned()].into(),
//!         deployments: vec![deployment(began, State::Completed)],
//!         failures: vec![],
//!     }],
//!     tasks: vec![],
//! };
//! let now = began + settle;
//! assert_eq!(plan(&observed, settle, now).deploy, ["web"]);
//!
//! observed.services[0].deployments = vec![deployment(now, State::Completed)];
//! assert!(plan(&observed, settle, now).deploy.is_empty());
//! assert_eq!(plan(&observed, settle, now).ready(), ["db"]);
//! ```
//!
//! # Permissions
//! `secretsmanager:DescribeSecret` and `secretsmanager:ListSecretVersionIds` on the secrets, none of which it reads;
//! `lambda:InvokeFunction` on the functions that rotate them; on the cluster `ecs:ListServices`, `ecs:DescribeServices`, `ecs:UpdateService`, `ecs:ListTasks`, `ecs:DescribeTasks`;
//! and `ecs:DescribeTaskDefinition`.
//!
//! Criterion met: O5 of the project's list.

mod apply;
mod event;
pub mod metrics;
pub mod observe;
pub mod plan;
mod rollout;
mod settings;

pub use apply::Retired;
pub use event::moved_secret;
pub use rollout::{Clients, Found, Rollout};
pub use settings::{InvalidSettings, Settings};
