//! Rotation of a secret in AWS Secrets Manager, in which the old credential works until nobody uses it any more.
//!
//! Secrets Manager rotates in four steps, and its own label `AWSCURRENT` moves at the end of the fourth. Who read the secret
//! before that moment, such as a container that got it when it started, still has the old credential: it must stay good. So
//! there is a fifth step, [`Step::Retire`], that somebody asks for once all of those are gone. A [`RotationTarget`] knows how
//! one kind of credential is made, installed beside the old one, proved and retired; a [`Rotation`] knows the rest: labels,
//! tokens, repetition, and when to refuse.
//!
//! # The overlap
//! Between the fourth and the fifth step both credentials are good. Nothing but labels records it: the version `AWSPREVIOUS`
//! lacks the label [`RETIRED`]. A service holds two credentials at most, so that another rotation would end the old one too
//! soon; therefore [`Rotation`] refuses to make a third, to install it, or to put it into use.
//!
//! # Repetition
//! Any step may come twice, at once or after it was killed half-way. A pending value is never overwritten; of two deliveries
//! that make a credential, one is written, and the other is [taken back](RotationTarget::take_back). A failure that
//! [may pass](RotationTarget::may_pass) is borne until a few seconds before the deadline; when a retirement is asked for, which
//! somebody waits for and asks for again, twenty seconds. What hangs is broken off in time to say so.
//!
//! ```
//! use std::convert::Infallible;
//! use rotation::{Retirement, RotationTarget, Secret, random_password};
//!
//! /// A door that opens to two codes.
//! struct Door(std::sync::Mutex<Vec<String>>);
//!
//! impl RotationTarget for Door {
//!     type Error = Infallible;
//!     async fn make(&self, current: &Secret) -> Result<Secret, Infallible> {
//!         Ok(current.with("password", &random_password()))
//!     }
//!     async fn install(&self, current: &Secret, pending: &Secret) -> Result<(), Infallible> {
//!         let code = |secret: &Secret| secret.text("password").unwrap_or_default().to_owned();
//!         *self.0.lock().unwrap() = vec![code(pending), code(current)];
//!         Ok(())
//!     }
//!     async fn prove(&self, _pending: &Secret) -> Result<(), Infallible> {
//!         Ok(())
//!     }
//!     async fn retire(&self, _current: &Secret, _pending: Option<&Secret>) -> Result<Retirement, Infallible> {
//!         self.0.lock().unwrap().truncate(1);
//!         Ok(Retirement::Done)
//!     }
//! }
//!
//! /// What the function's `main` awaits, under `#[tokio::main(flavor = "current_thread")]`.
//! async fn serve(secrets: aws_sdk_secretsmanager::Client, arn: String) -> Result<(), lambda_runtime::Error> {
//!     rotation::serve(rotation::Rotation::new(secrets, [arn], Door(Vec::new().into()))).await
//! }
//! ```
//!
//! # What it does not do
//! It starts no rotation and no rollout, keeps no state, and decides nothing about time. It shows no value of a secret: not in
//! an error, a log line or a `Debug`.
//!
//! # Permissions
//! On the secrets `secretsmanager:DescribeSecret`, `secretsmanager:GetSecretValue`, `secretsmanager:PutSecretValue` and
//! `secretsmanager:UpdateSecretVersionStage`; on their key `kms:Decrypt` and `kms:GenerateDataKey`.

mod error;
mod event;
mod password;
mod patience;
mod plan;
mod rotate;
mod secret;
mod serve;
mod settings;
mod store;
mod target;
#[cfg(feature = "testing")]
pub mod testing;
mod versions;

pub use error::Error;
pub use event::{MalformedEvent, RotationEvent, Step};
pub use password::random_password;
pub use plan::{Refusal, Task, plan};
pub use rotate::{Outcome, Rotation};
pub use secret::{Malformed, Secret};
pub use serve::serve;
pub use settings::{MissingVariables, secrets_but, variables};
pub use target::{Retirement, RotationTarget};
pub use versions::{RETIRED, Versions};
