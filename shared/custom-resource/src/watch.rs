//! How long is waited for what an event has started, across the invocations that the wait takes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::resource::Request;

/// The longest wait, in seconds: CloudFormation itself waits for an hour, and the answer takes its time.
pub const LONGEST_WAIT: u64 = 3540;

/// A property that says how long to wait: from 1 s to [`LONGEST_WAIT`], by default `USUAL` seconds.
///
/// ```
/// use custom_resource::WaitSeconds;
///
/// #[derive(serde::Deserialize)]
/// struct Properties {
///     #[serde(default)]
///     wait: WaitSeconds<600>,
/// }
/// let of = |json| serde_json::from_str::<Properties>(json).map(|properties| properties.wait.duration().as_secs());
/// assert_eq!(of(r#"{"wait": 60}"#).unwrap(), 60);
/// assert_eq!(of("{}").unwrap(), 600);
/// assert!(of(r#"{"wait": 3541}"#).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub struct WaitSeconds<const USUAL: u64>(u64);

impl<const USUAL: u64> WaitSeconds<USUAL> {
    /// The time.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl<const USUAL: u64> Default for WaitSeconds<USUAL> {
    fn default() -> Self {
        Self(USUAL)
    }
}

impl<const USUAL: u64> TryFrom<u64> for WaitSeconds<USUAL> {
    type Error = &'static str;

    fn try_from(seconds: u64) -> Result<Self, Self::Error> {
        if (1..=LONGEST_WAIT).contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err("must be a number of seconds from 1 to 3540")
    }
}

/// What the next invocation needs to go on waiting. No proof of anything: what was started is looked at again.
///
/// ```
/// use custom_resource::{Answer, Outcome, Request, WaitSeconds, Watch};
/// use serde_json::json;
///
/// # fn start_job() -> String { "job-1".to_owned() }
/// # fn has_ended(_job: &str) -> bool { true }
/// /// Starts a job, once, and looks whether it has ended: in this invocation, and in the next ones while it has not.
/// fn look(request: &Request, wait: WaitSeconds<600>) -> Result<Outcome<()>, String> {
///     let mut watch = Watch::resume(request);
///     if let Some(seconds) = watch.over(wait.duration()) {
///         return Err(format!("the job has not ended after {seconds} s"));
///     }
///     let job = watch.started.get_or_insert_with(start_job);
///     if has_ended(job) {
///         return Ok(Outcome::Done(Answer::new(())));
///     }
///     Ok(Outcome::Continue(json!(watch)))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// When the event's first attempt began, in seconds since 1970.
    began: u64,
    /// The id of what the event has started, once it has.
    pub started: Option<String>,
}

impl Watch {
    /// The one that the previous invocation handed to [`Outcome::Continue`](crate::Outcome::Continue); else a wait that begins
    /// now.
    #[must_use]
    pub fn resume(request: &Request) -> Self {
        let carried = request
            .state()
            .and_then(|state| serde_json::from_value(state.clone()).ok());
        carried.unwrap_or_else(|| Self {
            began: now(),
            started: None,
        })
    }

    /// The seconds that were to be waited, once they are over.
    #[must_use]
    pub fn over(&self, longest: Duration) -> Option<u64> {
        let longest = longest.as_secs();
        (now().saturating_sub(self.began) >= longest).then_some(longest)
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::time::Instant;

    use super::*;
    use crate::identity::{PhysicalId, Scope};

    const STACK: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/5a1c0d70";
    const MINUTE: Duration = Duration::from_mins(1);

    fn resumed(state: Option<Value>) -> Watch {
        let scope = Scope::new(STACK, "Thing").expect("a stack");
        Watch::resume(&Request {
            id: PhysicalId::placeholder(scope.stack_id(), scope.logical_id()),
            scope,
            event_id: "0c5f7c9e".to_owned(),
            state,
            deadline: Instant::now(),
        })
    }

    #[test]
    fn a_wait_begins_with_the_first_invocation() {
        let watch = resumed(None);
        assert!(now().abs_diff(watch.began) <= 5, "{watch:?}");
        assert_eq!((watch.started.as_deref(), watch.over(MINUTE)), (None, None));
    }

    #[test]
    fn a_further_invocation_goes_on_where_the_one_before_was() {
        let watch = Watch {
            began: 1_000,
            started: Some("job-1".to_owned()),
        };
        assert_eq!(json!(watch), json!({"began": 1000, "started": "job-1"}));
        assert_eq!(resumed(Some(json!(watch))), watch);
    }

    #[test]
    fn a_state_of_another_shape_begins_anew() {
        assert_eq!(resumed(Some(json!({"zone": "Z1"}))).over(MINUTE), None);
    }

    #[test]
    fn a_wait_is_over_when_its_seconds_are() {
        let over_after = |seconds: u64| {
            let state = json!({"began": now() - seconds, "started": null});
            resumed(Some(state)).over(MINUTE)
        };
        assert_eq!(
            (over_after(50), over_after(60), over_after(600)),
            (None, Some(60), Some(60))
        );
    }

    #[test]
    fn a_wait_is_at_least_a_second_and_less_than_cloudformation_s_hour() {
        let read = |seconds: u64| serde_json::from_value::<WaitSeconds<600>>(json!(seconds));
        for seconds in [1, 600, LONGEST_WAIT] {
            assert_eq!(read(seconds).expect("valid").duration().as_secs(), seconds);
        }
        for seconds in [0, LONGEST_WAIT + 1] {
            assert_eq!(
                read(seconds).expect_err("refused").to_string(),
                "must be a number of seconds from 1 to 3540"
            );
        }
        assert_eq!(WaitSeconds::<600>::default().duration(), Duration::from_mins(10));
    }
}
