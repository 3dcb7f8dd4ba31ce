//! One look: observe, plan, apply.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use custom_resource::AwsError;
use futures::future::join_all;
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout;
use tracing::{error, info};

use crate::apply::{Retired, deploy, retire};
use crate::event::moved_secret;
use crate::observe::{describe, observe};
use crate::plan::{Overlap, Plan, Verdict, plan};
use crate::settings::Settings;

/// What a look itself takes at most, with a rotating function that waits for its service.
const RESERVE: Duration = Duration::from_secs(90);
/// What telling takes, once no rotating function is waited for any more.
const TELLING: Duration = Duration::from_secs(15);

/// The clients.
#[derive(Debug, Clone)]
pub struct Clients {
    /// For the labels.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// For services and tasks.
    pub ecs: aws_sdk_ecs::Client,
    /// For the functions that rotate.
    pub lambda: aws_sdk_lambda::Client,
}

impl Clients {
    /// The clients that `config` gives.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            secrets: aws_sdk_secretsmanager::Client::new(config),
            ecs: aws_sdk_ecs::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
        }
    }
}

/// What a look has found, and come to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Found {
    /// What became of each secret.
    pub secrets: BTreeMap<String, String>,
    /// How many rollouts have failed.
    #[serde(skip)]
    pub failed: usize,
    /// How long ago the oldest overlap began.
    #[serde(skip)]
    pub oldest: Duration,
    /// How long ago the secret that has waited longest was rotated, or else made.
    #[serde(skip)]
    pub age: Duration,
}

/// Ends overlaps.
#[derive(Debug, Clone)]
pub struct Rollout {
    clients: Clients,
    settings: Settings,
}

impl Rollout {
    /// With these clients and settings.
    #[must_use]
    pub fn new(clients: Clients, settings: Settings) -> Self {
        Self { clients, settings }
    }

    /// Looks once, for whatever reason `event` gives; if a label has moved, as soon as that is settled.
    ///
    /// # Errors
    /// If something could not be looked at: nothing was changed.
    pub async fn handle(&self, event: &Value, deadline: SystemTime) -> Result<Found, AwsError> {
        let moved = moved_secret(event).filter(|secret| self.settings.rotations.contains_key(*secret));
        let settled = match moved {
            Some(secret) => self.settle(secret, deadline).await?,
            None => None,
        };
        let observed = observe(&self.clients, &self.settings).await?;
        let now = SystemTime::now();
        // As of the moment that it has waited for: what moved a little later has a look of its own, which deploys for both.
        let at = settled.map_or(now, |settled| settled.min(now));
        let plan = plan(&observed, self.settings.settle, at);
        let mut found = self.carry_out(plan, now, deadline).await;
        let ages = observed.rotated.values().map(|rotated| now.duration_since(*rotated));
        found.age = ages.map(Result::unwrap_or_default).max().unwrap_or_default();
        Ok(found)
    }

    /// Waits until the label's move is settled, if there is time; when that is, or was.
    async fn settle(&self, secret: &str, deadline: SystemTime) -> Result<Option<SystemTime>, AwsError> {
        let Some(overlap) = describe(&self.clients, secret).await?.overlap else {
            return Ok(None);
        };
        let settled = overlap.changed + self.settings.settle;
        let until = settled.duration_since(SystemTime::now()).unwrap_or_default();
        tokio::time::sleep(until.min(left(deadline, RESERVE))).await;
        Ok(Some(settled))
    }

    async fn carry_out(&self, plan: Plan, now: SystemTime, deadline: SystemTime) -> Found {
        let mut found = Found::default();
        for secret in self.settings.rotations.keys() {
            found.secrets.insert(secret.clone(), "nothing to retire".to_owned());
        }
        let refused = &self.deploy(plan.deploy).await;
        // All at once: one that takes its time keeps no other waiting.
        let outcomes = plan.verdicts.into_iter().map(|(overlap, verdict)| async move {
            let (text, is_failure) = self.outcome(&overlap, &verdict, refused, deadline).await;
            (overlap, text, is_failure)
        });
        for (overlap, text, is_failure) in join_all(outcomes).await {
            found.oldest = found.oldest.max(now.duration_since(overlap.began).unwrap_or_default());
            if is_failure {
                found.failed += 1;
                error!(secret = overlap.secret, version = overlap.current, "{text}");
            } else {
                info!(secret = overlap.secret, version = overlap.current, "{text}");
            }
            found.secrets.insert(overlap.secret, text);
        }
        found
    }

    /// Begins the deployments; those that were refused, and why.
    async fn deploy(&self, services: Vec<String>) -> BTreeMap<String, AwsError> {
        let mut refused = BTreeMap::new();
        for service in services {
            if let Err(failure) = deploy(&self.clients, &self.settings.cluster, &service).await {
                refused.insert(service, failure);
            }
        }
        refused
    }

    /// What is to be said of an overlap, and whether that is a failure.
    async fn outcome(
        &self,
        overlap: &Overlap,
        verdict: &Verdict,
        refused: &BTreeMap<String, AwsError>,
        deadline: SystemTime,
    ) -> (String, bool) {
        match verdict {
            Verdict::Ready => self.retire(overlap, deadline).await,
            Verdict::Deploying(services) => match services.iter().find_map(|service| refused.get(service)) {
                Some(failure) => (format!("failed: {failure}"), true),
                None => (verdict.to_string(), false),
            },
            verdict => (verdict.to_string(), matches!(verdict, Verdict::Failed(_))),
        }
    }

    /// The rotating function goes on when it is waited for no more; asked again, it says how it ended.
    async fn retire(&self, overlap: &Overlap, deadline: SystemTime) -> (String, bool) {
        let rotations = &self.settings.rotations;
        let function = rotations.get(&overlap.secret).map(String::as_str).unwrap_or_default();
        let answer = retire(&self.clients, function, overlap);
        match timeout(left(deadline, TELLING), answer).await {
            Err(_) => ("waiting: the function has not answered yet".to_owned(), false),
            Ok(Ok(Retired::Done)) => ("retired".to_owned(), false),
            Ok(Ok(Retired::UnderWay)) => ("waiting: its service is retiring the old credential".to_owned(), false),
            Ok(Ok(Retired::Failed(words))) => (format!("failed: {words}"), true),
            Ok(Err(failure)) => (format!("failed: {failure}"), true),
        }
    }
}

/// How much time there is until the deadline, but for the reserve.
fn left(deadline: SystemTime, reserve: Duration) -> Duration {
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default();
    left.saturating_sub(reserve)
}
