//! How an invocation's time is divided between the handler and the answer.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// What the answer needs at the end of an invocation: two connections that time out, 3 s each, and one that works.
const ANSWER: Duration = Duration::from_secs(8);
/// What is left when the last attempt to answer ends, so that the function can still report that it failed.
const REPORT: Duration = Duration::from_millis(250);

/// The two ends of an invocation's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// The handler is cut off here.
    pub(crate) handler: Instant,
    /// A further invocation must be under way by here, else its failure is answered.
    pub(crate) hand_over: Instant,
    /// Attempts to answer end here.
    pub(crate) answer: Instant,
}

impl Deadlines {
    /// For an invocation that Lambda kills at `end`.
    pub(crate) fn until(end: SystemTime) -> Self {
        Self::within(end.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// For an invocation that Lambda kills after `left`. Eight seconds belong to the answer, or half of the time where
    /// that is less: a function with Lambda's default of 3 s still answers.
    pub(crate) fn within(left: Duration) -> Self {
        let end = Instant::now() + left;
        let answer = ANSWER.min(left / 2);
        Self {
            handler: end - answer,
            hand_over: end - answer / 2,
            answer: end - REPORT.min(left / 8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_seconds_belong_to_the_answer_or_half_of_what_there_is() {
        for (answer, timeout) in [(8000, 900_000), (8000, 16_000), (5000, 10_000), (1500, 3000)] {
            let handler = Duration::from_millis(timeout - answer);
            let before = Instant::now();
            let deadlines = Deadlines::within(Duration::from_millis(timeout));
            let expected = before + handler..=Instant::now() + handler;
            assert!(expected.contains(&deadlines.handler), "not {answer} of {timeout} ms");
            assert!(deadlines.handler < deadlines.hand_over && deadlines.hand_over < deadlines.answer);
        }
    }

    #[test]
    fn an_invocation_whose_time_is_over_has_none_left() {
        let before = Instant::now();
        let deadlines = Deadlines::until(SystemTime::UNIX_EPOCH);
        assert!(deadlines.answer >= before && deadlines.answer <= Instant::now());
    }
}
