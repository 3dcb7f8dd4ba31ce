//! A function's role allows exactly what the function does: no less, and nothing besides.
//!
//! What it does stands in `functions/NAME/api-calls.txt`, one IAM action a line, sorted. An action alone is called by the
//! function's code, and a test shows it: every SDK client of its tests carries a [`Recorder`]. An action with a reason
//! (`ACTION  # REASON`) is called by somebody else with the function's role, or on a path that no test can take.
//!
//! ```text
//! kms:Decrypt  # Secrets Manager opens the secret with its reader's rights
//! secretsmanager:GetSecretValue
//! ```
//!
//! Three steps hold list, code and role together:
//!
//! 1. A call that the list lacks stops the test that made it.
//! 2. After all tests, `make unit` runs this crate's binary: a listed call that no test made, and a reason that a test
//!    has overtaken, fail it.
//! 3. The properties of the templates compare [`Calls::actions`] with the role.
//!
//! What such a client is answered, a test's own model of the service says: [`rule`] and [`locked_rule`] ask it. With a
//! [`Hesitation`] the answer comes a moment after the work is done.
//!
//! It cannot see clients that it was not given to, such as those inside the SDK's credential providers: hence the reasons.

mod answers;
mod hesitation;
mod list;
mod recorder;
mod verdict;

pub use answers::{Refusal, locked_rule, rule, stack_resource};
pub use hesitation::Hesitation;
pub use list::{Calls, InvalidList};
pub use recorder::{Recorder, recordings};
pub use verdict::{Discrepancy, compare};
