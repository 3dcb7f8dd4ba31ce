//! The smoke test against a site with real TLS on loopback: what is sent, what is believed, and what is said.

mod form;
#[path = "../http/mod.rs"]
mod http;
mod mail;
mod server;
mod site;
