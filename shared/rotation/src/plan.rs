//! Decides what a step has to do, from labels alone. Nothing here calls anything.

use thiserror::Error;

use crate::event::Step;
use crate::versions::Versions;

/// What is to be done for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Nothing: it has been done.
    Nothing,
    /// Make a credential, unless the pending version holds one. With `outgoing`, a version whose credential may still be good,
    /// there is no room for another.
    Make {
        /// The version that is not retired yet.
        outgoing: Option<String>,
    },
    /// Install the pending credential.
    Install,
    /// Prove the pending credential; there may be none, when Secrets Manager only tries the function.
    Prove,
    /// Move the label of the version in use.
    Promote {
        /// From where.
        from: String,
    },
    /// Retire every credential but the current one, and but the pending one if there is one.
    Retire {
        /// The version that gets the label.
        outgoing: String,
        /// The version that has it.
        labelled: Option<String>,
        /// The version that a rotation, begun meanwhile, is about to put into use.
        pending: Option<String>,
    },
}

/// Why a step is refused; reads on from the secret's ARN.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The secret is not set up for rotation.
    #[error(
        "is not set up for rotation; deploy the stack's rotation module, or call aws secretsmanager rotate-secret with --rotation-lambda-arn"
    )]
    NotRotating,
    /// There is no version of that id, and none is pending.
    #[error("has no version {0}; start a rotation with aws secretsmanager rotate-secret, which makes one")]
    NoVersion(String),
    /// The version has not the label `AWSPENDING`, and no other has.
    #[error("has no label AWSPENDING on its version {0}; start a rotation with aws secretsmanager rotate-secret")]
    NotPending(String),
    /// Another version has the label `AWSPENDING`.
    #[error(
        "is being rotated to version {pending}, not to {token}; let that rotation end. If it never will: aws secretsmanager \
         update-secret-version-stage --secret-id SECRET --version-stage AWSPENDING --remove-from-version-id {pending}"
    )]
    Foreign {
        /// The version with the label.
        pending: String,
        /// The version asked for.
        token: String,
    },
    /// No version is in use.
    #[error("has no current version; fill it first")]
    Empty,
    /// The rotation before is not over.
    #[error(
        "was rotated before, and the credential of its previous version {outgoing} is still good, because tasks may use it: \
         a third one would end it. rotation-rollout replaces the tasks and retires it; when it could not, its log and \
         docs/secrets.md say why. Correct that, force a new deployment of the services, and rotate again"
    )]
    Overlap {
        /// The version that is not retired.
        outgoing: String,
    },
    /// The version in use is another one by now.
    #[error("has moved on from version {0}: nothing was retired; the next look sees to it")]
    MovedOn(String),
}

/// What `step` has to do for version `token`.
///
/// # Errors
/// [`Refusal`] if the labels do not allow it.
pub fn plan(step: Step, token: &str, versions: &Versions) -> Result<Task, Refusal> {
    let current = versions.current().ok_or(Refusal::Empty)?;
    if step == Step::Retire {
        return plan_retirement(token, versions);
    }
    if !versions.rotates {
        return Err(Refusal::NotRotating);
    }
    if current == token {
        return Ok(Task::Nothing);
    }
    // First what may be under way: of a version without a label, Secrets Manager tells nothing at all.
    match versions.pending() {
        Some(pending) if pending == token => {}
        Some(pending) => {
            return Err(Refusal::Foreign {
                pending: pending.to_owned(),
                token: token.to_owned(),
            });
        }
        None if versions.has(token) => return Err(Refusal::NotPending(token.to_owned())),
        None => return Err(Refusal::NoVersion(token.to_owned())),
    }
    let outgoing = versions.outgoing().map(str::to_owned);
    match (step, outgoing) {
        (Step::Create, outgoing) => Ok(Task::Make { outgoing }),
        (Step::Test, _) => Ok(Task::Prove),
        (Step::Set | Step::Finish, Some(outgoing)) => Err(Refusal::Overlap { outgoing }),
        (Step::Set, None) => Ok(Task::Install),
        (Step::Finish | Step::Retire, _) => Ok(Task::Promote {
            from: current.to_owned(),
        }),
    }
}

fn plan_retirement(token: &str, versions: &Versions) -> Result<Task, Refusal> {
    if versions.current() != Some(token) {
        return Err(Refusal::MovedOn(token.to_owned()));
    }
    Ok(versions.outgoing().map_or(Task::Nothing, |outgoing| Task::Retire {
        outgoing: outgoing.to_owned(),
        labelled: versions.retired().map(str::to_owned),
        pending: versions.pending().map(str::to_owned),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::tests::versions;

    const STEPS: [Step; 4] = [Step::Create, Step::Set, Step::Test, Step::Finish];

    fn refusal(step: Step, versions: &Versions) -> String {
        plan(step, "v2", versions).unwrap_err().to_string()
    }

    #[test]
    fn each_step_has_its_task_while_the_version_is_pending() {
        let rotating = versions(&[("v1", &["AWSCURRENT"]), ("v2", &["AWSPENDING"])]);
        let tasks = STEPS.map(|step| plan(step, "v2", &rotating).unwrap());
        let promote = Task::Promote { from: "v1".into() };
        assert_eq!(
            tasks,
            [Task::Make { outgoing: None }, Task::Install, Task::Prove, promote]
        );
    }

    #[test]
    fn a_version_that_is_current_has_nothing_left_to_do() {
        for labels in [&["AWSCURRENT"][..], &["AWSCURRENT", "AWSPENDING"]] {
            let done = versions(&[("v1", &["AWSPREVIOUS"]), ("v2", labels)]);
            for step in STEPS {
                assert_eq!(plan(step, "v2", &done), Ok(Task::Nothing));
            }
        }
    }

    #[test]
    fn a_secret_that_is_not_ready_is_refused_with_the_way_out() {
        let mut still = versions(&[("v1", &["AWSCURRENT"]), ("v2", &["AWSPENDING"])]);
        still.rotates = false;
        let alone = versions(&[("v1", &["AWSCURRENT"])]);
        let unlabelled = versions(&[("v1", &["AWSCURRENT"]), ("v2", &[])]);
        let foreign = versions(&[("v1", &["AWSCURRENT"]), ("v3", &["AWSPENDING"])]);
        let late = versions(&[
            ("v1", &["AWSCURRENT"]),
            ("v2", &["AWSPREVIOUS"]),
            ("v3", &["AWSPENDING"]),
        ]);
        let empty = versions(&[("v2", &["AWSPENDING"])]);
        for step in STEPS {
            assert_eq!(
                refusal(step, &still),
                "is not set up for rotation; deploy the stack's rotation module, or call aws secretsmanager rotate-secret with \
                 --rotation-lambda-arn"
            );
            assert_eq!(
                refusal(step, &alone),
                "has no version v2; start a rotation with aws secretsmanager rotate-secret, which makes one"
            );
            assert_eq!(
                refusal(step, &unlabelled),
                "has no label AWSPENDING on its version v2; start a rotation with aws secretsmanager rotate-secret"
            );
            for foreign in [&foreign, &late] {
                assert_eq!(
                    refusal(step, foreign),
                    "is being rotated to version v3, not to v2; let that rotation end. If it never will: aws secretsmanager \
                     update-secret-version-stage --secret-id SECRET --version-stage AWSPENDING --remove-from-version-id v3"
                );
            }
            assert_eq!(refusal(step, &empty), "has no current version; fill it first");
        }
    }

    #[test]
    fn nothing_is_installed_or_put_into_use_while_the_rotation_before_is_not_over() {
        let overlap = versions(&[
            ("v0", &["AWSPREVIOUS"]),
            ("v1", &["AWSCURRENT"]),
            ("v2", &["AWSPENDING"]),
        ]);
        let outgoing = Some("v0".to_owned());
        assert_eq!(plan(Step::Create, "v2", &overlap), Ok(Task::Make { outgoing }));
        for step in [Step::Set, Step::Finish] {
            assert_eq!(
                refusal(step, &overlap),
                "was rotated before, and the credential of its previous version v0 is still good, because tasks may use it: a \
                 third one would end it. rotation-rollout replaces the tasks and retires it; when it could not, its log and \
                 docs/secrets.md say why. Correct that, force a new deployment of the services, and rotate again"
            );
        }
        assert_eq!(plan(Step::Test, "v2", &overlap), Ok(Task::Prove));
    }

    #[test]
    fn what_is_retired_is_the_version_before_the_one_that_is_still_current() {
        let rotated = versions(&[("v0", &["RETIRED"]), ("v1", &["AWSPREVIOUS"]), ("v2", &["AWSCURRENT"])]);
        let task = Task::Retire {
            outgoing: "v1".into(),
            labelled: Some("v0".into()),
            pending: None,
        };
        assert_eq!(plan(Step::Retire, "v2", &rotated), Ok(task));
        let moved = versions(&[("v2", &["AWSPREVIOUS"]), ("v3", &["AWSCURRENT"])]);
        assert_eq!(
            refusal(Step::Retire, &moved),
            "has moved on from version v2: nothing was retired; the next look sees to it"
        );
        let done = versions(&[("v1", &["AWSPREVIOUS", "RETIRED"]), ("v2", &["AWSCURRENT"])]);
        assert_eq!(plan(Step::Retire, "v2", &done), Ok(Task::Nothing));
    }
}
