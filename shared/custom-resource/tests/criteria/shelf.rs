//! A handler that keeps its things in memory, marked with their owners, and misbehaves on demand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use custom_resource::testing::{LOGICAL_ID, STACK_ID};
use custom_resource::{Answer, CustomResource, Deletion, Outcome, Owner, PhysicalId, Request, Runtime, Scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use thiserror::Error;
use tokio::sync::Notify;
use tokio::time::timeout;

pub const TYPE: &str = "Custom::Thing";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Properties {
    name: String,
    #[serde(default)]
    size: u32,
    #[serde(default)]
    adopt_existing: bool,
    #[serde(default)]
    password: String,
    #[serde(default)]
    masked: bool,
    #[serde(default)]
    act: Act,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Deserialize)]
enum Act {
    #[default]
    Normally,
    FailWithTheName,
    PanicWithThePassword,
    Hang,
    TakeTime,
    AwaitARemoval,
    Continue,
    LieAboutTheSize,
    BeDenied,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    name: String,
    size: u32,
    filling: String,
}

#[derive(Debug, Error)]
pub enum ShelfError {
    #[error("the thing `{0}` broke; glue it")]
    Broken(String),
    #[error("the thing `{0}` is on the shelf already and not this stack's; set AdoptExisting to true to take it over")]
    Foreign(String),
    #[error("the shelf is locked for `{0}`; unlock it")]
    Denied(String),
    #[error("the thing `{0}` was removed while it was made; nothing of it is left")]
    Removed(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    pub owner: Option<Owner>,
    pub size: u32,
}

#[derive(Clone, Default)]
pub struct Shelf {
    pub things: Arc<Mutex<BTreeMap<String, Thing>>>,
    pub calls: Arc<Mutex<Vec<String>>>,
    /// How often a thing that asks for it is denied before it is let in.
    pub denials: Arc<Mutex<usize>>,
    /// Told when a thing stands marked that awaits a removal.
    pub marked: Arc<Notify>,
    /// Told when something was removed.
    pub removed: Arc<Notify>,
}

impl Shelf {
    pub fn runtime(&self) -> Runtime {
        Runtime::new().on(TYPE, self.clone())
    }

    pub fn holding(things: &[(&str, Option<Owner>)]) -> Self {
        let shelf = Self::default();
        for (id, owner) in things {
            let thing = Thing {
                owner: owner.clone(),
                size: 0,
            };
            shelf.things.lock().unwrap().insert((*id).to_owned(), thing);
        }
        shelf
    }

    pub fn ids(&self) -> Vec<String> {
        self.things.lock().unwrap().keys().cloned().collect()
    }

    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    pub fn denying(times: usize) -> Self {
        let shelf = Self::default();
        *shelf.denials.lock().unwrap() = times;
        shelf
    }

    fn is_locked(&self) -> bool {
        let mut denials = self.denials.lock().unwrap();
        let locked = *denials > 0;
        *denials = denials.saturating_sub(1);
        locked
    }

    fn called(&self, verb: &str, request: &Request) {
        let state = request
            .state()
            .map(|state| format!(" from {state}"))
            .unwrap_or_default();
        self.calls
            .lock()
            .unwrap()
            .push(format!("{verb} {}{state}", request.id()));
    }

    /// Marks first, works then, and looks whether the mark still stands: a Delete beside it has taken it away.
    async fn put(&self, request: &Request, properties: &Properties) -> Result<(), ShelfError> {
        let (id, owner) = (request.id().as_str(), request.scope().owner());
        let marked = |thing: &Thing| thing.owner.as_ref() == Some(&owner);
        {
            let mut things = self.things.lock().unwrap();
            if things.get(id).is_some_and(|thing| !marked(thing)) && !properties.adopt_existing {
                return Err(ShelfError::Foreign(properties.name.clone()));
            }
            // What is adopted keeps its owner: it is never deleted.
            let thing = things.entry(id.to_owned());
            thing
                .or_insert_with(|| Thing {
                    owner: Some(owner),
                    size: 0,
                })
                .size = properties.size;
        }
        if properties.act == Act::TakeTime {
            tokio::time::sleep(Duration::from_millis(800)).await;
        }
        if properties.act == Act::AwaitARemoval {
            self.marked.notify_one();
            // Without one it goes on, and is made.
            let _ = timeout(Duration::from_secs(30), self.removed.notified()).await;
        }
        if self.ids().iter().any(|there| there == id) {
            Ok(())
        } else {
            Err(ShelfError::Removed(properties.name.clone()))
        }
    }

    async fn act(&self, request: &Request, properties: Properties) -> Result<Outcome<Attributes>, ShelfError> {
        match properties.act {
            Act::FailWithTheName => return Err(ShelfError::Broken(properties.name)),
            Act::PanicWithThePassword => panic!("the password is {}", properties.password),
            Act::Hang => std::future::pending().await,
            Act::Continue => {
                let polls = request.state().map_or(0, |state| state["polls"].as_u64().unwrap());
                return Ok(Outcome::Continue(json!({ "polls": polls + 1 })));
            }
            Act::BeDenied if self.is_locked() => return Err(ShelfError::Denied(properties.name)),
            Act::BeDenied | Act::Normally | Act::TakeTime | Act::AwaitARemoval | Act::LieAboutTheSize => {}
        }
        self.put(request, &properties).await?;
        let masked = properties.masked;
        let mut attributes = self.largest_attributes(&properties);
        if properties.act == Act::LieAboutTheSize {
            attributes.filling = "x".repeat(5000);
        }
        let answer = Answer::new(attributes);
        Ok(Outcome::Done(if masked { answer.no_echo() } else { answer }))
    }
}

impl CustomResource for Shelf {
    type Properties = Properties;
    type Attributes = Attributes;
    type Error = ShelfError;

    fn physical_id(&self, _: &Scope, properties: &Properties) -> PhysicalId {
        PhysicalId::new(format!("thing:{}", properties.name)).unwrap()
    }

    fn recognises(&self, id: &PhysicalId) -> bool {
        id.as_str().starts_with("thing:")
    }

    fn largest_attributes(&self, properties: &Properties) -> Attributes {
        Attributes {
            name: properties.name.clone(),
            size: properties.size,
            filling: "x".repeat(properties.size as usize),
        }
    }

    fn was_denied(&self, error: &ShelfError) -> bool {
        matches!(error, ShelfError::Denied(_))
    }

    async fn create(&self, request: &Request, properties: Properties) -> Result<Outcome<Attributes>, ShelfError> {
        self.called("create", request);
        self.act(request, properties).await
    }

    async fn update(
        &self,
        request: &Request,
        properties: Properties,
        old: Option<Properties>,
    ) -> Result<Outcome<Attributes>, ShelfError> {
        let verb = if old.is_some() {
            "update"
        } else {
            "update from an unknown shape"
        };
        self.called(verb, request);
        self.act(request, properties).await
    }

    async fn delete(&self, request: &Request, properties: Option<Properties>) -> Result<Deletion, ShelfError> {
        let verb = if properties.is_some() {
            "delete"
        } else {
            "delete by id alone"
        };
        self.called(verb, request);
        match properties {
            Some(Properties {
                act: Act::FailWithTheName,
                name,
                ..
            }) => return Err(ShelfError::Broken(name)),
            Some(Properties {
                act: Act::BeDenied,
                name,
                ..
            }) => return Err(ShelfError::Denied(name)),
            _ => {}
        }
        let owner = Some(request.scope().owner());
        self.things
            .lock()
            .unwrap()
            .retain(|id, thing| id != request.id().as_str() || thing.owner != owner);
        self.removed.notify_one();
        Ok(Deletion::Done)
    }
}

/// The mark of the stack that the tests' events come from.
pub fn our_mark() -> Owner {
    Owner::new(STACK_ID, LOGICAL_ID)
}

/// The id that CloudFormation invents for a resource whose Create it never saw answered.
pub const INVENTED: &str = "shop-Thing-1K3ZP8QF0WXYZ";
