//! A test of an installation that stands, from outside: the sign-in page, a form, a mail, a job.
//!
//! [`target`] reads what is tested from the stack, [`mod@plan`] decides which checks are run and what they write, and each
//! check asks and judges in a module of its own. What a check makes in Mautic is noted before it is made, and removed at the
//! end, also after a failure or Ctrl-C: [`made`].

pub mod administrator;
pub mod delivery;
pub mod form;
pub mod job;
pub mod last_job;
pub mod login;
pub mod made;
pub mod mail;
pub mod mautic;
pub mod outcome;
pub mod plan;
mod run;
pub mod ses;
pub mod site;
pub mod target;

use crate::cloud::Cloud;
use crate::error::DriverError;
use crate::event::Status;
use crate::screen::say_line;
use crate::stand::find;
use crate::style::{Style, Tone, duration};
use crate::verdict::Verdict;
use plan::{Extent, Plan, plan};
use site::{NoSite, Route, Site};
use std::time::Instant;
use target::Target;

/// What `smoke` is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmokeOptions {
    /// The stack's name or ARN.
    pub stack: String,
    /// How the site is reached.
    pub route: Route,
    /// How far the test goes.
    pub extent: Extent,
    /// The name of the production stack that may be written to.
    pub confirmed: Option<String>,
    /// The AWS CLI.
    pub aws: String,
}

/// Why nothing was tested.
#[derive(Debug, thiserror::Error)]
pub enum SmokeError {
    /// The stack is about to be another.
    #[error("the stack {stack} is in {status}: test it when that has ended")]
    Busy {
        /// The stack's name.
        stack: String,
        /// Its status.
        status: Status,
    },
    /// There is no site.
    #[error(
        "the stack {stack} has no output SiteUrl: name the root stack of an installation, or its site with --site URL"
    )]
    NoSite {
        /// The stack's name.
        stack: String,
    },
    /// The site cannot be asked.
    #[error(transparent)]
    Site(#[from] NoSite),
    /// Production is not written to unasked.
    #[error(
        "{stack} is production, and the smoke test writes there: it {writes}. Nothing was done. To do it all the same: --confirm \
         {stack} (with make: CONFIRM={stack}); to look only: --read-only (with make: READ_ONLY=1)"
    )]
    Production {
        /// The stack's name.
        stack: String,
        /// What would be written.
        writes: String,
    },
}

/// Tests an installation.
///
/// # Errors
/// There is no such stack, it is busy, or production is not to be written to; a check that fails is no error.
pub async fn smoke(cloud: &Cloud, options: &SmokeOptions, style: Style) -> Result<Verdict, DriverError> {
    let began = Instant::now();
    let stack = find(cloud, &options.stack).await?;
    if stack.status.is_in_progress() {
        return Err(SmokeError::Busy {
            stack: stack.name,
            status: stack.status,
        }
        .into());
    }
    let target = target::read(cloud, &stack).await?;
    let plan = plan(&target, options.extent);
    permit(&target, &plan, options.confirmed.as_deref())?;
    let address = options.route.site.clone().or(target.site.clone());
    let address = address.ok_or_else(|| SmokeError::NoSite {
        stack: target.stack.clone(),
    })?;
    let site = Site::open(&address, &options.route).await.map_err(SmokeError::from)?;
    say_line(&style.paint(
        Tone::Strong,
        &format!("Smoke test of {} at {}", target.stack, site.url("")),
    ));
    let ended = Box::pin(run::run(cloud, &site, &target, &plan, &options.aws, style)).await?;
    say_line(&outcome::conclusion(&ended.outcomes, style));
    let took = format!("{} in all", duration(began.elapsed()));
    say_line(&style.paint(Tone::Quiet, &took));
    Ok(match (ended.interrupted, outcome::any_failed(&ended.outcomes)) {
        (true, _) => Verdict::Interrupted,
        (_, true) => Verdict::Failed,
        _ => Verdict::Done,
    })
}

/// Whether the plan may be carried out.
fn permit(target: &Target, plan: &Plan, confirmed: Option<&str>) -> Result<(), SmokeError> {
    let writes = plan.writes();
    if target.environment != "prod" || writes.is_empty() || confirmed == Some(target.stack.as_str()) {
        return Ok(());
    }
    Err(SmokeError::Production {
        stack: target.stack.clone(),
        writes: writes.join("; it "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(extent: Extent, confirmed: Option<&str>, environment: &str) -> Result<(), String> {
        let target = Target {
            environment: environment.to_owned(),
            ..plan::tests::target()
        };
        permit(&target, &plan(&target, extent), confirmed).map_err(|error| error.to_string())
    }

    #[test]
    fn production_is_written_to_only_when_it_is_named() {
        let refusal = Err(
            "mautic-test is production, and the smoke test writes there: it makes a form and a contact in Mautic, and removes them \
             again; it sends a mail to SES's simulator; it makes an e-mail and a contact in Mautic, has one sent to the other, and \
             removes them again; it runs a scheduled job once more. Nothing was done. To do it all the same: --confirm mautic-test \
             (with make: CONFIRM=mautic-test); to look only: --read-only (with make: READ_ONLY=1)"
                .to_owned(),
        );
        assert_eq!(permitted(Extent::Whole, None, "prod"), refusal);
        assert_eq!(permitted(Extent::Whole, Some("mautic-prod"), "prod"), refusal);
        for allowed in [
            permitted(Extent::Whole, Some("mautic-test"), "prod"),
            permitted(Extent::ReadOnly, None, "prod"),
            permitted(Extent::Whole, None, "test"),
        ] {
            assert_eq!(allowed, Ok(()));
        }
    }
}
