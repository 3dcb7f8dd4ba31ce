//! Rotations of a mail user's key, proved against a real SMTP server.

mod rotations;
mod rotations_stopped;
mod server;
mod world;
