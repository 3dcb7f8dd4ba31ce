//! Carries a plan out: prints each check as it ends, and removes what was made, whatever happened before.

use crate::aws_query::AwsQuery;
use crate::cloud::Cloud;
use crate::follow::FollowError;
use crate::screen::{say, say_line};
use crate::smoke::administrator::{self, Administrator};
use crate::smoke::made::{Ledger, Names, remove};
use crate::smoke::mautic::Mautic;
use crate::smoke::outcome::{Check, Judgement, Mark, Outcome};
use crate::smoke::plan::{Plan, Step};
use crate::smoke::site::Site;
use crate::smoke::target::Target;
use crate::smoke::{delivery, form, job, last_job, login, mail, ses};
use crate::style::Style;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Between two looks at a task or a metric; an AWS on this machine may be asked more often.
const PACE: Duration = Duration::from_secs(5);
const LOCAL_PACE: Duration = Duration::from_millis(250);

/// What a run came to.
#[derive(Debug)]
pub(super) struct Ended {
    /// Every check that ended.
    pub outcomes: Vec<Outcome>,
    /// Somebody pressed Ctrl-C, or asked this process to end.
    pub interrupted: bool,
}

/// Everything that the checks share.
struct Run<'a> {
    cloud: &'a Cloud,
    site: &'a Site,
    target: &'a Target,
    aws: AwsQuery<'a>,
    began: SystemTime,
    ledger: Ledger,
    administrator: Option<Result<Administrator, Judgement>>,
    outcomes: Mutex<Vec<Outcome>>,
    style: Style,
}

/// Runs the checks, and removes what they made.
///
/// # Errors
/// The signals of this process cannot be heard.
pub(super) async fn run(
    cloud: &Cloud,
    site: &Site,
    target: &Target,
    plan: &Plan,
    aws: &str,
    style: Style,
) -> Result<Ended, FollowError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(FollowError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(FollowError::Signals)?;
    let began = SystemTime::now();
    let mut run = Run {
        cloud,
        site,
        target,
        aws: AwsQuery::new(cloud, aws),
        began,
        ledger: Ledger::new(Names::new(began)),
        administrator: None,
        outcomes: Mutex::default(),
        style,
    };
    if plan.signs_in() {
        run.administrator = Some(run.administrator().await);
    }
    let (leave, leaving) = watch::channel(false);
    let interrupted = {
        let mut checks = pin!(run.checks(plan, &leaving));
        let interrupted = tokio::select! {
            () = &mut checks => false,
            _ = interrupt.recv() => true,
            _ = terminate.recv() => true,
        };
        if interrupted {
            say_line("Leaving, as soon as what was made is removed. A job that has started goes on.");
            // A request that is under way may still make something: its answer is waited for, unless somebody insists.
            leave.send_replace(true);
            tokio::select! {
                () = checks => {}
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        interrupted
    };
    run.clean_up().await;
    let outcomes = run.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Ended { outcomes, interrupted })
}

/// Returns when somebody wants to leave.
async fn left(leaving: &watch::Receiver<bool>) {
    // The sender outlives every check: an error cannot come.
    let _ = leaving.clone().wait_for(|leaves| *leaves).await;
}

impl Run<'_> {
    async fn administrator(&self) -> Result<Administrator, Judgement> {
        let client = aws_sdk_secretsmanager::Client::new(&self.cloud.config);
        let arn = self.target.administrator.as_deref().unwrap_or_default();
        administrator::read(self.cloud, &client, arn).await.map_err(|error| {
            Judgement::failed(
                format!("{error}."),
                "The one who tests needs the permissions in docs/operations.md, Smoke test.",
            )
        })
    }

    /// The job takes its minutes beside the others.
    async fn checks(&self, plan: &Plan, leaving: &watch::Receiver<bool>) {
        let (slow, quick): (Vec<_>, Vec<_>) = plan.0.iter().partition(|(_, step)| matches!(step, Step::Job { .. }));
        tokio::join!(self.in_order(quick, leaving), self.in_order(slow, leaving));
    }

    async fn in_order(&self, steps: Vec<&(Check, Step)>, leaving: &watch::Receiver<bool>) {
        for (check, step) in steps {
            let began = Instant::now();
            let makes_things = matches!(step, Step::Form | Step::Mail);
            let judgement = tokio::select! {
                biased;
                () = left(leaving), if !makes_things || *leaving.borrow() => return,
                judgement = self.step(step) => judgement,
            };
            let took = (!matches!(step, Step::Nothing(_))).then(|| began.elapsed());
            self.note(Outcome {
                check: *check,
                judgement,
                took,
            });
        }
    }

    async fn step(&self, step: &Step) -> Judgement {
        match step {
            Step::Nothing(judgement) => judgement.clone(),
            Step::Login => login::check(self.site).await,
            Step::Form => match self.mautic() {
                Ok(mautic) => form::check(&mautic, &self.ledger).await,
                Err(judgement) => judgement,
            },
            Step::Mail => match self.mautic() {
                Ok(mautic) => mail::check(&mautic, &self.ledger).await,
                Err(judgement) => judgement,
            },
            Step::Ses {
                sender,
                configuration_set,
            } => ses::check(self.cloud, &self.ses(), sender, configuration_set).await,
            Step::Identity { domain } => ses::look(self.cloud, &self.ses(), domain).await,
            Step::Delivery => self.delivery().await,
            Step::LastJob { log } => last_job::check(self.aws, log).await,
            Step::Job { group } => {
                let token = self.ledger.names.token();
                let place = job::Place {
                    group,
                    log: self.target.job_log.as_deref(),
                    token: &token,
                    pace: self.pace(),
                    patience: job::PATIENCE,
                };
                job::check(self.aws, &place).await
            }
        }
    }

    /// The mails that were handed over are those whose checks passed.
    async fn delivery(&self) -> Judgement {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let has_passed = |check: Check| {
            let mut outcomes = outcomes.iter();
            outcomes.any(|outcome| outcome.check == check && outcome.judgement.mark == Mark::Passed)
        };
        if !has_passed(Check::Mail) {
            return Judgement::skipped("Mautic has sent nothing that could arrive.", "");
        }
        let expected = delivery::Expected {
            mails: 1 + u32::from(has_passed(Check::Ses)),
            since: self.began,
            pace: self.pace(),
            patience: delivery::PATIENCE,
        };
        delivery::check(self.aws, &expected).await
    }

    fn pace(&self) -> Duration {
        if self.cloud.is_local() { LOCAL_PACE } else { PACE }
    }

    fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::new(&self.cloud.config)
    }

    fn mautic(&self) -> Result<Mautic<'_>, Judgement> {
        match &self.administrator {
            Some(Ok(administrator)) => Ok(Mautic {
                site: self.site,
                administrator,
            }),
            Some(Err(judgement)) => Err(judgement.clone()),
            None => Err(Judgement::skipped("Nobody is to sign in.", "")),
        }
    }

    async fn clean_up(&self) {
        let made = self.ledger.made();
        let (Ok(mautic), false) = (self.mautic(), made.is_empty()) else {
            return;
        };
        let began = Instant::now();
        let judgement = remove(&mautic, &self.ledger.names, &made).await;
        self.note(Outcome {
            check: Check::Removal,
            judgement,
            took: Some(began.elapsed()),
        });
    }

    fn note(&self, outcome: Outcome) {
        say(&outcome.render(self.style));
        self.outcomes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(outcome);
    }
}
