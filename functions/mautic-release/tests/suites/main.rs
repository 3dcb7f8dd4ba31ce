//! `Custom::MauticRelease` through the runtime that runs on Lambda: on every MySQL server that this machine runs, with ECS in
//! memory and a task that does to the schema what the image does, or fails to.

mod clients;
mod ecs;
mod stand_in;
mod world;

mod plans;
mod release_crossings;
mod release_endings;
mod release_secrecy;
mod release_states;
mod release_waits;
