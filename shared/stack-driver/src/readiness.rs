//! Whether a stack can be deployed in the state that it is in.

use crate::command_line::{CommandLine, own_name};
use crate::event::Status;

/// What a deployment does to a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// There is no such stack, or only the shell of a change set that was never executed.
    Create,
    /// The stack stands.
    Update,
    /// An operation failed with rollback disabled; the next one goes on from there.
    Continue,
}

/// A state in which a stack takes no deployment.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotReady {
    /// Something is going on.
    #[error(
        "the stack {stack} is in {status}: another operation is running. Follow it with `{me} follow --stack {stack}` and \
         deploy when it has ended",
        me = own_name()
    )]
    Busy {
        /// The stack's name.
        stack: String,
        /// Its status.
        status: Status,
    },
    /// Only deletion is possible.
    #[error(
        "the stack {stack} is in {status}: its creation failed and it can only be deleted. See why with `{me} why \
         --stack {stack}`, then delete it: `{delete}`",
        me = own_name()
    )]
    OnlyDelete {
        /// The stack's name.
        stack: String,
        /// Its status.
        status: Status,
        /// The command that deletes it.
        delete: String,
    },
    /// A deletion stopped half-way.
    #[error(
        "the stack {stack} is in {status}: its deletion stopped half-way. See what would not go with `{me} why --stack \
         {stack}`, remove the cause, and delete again: `{delete}`",
        me = own_name()
    )]
    HalfDeleted {
        /// The stack's name.
        stack: String,
        /// Its status.
        status: Status,
        /// The command that deletes it.
        delete: String,
    },
    /// The rollback of an update failed.
    #[error(
        "the stack {stack} is in {status}: an update failed, and so did its rollback. See why with `{me} why --stack \
         {stack}`, remove the cause, and let the rollback go on: `{resume}`; a resource that cannot be rolled back is left out \
         with --resources-to-skip LogicalId (in a nested stack NestedStackName.LogicalId)",
        me = own_name()
    )]
    StuckRollback {
        /// The stack's name.
        stack: String,
        /// Its status.
        status: Status,
        /// The command that resumes the rollback.
        resume: String,
    },
}

/// Judges a stack's status before a deployment; `None`: there is no such stack.
///
/// # Errors
/// The state takes no deployment; the message says what to do.
pub fn readiness(stack: &str, status: Option<&Status>) -> Result<Operation, NotReady> {
    let Some(status) = status else {
        return Ok(Operation::Create);
    };
    let (name, state) = (stack.to_owned(), status.clone());
    match status.as_str() {
        "REVIEW_IN_PROGRESS" | "DELETE_COMPLETE" => Ok(Operation::Create),
        "CREATE_FAILED" | "UPDATE_FAILED" => Ok(Operation::Continue),
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "IMPORT_ROLLBACK_FAILED" => Err(NotReady::OnlyDelete {
            stack: name,
            status: state,
            delete: delete_command(stack),
        }),
        "DELETE_FAILED" => Err(NotReady::HalfDeleted {
            stack: name,
            status: state,
            delete: delete_command(stack),
        }),
        "UPDATE_ROLLBACK_FAILED" => {
            let resume = cloudformation("continue-update-rollback", stack).one_line();
            Err(NotReady::StuckRollback {
                stack: name,
                status: state,
                resume,
            })
        }
        _ if status.is_in_progress() => Err(NotReady::Busy {
            stack: name,
            status: state,
        }),
        _ => Ok(Operation::Update),
    }
}

/// Whether an operation runs that can be followed to an end from which a deployment goes on.
#[must_use]
pub fn goes_on(status: &Status) -> bool {
    status.is_in_progress() && !matches!(status.as_str(), "REVIEW_IN_PROGRESS" | "DELETE_IN_PROGRESS")
}

/// `aws cloudformation VERB --stack-name STACK`.
#[must_use]
pub fn cloudformation(verb: &str, stack: &str) -> CommandLine {
    CommandLine::new("aws")
        .with(["cloudformation", verb])
        .with(["--stack-name", stack])
}

fn delete_command(stack: &str) -> String {
    cloudformation("delete-stack", stack).one_line()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(status: &str) -> Result<Operation, String> {
        readiness("mautic", Some(&Status::new(status))).map_err(|error| error.to_string())
    }

    #[test]
    fn a_stack_that_stands_is_updated_and_one_that_does_not_is_created() {
        assert_eq!(readiness("mautic", None), Ok(Operation::Create));
        let states = [
            "REVIEW_IN_PROGRESS",
            "CREATE_COMPLETE",
            "UPDATE_ROLLBACK_COMPLETE",
            "CREATE_FAILED",
        ];
        assert_eq!(
            states.map(judge),
            [
                Ok(Operation::Create),
                Ok(Operation::Update),
                Ok(Operation::Update),
                Ok(Operation::Continue)
            ]
        );
    }

    #[test]
    fn a_rolled_back_creation_names_the_command_that_deletes_it() {
        assert_eq!(
            judge("ROLLBACK_COMPLETE"),
            Err("the stack mautic is in ROLLBACK_COMPLETE: its creation failed and it can only be deleted. See why with \
                 `stack-driver why --stack mautic`, then delete it: `aws cloudformation delete-stack --stack-name mautic`"
                .to_owned())
        );
    }

    #[test]
    fn what_runs_is_waited_for_but_for_a_deletion_and_an_unexecuted_change_set() {
        let states = [
            "CREATE_IN_PROGRESS",
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "DELETE_IN_PROGRESS",
            "REVIEW_IN_PROGRESS",
            "UPDATE_COMPLETE",
        ];
        assert_eq!(
            states.map(|state| goes_on(&Status::new(state))),
            [true, true, false, false, false]
        );
    }

    #[test]
    fn a_busy_stack_names_the_command_that_follows_it() {
        assert_eq!(
            judge("UPDATE_IN_PROGRESS"),
            Err("the stack mautic is in UPDATE_IN_PROGRESS: another operation is running. Follow it with `stack-driver follow \
                 --stack mautic` and deploy when it has ended"
                .to_owned())
        );
    }

    #[test]
    fn a_stuck_rollback_and_a_half_deletion_have_their_own_ways_out() {
        let texts = ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"].map(|state| judge(state).expect_err("refused"));
        assert_eq!(
            texts,
            [
                "the stack mautic is in UPDATE_ROLLBACK_FAILED: an update failed, and so did its rollback. See why with \
                 `stack-driver why --stack mautic`, remove the cause, and let the rollback go on: `aws cloudformation \
                 continue-update-rollback --stack-name mautic`; a resource that cannot be rolled back is left out with \
                 --resources-to-skip LogicalId (in a nested stack NestedStackName.LogicalId)",
                "the stack mautic is in DELETE_FAILED: its deletion stopped half-way. See what would not go with `stack-driver why \
                 --stack mautic`, remove the cause, and delete again: `aws cloudformation delete-stack --stack-name mautic`",
            ]
        );
    }
}
