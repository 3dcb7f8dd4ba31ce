//! A process that is killed while it waits.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// What comes of `work`; `None` if it waits more than `waits` times, and is dropped when that wait is over: what it had asked
/// for is done, and it never learns so.
pub(super) async fn killed_after<F: Future>(waits: usize, work: F) -> Option<F::Output> {
    let (mut work, mut left) = (pin!(work), waits + 1);
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn whoever_is_killed_has_begun_what_he_waited_for_and_nothing_after_it() {
        for waits in 0..4 {
            let begun = Cell::new(0);
            let work = async {
                for _ in 0..3 {
                    begun.set(begun.get() + 1);
                    tokio::task::yield_now().await;
                }
                "done"
            };
            let ended = killed_after(waits, work).await;
            assert_eq!((ended, begun.get()), ((waits == 3).then_some("done"), 3.min(waits + 1)));
        }
    }
}
