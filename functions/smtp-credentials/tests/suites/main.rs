//! The handler against IAM and Secrets Manager in memory, named after what each module proves.

mod clients;
mod world;

mod plans;
mod smtp_credentials_ownership;
mod smtp_credentials_races;
mod smtp_credentials_recovery;
mod smtp_credentials_setup;
