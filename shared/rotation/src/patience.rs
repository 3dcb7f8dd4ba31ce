//! How long failures are borne that may pass.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

/// The pause after a first failed attempt; doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What an attempt and the answer take at most.
const RESERVE: Duration = Duration::from_secs(12);

/// Allows attempt after attempt until shortly before the invocation ends.
pub(crate) struct Patience {
    end: Instant,
    pause: Duration,
}

impl Patience {
    pub(crate) fn until(deadline: SystemTime) -> Self {
        let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
        Self {
            end: Instant::now() + left.saturating_sub(RESERVE),
            pause: FIRST_PAUSE,
        }
    }

    /// Waits a little longer each time; false, at once, if there is no time for another attempt.
    pub(crate) async fn wait(&mut self) -> bool {
        if Instant::now() + self.pause >= self.end {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}
