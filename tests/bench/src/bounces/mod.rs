//! How fast bounces are recorded, on tables as large as a busy Mautic's, beside the same work done one event at a time and
//! beside the least SQL that leaves the same rows.

pub mod contenders;
pub mod distance;
pub mod start;
pub mod tables;

use std::time::Duration;

use crate::report::Comparison;

/// By what an event is tied to a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The tracking hash, which Mautic's tables have an index for.
    Hash,
    /// The address, which they have none for.
    Address,
}

impl By {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Address => "address",
        }
    }
}

/// What one contender took for some events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// How many events.
    pub events: usize,
    /// In what time.
    pub time: Duration,
    /// Statements that the server carried out for them, and prepared.
    pub statements: u64,
}

impl Measured {
    /// Events a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a few thousand fit in a double exactly")]
        let events = self.events as f64;
        events / self.time.as_secs_f64()
    }

    /// Milliseconds an event.
    #[must_use]
    pub fn each(&self) -> f64 {
        1000.0 / self.rate()
    }

    /// Beside another: how many times faster we are.
    #[must_use]
    pub fn beside(&self, other: &Self, name: &str, goal: f64) -> Comparison {
        Comparison {
            name: name.to_owned(),
            ours: self.each(),
            other: other.each(),
            unit: "ms",
            goal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faster_one_has_a_higher_ratio() {
        let (fast, slow) = (measured(100, 50), measured(10, 100));
        assert!((fast.rate() - 2000.0).abs() < 1e-6 && (fast.each() - 0.5).abs() < 1e-9);
        let compared = fast.beside(&slow, "x", 20.0);
        assert_eq!(
            compared.to_string(),
            "bench x ours=0.50ms other=10.00ms ratio=20.0 goal=20.0"
        );
        assert!(compared.reached());
    }

    fn measured(events: usize, milliseconds: u64) -> Measured {
        Measured {
            events,
            time: Duration::from_millis(milliseconds),
            statements: 0,
        }
    }
}
