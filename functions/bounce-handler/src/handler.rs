//! A batch from Lambda: read, judged, recorded; each message's fate its own.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_sesv2::Client;
use serde::Serialize;
use ses_events::{Batch, Event, Kind, Message, Origin, Record};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::error::Error;
use crate::incident::{Incident, Key};
use crate::plan::Outcome;
use crate::policy::Policy;
use crate::report::{Report, cut};
use crate::store::Store;
use crate::suppression::suppress;

/// Records what a batch reports.
#[derive(Debug)]
pub struct Handler {
    store: Store,
    policy: Policy,
    /// Where suppressed addresses go as well, if they do.
    suppression: Option<Client>,
    namespace: String,
}

/// Which messages of a queue come again: Lambda's partial batch response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// Messages of a topic failed, so that Lambda must invoke the function again: with all of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Failed(pub String);

/// One message on its way.
struct Item {
    origin: Origin,
    incidents: Vec<Key>,
    failure: Option<String>,
}

impl Handler {
    /// A handler that records in `store`, and puts addresses on the list of `suppression`'s account.
    #[must_use]
    pub fn new(store: Store, policy: Policy, suppression: Option<Client>, namespace: &str) -> Self {
        Self {
            store,
            policy,
            suppression,
            namespace: namespace.to_owned(),
        }
    }

    /// Handles a batch; `claim` is another text at each invocation. What is not recorded by `deadline` comes again.
    ///
    /// # Errors
    /// If a message failed that came from a topic.
    pub async fn handle(&self, batch: &Batch, claim: &str, deadline: Instant) -> Result<Answer, Failed> {
        let mut report = Report::default();
        let mut incidents: BTreeMap<Key, Incident> = BTreeMap::new();
        let mut items: Vec<Item> = batch
            .records()
            .map(|record| self.item(record, &mut incidents, &mut report))
            .collect();
        let incidents: Vec<Incident> = incidents.into_values().collect();
        let results = self.store.record(&incidents, claim, deadline).await;
        let now = seconds();
        let mut failures: BTreeMap<Key, Error> = BTreeMap::new();
        for (incident, result) in incidents.iter().zip(results) {
            match result {
                Ok(outcome) => {
                    report.recorded(incident, outcome, now);
                    if let Err(error) = self.suppress(incident, outcome, deadline).await {
                        failures.insert(incident.key, error);
                    }
                }
                Err(error) => drop(failures.insert(incident.key, error)),
            }
        }
        for item in &mut items {
            let failure = item.incidents.iter().find_map(|key| failures.get(key));
            item.failure = item.failure.take().or_else(|| failure.map(ToString::to_string));
        }
        self.answer(&items, report)
    }

    /// Reads and judges one message. Whatever it holds, it harms no other.
    fn item(&self, record: Record, incidents: &mut BTreeMap<Key, Incident>, report: &mut Report) -> Item {
        report.messages += 1;
        let (origin, message) = (record.origin, record.message);
        let judged =
            |event: &Event| catch_unwind(AssertUnwindSafe(|| Incident::all(event, &self.policy, whole_seconds())));
        let (found, failure) = match message {
            Ok(Message::Event(event)) => {
                *report.types.entry(kind(&event.kind).to_owned()).or_default() += 1;
                report.odd_recipients += u32::try_from(event.odd_recipients).unwrap_or(u32::MAX);
                report.unknown += u32::from(matches!(event.kind, Kind::Unknown(_)));
                if let Kind::Unknown(name) = &event.kind {
                    tracing::warn!(name = cut(name), "a type of event that is not known; nothing was done");
                }
                match judged(&event) {
                    Ok(found) => (found, None),
                    Err(_) => (Vec::new(), Some(Error::Panicked.to_string())),
                }
            }
            Ok(Message::Trial) => {
                tracing::info!("SES tried whether it may publish");
                (Vec::new(), None)
            }
            Ok(Message::Subscription(kind)) => {
                tracing::info!(kind, "SNS tells of a subscription");
                (Vec::new(), None)
            }
            Err(malformed) => {
                report.malformed += 1;
                (Vec::new(), Some(malformed.to_string()))
            }
        };
        let keys = found.iter().map(|incident| incident.key).collect();
        for incident in found {
            incidents.entry(incident.key).or_insert(incident);
        }
        Item {
            origin,
            incidents: keys,
            failure,
        }
    }

    /// After the commit, and again at each repetition: what SES was not told because the function ended in between, it is told then.
    async fn suppress(&self, incident: &Incident, outcome: Outcome, deadline: Instant) -> Result<(), Error> {
        let Some(client) = self.suppression.as_ref().filter(|_| outcome.suppressed) else {
            return Ok(());
        };
        let told = timeout_at(deadline, suppress(client, &incident.address, incident.kind)).await;
        told.unwrap_or(Err(Error::Late { silent: "SES" }))
    }

    fn answer(&self, items: &[Item], mut report: Report) -> Result<Answer, Failed> {
        let mut answer = Answer {
            batch_item_failures: Vec::new(),
        };
        let mut failed = None;
        for item in items {
            let Some(reason) = &item.failure else { continue };
            report.failed += 1;
            match &item.origin {
                Origin::Queue(id) => {
                    tracing::error!(message_id = id, reason, "a message failed and comes again");
                    answer.batch_item_failures.push(Failure {
                        item_identifier: id.clone(),
                    });
                }
                Origin::Topic => {
                    tracing::error!(reason, "a message failed and comes again");
                    failed.get_or_insert_with(|| reason.clone());
                }
            }
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds since 1970 are positive and far from a double's limits"
        )]
        let timestamp = (seconds() * 1000.0) as u64;
        for line in report.lines(&self.namespace, timestamp) {
            println!("{line}");
        }
        failed.map_or(Ok(answer), |reason| Err(Failed(reason)))
    }
}

/// The dimension's value: types that are not known share one.
fn kind(kind: &Kind) -> &str {
    match kind {
        Kind::Bounce(_) => "Bounce",
        Kind::Complaint(_) => "Complaint",
        Kind::Other(name) => name,
        Kind::Unknown(_) => "another",
    }
}

fn seconds() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64()
}

fn whole_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
