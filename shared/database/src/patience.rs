//! How long failures are borne that may pass.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The pause after a first failed attempt; doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Allows attempt after attempt until a deadline.
///
/// ```
/// # use std::time::Duration;
/// # use database::{Connection, Connector, Credentials, Error, Patience};
/// # use tokio::time::Instant;
/// async fn connect(connector: &Connector, credentials: &Credentials) -> Result<Connection, Error> {
///     let mut patience = Patience::until(Instant::now() + Duration::from_secs(60));
///     loop {
///         match connector.connect(credentials).await {
///             Err(error) if error.is_transient() && patience.wait().await => {}
///             other => return other,
///         }
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Patience {
    deadline: Instant,
    pause: Duration,
}

impl Patience {
    /// Patience that ends at `deadline`.
    #[must_use]
    pub fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            pause: FIRST_PAUSE,
        }
    }

    /// Waits a little longer each time; false, at once, if there is no time for another attempt.
    pub async fn wait(&mut self) -> bool {
        if Instant::now() + self.pause >= self.deadline {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_pauses_grow_to_five_seconds_and_end_before_the_deadline() {
        let start = Instant::now();
        let mut patience = Patience::until(start + Duration::from_secs(20));
        let mut ends = Vec::new();
        while patience.wait().await {
            ends.push(start.elapsed().as_millis());
        }
        assert_eq!(ends, [200, 600, 1_400, 3_000, 6_200, 11_200, 16_200]);
        assert_eq!(
            start.elapsed(),
            Duration::from_millis(16_200),
            "the refusal itself takes no time"
        );
    }
}
