//! Cold starts, measured from outside: a function is a process that speaks Lambda's Runtime API.
//!
//! [`http`] is a server of a few routes on a loopback port, fast enough not to be what is measured. [`aws`] answers on it as the Runtime API, as
//! CloudFormation's response URL and as the AWS APIs that the two jobs call (their latency is no part of the comparison; MySQL is real). [`sample`]
//! starts a process, hands it one event and reads from `/proc` what it cost until CloudFormation had its answer.
//!
//! What it does not measure: Lambda's own sandbox, network latency, TLS to AWS endpoints.

pub mod aws;
pub mod http;
pub mod jobs;
pub mod report;
pub mod sample;
