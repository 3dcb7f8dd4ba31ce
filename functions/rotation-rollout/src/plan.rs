//! Decides what to do about every overlap. Nothing here calls anything; the same look gives the same plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, SystemTime};

/// A secret of which two credentials are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Its ARN.
    pub secret: String,
    /// The version that is in use.
    pub current: String,
    /// When two became good, as well as can be told: a deployment that failed since then is one of this overlap's.
    pub began: SystemTime,
    /// When the secret was last changed in any way: its label cannot have moved later than that.
    pub changed: SystemTime,
}

/// How a deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Tasks are being replaced.
    InProgress,
    /// They are.
    Completed,
    /// ECS has given up.
    Failed,
}

/// A deployment of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deployment {
    /// Whether it is the one that the service is going to.
    pub is_primary: bool,
    /// When it began.
    pub created: SystemTime,
    /// How it stands.
    pub state: State,
}

/// A service of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The secrets that its task definition names.
    pub uses: BTreeSet<String>,
    /// Its deployments.
    pub deployments: Vec<Deployment>,
    /// When deployments failed: ECS forgets them, but for its messages.
    pub failures: Vec<SystemTime>,
}

/// A task that has not ended, of a service or standalone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The secrets that its definition names.
    pub uses: BTreeSet<String>,
    /// When it was created; its secrets are read after that.
    pub created: SystemTime,
}

/// Everything that a plan depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Secrets in an overlap.
    pub overlaps: Vec<Overlap>,
    /// When each secret was last rotated, or else made; no plan depends on it, an alarm does.
    pub rotated: BTreeMap<String, SystemTime>,
    /// The services.
    pub services: Vec<Service>,
    /// The tasks.
    pub tasks: Vec<Task>,
}

/// What is to be said of one overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The label moved a moment ago.
    Settling,
    /// New deployments of these services begin now.
    Deploying(Vec<String>),
    /// A deployment of this service is in progress, ours or another's.
    InProgress(String),
    /// This task is older than the label's move.
    OldTask(String),
    /// The deployment of this service failed.
    Failed(String),
    /// Nobody holds the old credential any more.
    Ready,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settling => f.write_str("waiting: its label has moved a moment ago"),
            Self::Deploying(services) => write!(f, "rolling out: new deployment of {}", services.join(", ")),
            Self::InProgress(service) => write!(f, "waiting: a deployment of service {service} is in progress"),
            Self::OldTask(task) => write!(f, "waiting: task {task} began before the label moved"),
            Self::Failed(service) => write!(
                f,
                "failed: the deployment of service {service} failed, so that the old credential stays good; correct what its \
                 events and its tasks' log say, and force a new deployment: aws ecs update-service --cluster CLUSTER --service \
                 {service} --force-new-deployment"
            ),
            Self::Ready => f.write_str("ready: nobody holds the old credential"),
        }
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The services that need a new deployment.
    pub deploy: Vec<String>,
    /// What is to be said of each overlap, in their order.
    pub verdicts: Vec<(Overlap, Verdict)>,
}

impl Plan {
    /// The secrets whose old credential can be retired.
    #[must_use]
    pub fn ready(&self) -> Vec<&str> {
        let ready = self.verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Ready);
        ready.map(|(overlap, _)| overlap.secret.as_str()).collect()
    }
}

/// What to do at `now`.
#[must_use]
pub fn plan(observed: &Observed, settle: Duration, now: SystemTime) -> Plan {
    let settling: BTreeSet<&str> = observed
        .overlaps
        .iter()
        .filter(|overlap| now < overlap.changed + settle)
        .map(|overlap| overlap.secret.as_str())
        .collect();
    let mut plan = Plan::default();
    for overlap in &observed.overlaps {
        let verdict = if settling.contains(overlap.secret.as_str()) {
            Verdict::Settling
        } else {
            judge(observed, overlap, &settling, settle)
        };
        if let Verdict::Deploying(services) = &verdict {
            plan.deploy.extend(services.iter().cloned());
        }
        plan.verdicts.push((overlap.clone(), verdict));
    }
    plan.deploy.sort();
    plan.deploy.dedup();
    plan
}

/// How a service stands to the new credential of an overlap.
enum Stand {
    Done,
    InProgress,
    Failed,
    Needed,
}

fn judge(observed: &Observed, overlap: &Overlap, settling: &BTreeSet<&str>, settle: Duration) -> Verdict {
    let users = observed
        .services
        .iter()
        .filter(|service| service.uses.contains(&overlap.secret));
    let stands: Vec<_> = users
        .map(|service| (service, stand(service, overlap, settle)))
        .collect();
    let named = |wanted: fn(&Stand) -> bool| {
        let found = stands.iter().filter(move |(_, stand)| wanted(stand));
        found.map(|(service, _)| *service)
    };
    // The other services are brought up to date all the same: a failure of one is no reason to leave them behind.
    let needed: Vec<_> = named(|stand| matches!(stand, Stand::Needed))
        // Another secret of theirs will need one in a moment, too: its own event sees to both.
        .filter(|service| !service.uses.iter().any(|secret| settling.contains(secret.as_str())))
        .map(|service| service.name.clone())
        .collect();
    if !needed.is_empty() {
        return Verdict::Deploying(needed);
    }
    if let Some(service) = named(|stand| matches!(stand, Stand::Failed)).next() {
        return Verdict::Failed(service.name.clone());
    }
    if let Some(service) = named(|stand| matches!(stand, Stand::InProgress)).next() {
        return Verdict::InProgress(service.name.clone());
    }
    if named(|stand| matches!(stand, Stand::Needed)).next().is_some() {
        return Verdict::Settling;
    }
    let old = |task: &&Task| task.uses.contains(&overlap.secret) && task.created < overlap.changed + settle;
    observed
        .tasks
        .iter()
        .find(old)
        .map_or(Verdict::Ready, |task| Verdict::OldTask(task.id.clone()))
}

/// That tasks hold the new credential must be certain: they do where they began after the secret had last been changed at all.
/// That a deployment failed must not be forgotten: a rotation that is refused changes the secret, too, and would have it tried
/// again each time.
fn stand(service: &Service, overlap: &Overlap, settle: Duration) -> Stand {
    let primary = service.deployments.iter().find(|deployment| deployment.is_primary);
    let Some(primary) = primary else {
        return Stand::InProgress;
    };
    let is_new = primary.created >= overlap.changed + settle;
    // ECS has gone back to what was there before the one that failed; it would do so every time.
    let has_failed = |failure: &SystemTime| *failure >= overlap.began + settle && *failure >= primary.created;
    match primary.state {
        State::InProgress => Stand::InProgress,
        // Tasks of the one before are still ending.
        State::Completed if is_new && service.deployments.len() > 1 => Stand::InProgress,
        State::Completed if is_new => Stand::Done,
        State::Failed if primary.created >= overlap.began => Stand::Failed,
        _ if service.failures.iter().any(has_failed) => Stand::Failed,
        _ => Stand::Needed,
    }
}
