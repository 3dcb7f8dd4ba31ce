//! The crate on every MySQL server that this machine runs.

mod common;
mod connection;
mod quoting;
mod secrets;
