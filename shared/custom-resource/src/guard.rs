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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn within(work: impl Future<Output = u8>, milliseconds: u64) -> Result<u8, Fault> {
        guarded(work, Instant::now() + Duration::from_millis(milliseconds)).await
    }

    #[tokio::test]
    async fn each_way_to_end_is_told_apart() {
        assert_eq!(within(async { 1 }, 1000).await, Ok(1));
        assert_eq!(within(async { panic!("a defect") }, 1000).await, Err(Fault::Panicked));
        assert_eq!(within(std::future::pending(), 10).await, Err(Fault::TimedOut));
    }

    #[tokio::test]
    async fn a_panic_after_a_pause_is_one_too() {
        let late = async {
            tokio::task::yield_now().await;
            panic!("a defect")
        };
        assert_eq!(within(late, 1000).await, Err(Fault::Panicked));
    }
}
