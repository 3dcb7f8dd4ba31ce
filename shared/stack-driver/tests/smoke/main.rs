//! The smoke test against a site with real TLS on loopback: what is sent, what is believed, and what is said.

mod form;
mod mail;
mod server;
mod site;
