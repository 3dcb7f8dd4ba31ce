//! Rotations of users of real Redis and Valkey servers, alone and as clusters.

mod rotations;
mod rotations_stopped;
mod world;
