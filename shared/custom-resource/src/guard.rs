//! Keeps what a handler does from keeping CloudFormation waiting.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use tokio::time::{Instant, timeout_at};

/// Why a handler gave no result of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Panicked,
    TimedOut,
}

/// Runs `work` to its end, its panic, or the deadline. What it held is dropped in each case before this returns.
pub(crate) async fn guarded<T>(work: impl Future<Output = T>, deadline: Instant) -> Result<T, Fault> {
    match timeout_at(deadline, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) => Err(Fault::Panicked),
        Err(_) => Err(Fault::TimedOut),
    }
}
