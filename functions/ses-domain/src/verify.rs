//! Waits until Route 53's servers have the records and SES has seen them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_route53::Client as Route53;
use aws_sdk_route53::types::ChangeStatus;
use custom_resource::Request;
use serde::{Deserialize, Serialize};

use crate::error::{self, Error};
use crate::identity::{Identity, SUCCESS};
use crate::marks::Tags;
use crate::observe;
use crate::records::{Purpose, Record};
use crate::settings::{OnTimeout, Settings, Wait, ZoneId};
use crate::setup::{Job, undo};

/// The pause between two looks: the first one, doubling up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What one look and the answer take at most, so that it is not cut off.
const RESERVE: Duration = Duration::from_secs(5);

/// What the next invocation needs to go on waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// When the first attempt began, in seconds since 1970.
    pub started: u64,
    /// The zone that holds the records.
    pub zone: Option<String>,
    /// The zone's change that Route 53's servers do not have yet.
    pub change: Option<String>,
    /// The identity's tags: what to undo if it is deleted meanwhile.
    pub tags: Tags,
}

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Waited {
    /// SES has verified the identity, or the time is over and that is no failure.
    Over(Box<Identity>),
    /// The invocation is over, the wait is not.
    Unfinished,
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

impl Waiting {
    /// The zone's id.
    pub(crate) fn zone_id(&self) -> Option<ZoneId> {
        self.zone.as_deref().and_then(ZoneId::parse)
    }

    /// Looks until everything is verified or a limit is reached.
    pub(crate) async fn wait(
        &mut self,
        job: &Job<'_>,
        settings: &Settings,
        limits: Wait,
        request: &Request,
    ) -> Result<Waited, Error> {
        let dns = job.clients.dns_as(settings.role.as_deref()).await;
        let mut pause = FIRST_PAUSE;
        loop {
            self.look_at_change(&dns).await?;
            let identity = observe::identity(&job.clients.ses, &job.target.domain).await?;
            let Some(identity) = identity.filter(|identity| job.holds(Some(identity))) else {
                return Err(undo(job, &self.tags).await?);
            };
            if self.change.is_none() && identity.is_verified() {
                return Ok(Waited::Over(Box::new(identity)));
            }
            let left = limits.limit.saturating_sub(self.elapsed());
            if left.is_zero() {
                return match limits.on_timeout {
                    OnTimeout::Succeed => Ok(Waited::Over(Box::new(identity))),
                    OnTimeout::Fail => Err(self.unverified(job, settings, limits, &identity)),
                };
            }
            let next = pause.min(left);
            if request.remaining() < next + RESERVE {
                return Ok(Waited::Unfinished);
            }
            tokio::time::sleep(next).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(now().saturating_sub(self.started))
    }

    async fn look_at_change(&mut self, dns: &Route53) -> Result<(), Error> {
        let Some(id) = &self.change else {
            return Ok(());
        };
        let answer = dns.get_change().id(id.trim_start_matches("/change/")).send().await;
        let answer = answer.map_err(Error::aws("route53:GetChange", format!("change {id}")))?;
        if answer
            .change_info()
            .is_some_and(|info| *info.status() == ChangeStatus::Insync)
        {
            self.change = None;
        }
        Ok(())
    }

    fn unverified(&self, job: &Job<'_>, settings: &Settings, limits: Wait, identity: &Identity) -> Error {
        let desired = crate::records::desired(settings, &identity.keys, job.region);
        let (pending, purposes) = self.pending(identity);
        let looked_for = |record: &&Record| purposes.contains(&record.purpose);
        let records = desired
            .iter()
            .filter(looked_for)
            .map(|record| format!("{} {}", record.name, record.kind()));
        Error::Unverified {
            domain: settings.domain.to_string(),
            seconds: limits.limit.as_secs(),
            pending: pending.join(", "),
            place: self
                .zone_id()
                .map_or_else(|| "its DNS provider".to_owned(), |id| error::zone(&id)),
            records: records.collect::<Vec<_>>().join(", "),
        }
    }

    /// What is pending, and the purposes of the records that decide it.
    fn pending(&self, identity: &Identity) -> (Vec<String>, Vec<Purpose>) {
        let (mut pending, mut purposes) = (Vec::new(), Vec::new());
        if let Some(change) = &self.change {
            pending.push(format!("Route 53 has not spread change {change}"));
        }
        if identity.dkim_status != SUCCESS {
            pending.push(format!("DKIM is {}", identity.dkim_status));
            purposes.push(Purpose::Dkim);
        }
        if let Some(mail_from) = identity
            .mail_from
            .as_ref()
            .filter(|mail_from| mail_from.status != SUCCESS)
        {
            pending.push(format!("MAIL FROM {} is {}", mail_from.domain, mail_from.status));
            purposes.push(Purpose::MailFromMx);
        }
        (pending, purposes)
    }
}
