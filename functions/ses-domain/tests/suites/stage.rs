//! Where a handler meets a [`World`]: every call is counted, and may be denied, preceded by somebody else's change, or
//! made to wait for its turn.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};

use custom_resource::Runtime;
use custom_resource::testing::{Response, Scenario};
use recorded_calls::Refusal;
use serde_json::{Value, json};
use ses_domain::SesDomain;
use ses_domain::plan::Step;

use crate::world::{World, set};

pub const TYPE: &str = "Custom::SesDomain";

/// The world, and what happens to those who call it.
pub struct Stage {
    pub world: Mutex<World>,
    script: Mutex<Script>,
    turned: Condvar,
}

/// What somebody else does.
type Edit = Box<dyn FnOnce(&mut World) + Send>;

#[derive(Default)]
struct Script {
    /// Every call so far, as IAM spells it.
    calls: Vec<&'static str>,
    /// From this call on, everything is denied: as if the function had been killed before it.
    dies_at: Option<usize>,
    /// How many more calls of this action are denied.
    denied: Option<(&'static str, usize)>,
    /// Whose first call tells that CloudFormation has begun to delete the resource.
    withdrawing: Option<usize>,
    /// Runs once before the given call.
    meanwhile: Option<(&'static str, Edit)>,
    /// Who may call next; whoever likes, when it is empty.
    turns: VecDeque<usize>,
    /// Who will call no more.
    finished: Vec<usize>,
}

impl Stage {
    pub fn new(world: World) -> Arc<Self> {
        Arc::new(Self {
            world: Mutex::new(world),
            script: Mutex::default(),
            turned: Condvar::new(),
        })
    }

    pub fn world(&self) -> World {
        self.world.lock().unwrap().clone()
    }

    pub fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.lock().unwrap());
    }

    pub fn calls(&self) -> Vec<&'static str> {
        self.script.lock().unwrap().calls.clone()
    }

    /// Denies everything from the call of this number on, counted from now; `None` lifts that.
    pub fn die_at(&self, call: Option<usize>) {
        let mut script = self.script.lock().unwrap();
        script.dies_at = call.map(|call| script.calls.len() + call);
    }

    /// Denies the next calls of `action`, so many of them.
    pub fn deny(&self, action: &'static str, times: usize) {
        self.script.lock().unwrap().denied = Some((action, times));
    }

    /// From the first call of `actor` on, CloudFormation says that it deletes the resource: it does before it sends a Delete.
    pub fn withdraw_with(&self, actor: usize) {
        self.script.lock().unwrap().withdrawing = Some(actor);
    }

    /// Lets somebody else change the world just before the next call of `action`.
    pub fn meanwhile(&self, action: &'static str, change: impl FnOnce(&mut World) + Send + 'static) {
        self.script.lock().unwrap().meanwhile = Some((action, Box::new(change)));
    }

    pub fn take_turns(&self, turns: impl IntoIterator<Item = usize>) {
        self.script.lock().unwrap().turns = turns.into_iter().collect();
    }

    pub fn finish(&self, actor: usize) {
        self.script.lock().unwrap().finished.push(actor);
        self.turned.notify_all();
    }

    /// The handler of actor `actor`.
    pub fn runtime(self: &Arc<Self>, actor: usize) -> Runtime {
        Runtime::new().on(TYPE, SesDomain::with(crate::clients::clients(self, actor)))
    }

    /// One call of `actor`, with what it does to the world.
    pub fn call<T>(
        &self,
        actor: usize,
        action: &'static str,
        answer: impl FnOnce(&mut World) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut script = self.script.lock().unwrap();
        loop {
            let script_now = &mut *script;
            let finished = &script_now.finished;
            script_now.turns.retain(|turn| !finished.contains(turn));
            match script_now.turns.front() {
                Some(&turn) if turn != actor => script = self.turned.wait(script).unwrap(),
                _ => break,
            }
        }
        script.turns.pop_front();
        self.turned.notify_all();
        let number = script.calls.len();
        script.calls.push(action);
        if script.dies_at.is_some_and(|at| number >= at) {
            return Err(Refusal("AccessDeniedException", "killed".to_owned()));
        }
        if let Some((denied, left @ 1..)) = &mut script.denied
            && *denied == action
        {
            *left -= 1;
            return Err(Refusal("AccessDeniedException", "not authorized".to_owned()));
        }
        let mut world = self.world.lock().unwrap();
        world.withdrawn |= script.withdrawing == Some(actor);
        if let Some((_, change)) = script.meanwhile.take_if(|(awaited, _)| *awaited == action) {
            change(&mut world);
        }
        answer(&mut world)
    }

    /// One call that carries out `step`.
    pub fn step(&self, actor: usize, action: &'static str, domain: &str, step: &Step) -> Result<(), Refusal> {
        self.call(actor, action, |world| world.step(domain, step))
    }
}

pub const DOMAIN: &str = "example.com";
pub const ID: &str = "ses-domain:example.com";

pub fn properties() -> Value {
    json!({"Domain": DOMAIN, "ConfigurationSet": "mautic"})
}

pub fn with(mut properties: Value, name: &str, value: &str) -> Value {
    properties[name] = json!(value);
    properties
}

pub fn stage() -> Arc<Stage> {
    Stage::new(World::with_zone(DOMAIN, &[set(DOMAIN, "TXT", &["\"v=spf1 mx -all\""])]))
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub fn send(stage: &Arc<Stage>, scenario: &Scenario) -> Response {
    block_on(scenario.send(&stage.runtime(0))).response()
}

pub fn succeeds(stage: &Arc<Stage>, scenario: &Scenario) -> Response {
    let response = send(stage, scenario);
    assert_eq!(
        (response.status(), response.reason()),
        ("SUCCESS", ""),
        "{:?}",
        stage.calls()
    );
    response
}

pub fn fails(stage: &Arc<Stage>, scenario: &Scenario) -> String {
    let response = send(stage, scenario);
    assert_eq!(response.status(), "FAILED");
    response.reason().to_owned()
}
