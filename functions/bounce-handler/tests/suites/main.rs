//! The function on real MySQL servers, with the user that the stack gives it.

mod binary;
mod exactly_once;
mod oracle;
mod policies;
mod report;
mod suppression;
mod wire;
mod world;
