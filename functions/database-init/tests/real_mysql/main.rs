//! `Custom::Database` and `Custom::DatabaseUser` on every MySQL server that this machine runs, as administrators with
//! backslash escapes and without, through the runtime that runs on Lambda.

mod grants;
mod schema;
mod secrecy;
mod user;
mod user_deletion;
mod world;
