//! `Custom::Faulty`: a custom resource that fails on demand, for the end-to-end tests.
//!
//! `Mode` says how its Create and Update go, `DeleteMode` how its Delete goes; both are `succeed` unless chosen. `Name` is
//! its identity, `Seconds` how long `wait` waits and how often `continue` continues. It makes nothing.

use std::time::Duration;

use custom_resource::{Answer, CustomResource, Deletion, Outcome, PhysicalId, Request, Scope};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;

/// The properties.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    #[serde(default)]
    name: String,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    delete_mode: Mode,
    #[serde(default)]
    seconds: u32,
}

/// What the handler does.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Answer at once.
    #[default]
    Succeed,
    /// Return an error.
    Fail,
    /// Panic.
    Panic,
    /// End the process with status 3.
    Exit,
    /// Abort the process.
    Abort,
    /// Wait for ever, so that the runtime can still act: it answers.
    Hang,
    /// Block the only thread for ever: nothing but Lambda can end that.
    Block,
    /// Be killed by the signal with which the kernel ends a process for its memory. Filling that would try the whole machine.
    Kill,
    /// Succeed after `Seconds`.
    Wait,
    /// Continue `Seconds` times, then succeed.
    Continue,
}

/// The attributes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    name: String,
    invocations: u64,
}

/// The failure on demand.
#[derive(Debug, Error)]
#[error("`{0}` was told to fail; choose another Mode")]
pub struct ToldToFail(String);

/// The handler.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faulty;

impl Faulty {
    /// The state to continue from, if it is to continue.
    async fn act(self, mode: Mode, request: &Request, properties: &Properties) -> Result<Option<Value>, ToldToFail> {
        match mode {
            Mode::Fail => return Err(ToldToFail(properties.name.clone())),
            Mode::Panic => panic!("told to panic"),
            Mode::Exit => std::process::exit(3),
            Mode::Abort => std::process::abort(),
            Mode::Hang => std::future::pending().await,
            Mode::Block => loop {
                std::thread::park();
            },
            Mode::Kill => kill_process(getpid(), Signal::KILL).expect("a process may end itself"),
            Mode::Wait => tokio::time::sleep(Duration::from_secs(properties.seconds.into())).await,
            Mode::Continue if rounds(request) < u64::from(properties.seconds) => {
                return Ok(Some(json!(rounds(request) + 1)));
            }
            Mode::Succeed | Mode::Continue => {}
        }
        Ok(None)
    }

    async fn make(self, request: &Request, properties: Properties) -> Result<Outcome<Attributes>, ToldToFail> {
        if let Some(state) = self.act(properties.mode, request, &properties).await? {
            return Ok(Outcome::Continue(state));
        }
        let invocations = rounds(request) + 1;
        Ok(Outcome::Done(Answer::new(Attributes {
            name: properties.name,
            invocations,
        })))
    }
}

/// How often this event was continued.
fn rounds(request: &Request) -> u64 {
    request.state().and_then(Value::as_u64).unwrap_or_default()
}

impl CustomResource for Faulty {
    type Properties = Properties;
    type Attributes = Attributes;
    type Error = ToldToFail;

    fn physical_id(&self, scope: &Scope, properties: &Properties) -> PhysicalId {
        let id = PhysicalId::new(format!("faulty:{}", properties.name));
        id.unwrap_or_else(|_| PhysicalId::placeholder(scope.stack_id(), scope.logical_id()))
    }

    fn recognises(&self, id: &PhysicalId) -> bool {
        id.as_str().starts_with("faulty:")
    }

    fn largest_attributes(&self, properties: &Properties) -> Attributes {
        Attributes {
            name: properties.name.clone(),
            invocations: u64::MAX,
        }
    }

    async fn create(&self, request: &Request, properties: Properties) -> Result<Outcome<Attributes>, ToldToFail> {
        self.make(request, properties).await
    }

    async fn update(
        &self,
        request: &Request,
        properties: Properties,
        _: Option<Properties>,
    ) -> Result<Outcome<Attributes>, ToldToFail> {
        self.make(request, properties).await
    }

    async fn delete(&self, request: &Request, properties: Option<Properties>) -> Result<Deletion, ToldToFail> {
        let Some(properties) = properties else {
            return Ok(Deletion::Done);
        };
        let state = self.act(properties.delete_mode, request, &properties).await?;
        Ok(state.map_or(Deletion::Done, Deletion::Continue))
    }
}
