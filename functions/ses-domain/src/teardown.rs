//! Deletes: first says so in the identity's tags, then takes the records back, then the identity.

use custom_resource::Deletion;
use tracing::{info, warn};

use crate::apply::{Applied, apply, change};
use crate::error::Error;
use crate::identity::Identity;
use crate::marks::{DELETING, Marks, ZoneMarks};
use crate::names::DnsName;
use crate::observe;
use crate::plan::{self, Step};
use crate::settings::ZoneId;
use crate::setup::{Job, MOST_REFUSALS, MOST_ROUNDS, pause};
use crate::zone::{Change, HostedZone};
use crate::zone_plan::{marked_names, removal};

/// Removes the identity and its records, if they are this resource's.
pub(crate) async fn delete(job: &Job<'_>) -> Result<Deletion, Error> {
    let ses = &job.clients.ses;
    let domain = &job.target.domain;
    let ours = |identity: &Identity| identity.marks().owner.as_ref() == Some(&job.owner);
    let Some(found) = observe::identity(ses, domain).await?.filter(ours) else {
        info!(%domain, "no identity of this stack is there: nothing to delete");
        return Ok(Deletion::Done);
    };
    // A Create that still runs looks for this after it changed the zone, and then undoes its work itself. One that
    // looked before has written its marks before, too: they are among the tags that are read next.
    if !found.marks().deleting {
        announce(job).await?;
    }
    let Some(identity) = observe::identity(ses, domain).await?.filter(ours) else {
        return Ok(Deletion::Done);
    };
    clear_zones(job, &identity.marks()).await?;
    for last in plan::farewell(&identity, domain) {
        let refused = matches!(step(job, &last).await?, Applied::Refused(_));
        if refused && matches!(last, Step::SetConfigurationSet(Some(_))) {
            // The configuration set from before is gone, and the present one goes with the stack.
            step(job, &Step::SetConfigurationSet(None)).await?;
        }
    }
    Ok(Deletion::Done)
}

/// Sets the mark of a Delete. A role that may not tag cannot have let a Create mark, and so write, anything that is not
/// seen already: then there is nobody to tell, and the Delete shall not fail for that.
async fn announce(job: &Job<'_>) -> Result<(), Error> {
    let mark = Step::Mark([(DELETING.to_owned(), "true".to_owned())].into());
    match step(job, &mark).await {
        Err(error) if error.is_denied() => {
            warn!(%error, "deleting without saying so first");
            Ok(())
        }
        other => other.map(drop),
    }
}

/// One step; what is gone already refuses it, and that is as well.
async fn step(job: &Job<'_>, step: &Step) -> Result<Applied, Error> {
    info!(domain = %job.target.domain, %step);
    apply(&job.clients.ses, &job.clients.dns, &job.target, step).await
}

/// Takes back what the marks say was written, in every zone.
pub(crate) async fn clear_zones(job: &Job<'_>, marks: &Marks) -> Result<(), Error> {
    for (id, zone_marks) in &marks.zones {
        clear_zone(job, id, zone_marks).await?;
    }
    Ok(())
}

async fn clear_zone(job: &Job<'_>, id: &ZoneId, marks: &ZoneMarks) -> Result<(), Error> {
    let domain = job.target.domain.name();
    let names = marked_names(&domain, marks);
    if names.is_empty() {
        return Ok(());
    }
    let dns = job.clients.dns_as(marks.role.as_deref()).await;
    // Only the id matters here: what was written is found at the marked names.
    let zone = HostedZone {
        id: id.clone(),
        name: DnsName::parse(""),
        private: false,
    };
    let mut refused: (Vec<Change>, usize) = (Vec::new(), 0);
    for _ in 0..MOST_ROUNDS {
        let Some(state) = observe::records(&dns, &zone, &names).await? else {
            info!(zone = %id, "the hosted zone is gone, and the records with it");
            return Ok(());
        };
        let changes = removal(&domain, marks, &state);
        if changes.is_empty() {
            return Ok(());
        }
        let step = Step::ChangeRecords {
            zone: id.clone(),
            changes: changes.clone(),
        };
        info!(domain = %job.target.domain, %step);
        let Applied::Refused(reason) = change(&dns, id, &changes).await? else {
            return Ok(());
        };
        refused = if refused.0 == changes {
            (changes, refused.1 + 1)
        } else {
            (changes, 1)
        };
        if refused.1 >= MOST_REFUSALS {
            return Err(Error::Refused {
                step: step.to_string(),
                reason,
            });
        }
        tokio::time::sleep(pause(refused.1)).await;
    }
    Err(Error::Contended {
        thing: format!("hosted zone {id}"),
        rounds: MOST_ROUNDS,
    })
}
