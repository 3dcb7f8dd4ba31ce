//! Looks at a cluster in memory, named after what each module proves.

mod clients;
mod cluster;
mod silence;

mod looks;
mod plans;
