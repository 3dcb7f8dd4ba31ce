//! Carries out one step.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::error::Error;
use crate::event::{RotationEvent, Step};
use crate::patience::Patience;
use crate::plan::{Refusal, Task, plan};
use crate::secret::{Malformed, Secret};
use crate::store::{Put, Store};
use crate::target::{Retirement, RotationTarget};

/// A retirement's time, whatever the function's is, twenty seconds for trying again among it: rotation-rollout waits for the
/// answer, has other secrets to see to, and asks again at its next look.
const RETIREMENT: Duration = Duration::from_secs(32);

/// What the answer takes of a step that hangs: Lambda kills without a word.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "Outcome")]
pub enum Outcome {
    /// It did what it is for.
    #[serde(rename = "done")]
    Done,
    /// That had been done before, or there is nothing to try it on.
    #[serde(rename = "nothing to do")]
    Nothing,
    /// The service is at it; ask again later.
    #[serde(rename = "under way")]
    UnderWay,
}

/// Rotates secrets of one kind.
#[derive(Debug)]
pub struct Rotation<T> {
    client: Client,
    secrets: BTreeSet<String>,
    target: T,
}

impl<T: RotationTarget> Rotation<T> {
    /// Rotates the secrets of these ARNs, and no other ones.
    #[must_use]
    pub fn new(client: Client, secrets: impl IntoIterator<Item = String>, target: T) -> Self {
        Self {
            client,
            secrets: secrets.into_iter().filter(|arn| !arn.is_empty()).collect(),
            target,
        }
    }

    /// Carries out the step that an invocation's payload names, before `deadline`, when the invocation is killed; a retirement
    /// within half a minute.
    ///
    /// # Errors
    /// What kept it from being carried out. Secrets Manager tries a rotation again by itself.
    pub async fn handle(&self, payload: Value, deadline: SystemTime) -> Result<Outcome, Error<T::Error>> {
        let event = RotationEvent::parse(payload)?;
        if !self.secrets.contains(&event.secret_id) {
            return Err(Error::Stranger(event.secret_id));
        }
        let time = time(event.step, deadline);
        let limit = time.saturating_sub(LAST_WORDS);
        let Ok(ended) = timeout(limit, self.carry_out(&event, Patience::within(time))).await else {
            return Err(Error::Late {
                step: event.step,
                secret: event.secret_id,
                seconds: limit.as_millis().div_ceil(1_000),
            });
        };
        let outcome = ended?;
        info!(step = %event.step, secret = event.secret_id, version = event.client_request_token, ?outcome);
        Ok(outcome)
    }

    async fn carry_out(&self, event: &RotationEvent, patience: Patience) -> Result<Outcome, Error<T::Error>> {
        let store = Store {
            client: &self.client,
            arn: &event.secret_id,
        };
        let versions = store.versions().await?;
        let work = Work {
            rotation: self,
            store,
            event,
        };
        let task = plan(event.step, &event.client_request_token, &versions).map_err(|refusal| work.refused(refusal))?;
        work.carry_out(task, patience).await
    }
}

/// How much time a step has.
fn time(step: Step, deadline: SystemTime) -> Duration {
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    match step {
        Step::Retire => left.min(RETIREMENT),
        _ => left,
    }
}

/// One step at work.
struct Work<'a, T> {
    rotation: &'a Rotation<T>,
    store: Store<'a>,
    event: &'a RotationEvent,
}

impl<T: RotationTarget> Work<'_, T> {
    async fn carry_out(&self, task: Task, patience: Patience) -> Result<Outcome, Error<T::Error>> {
        match task {
            Task::Nothing => Ok(Outcome::Nothing),
            Task::Make { outgoing } => self.make(outgoing, patience).await,
            Task::Install => {
                let (current, pending) = (self.current().await?, self.filled().await?);
                let install = || self.target().install(&current, &pending);
                self.persist(patience, install).await?;
                Ok(Outcome::Done)
            }
            Task::Prove => match self.pending(self.token()).await? {
                None => Ok(Outcome::Nothing),
                Some(pending) => {
                    self.persist(patience, || self.target().prove(&pending)).await?;
                    Ok(Outcome::Done)
                }
            },
            Task::Promote { from } => {
                self.filled().await?;
                self.store.promote(&from, self.token()).await?;
                Ok(Outcome::Done)
            }
            Task::Retire {
                outgoing,
                labelled,
                pending,
            } => {
                let current = self.current().await?;
                let pending = match pending {
                    Some(version) => self.pending(&version).await?,
                    None => None,
                };
                let retire = || self.target().retire(&current, pending.as_ref());
                match self.persist(patience, retire).await? {
                    Retirement::UnderWay => Ok(Outcome::UnderWay),
                    Retirement::Done => {
                        self.store.mark_retired(labelled.as_deref(), &outgoing).await?;
                        Ok(Outcome::Done)
                    }
                }
            }
        }
    }

    /// Makes a credential until one is kept, this one or that of another delivery.
    async fn make(&self, outgoing: Option<String>, mut patience: Patience) -> Result<Outcome, Error<T::Error>> {
        loop {
            if self.pending(self.token()).await?.is_some() {
                return Ok(Outcome::Nothing);
            }
            if let Some(outgoing) = outgoing {
                return Err(self.refused(Refusal::Overlap { outgoing }));
            }
            let current = self.current().await?;
            match self.target().make(&current).await {
                Ok(made) => return self.keep(&made).await,
                Err(error) if self.target().may_pass(&error) && patience.wait().await => {
                    warn!(%error, "tried again");
                }
                Err(error) => return Err(self.failed(error)),
            }
        }
    }

    /// Writes what was made. What is not kept is taken back, unless it stands there although the answer was lost.
    async fn keep(&self, made: &Secret) -> Result<Outcome, Error<T::Error>> {
        let put = self.store.put(self.token(), made.written()).await;
        if put.as_ref().is_ok_and(|put| *put == Put::Written) {
            return Ok(Outcome::Done);
        }
        let kept = self.store.pending(self.token()).await;
        let kept = kept.ok().flatten().and_then(|text| Secret::parse(&text).ok());
        if kept.as_ref() == Some(made) {
            return Ok(Outcome::Done);
        }
        if let Err(error) = self.target().take_back(made).await {
            warn!(%error, "what could not be kept is left to the next rotation");
        }
        match put {
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Outcome::Nothing),
        }
    }

    /// Tries again what may succeed in a moment.
    async fn persist<O, F>(&self, mut patience: Patience, attempt: impl Fn() -> F) -> Result<O, Error<T::Error>>
    where
        F: Future<Output = Result<O, T::Error>>,
    {
        loop {
            match attempt().await {
                Err(error) if self.target().may_pass(&error) && patience.wait().await => {
                    warn!(%error, "tried again");
                }
                result => return result.map_err(|error| self.failed(error)),
            }
        }
    }

    async fn current(&self) -> Result<Secret, Error<T::Error>> {
        let (version, text) = self.store.current().await?;
        Secret::parse(&text).map_err(|fault| self.malformed(&version, fault))
    }

    async fn pending(&self, version: &str) -> Result<Option<Secret>, Error<T::Error>> {
        let text = self.store.pending(version).await?;
        let parse = |text: String| Secret::parse(&text).map_err(|fault| self.malformed(version, fault));
        text.map(parse).transpose()
    }

    /// The pending version's content, which must be there by now.
    async fn filled(&self) -> Result<Secret, Error<T::Error>> {
        self.pending(self.token()).await?.ok_or_else(|| Error::Unfilled {
            secret: self.event.secret_id.clone(),
            version: self.token().to_owned(),
        })
    }

    fn target(&self) -> &T {
        &self.rotation.target
    }

    fn token(&self) -> &str {
        &self.event.client_request_token
    }

    fn refused(&self, refusal: Refusal) -> Error<T::Error> {
        Error::Refused {
            secret: self.event.secret_id.clone(),
            refusal: Box::new(refusal),
        }
    }

    fn malformed(&self, version: &str, fault: Malformed) -> Error<T::Error> {
        Error::Content {
            secret: self.event.secret_id.clone(),
            version: version.to_owned(),
            fault,
        }
    }

    fn failed(&self, cause: T::Error) -> Error<T::Error> {
        Error::Target {
            step: self.event.step,
            secret: self.event.secret_id.clone(),
            cause,
        }
    }
}

impl Step {
    /// The four steps of Secrets Manager, in their order.
    pub const ROTATION: [Self; 4] = [Self::Create, Self::Set, Self::Test, Self::Finish];
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_outcome_is_an_object_that_a_caller_can_read() {
        let outcomes = [Outcome::Done, Outcome::Nothing, Outcome::UnderWay].map(|one| json!(one));
        let expected = ["done", "nothing to do", "under way"].map(|word| json!({"Outcome": word}));
        assert_eq!(outcomes, expected);
    }
}
