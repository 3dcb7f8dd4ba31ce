//! Secrets Manager in memory, as strict as it is, for the tests of rotations; what happens to those who call it; and a [`Scene`],
//! which takes any credential through that.

mod client;
mod killed;
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use recorded_calls::Refusal;
use serde_json::{Value, json};

use crate::event::Step;
use crate::rotate::{Outcome, Rotation};
use crate::target::RotationTarget;
use crate::versions::{CURRENT, PENDING, RETIRED};

pub use scene::{AGAIN, ARN, Scene, V1, refused, refused_within, version};

const PREVIOUS: &str = "AWSPREVIOUS";

#[derive(Debug, Clone, Default)]
struct Version {
    text: Option<String>,
    made: Option<SystemTime>,
    labels: BTreeSet<String>,
}

#[derive(Debug, Clone, Default)]
struct Held {
    rotates: bool,
    versions: BTreeMap<String, Version>,
    created: Option<SystemTime>,
    changed: Option<SystemTime>,
    rotated: Option<SystemTime>,
}

type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Script {
    calls: Vec<&'static str>,
    dies_at: Option<usize>,
    lost: Option<&'static str>,
    meanwhile: Option<(&'static str, Meanwhile)>,
}

/// Secrets, their versions, and who calls for them.
#[derive(Default)]
pub struct Shelf {
    secrets: Mutex<BTreeMap<String, Held>>,
    script: Mutex<Script>,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refusal(code: &'static str, message: &str) -> Refusal {
    Refusal(code, message.to_owned())
}

impl Held {
    fn at(&self, label: &str) -> Option<String> {
        let found = self.versions.iter().find(|(_, version)| version.labels.contains(label));
        found.map(|(id, _)| id.clone())
    }

    /// Moves a label; `AWSPREVIOUS` follows `AWSCURRENT`.
    fn label(&mut self, label: &str, to: &str) {
        let from = self.at(label);
        if label == CURRENT
            && let Some(from) = from.as_ref().filter(|from| *from != to)
        {
            self.label(PREVIOUS, &from.clone());
        }
        for version in self.versions.values_mut() {
            version.labels.remove(label);
        }
        let version = self.versions.entry(to.to_owned()).or_default();
        version.labels.insert(label.to_owned());
        version.made.get_or_insert_with(SystemTime::now);
        if label == CURRENT
            && let Some(version) = self.versions.get_mut(to)
        {
            version.labels.remove(PREVIOUS);
        }
        self.changed = Some(SystemTime::now());
    }

    fn put(&mut self, token: &str, text: &str, labels: &[String]) -> Result<(), Refusal> {
        match self.versions.get(token).and_then(|version| version.text.as_deref()) {
            Some(held) if held == text => return Ok(()),
            Some(_) => {
                return Err(refusal(
                    "ResourceExistsException",
                    "a version of that token holds something else",
                ));
            }
            None => {}
        }
        self.versions.entry(token.to_owned()).or_default().text = Some(text.to_owned());
        let current = [CURRENT.to_owned()];
        for label in if labels.is_empty() { &current[..] } else { labels } {
            self.label(label, token);
        }
        self.forget();
        Ok(())
    }

    fn update_stage(&mut self, label: &str, to: &str, from: Option<&str>) -> Result<(), Refusal> {
        let target = self.versions.get(to);
        let target = target.ok_or_else(|| refusal("ResourceNotFoundException", "there is no such version"))?;
        if label == CURRENT && target.text.is_none() {
            return Err(refusal("InvalidRequestException", "the version holds no value"));
        }
        let at = self.at(label);
        if at.as_deref() != Some(to) && at.as_deref() != from {
            return Err(refusal("InvalidParameterException", "the label is on another version"));
        }
        self.label(label, to);
        self.forget();
        Ok(())
    }

    /// A version without labels is deprecated, and goes.
    fn forget(&mut self) {
        self.versions.retain(|_, version| !version.labels.is_empty());
    }
}

impl Shelf {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    fn held<T>(&self, arn: &str, use_it: impl FnOnce(&mut Held) -> T) -> T {
        use_it(open(&self.secrets).entry(arn.to_owned()).or_default())
    }

    /// A secret that is set up for rotation, with this current version.
    pub fn hold(&self, arn: &str, version: &str, content: &Value) {
        self.held(arn, |held| {
            held.rotates = true;
            held.versions.insert(version.to_owned(), Version::default());
            held.label(CURRENT, version);
            held.versions.entry(version.to_owned()).or_default().text = Some(content.to_string());
        });
    }

    /// Writes a new current version by hand.
    ///
    /// # Panics
    /// If the version exists with another content.
    pub fn write_by_hand(&self, arn: &str, version: &str, content: &Value) {
        let written = self.held(arn, |held| held.put(version, &content.to_string(), &[]));
        assert_eq!(written, Ok(()));
    }

    /// As `RotateSecret` begins: a version without a value, labelled as pending.
    pub fn begin(&self, arn: &str, token: &str) {
        self.held(arn, |held| {
            held.versions.entry(token.to_owned()).or_default();
            held.label(PENDING, token);
        });
    }

    /// Dates a secret: when it was made, and when it was last rotated, if ever.
    pub fn date(&self, arn: &str, created: SystemTime, rotated: Option<SystemTime>) {
        self.held(arn, |held| (held.created, held.rotated) = (Some(created), rotated));
    }

    /// Lets so much time pass: every date lies further back.
    pub fn age(&self, by: Duration) {
        for held in open(&self.secrets).values_mut() {
            let made = held.versions.values_mut().map(|version| &mut version.made);
            let dates = [&mut held.created, &mut held.changed, &mut held.rotated];
            for date in dates.into_iter().chain(made).flatten() {
                *date -= by;
            }
        }
    }

    /// Takes a label away, as an operator does.
    pub fn remove_label(&self, arn: &str, label: &str) {
        self.held(arn, |held| {
            for version in held.versions.values_mut() {
                version.labels.remove(label);
            }
        });
    }

    /// Turns the rotation of a secret off.
    pub fn stop_rotating(&self, arn: &str) {
        self.held(arn, |held| held.rotates = false);
    }

    /// What the version with this label holds.
    #[must_use]
    pub fn content(&self, arn: &str, label: &str) -> Option<Value> {
        let text = self.held(arn, |held| held.versions.get(&held.at(label)?)?.text.clone())?;
        serde_json::from_str(&text).ok()
    }

    /// Every version with its labels, in the order of their ids.
    #[must_use]
    pub fn labels(&self, arn: &str) -> Vec<(String, Vec<String>)> {
        self.held(arn, |held| {
            let listed = held.versions.iter();
            let listed = listed.map(|(id, version)| (id.clone(), version.labels.iter().cloned().collect()));
            listed.collect()
        })
    }

    /// Whether the previous version has been retired, or there is none.
    #[must_use]
    pub fn is_settled(&self, arn: &str) -> bool {
        self.held(arn, |held| match held.at(PREVIOUS) {
            Some(previous) => held.at(RETIRED) == Some(previous),
            None => true,
        })
    }

    /// The calls so far, by their actions.
    #[must_use]
    pub fn calls(&self) -> Vec<&'static str> {
        open(&self.script).calls.clone()
    }

    /// Refuses every call from the given one on, counted from now, as if the caller had been killed; `None` ends that.
    pub fn die_at(&self, call: Option<usize>) {
        let mut script = open(&self.script);
        script.dies_at = call.map(|call| script.calls.len() + call);
    }

    /// Carries out the next call of `action`, and loses the answer.
    pub fn lose_answer_of(&self, action: &'static str) {
        open(&self.script).lost = Some(action);
    }

    /// Lets something happen just before the next call of `action`.
    pub fn meanwhile(&self, action: &'static str, happens: impl FnOnce() + Send + 'static) {
        open(&self.script).meanwhile = Some((action, Box::new(happens)));
    }

    /// One call, with what it does.
    fn call<T>(
        &self,
        action: &'static str,
        arn: &str,
        answer: impl FnOnce(&mut Held) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (lost, happens) = {
            let mut script = open(&self.script);
            let number = script.calls.len();
            script.calls.push(action);
            if script.dies_at.is_some_and(|at| number >= at) {
                return Err(refusal("AccessDeniedException", "killed"));
            }
            let lost = script.lost.take_if(|lost| *lost == action).is_some();
            (lost, script.meanwhile.take_if(|(awaited, _)| *awaited == action))
        };
        if let Some((_, happens)) = happens {
            happens();
        }
        let mut secrets = open(&self.secrets);
        let held = secrets.get_mut(arn);
        let held = held.ok_or_else(|| {
            refusal(
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret.",
            )
        });
        let answered = answer(held?);
        if lost {
            return Err(refusal("InternalServiceError", "the answer was lost"));
        }
        answered
    }
}

/// One step, as Secrets Manager asks for it, with a minute's time.
///
/// # Errors
/// As [`Rotation::handle`].
pub async fn step<T: RotationTarget>(
    rotation: &Rotation<T>,
    arn: &str,
    step: Step,
    token: &str,
) -> Result<Outcome, crate::Error<T::Error>> {
    let payload = json!({"Step": step.to_string(), "SecretId": arn, "ClientRequestToken": token});
    rotation
        .handle(payload, SystemTime::now() + Duration::from_mins(1))
        .await
}

/// A whole rotation to the version `token`, without the retirement.
///
/// # Errors
/// That of the first step that failed.
pub async fn rotate<T: RotationTarget>(
    shelf: &Shelf,
    rotation: &Rotation<T>,
    arn: &str,
    token: &str,
) -> Result<(), crate::Error<T::Error>> {
    shelf.begin(arn, token);
    for one in Step::ROTATION {
        step(rotation, arn, one, token).await?;
    }
    Ok(())
}
