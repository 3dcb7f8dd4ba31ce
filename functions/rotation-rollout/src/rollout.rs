//! One look: observe, plan, apply.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use custom_resource::AwsError;
use serde::Serialize;
use serde_json::Value;
use tracing::{error, info};

use crate::apply::{Retired, deploy, retire};
use crate::event::moved_secret;
use crate::observe::{describe, observe};
use crate::plan::{Overlap, Plan, Verdict, plan};
use crate::settings::Settings;

/// What a look itself takes at most, with a rotating function that waits for its service.
const RESERVE: Duration = Duration::from_secs(90);

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
        if let Some(secret) = moved_secret(event).filter(|secret| self.settings.rotations.contains_key(*secret)) {
            self.settle(secret, deadline).await?;
        }
        let observed = observe(&self.clients, &self.settings).await?;
        let now = SystemTime::now();
        let mut found = self.carry_out(plan(&observed, self.settings.settle, now), now).await?;
        let ages = observed.rotated.values().map(|rotated| now.duration_since(*rotated));
        found.age = ages.map(Result::unwrap_or_default).max().unwrap_or_default();
        Ok(found)
    }

    async fn settle(&self, secret: &str, deadline: SystemTime) -> Result<(), AwsError> {
        if let Some(overlap) = describe(&self.clients, secret).await?.overlap {
            let now = SystemTime::now();
            let settled = (overlap.moved + self.settings.settle)
                .duration_since(now)
                .unwrap_or_default();
            let left = deadline.duration_since(now).unwrap_or_default().saturating_sub(RESERVE);
            tokio::time::sleep(settled.min(left)).await;
        }
        Ok(())
    }

    async fn carry_out(&self, plan: Plan, now: SystemTime) -> Result<Found, AwsError> {
        let mut found = Found::default();
        for secret in self.settings.rotations.keys() {
            found.secrets.insert(secret.clone(), "nothing to retire".to_owned());
        }
        let mut refused: BTreeMap<String, AwsError> = BTreeMap::new();
        for service in plan.deploy {
            if let Err(failure) = deploy(&self.clients, &self.settings.cluster, &service).await {
                refused.insert(service, failure);
            }
        }
        for (overlap, verdict) in plan.verdicts {
            found.oldest = found.oldest.max(now.duration_since(overlap.moved).unwrap_or_default());
            let denied = match &verdict {
                Verdict::Deploying(services) => services.iter().find_map(|service| refused.get(service)),
                _ => None,
            };
            let (text, is_failure) = match (&verdict, denied) {
                (_, Some(failure)) => (format!("failed: {failure}"), true),
                (Verdict::Ready, None) => self.retire(&overlap).await,
                (verdict, None) => (verdict.to_string(), matches!(verdict, Verdict::Failed(_))),
            };
            if is_failure {
                found.failed += 1;
                error!(secret = overlap.secret, version = overlap.current, "{text}");
            } else {
                info!(secret = overlap.secret, version = overlap.current, "{text}");
            }
            found.secrets.insert(overlap.secret, text);
        }
        Ok(found)
    }

    async fn retire(&self, overlap: &Overlap) -> (String, bool) {
        let function = self
            .settings
            .rotations
            .get(&overlap.secret)
            .map(String::as_str)
            .unwrap_or_default();
        match retire(&self.clients, function, overlap).await {
            Ok(Retired::Done) => ("retired".to_owned(), false),
            Ok(Retired::UnderWay) => ("waiting: its service is retiring the old credential".to_owned(), false),
            Ok(Retired::Failed(words)) => (format!("failed: {words}"), true),
            Err(failure) => (format!("failed: {failure}"), true),
        }
    }
}
