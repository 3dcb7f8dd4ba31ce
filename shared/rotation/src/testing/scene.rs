//! What every credential goes through, whatever it opens.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::Shelf;
use super::killed::killed_after;
use crate::event::Step;
use crate::rotate::{Outcome, Rotation};
use crate::target::RotationTarget;
use crate::versions::CURRENT;

/// The secret of a [`Scene`].
pub const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Rotated-GhIjKl";
/// The version that it begins with.
pub const V1: &str = "11111111-1111-1111-1111-111111111111";
/// How often somebody opens a connection, unless so many are under way, and how seldom on average at most: a busy machine manages
/// fewer than it should.
const EVERY: Duration = Duration::from_millis(20);
const MOST: usize = 50;
const SELDOM: Duration = Duration::from_millis(66);
/// What lies between a rotation and its rollout, and between that and the retirement.
const PAUSE: Duration = Duration::from_millis(150);

/// A second more than an attempt and the answer may take: hardly any time to try again.
const HARDLY: Duration = Duration::from_secs(13);
/// The time of a step that is certain to try again, even where a first attempt takes two seconds.
pub const AGAIN: Duration = Duration::from_secs(15);

/// The id of a later version.
#[must_use]
pub fn version(number: usize) -> String {
    format!("{number:08}-2222-2222-2222-222222222222")
}

/// The error of a step to [`version`] 2 of [`ARN`] that has hardly any time to try again.
///
/// # Panics
/// If there is none.
pub async fn refused<T: RotationTarget>(rotation: &Rotation<T>, one: Step) -> String {
    refused_within(HARDLY, rotation, one).await
}

/// As [`refused`], of a step that has so much `time`.
///
/// # Panics
/// If there is none.
pub async fn refused_within<T: RotationTarget>(time: Duration, rotation: &Rotation<T>, one: Step) -> String {
    let payload = json!({"Step": one.to_string(), "SecretId": ARN, "ClientRequestToken": version(2)});
    let deadline = SystemTime::now() + time;
    rotation.handle(payload, deadline).await.unwrap_err().to_string()
}

/// The secret [`ARN`] on a shelf, who rotates it, and the service that its credentials open.
#[allow(async_fn_in_trait, reason = "a test awaits in its own thread")]
pub trait Scene {
    /// What knows the credentials.
    type Target: RotationTarget;

    /// Where the secret lies.
    fn shelf(&self) -> &Shelf;

    /// Who rotates it.
    fn rotation(&self) -> &Rotation<Self::Target>;

    /// Whether the service lets in who holds this content of the secret.
    async fn lets_in(&self, content: &Value) -> bool;

    /// What a client holds that reads the secret now.
    ///
    /// # Panics
    /// If the secret has no current version.
    fn held(&self) -> Value {
        self.shelf().content(ARN, CURRENT).expect("a current version")
    }

    /// Who read the secret before, and who reads it now: both get in.
    async fn both_get_in(&self, before: &Value) -> bool {
        self.lets_in(before).await && self.lets_in(&self.held()).await
    }

    /// Lets so much time pass as lies between an attempt that died and the next one. By default that changes nothing.
    fn pass_time(&self) {}

    /// One step to the version `token`.
    ///
    /// # Errors
    /// As [`Rotation::handle`].
    async fn step(
        &self,
        one: Step,
        token: &str,
    ) -> Result<Outcome, crate::Error<<Self::Target as RotationTarget>::Error>> {
        super::step(self.rotation(), ARN, one, token).await
    }

    /// A whole rotation to the version `token`, without the retirement.
    ///
    /// # Errors
    /// That of the first step that failed.
    async fn rotate(&self, token: &str) -> Result<(), crate::Error<<Self::Target as RotationTarget>::Error>> {
        super::rotate(self.shelf(), self.rotation(), ARN, token).await
    }

    /// A rotation that is killed before its call of this number, and ended by the next attempt; both clients get in all the
    /// while. Whether there was such a call.
    ///
    /// # Panics
    /// If that is not so.
    async fn rotate_killed_before(&self, call: usize, token: &str) -> bool {
        let before = self.held();
        self.shelf().die_at(Some(call));
        let killed = self.rotate(token).await.is_err();
        self.shelf().die_at(None);
        self.end_rotation(&before, token, &format!("killed before call {call}"))
            .await;
        killed
    }

    /// Rotations with their retirements, each of which is killed at another of all the places where it waits for an answer,
    /// of AWS or of the service, and ended by the next attempt; both clients get in all the while. How many places there are.
    ///
    /// # Panics
    /// If that is not so.
    async fn rotate_killed_everywhere(&self) -> usize {
        let mut waits = 0;
        loop {
            let (before, token) = (self.held(), version(waits + 2));
            let rotated = killed_after(waits, self.rotate(&token)).await.transpose().unwrap();
            let done = format!("killed after {waits} waits");
            self.end_rotation(&before, &token, &done).await;
            let retired = killed_after(waits, self.step(Step::Retire, &token)).await;
            let retired = retired.transpose().unwrap();
            assert!(self.lets_in(&self.held()).await, "retirement {done}");
            self.retire(&before, &token).await;
            if rotated.is_some() && retired.is_some() {
                return waits;
            }
            waits += 1;
        }
    }

    /// The next attempt at the rotation to `token`, after what was `done` to the one before; both clients get in.
    ///
    /// # Panics
    /// If that is not so.
    async fn end_rotation(&self, before: &Value, token: &str, done: &str) {
        assert!(self.both_get_in(before).await, "{done}");
        self.pass_time();
        for one in Step::ROTATION {
            self.step(one, token).await.unwrap();
        }
        assert!(self.both_get_in(before).await, "{done}, and ended");
    }

    /// A step to the version `token`, delivered eight times at once; what came of those that were not told by Secrets Manager that
    /// another one had moved the label.
    ///
    /// # Panics
    /// If any of them failed for another reason, or none succeeded.
    async fn deliver_eightfold(&self, one: Step, token: &str) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for ended in join_all((0..8).map(|_| self.step(one, token))).await {
            match ended {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => assert!(
                    error.to_string().contains("InvalidParameterException"),
                    "{one}: {error}"
                ),
            }
        }
        assert!(!outcomes.is_empty(), "{one} was done by nobody");
        outcomes
    }

    /// A rotation with its retirement, in which each of `stops` is met by a fault: the step says so in these words, both clients
    /// get in as soon as the fault is over, and the rotation goes on to its end. `fault` brings the fault about, and ends it; only
    /// `faulty` meets it.
    ///
    /// # Panics
    /// If that is not so.
    async fn rotate_stopped(&self, faulty: &Rotation<Self::Target>, fault: impl FnMut(bool), stops: &[(Step, &str)]) {
        self.rotate_stopped_within(HARDLY, faulty, fault, stops).await;
    }

    /// As [`Scene::rotate_stopped`], where a step that meets a fault has so much `time`.
    ///
    /// # Panics
    /// If that is not so.
    async fn rotate_stopped_within(
        &self,
        time: Duration,
        faulty: &Rotation<Self::Target>,
        mut fault: impl FnMut(bool),
        stops: &[(Step, &str)],
    ) {
        let (before, token) = (self.held(), version(2));
        self.shelf().begin(ARN, &token);
        for one in Step::ROTATION.into_iter().chain([Step::Retire]) {
            if let Some((_, words)) = stops.iter().find(|(stopped, _)| *stopped == one) {
                fault(true);
                let error = refused_within(time, faulty, one).await;
                fault(false);
                let begins = format!("{one} of secret {ARN}: {words}");
                assert!(error.starts_with(&begins), "not `{begins}` but `{error}`");
                assert!(self.both_get_in(&before).await, "{one} was stopped");
            }
            if one == Step::Retire {
                self.retire(&before, &token).await;
            } else {
                self.step(one, &token).await.unwrap();
                assert!(self.both_get_in(&before).await, "{one}");
            }
        }
        assert!(self.shelf().is_settled(ARN), "the rotation is over");
    }

    /// The retirement after the rotation to `token`; who read the secret `before` gets in no more.
    ///
    /// # Panics
    /// If that is not so.
    async fn retire(&self, before: &Value, token: &str) {
        self.step(Step::Retire, token).await.unwrap();
        assert!(self.lets_in(&self.held()).await, "the new credential is good");
        assert!(!self.lets_in(before).await, "the old credential is retired");
    }

    /// So many rotations with rollouts, while tasks open fifty connections a second with what they hold, however long one takes,
    /// and are never refused; a busy machine may open fewer, down to fifteen. How many they opened.
    ///
    /// # Panics
    /// If that is not so.
    async fn rotate_under_load(&self, rotations: usize) -> u32 {
        // A task that runs holds what the secret was when it started.
        let (task, over) = (RefCell::new(Rc::new(self.held())), Cell::new(false));
        let client = async {
            let (mut ticks, mut open, mut opened) = (interval(EVERY), FuturesUnordered::new(), 0);
            // What a machine that stalled has missed is not made up for at once.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            while !over.get() {
                tokio::select! {
                    _ = ticks.tick(), if open.len() < MOST => {
                        opened += 1;
                        open.push(self.open(Rc::clone(&task.borrow()), opened));
                    }
                    Some(()) = open.next() => {}
                }
            }
            open.collect::<()>().await;
            opened
        };
        let rotating = async {
            for number in 0..rotations {
                let (before, token) = (self.held(), version(number + 2));
                self.rotate(&token).await.unwrap();
                sleep(PAUSE).await;
                // The rollout: a new task begins, and the old one ends, which has nothing under way then.
                let old = task.replace(Rc::new(self.held()));
                while Rc::strong_count(&old) > 1 {
                    sleep(EVERY).await;
                }
                sleep(PAUSE).await;
                self.retire(&before, &token).await;
            }
            over.set(true);
        };
        let start = Instant::now();
        let (opened, ()) = tokio::join!(client, rotating);
        let took = start.elapsed();
        assert!(opened * SELDOM >= took, "only {opened} connections in {took:?}");
        opened
    }

    /// A task's connection of this number.
    ///
    /// # Panics
    /// If it is refused.
    async fn open(&self, held: Rc<Value>, number: u32) {
        assert!(self.lets_in(&held).await, "connection {number} was refused");
    }
}
