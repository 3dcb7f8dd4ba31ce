//! Which checks are run, which are not and why, and what they write: decided before anything is asked of the site.

use crate::smoke::mautic::TURN_ON;
use crate::smoke::outcome::{Check, Judgement};
use crate::smoke::target::Target;

/// How far the test may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Only what changes nothing.
    ReadOnly,
}

/// A check that is run, with what it must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The sign-in page.
    Login,
    /// A form.
    Form,
    /// A mail by SES itself.
    Ses {
        /// Who it is from.
        sender: String,
        /// What it names.
        configuration_set: String,
    },
    /// What SES says of the domain and the account, without a mail.
    Identity {
        /// The domain.
        domain: String,
    },
    /// A mail by Mautic.
    Mail,
    /// The arrival of the mails before it.
    Delivery,
    /// A job.
    Job {
        /// The group of the schedules.
        group: String,
    },
    /// The last job that ended.
    LastJob {
        /// The jobs' log group.
        log: String,
    },
    /// None: this is its outcome already.
    Nothing(Judgement),
}

/// Every check in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan(pub Vec<(Check, Step)>);

/// Decides.
#[must_use]
pub fn plan(target: &Target, extent: Extent) -> Plan {
    let mail = mail(target);
    // Without Mautic's mail the metric says no more than SES's own answer.
    let delivery = mail
        .as_ref()
        .ok()
        .filter(|_| extent == Extent::Whole)
        .map(|_| (Check::Delivery, Ok(Step::Delivery)));
    let (ses, job) = match extent {
        Extent::Whole => (ses(target), job(target)),
        Extent::ReadOnly => (identity(target), last_job(target)),
    };
    let before = [
        (Check::Login, Ok(Step::Login)),
        (Check::Form, form(target)),
        (Check::Ses, ses),
        (Check::Mail, mail),
    ];
    let steps = before.into_iter().chain(delivery).chain([(Check::Job, job)]);
    let decide = |(check, step): (Check, Result<Step, Judgement>)| {
        let step = step.unwrap_or_else(Step::Nothing);
        let step = match (extent, writes(&step)) {
            (Extent::ReadOnly, Some(writes)) => Step::Nothing(Judgement::skipped(
                format!("It {writes}, and is not to."),
                "Leave --read-only out to have it tested.",
            )),
            _ => step,
        };
        (check, step)
    };
    Plan(steps.map(decide).collect())
}

/// What a step changes.
fn writes(step: &Step) -> Option<&'static str> {
    match step {
        Step::Login | Step::Identity { .. } | Step::Delivery | Step::LastJob { .. } | Step::Nothing(_) => None,
        Step::Form => Some("makes a form and a contact in Mautic, and removes them again"),
        Step::Ses { .. } => Some("sends a mail to SES's simulator"),
        Step::Mail => {
            Some("makes an e-mail and a contact in Mautic, has one sent to the other, and removes them again")
        }
        Step::Job { .. } => Some("runs a scheduled job once more"),
    }
}

impl Plan {
    /// What the plan changes, one sentence's part each; empty if it only reads.
    #[must_use]
    pub fn writes(&self) -> Vec<&'static str> {
        self.0.iter().filter_map(|(_, step)| writes(step)).collect()
    }

    /// Whether it signs in to Mautic's API.
    #[must_use]
    pub fn signs_in(&self) -> bool {
        self.0.iter().any(|(_, step)| matches!(step, Step::Form | Step::Mail))
    }
}

fn lacks(what: &str) -> Judgement {
    let seen = format!("The stack and those nested in it have no {what}.");
    Judgement::skipped(seen, "Deploy this version of the templates.")
}

fn signed_in(target: &Target) -> Result<(), Judgement> {
    if !target.has_api {
        return Err(Judgement::skipped("Mautic's API is off.", TURN_ON));
    }
    target
        .administrator
        .as_ref()
        .map(|_| ())
        .ok_or_else(|| lacks("output AdministratorSecretArn"))
}

fn form(target: &Target) -> Result<Step, Judgement> {
    signed_in(target).map(|()| Step::Form)
}

fn ses(target: &Target) -> Result<Step, Judgement> {
    let configuration_set = target
        .configuration_set
        .clone()
        .ok_or_else(|| lacks("output ConfigurationSet"))?;
    let sender = target.sender.clone().ok_or_else(|| lacks("parameter Domain"))?;
    Ok(Step::Ses {
        sender,
        configuration_set,
    })
}

fn identity(target: &Target) -> Result<Step, Judgement> {
    let domain = target.domain.clone().ok_or_else(|| lacks("parameter Domain"))?;
    Ok(Step::Identity { domain })
}

fn mail(target: &Target) -> Result<Step, Judgement> {
    if target.holds_mail {
        let seen = "Mail is held: Mautic would believe that it was sent, and it would go nowhere.";
        return Err(Judgement::skipped(
            seen,
            "To have it tested, deploy with HoldMail=false, once no real contact can be written to.",
        ));
    }
    signed_in(target).map(|()| Step::Mail)
}

fn job(target: &Target) -> Result<Step, Judgement> {
    let group = target
        .schedule_group
        .clone()
        .ok_or_else(|| lacks("output ScheduleGroupName"))?;
    Ok(Step::Job { group })
}

fn last_job(target: &Target) -> Result<Step, Judgement> {
    let log = target.job_log.clone().ok_or_else(|| lacks("output JobLogGroupName"))?;
    Ok(Step::LastJob { log })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn target() -> Target {
        let some = |text: &str| Some(text.to_owned());
        Target {
            stack: "mautic-test".to_owned(),
            environment: "test".to_owned(),
            site: some("https://mautic.example.com"),
            administrator: some("arn:admin"),
            has_api: true,
            holds_mail: false,
            domain: some("example.com"),
            sender: some("mautic@example.com"),
            configuration_set: some("set"),
            schedule_group: some("group"),
            job_log: some("log"),
        }
    }

    fn steps(target: &Target, extent: Extent) -> Vec<Step> {
        plan(target, extent).0.into_iter().map(|(_, step)| step).collect()
    }

    fn seen(step: &Step) -> &str {
        match step {
            Step::Nothing(judgement) => &judgement.seen,
            _ => "",
        }
    }

    #[test]
    fn everything_is_tried_where_everything_is_on() {
        let wanted = [
            Step::Login,
            Step::Form,
            Step::Ses {
                sender: "mautic@example.com".to_owned(),
                configuration_set: "set".to_owned(),
            },
            Step::Mail,
            Step::Delivery,
            Step::Job {
                group: "group".to_owned(),
            },
        ];
        assert_eq!(steps(&target(), Extent::Whole), wanted);
        let plan = plan(&target(), Extent::Whole);
        assert_eq!((plan.writes().len(), plan.signs_in()), (4, true));
    }

    #[test]
    fn without_the_api_mautic_is_not_signed_in_to() {
        let plan = plan(
            &Target {
                has_api: false,
                ..target()
            },
            Extent::Whole,
        );
        let skipped = Step::Nothing(Judgement::skipped(
            "Mautic's API is off.",
            "To have it tested, deploy with MauticApi=true.",
        ));
        assert_eq!(
            (&plan.0[1].1, &plan.0[3].1, plan.signs_in()),
            (&skipped, &skipped, false)
        );
    }

    #[test]
    fn held_mail_is_not_sent_by_mautic_and_ses_is_tried_all_the_same() {
        let steps = steps(
            &Target {
                holds_mail: true,
                ..target()
            },
            Extent::Whole,
        );
        assert!(matches!(steps[2], Step::Ses { .. }));
        assert_eq!(
            seen(&steps[3]),
            "Mail is held: Mautic would believe that it was sent, and it would go nowhere."
        );
    }

    #[test]
    fn what_only_reads_writes_nothing() {
        let plan = plan(&target(), Extent::ReadOnly);
        assert_eq!((plan.writes(), plan.signs_in()), (Vec::new(), false));
        let skipped = |seen: &str| Step::Nothing(Judgement::skipped(seen, "Leave --read-only out to have it tested."));
        let steps: Vec<Step> = plan.0.into_iter().map(|(_, step)| step).collect();
        assert_eq!(
            steps,
            [
                Step::Login,
                skipped("It makes a form and a contact in Mautic, and removes them again, and is not to."),
                Step::Identity {
                    domain: "example.com".to_owned()
                },
                skipped(
                    "It makes an e-mail and a contact in Mautic, has one sent to the other, and removes them again, and is not to."
                ),
                Step::LastJob { log: "log".to_owned() },
            ]
        );
    }

    #[test]
    fn an_older_stack_is_tested_as_far_as_its_outputs_go() {
        let old = Target {
            administrator: None,
            configuration_set: None,
            schedule_group: None,
            ..target()
        };
        let texts: Vec<String> = steps(&old, Extent::Whole)
            .iter()
            .map(|step| seen(step).to_owned())
            .collect();
        let lacks = |output: &str| format!("The stack and those nested in it have no output {output}.");
        assert_eq!(
            texts,
            [
                String::new(),
                lacks("AdministratorSecretArn"),
                lacks("ConfigurationSet"),
                lacks("AdministratorSecretArn"),
                lacks("ScheduleGroupName")
            ]
        );
    }
}
