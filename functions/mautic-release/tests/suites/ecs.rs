//! ECS, its logs and the stack's state in memory, as strict as they are where it matters here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use recorded_calls::Refusal;
use serde_json::{Value, json};

pub const CLUSTER: &str = "shop-prod";
pub const FAMILY: &str = "shop-prod-release";

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    pub arn: String,
    pub started_by: String,
    /// The parameters of the call that started it.
    pub asked: Value,
    pub command: Vec<String>,
    pub stopped: bool,
    pub exit_code: Option<i32>,
    pub stopped_reason: String,
    pub container_reason: String,
    /// How often ECS still says that there is no such task.
    pub unseen: usize,
}

#[derive(Debug, Default)]
pub struct Ecs {
    pub tasks: Vec<Task>,
    /// By a task's id: its log's lines.
    pub lines: BTreeMap<String, Vec<String>>,
    /// Whether CloudFormation has begun to delete the resource.
    pub withdrawn: bool,
    pub calls: Vec<&'static str>,
    /// How many more calls of an action are refused, and how.
    pub refused: Option<(&'static str, usize, Refusal)>,
    /// The reasons why the next tasks find no place, one a call.
    pub no_place: Vec<(&'static str, &'static str)>,
    /// How often a task that was started is not seen at first.
    pub lag: usize,
    tokens: BTreeMap<String, String>,
}

pub type Shared = Arc<Mutex<Ecs>>;

pub fn lock(ecs: &Shared) -> MutexGuard<'_, Ecs> {
    ecs.lock().expect("no panic before")
}

impl Ecs {
    /// One call: noted, and refused if the test wants it so.
    pub fn call(&mut self, action: &'static str) -> Result<(), Refusal> {
        self.calls.push(action);
        if let Some((refused, left @ 1.., refusal)) = &mut self.refused
            && *refused == action
        {
            *left -= 1;
            return Err(refusal.clone());
        }
        Ok(())
    }

    /// How often an action was called.
    pub fn count(&self, action: &str) -> usize {
        self.calls.iter().filter(|call| **call == action).count()
    }

    /// Starts a task; the one of the same token, if there is one. True with a new one.
    pub fn run(
        &mut self,
        token: &str,
        started_by: &str,
        asked: &Value,
        command: Vec<String>,
    ) -> (Result<String, Vec<String>>, bool) {
        if let Some(arn) = self.tokens.get(token) {
            let same = self.tasks.iter().any(|task| task.arn == *arn && task.asked == *asked);
            return (if same { Ok(arn.clone()) } else { Err(vec![arn.clone()]) }, false);
        }
        let arn = self.add(started_by, command);
        let lag = self.lag;
        self.task(&arn, |task| {
            task.asked = asked.clone();
            task.unseen = lag;
        });
        self.tokens.insert(token.to_owned(), arn.clone());
        (Ok(arn), true)
    }

    /// A task of the family that runs.
    pub fn add(&mut self, started_by: &str, command: Vec<String>) -> String {
        let arn = format!(
            "arn:aws:ecs:eu-central-1:123456789012:task/{CLUSTER}/{:032x}",
            self.tasks.len() + 1
        );
        self.tasks.push(Task {
            arn: arn.clone(),
            started_by: started_by.to_owned(),
            command,
            asked: json!(null),
            ..Task::default()
        });
        arn
    }

    pub fn task(&mut self, arn: &str, change: impl FnOnce(&mut Task)) {
        change(self.tasks.iter_mut().find(|task| task.arn == arn).expect("the task"));
    }

    /// Ends a task, unless it was stopped before.
    pub fn end(&mut self, arn: &str, exit_code: Option<i32>, reason: &str) {
        self.task(arn, |task| {
            if !task.stopped {
                task.stopped = true;
                task.exit_code = exit_code;
                reason.clone_into(&mut task.stopped_reason);
            }
        });
    }

    pub fn say(&mut self, arn: &str, lines: &[&str]) {
        let id = arn.rsplit('/').next().expect("an id").to_owned();
        let known = self.lines.entry(id).or_default();
        known.extend(lines.iter().map(|line| (*line).to_owned()));
    }

    /// The tasks that a list shows.
    pub fn listed(&self, stopped: bool) -> Vec<String> {
        let shown = self
            .tasks
            .iter()
            .filter(|task| task.stopped == stopped && task.unseen == 0);
        shown.map(|task| task.arn.clone()).collect()
    }

    /// The tasks of these ARNs that ECS knows of already.
    pub fn described(&mut self, arns: &[String]) -> Vec<Task> {
        let asked = self.tasks.iter_mut().filter(|task| arns.contains(&task.arn));
        let mut seen = Vec::new();
        for task in asked {
            if task.unseen > 0 {
                task.unseen -= 1;
            } else {
                seen.push(task.clone());
            }
        }
        seen
    }
}
