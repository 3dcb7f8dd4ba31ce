//! The function on real MySQL servers, with the user that the stack gives it.

mod binary;
mod exactly_once;
mod kills;
mod oracle;
mod policies;
mod report;
mod scenario;
mod silence;
mod suppression;
mod wire;
mod world;
