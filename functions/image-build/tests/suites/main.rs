//! `Custom::ContainerImage` through the runtime that runs on Lambda, with CodeBuild, ECR and the bucket in memory.

mod account;
mod clients;
mod world;

mod image_crossings;
mod image_deletion;
mod image_endings;
mod image_plans;
mod image_setup;
mod image_waits;
