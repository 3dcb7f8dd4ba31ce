//! The envelope that CloudFormation sends, read before anything inside it is believed.

use std::fmt;

use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::identity::{PhysicalId, Scope};

/// The member that the runtime adds to the event when it invokes its own function again.
const CONTINUATION: &str = "Continuation";

/// What CloudFormation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestType {
    /// Make the resource.
    Create,
    /// Bring the resource to new properties.
    Update,
    /// Remove the resource.
    Delete,
}

impl fmt::Display for RequestType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
        })
    }
}

/// A request for a custom resource. The properties inside it are still raw: a mistake in them must not keep the request
/// from being answered.
#[derive(Clone)]
pub struct Event {
    pub(crate) request_type: RequestType,
    pub(crate) url: ResponseUrl,
    pub(crate) request_id: String,
    pub(crate) scope: Scope,
    pub(crate) resource_type: String,
    pub(crate) physical_id: Option<String>,
    pub(crate) continuation: Option<Continuation>,
    raw: Map<String, Value>,
}

/// Where an invocation takes up what an earlier one began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Continuation {
    pub(crate) count: u64,
    pub(crate) state: Value,
}

/// A signed URL: whoever knows it can answer for the function, for two hours. It has no `Debug`, so that nothing shows it by accident.
#[derive(Clone)]
pub(crate) struct ResponseUrl(String);

impl ResponseUrl {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// An event that cannot even be answered. The message lists every faulty member by name, and no value.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "the event is not a custom resource's request, so nobody can be answered: {}; \
     let only CloudFormation invoke this function, through a resource's ServiceToken",
    faults.join(", ")
)]
pub struct MalformedEvent {
    faults: Vec<String>,
}

impl Event {
    /// Reads the envelope.
    ///
    /// # Errors
    /// [`MalformedEvent`] if a member is missing or malformed without which no answer is possible.
    pub fn parse(event: Value) -> Result<Self, MalformedEvent> {
        let Value::Object(raw) = event else {
            return Err(MalformedEvent {
                faults: vec!["it is not a JSON object".into()],
            });
        };
        let mut reader = Reader {
            raw: &raw,
            faults: Vec::new(),
        };
        let request_type = reader.request_type();
        let url = reader.url();
        let request_id = reader.text("RequestId");
        let scope = reader.scope();
        let resource_type = reader.text("ResourceType");
        let physical_id = match request_type {
            Some(RequestType::Create) => None,
            _ => reader.text("PhysicalResourceId"),
        };
        let continuation = reader.continuation();
        let faults = reader.faults;
        match (request_type, url, request_id, scope, resource_type) {
            (Some(request_type), Some(url), Some(request_id), Some(scope), Some(resource_type))
                if faults.is_empty() =>
            {
                Ok(Self {
                    request_type,
                    url,
                    request_id,
                    scope,
                    resource_type,
                    physical_id,
                    continuation,
                    raw,
                })
            }
            _ => Err(MalformedEvent { faults }),
        }
    }

    /// What is asked for.
    #[must_use]
    pub fn request_type(&self) -> RequestType {
        self.request_type
    }

    /// The resource's place in its stack.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The resource's type, such as `Custom::Database`.
    #[must_use]
    pub fn resource_type(&self) -> &str {
        &self.resource_type
    }

    /// CloudFormation's id of this request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    pub(crate) fn properties(&self) -> &Value {
        self.raw.get("ResourceProperties").unwrap_or(&Value::Null)
    }

    pub(crate) fn old_properties(&self) -> &Value {
        self.raw.get("OldResourceProperties").unwrap_or(&Value::Null)
    }

    /// The id that a failure answers with when nothing better is known: the event's own, so that an update that failed
    /// leaves the resource where it was; for a Create the placeholder.
    pub(crate) fn failure_id(&self) -> String {
        self.physical_id
            .clone()
            .unwrap_or_else(|| PhysicalId::placeholder(self.scope.stack_id(), self.scope.logical_id()).to_string())
    }

    /// How many invocations came before this one.
    pub(crate) fn continued(&self) -> u64 {
        self.continuation.as_ref().map_or(0, |continuation| continuation.count)
    }

    /// The same event for the next invocation.
    pub(crate) fn continue_with(&self, state: &Value) -> Value {
        let mut raw = self.raw.clone();
        raw.insert(
            CONTINUATION.into(),
            json!({"count": self.continued() + 1, "state": state}),
        );
        Value::Object(raw)
    }
}

/// Only what may stand in a log.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("request_type", &self.request_type)
            .field("resource_type", &self.resource_type)
            .field("scope", &self.scope)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// Reads members and notes every fault, so that one message names them all.
struct Reader<'a> {
    raw: &'a Map<String, Value>,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn text(&mut self, name: &str) -> Option<String> {
        match self.raw.get(name).and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Some(text.to_owned()),
            _ => self.fault(format!("{name} is missing")),
        }
    }

    fn request_type(&mut self) -> Option<RequestType> {
        match self.text("RequestType")?.as_str() {
            "Create" => Some(RequestType::Create),
            "Update" => Some(RequestType::Update),
            "Delete" => Some(RequestType::Delete),
            _ => self.fault("RequestType is none of Create, Update and Delete".into()),
        }
    }

    fn url(&mut self) -> Option<ResponseUrl> {
        let url = self.text("ResponseURL")?;
        if url.starts_with("https://") || url.starts_with("http://") {
            return Some(ResponseUrl(url));
        }
        self.fault("ResponseURL is not an HTTP address".into())
    }

    fn scope(&mut self) -> Option<Scope> {
        let (stack_id, logical_id) = (self.text("StackId"), self.text("LogicalResourceId"));
        match Scope::new(stack_id?, logical_id?) {
            Ok(scope) => Some(scope),
            Err(_) => self.fault("StackId is not the ARN of a stack".into()),
        }
    }

    /// None in every event that CloudFormation itself sends.
    fn continuation(&mut self) -> Option<Continuation> {
        let value = self.raw.get(CONTINUATION)?;
        match (value.get("count").and_then(Value::as_u64), value.get("state")) {
            (Some(count), Some(state)) => Some(Continuation {
                count,
                state: state.clone(),
            }),
            _ => self.fault("Continuation has no count or no state".into()),
        }
    }

    fn fault<T>(&mut self, fault: String) -> Option<T> {
        self.faults.push(fault);
        None
    }
}
