//! A cluster in memory: services that replace their tasks, standalone tasks, and the functions that rotate.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use recorded_calls::Refusal;
use rotation::testing::Shelf;
use rotation_rollout::{Found, Rollout, Settings};
use serde_json::{Value, json};

pub const DATABASE: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Database-AbCdEf";
pub const CACHE: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Cache-AbCdEf";
/// Nobody in the cluster uses it.
pub const BOUNCES: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Bounces-AbCdEf";
pub const V1: &str = "11111111-1111-1111-1111-111111111111";
pub const V2: &str = "22222222-2222-2222-2222-222222222222";
pub const V3: &str = "33333333-3333-3333-3333-333333333333";
/// Longer than any test takes: what is to be settled is made older.
pub const SETTLE: Duration = Duration::from_mins(1);
/// Where the function itself waits for it.
const SHORT: Duration = Duration::from_secs(1);

pub fn function(secret: &str) -> String {
    format!("arn:aws:lambda:eu-central-1:123456789012:function:of-{}", secret.len())
}

#[derive(Debug, Clone)]
pub struct Deployment {
    pub primary: bool,
    pub created: SystemTime,
    pub state: &'static str,
}

#[derive(Debug, Clone, Default)]
pub struct Service {
    pub deployments: Vec<Deployment>,
    pub failures: Vec<SystemTime>,
    pub definition: String,
}

#[derive(Debug, Clone)]
pub struct Task {
    pub definition: String,
    pub created: SystemTime,
    pub status: &'static str,
    pub desired: &'static str,
}

#[derive(Default)]
pub struct State {
    pub services: BTreeMap<String, Service>,
    pub tasks: BTreeMap<String, Task>,
    /// Which references each task definition holds.
    pub definitions: BTreeMap<String, Vec<String>>,
    /// The services of which a deployment was forced, in their order.
    pub forced: Vec<String>,
    /// The payloads that rotating functions were invoked with.
    pub retired: Vec<Value>,
    /// What the rotating functions answer; `Err` as a function's error.
    pub answer: Option<Result<&'static str, &'static str>>,
    /// The function that does not answer.
    pub silent: String,
    /// The action that is denied.
    pub denied: Option<&'static str>,
    pub calls: Vec<&'static str>,
}

impl State {
    /// One call: noted, and denied if the test wants it so.
    pub fn call(&mut self, action: &'static str) -> Result<(), Refusal> {
        self.calls.push(action);
        if self.denied == Some(action) {
            return Err(Refusal("AccessDeniedException", "not authorized".to_owned()));
        }
        Ok(())
    }
}

pub struct Cluster {
    pub shelf: Arc<Shelf>,
    pub state: Arc<Mutex<State>>,
    pub rollout: Rollout,
}

impl Cluster {
    /// Services `web` and `worker` that use both secrets, each with a task; everything as old as can be.
    pub fn new() -> Self {
        Self::settling_in(SETTLE)
    }

    /// One in which the function can be waited for that waits until a label's move is settled.
    pub fn soon_settled() -> Self {
        Self::settling_in(SHORT)
    }

    fn settling_in(settle: Duration) -> Self {
        let shelf = Shelf::new();
        for arn in [DATABASE, CACHE, BOUNCES] {
            shelf.hold(arn, V1, &json!({"username": "u", "password": "s3nt1nel-0"}));
        }
        let mut state = State::default();
        let both = vec![format!("{DATABASE}:password::"), format!("{CACHE}:password::")];
        state.definitions.insert("mautic:1".to_owned(), both);
        state.definitions.insert("other:1".to_owned(), Vec::new());
        let long_ago = SystemTime::now() - Duration::from_hours(10);
        for name in ["web", "worker"] {
            let service = Service {
                deployments: vec![deployment(true, long_ago, "COMPLETED")],
                definition: "mautic:1".to_owned(),
                ..Service::default()
            };
            state.services.insert(name.to_owned(), service);
            state.tasks.insert(format!("{name}-old"), task("mautic:1", long_ago));
        }
        let state = Arc::new(Mutex::new(state));
        let rotations = [DATABASE, CACHE, BOUNCES].map(|arn| (arn.to_owned(), function(arn)));
        let settings = Settings {
            cluster: "shop".to_owned(),
            rotations: rotations.into(),
            settle,
        };
        let rollout = Rollout::new(crate::clients::clients(&shelf, &state), settings);
        Self { shelf, state, rollout }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A rotation has just ended: the label has moved.
    pub fn rotate(&self, arn: &str) {
        self.shelf
            .write_by_hand(arn, V2, &json!({"username": "u", "password": "s3nt1nel-1"}));
    }

    /// Lets so much time pass that what is there is settled: everything is as much older.
    pub fn settled(&self) {
        let passed = SETTLE + Duration::from_millis(10);
        self.shelf.age(passed);
        let mut state = self.state();
        for service in state.services.values_mut() {
            let deployed = service.deployments.iter_mut().map(|one| &mut one.created);
            for date in deployed.chain(&mut service.failures) {
                *date -= passed;
            }
        }
        for task in state.tasks.values_mut() {
            task.created = (task.created - passed).max(SystemTime::UNIX_EPOCH);
        }
    }

    /// One look, for no reason.
    pub async fn look(&self) -> Found {
        self.look_because(json!({})).await
    }

    pub async fn look_because(&self, event: Value) -> Found {
        self.look_for(Duration::from_mins(3), event).await
    }

    /// A look that has so much time.
    pub async fn look_for(&self, time: Duration, event: Value) -> Found {
        self.rollout.handle(&event, SystemTime::now() + time).await.unwrap()
    }

    /// Every deployment that is in progress completes: new tasks stand, old ones are gone.
    pub fn complete(&self) {
        let mut state = self.state();
        let now = SystemTime::now();
        let names: Vec<_> = state.services.keys().cloned().collect();
        for name in names {
            let service = state.services.get_mut(&name).unwrap();
            if service.deployments[0].state == "IN_PROGRESS" {
                service.deployments[0].state = "COMPLETED";
                service.deployments.truncate(1);
                let definition = service.definition.clone();
                state.tasks.retain(|id, _| !id.starts_with(&name));
                state.tasks.insert(format!("{name}-new"), task(&definition, now));
            }
        }
    }
}

pub fn deployment(primary: bool, created: SystemTime, state: &'static str) -> Deployment {
    Deployment {
        primary,
        created,
        state,
    }
}

pub fn task(definition: &str, created: SystemTime) -> Task {
    Task {
        definition: definition.to_owned(),
        created,
        status: "RUNNING",
        desired: "RUNNING",
    }
}

pub fn moved(arn: &str) -> Value {
    json!({
        "source": "aws.secretsmanager", "detail-type": "Secret Label Updated", "time": "2026-02-06T16:43:48Z",
        "resources": [arn], "detail": {"name": "any", "labelUpdated": "AWSCURRENT", "versionId": V2},
    })
}
