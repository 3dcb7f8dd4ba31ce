//! The function on real MySQL servers, with the user that the stack gives it.

mod oracle;
mod policies;
mod world;
