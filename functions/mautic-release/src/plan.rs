//! Decides on the next step. Nothing here calls anything; planning again after the last step gives none.

use std::fmt;

use thiserror::Error;

use crate::action::Action;
use crate::schema::{Record, Schema};
use crate::tasks::{Ending, Task, started_by};

/// Where the stack is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To a new release, or to the first one.
    Forward,
    /// Back to an earlier one, after an update that failed.
    Back,
}

/// What is to be done, for which event, and whether there is time for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order<'a> {
    /// Where the stack is going.
    pub direction: Direction,
    /// CloudFormation's id of the event; the same when it is delivered again.
    pub request_id: &'a str,
    /// The seconds that were to be waited, once they are over.
    pub over: Option<u64>,
}

/// Everything that a plan depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The tasks of the release's family.
    pub tasks: Vec<Task>,
    /// What the schema holds.
    pub schema: Schema,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Start the task.
    Start(Action),
    /// Look again in a moment: the task of this ARN is at work, or the database cannot be reached yet.
    Wait(Option<String>),
    /// Nothing is left to do.
    Done(Done),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The task of this event did it. Its ARN is gone once ECS has forgotten it; the schema's own record has not.
    Released {
        /// What.
        action: Action,
        /// In which task.
        task: Option<String>,
    },
    /// Nothing, on the way back: Mautic has no migrations down.
    LeftAlone,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(action) => write!(f, "start the task that is to {action}"),
            Self::Wait(Some(task)) => write!(f, "wait for task {task}"),
            Self::Wait(None) => f.write_str("wait for the database"),
            Self::Done(Done::Released { action, .. }) => write!(f, "nothing: the schema was {}", action.done()),
            Self::Done(Done::LeftAlone) => f.write_str("nothing: the stack goes back, the schema stays as it is"),
        }
    }
}

/// Why there is no step; reads on from the schema's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It holds what nobody should install into, or migrate.
    #[error("holds {0}; {remedy}", remedy = .0.remedy())]
    Holds(Box<Schema>),
    /// It cannot be looked into.
    #[error("cannot be looked into: {0}")]
    Unreadable(database::Error),
    /// A task is at work on it longer than was to be waited.
    #[error(
        "is still at work in task {task} after {seconds} s. It was left alone and goes on: wait for its end with {}, once \
         more when that gives up, then update the stack again",
        wait_command(task)
    )]
    StillAtWork {
        /// The task.
        task: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Something else took all the time.
    #[error("was not touched, since the {seconds} s of waiting were over before its turn came; update the stack again")]
    NoTime {
        /// How long was waited.
        seconds: u64,
    },
    /// The task ended, but not as it should.
    #[error(
        "was not {done}: task {task} {ending}. The schema now holds {after}; {remedy}",
        done = .action.done(), ending = ended(ending), remedy = .after.remedy()
    )]
    Failed {
        /// What it was told to do.
        action: Action,
        /// The task.
        task: String,
        /// How it ended.
        ending: Ending,
        /// What the schema holds after it.
        after: Box<Schema>,
    },
}

impl Refusal {
    /// The task whose log tells more.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        match self {
            Self::Failed { task, .. } | Self::StillAtWork { task, .. } => Some(task),
            _ => None,
        }
    }
}

/// How a task ended, in words; reads on from its name.
fn ended(ending: &Ending) -> String {
    let how = match ending.exit_code {
        None => "ended before its container ran".to_owned(),
        Some(0) => "ended with exit code 0, but left no record of its end in the table aws_releases".to_owned(),
        Some(code) => format!("ended with exit code {code}"),
    };
    if ending.reason.is_empty() {
        how
    } else {
        format!("{how} ({})", ending.reason)
    }
}

/// The command that returns when the task has ended. Its ARN names the cluster: `.../task/CLUSTER/ID`.
fn wait_command(task: &str) -> String {
    let cluster = task.split('/').nth_back(1).unwrap_or("CLUSTER");
    format!("aws ecs wait tasks-stopped --cluster {cluster} --tasks {task}")
}

/// Whether a plan for these tasks depends on what the schema holds. While a task is at work on it, that says nothing.
#[must_use]
pub fn needs_schema(order: Order<'_>, tasks: &[Task]) -> bool {
    match own_task(order, tasks) {
        Some(own) => !own.runs() || order.direction == Direction::Back,
        None => order.direction == Direction::Back || !tasks.iter().any(Task::runs),
    }
}

/// The next step.
///
/// # Errors
/// [`Refusal`] if there is none, and the release has not reached its end.
pub fn plan(order: Order<'_>, observed: &Observed) -> Result<Step, Refusal> {
    if order.direction == Direction::Back {
        return Ok(Step::Done(Done::LeftAlone));
    }
    if let Some(own) = own_task(order, &observed.tasks) {
        return match &own.ending {
            None => wait_for(order, own),
            Some(ending) => judge(order, own, ending, &observed.schema),
        };
    }
    if let Some(own) = own_record(&observed.schema) {
        let action = own.action;
        return Ok(Step::Done(Done::Released { action, task: None }));
    }
    // Somebody else's: an earlier event's that was waited for in vain, or a person's.
    if let Some(other) = observed.tasks.iter().find(|task| task.runs()) {
        return wait_for(order, other);
    }
    begin(order, &observed.schema)
}

fn own_task<'a>(order: Order<'_>, tasks: &'a [Task]) -> Option<&'a Task> {
    let mark = started_by(order.request_id);
    tasks.iter().find(|task| task.started_by == mark)
}

fn own_record(schema: &Schema) -> Option<&Record> {
    match schema {
        Schema::Installed(installed) => installed.own.as_ref(),
        _ => None,
    }
}

fn wait_for(order: Order<'_>, task: &Task) -> Result<Step, Refusal> {
    let task = task.arn.clone();
    match order.over {
        None => Ok(Step::Wait(Some(task))),
        Some(seconds) => Err(Refusal::StillAtWork { task, seconds }),
    }
}

/// The first step of an event for which no task was started.
fn begin(order: Order<'_>, schema: &Schema) -> Result<Step, Refusal> {
    let action = match schema {
        Schema::InUse => return look_again(order),
        Schema::Unreadable(error) => return wait_for_database(order, error),
        Schema::Empty => Action::Install,
        Schema::Installed(_) => Action::Migrate,
        Schema::Absent | Schema::Unrecorded | Schema::HalfInstalled { .. } | Schema::Foreign(_) => {
            return Err(Refusal::Holds(Box::new(schema.clone())));
        }
    };
    match order.over {
        None => Ok(Step::Start(action)),
        Some(seconds) => Err(Refusal::NoTime { seconds }),
    }
}

fn wait_for_database(order: Order<'_>, error: &database::Error) -> Result<Step, Refusal> {
    if error.is_transient() && order.over.is_none() {
        return Ok(Step::Wait(None));
    }
    Err(Refusal::Unreadable(error.clone()))
}

fn look_again(order: Order<'_>) -> Result<Step, Refusal> {
    match order.over {
        None => Ok(Step::Wait(None)),
        Some(seconds) => Err(Refusal::NoTime { seconds }),
    }
}

/// Whether a task that ended did what it was started for. Its exit code alone proves nothing: it must be 0, and the schema
/// must hold a whole Mautic, with the record that this very run leaves as its last act.
fn judge(order: Order<'_>, task: &Task, ending: &Ending, schema: &Schema) -> Result<Step, Refusal> {
    let after = match schema {
        Schema::InUse => return look_again(order),
        Schema::Unreadable(error) => return wait_for_database(order, error),
        known => known,
    };
    match (ending.exit_code, own_record(after)) {
        (Some(0), Some(record)) => Ok(Step::Done(Done::Released {
            action: record.action,
            task: Some(task.arn.clone()),
        })),
        _ => Err(Refusal::Failed {
            action: task.action.unwrap_or(Action::Migrate),
            task: task.arn.clone(),
            ending: ending.clone(),
            after: Box::new(after.clone()),
        }),
    }
}
