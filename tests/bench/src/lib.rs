//! Cold starts, measured from outside: a function is a process that speaks Lambda's Runtime API.
//!
//! [`http`] is a server of a few routes, fast enough not to be what is measured. [`aws`] answers on it as the Runtime API, as
//! CloudFormation's response URL and as an [`account`] of AWS, the latter two over TLS ([`tls`]); MySQL is
//! real, with TLS too. [`jobs`] are the events, and the proof that both contenders did what they say. [`sample`] starts a
//! process, hands it an event, and another one while it is warm, and asks the kernel what each cost. [`rotation`] does so with
//! the four steps of a rotation, each in a process of its own, against the versions of a [`secret`]. [`budgets`] are what a function may cost, whatever others do.
//!
//! What it does not measure: Lambda's own sandbox, a network's latency, and Lambda's Python runtime client, which is
//! larger than the one here.

pub mod account;
pub mod aws;
pub mod bounces;
pub mod budgets;
pub mod http;
pub mod jobs;
pub mod report;
pub mod rotation;
pub mod sample;
pub mod secret;
pub mod tls;
