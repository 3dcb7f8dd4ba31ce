//! How long failures are borne that may pass.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The pause after a first failed attempt; doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What an attempt and the answer may take.
const RESERVE: Duration = Duration::from_secs(12);

/// Allows attempt after attempt until shortly before a step's time is over.
pub(crate) struct Patience {
    end: Instant,
    pause: Duration,
}

impl Patience {
    /// Of a step that has so much time from now on.
    pub(crate) fn within(time: Duration) -> Self {
        Self {
            end: Instant::now() + time.saturating_sub(RESERVE),
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
