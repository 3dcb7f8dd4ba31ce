//! Decides on the next step. Nothing here calls anything; planning again after the last step gives none.

use std::fmt;

use thiserror::Error;

use crate::builds::{Build, Ending, Log};

/// What is to be there, for which event, and whether there is time for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order<'a> {
    /// The tag of the image that is wanted.
    pub tag: &'a str,
    /// CloudFormation's id of the event; the same when it is delivered again.
    pub request_id: &'a str,
    /// The seconds that were to be waited, once they are over.
    pub over: Option<u64>,
}

/// Everything that a plan depends on. The builds are looked at first: a build that is seen to have ended has pushed its
/// image before the repository was looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The builds of the project.
    pub builds: Vec<Build>,
    /// The digest of the image with the tag that is wanted.
    pub image: Option<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Put the context into the bucket and start a build of it.
    Start,
    /// Look again in a moment: this build is at work on the tag.
    Wait(String),
    /// The image is there; its digest.
    Done(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start a build"),
            Self::Wait(build) => write!(f, "wait for build {build}"),
            Self::Done(digest) => write!(f, "nothing: the image is there, {digest}"),
        }
    }
}

/// Why there is no step; reads on from the image's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The build of this event ended without an image.
    #[error(
        "was not built: build {} ended {}. {}; {}",
        .0.id, ended(&ending(.0)), place(.0.log.as_ref()), remedy(&ending(.0).status)
    )]
    Failed(Box<Build>),
    /// A build is at work on it longer than was to be waited.
    #[error(
        "is still being built by {build} after {seconds} s. It was left alone and goes on: wait for its end, which aws \
         codebuild batch-get-builds --ids {build} shows, then update the stack again"
    )]
    StillAtWork {
        /// The build.
        build: String,
        /// How long was waited.
        seconds: u64,
        /// Its log.
        log: Option<Log>,
    },
    /// Something else took all the time.
    #[error("was not begun, since the {seconds} s of waiting were over before its turn came; update the stack again")]
    NoTime {
        /// How long was waited.
        seconds: u64,
    },
}

impl Refusal {
    /// The log that tells more.
    #[must_use]
    pub fn log(&self) -> Option<&Log> {
        match self {
            Self::Failed(build) => build.log.as_ref(),
            Self::StillAtWork { log, .. } => log.as_ref(),
            Self::NoTime { .. } => None,
        }
    }
}

fn ending(build: &Build) -> Ending {
    build.ending.clone().unwrap_or_default()
}

/// How a build ended, in words; reads on from `ended`.
fn ended(ending: &Ending) -> String {
    let Ending { status, phase, message } = ending;
    match (phase.as_str(), message.as_str()) {
        ("", _) if status == SUCCEEDED => format!("{status}, but the repository has no image of that tag"),
        ("", _) => status.clone(),
        (phase, "") => format!("{status} in phase {phase}"),
        (phase, message) => format!("{status} in phase {phase} ({})", message.trim_end_matches('.')),
    }
}

fn place(log: Option<&Log>) -> String {
    match log {
        Some(Log { group, stream }) => format!("Its log is stream {stream} of log group {group}"),
        None => "It has no log".to_owned(),
    }
}

const SUCCEEDED: &str = "SUCCEEDED";

/// What to do about it, by how the build ended.
fn remedy(status: &str) -> &'static str {
    match status {
        "FAULT" => "that is AWS's own fault: update the stack again",
        "STOPPED" => "somebody stopped it: update the stack again when it may run to its end",
        "TIMED_OUT" => "look there for what it waited for, then update the stack again",
        SUCCEEDED => "somebody took the image away meanwhile: update the stack again",
        _ => {
            "correct what it names, or try again when it was the network's or a registry's, then update the stack again"
        }
    }
}

/// The next step.
///
/// # Errors
/// [`Refusal`] if there is none, and there is no image.
pub fn plan(order: Order<'_>, observed: &Observed) -> Result<Step, Refusal> {
    if let Some(digest) = &observed.image {
        return Ok(Step::Done(digest.clone()));
    }
    let of_this_tag = || observed.builds.iter().filter(|build| build.tag == order.tag);
    if let Some(own) = of_this_tag().find(|build| build.request_id == order.request_id) {
        return match &own.ending {
            None => wait_for(order, own),
            Some(_) => Err(Refusal::Failed(Box::new(own.clone()))),
        };
    }
    // Somebody else's: an earlier event's, or the schedule's. When it fails, this event starts its own.
    if let Some(other) = of_this_tag().find(|build| build.runs()) {
        return wait_for(order, other);
    }
    match order.over {
        None => Ok(Step::Start),
        Some(seconds) => Err(Refusal::NoTime { seconds }),
    }
}

fn wait_for(order: Order<'_>, build: &Build) -> Result<Step, Refusal> {
    match order.over {
        None => Ok(Step::Wait(build.id.clone())),
        Some(seconds) => Err(Refusal::StillAtWork {
            build: build.id.clone(),
            seconds,
            log: build.log.clone(),
        }),
    }
}
