//! Creates and updates: observe, plan, apply, until there is nothing left to do.

use std::time::Duration;

use aws_sdk_route53::Client as Route53;
use custom_resource::{Owner, Scope, is_withdrawn};
use tracing::info;

use crate::apply::{Applied, Target, apply};
use crate::error::Error;
use crate::identity::Identity;
use crate::marks::{Marks, Tags};
use crate::names::Domain;
use crate::observe::{self, Clients};
use crate::plan::{self, Observed, Plan, Step};
use crate::settings::Settings;
use crate::teardown;
use crate::zone::HostedZone;

/// How often to observe and plan: three rounds make a new domain, the others are for changes by somebody else.
pub(crate) const MOST_ROUNDS: usize = 8;
/// How often the very same step may be refused, in case AWS still shows what was there before.
pub(crate) const MOST_REFUSALS: usize = 3;
/// The pause after a refusal, the first of doubling ones.
const PAUSE: Duration = Duration::from_millis(100);

/// Whose identity of which domain is worked on, and with which clients.
pub(crate) struct Job<'a> {
    pub(crate) clients: &'a Clients,
    pub(crate) scope: &'a Scope,
    pub(crate) owner: Owner,
    pub(crate) region: &'a str,
    pub(crate) target: Target,
}

impl<'a> Job<'a> {
    pub(crate) fn new(clients: &'a Clients, scope: &'a Scope, domain: &Domain) -> Self {
        Self {
            clients,
            scope,
            owner: scope.owner(),
            region: scope.region(),
            target: Target {
                domain: domain.clone(),
                arn: identity_arn(scope, domain),
            },
        }
    }

    /// Whether the identity is still this job's: there, ours, and not being deleted.
    pub(crate) fn holds(&self, identity: Option<&Identity>) -> bool {
        let marks = identity.map(Identity::marks).unwrap_or_default();
        marks.owner.as_ref() == Some(&self.owner) && !marks.deleting
    }
}

/// The ARN of the identity of `domain`: in the partition, region and account of the stack.
#[must_use]
pub fn identity_arn(scope: &Scope, domain: &Domain) -> String {
    let mut parts = scope.stack_id().split(':');
    let (partition, account) = (parts.nth(1).unwrap_or_default(), parts.nth(2).unwrap_or_default());
    format!("arn:{partition}:ses:{}:{account}:identity/{domain}", scope.region())
}

/// What CloudFormation asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A new resource, which may have been given up before anything of it was there.
    Create,
    /// A change of one that stands.
    Update,
}

/// What stands after a create or an update.
pub(crate) struct Standing {
    pub(crate) identity: Identity,
    pub(crate) zone: Option<HostedZone>,
    /// The id of the last change of the zone.
    pub(crate) change: Option<String>,
}

/// What was done so far.
#[derive(Default)]
struct Progress {
    /// Whether a step was carried out: from then on a missing or foreign identity was deleted under our hands.
    touched: bool,
    /// Whether CloudFormation was asked, after our marks were there, if it still wants the resource.
    wanted: bool,
    /// The identity's tags as we last read or wrote them.
    tags: Tags,
    change: Option<String>,
    refused: Option<(Plan, String)>,
    refusals: usize,
}

/// Brings the identity and its records to what `settings` ask for.
pub(crate) async fn converge(job: &Job<'_>, settings: &Settings, kind: Kind) -> Result<Standing, Error> {
    let dns = job.clients.dns_as(settings.role.as_deref()).await;
    let zone = observe::hosted_zone(&dns, settings).await?;
    let mut progress = Progress {
        wanted: kind == Kind::Update,
        ..Progress::default()
    };
    for _ in 0..MOST_ROUNDS {
        let identity = observe::identity(&job.clients.ses, &job.target.domain).await?;
        if progress.touched && !job.holds(identity.as_ref()) {
            return Err(undo(job, &progress.tags).await?);
        }
        if !progress.wanted && job.holds(identity.as_ref()) {
            still_wanted(job).await?;
            progress.wanted = true;
        }
        if let Some(identity) = &identity {
            progress.tags.extend(identity.tags.clone());
        }
        let plan = plan_round(job, settings, &dns, zone.as_ref(), identity.as_ref()).await?;
        if let Some(identity) = identity.filter(|_| plan.steps.is_empty()) {
            plan.notes
                .iter()
                .for_each(|note| info!(domain = %settings.domain, note));
            return Ok(Standing {
                identity,
                zone,
                change: progress.change,
            });
        }
        progress.settle_refusals(&plan).await?;
        progress.carry_out(job, &dns, plan).await?;
    }
    Err(Error::Contended {
        thing: format!("SES identity {} or its zone", settings.domain),
        rounds: MOST_ROUNDS,
    })
}

async fn plan_round(
    job: &Job<'_>,
    settings: &Settings,
    dns: &Route53,
    zone: Option<&HostedZone>,
    identity: Option<&Identity>,
) -> Result<Plan, Error> {
    let state = match zone {
        Some(zone) => observe::records(dns, zone, &plan::names(settings, identity, zone)).await?,
        None => None,
    };
    let observed = Observed {
        identity,
        zone: state.as_ref(),
        region: job.region,
    };
    let plan = plan::plan(&job.owner, settings, observed)?;
    plan.steps
        .iter()
        .for_each(|step| info!(domain = %settings.domain, %step));
    Ok(plan)
}

impl Progress {
    /// Gives up if what was refused is still what should be done; AWS gets some time to show a change first.
    async fn settle_refusals(&mut self, plan: &Plan) -> Result<(), Error> {
        let Some((refused, reason)) = self.refused.take() else {
            return Ok(());
        };
        self.refusals = if refused == *plan { self.refusals + 1 } else { 1 };
        if self.refusals >= MOST_REFUSALS {
            let steps = plan.steps.iter().map(ToString::to_string).collect::<Vec<_>>();
            return Err(Error::Refused {
                step: steps.join(", then "),
                reason,
            });
        }
        tokio::time::sleep(pause(self.refusals)).await;
        Ok(())
    }

    async fn carry_out(&mut self, job: &Job<'_>, dns: &Route53, plan: Plan) -> Result<(), Error> {
        for step in &plan.steps {
            match apply(&job.clients.ses, dns, &job.target, step).await? {
                Applied::Done => self.touched = true,
                Applied::Changing(id) => self.change = Some(id),
                Applied::Refused(reason) => {
                    self.refused = Some((plan, reason));
                    return Ok(());
                }
            }
            if let Step::CreateIdentity { tags, .. } | Step::Mark(tags) = step {
                self.tags.extend(tags.clone());
            }
        }
        Ok(())
    }
}

/// Takes everything back if the Delete came before the marks were there: it found nothing, and no other will come.
async fn still_wanted(job: &Job<'_>) -> Result<(), Error> {
    if !is_withdrawn(&job.clients.stacks, job.scope).await? {
        return Ok(());
    }
    teardown::delete(job).await?;
    Err(Error::Deleted(job.target.domain.to_string()))
}

/// Takes back what was written for an identity that somebody deleted meanwhile; gives the error to end with.
pub(crate) async fn undo(job: &Job<'_>, tags: &Tags) -> Result<Error, Error> {
    teardown::clear_zones(job, &Marks::read(tags)).await?;
    Ok(Error::Deleted(job.target.domain.to_string()))
}

/// The pause after the given refusal.
pub(crate) fn pause(refusals: usize) -> Duration {
    PAUSE * (1 << refusals.min(MOST_REFUSALS))
}
