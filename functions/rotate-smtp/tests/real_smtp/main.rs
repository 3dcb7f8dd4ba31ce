//! Rotations of a mail user's key, proved against a real SMTP server.

mod rotations;
mod server;
mod world;
