//! The function on real MySQL servers, with the user that the stack gives it.

mod binary;
mod exactly_once;
mod oracle;
mod policies;
mod restarts;
mod suppression;
mod wire;
mod world;
