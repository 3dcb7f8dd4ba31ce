//! The function on real MySQL servers, with the user that the stack gives it.

mod exactly_once;
mod oracle;
mod policies;
mod wire;
mod world;
