//! Drives a runtime with the events that CloudFormation sends, and shows what came back: a real PUT to a real address.
//!
//! ```
//! # use custom_resource::testing::create;
//! # use custom_resource::Runtime;
//! # use serde_json::json;
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let runtime = Runtime::new();
//! let run = create("Custom::Unknown", json!({})).send(&runtime).await;
//! assert_eq!(run.response().status(), "FAILED");
//! # });
//! ```

mod log;
mod server;
mod shapes;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use crate::deadline::Deadlines;
use crate::runtime::{Invocation, LogPlace, Runtime, Unanswered};

pub use log::{Log, assert_absent};
pub use server::{Put, Reply};
pub use shapes::kept_shapes;

use server::Server;

/// The stack of every event, unless a test chooses another.
pub const STACK_ID: &str =
    "arn:aws:cloudformation:eu-central-1:123456789012:stack/shop/5a1c0d70-9f3e-11f0-8a4e-06d5c2f0a3b1";
/// The resource's name in its template, unless a test chooses another.
pub const LOGICAL_ID: &str = "Thing";
/// What signs the response's URL: it must never be seen.
pub const SIGNATURE: &str = "s3nt1nel/Signature+of=the&URL";
/// The log group and stream that end the reason of every failure.
pub const LOG_HINT: &str = " See log group /aws/lambda/things, stream 2026/11/24/[$LATEST]0badcafe.";

/// One event on its way to a runtime.
#[derive(Debug, Clone)]
pub struct Scenario {
    event: Map<String, Value>,
    timeout: Duration,
    propagation: Duration,
    replies: Vec<Reply>,
    invocations_denied: bool,
}

/// A Create with these properties.
#[must_use]
pub fn create(resource_type: &str, properties: Value) -> Scenario {
    scenario("Create", resource_type, properties)
}

/// An Update of the resource `id` from `old` to `properties`.
#[must_use]
pub fn update(resource_type: &str, id: &str, properties: Value, old: Value) -> Scenario {
    scenario("Update", resource_type, properties)
        .with("PhysicalResourceId", json!(id))
        .with("OldResourceProperties", in_template(old))
}

/// A Delete of the resource `id`.
#[must_use]
pub fn delete(resource_type: &str, id: &str, properties: Value) -> Scenario {
    scenario("Delete", resource_type, properties).with("PhysicalResourceId", json!(id))
}

fn scenario(request_type: &str, resource_type: &str, properties: Value) -> Scenario {
    let event = json!({
        "RequestType": request_type,
        "RequestId": "0c5f7c9e-1111-4444-8888-2f1f5f0f9e01",
        "StackId": STACK_ID,
        "LogicalResourceId": LOGICAL_ID,
        "ResourceType": resource_type,
        "ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:things",
        "ResourceProperties": in_template(properties),
    });
    let Value::Object(event) = event else {
        unreachable!("written as an object")
    };
    Scenario {
        event,
        timeout: Duration::from_mins(1),
        propagation: Duration::ZERO,
        replies: Vec::new(),
        invocations_denied: false,
    }
}

/// CloudFormation passes the service token among the properties.
fn in_template(mut properties: Value) -> Value {
    if let Value::Object(members) = &mut properties {
        let token = json!("arn:aws:lambda:eu-central-1:123456789012:function:things");
        members.entry("ServiceToken").or_insert(token);
    }
    properties
}

impl Scenario {
    /// Replaces a member of the event, such as `StackId`.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.event.insert(member.to_owned(), value);
        self
    }

    /// Leaves out a member of the event.
    #[must_use]
    pub fn without(mut self, member: &str) -> Self {
        self.event.remove(member);
        self
    }

    /// As the invocation number `count` after the first, with what the one before handed on.
    #[must_use]
    pub fn continued(self, count: u64, state: &Value) -> Self {
        self.with("Continuation", json!({"count": count, "state": state}))
    }

    /// The function's time-out; 60 seconds unless chosen.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long what is denied is tried again, as after a change of the function's role; not at all unless chosen.
    #[must_use]
    pub fn propagation(mut self, longest: Duration) -> Self {
        self.propagation = longest;
        self
    }

    /// What the address answers to the first PUT, the second, and so on; 200 after the last.
    #[must_use]
    pub fn replies(mut self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.replies = replies.into_iter().collect();
        self
    }

    /// Lets Lambda deny the function every invocation of itself.
    #[must_use]
    pub fn invocations_denied(mut self) -> Self {
        self.invocations_denied = true;
        self
    }

    /// The event, its answer expected at `address`.
    #[must_use]
    pub fn event(&self, address: &str) -> Value {
        let mut event = self.event.clone();
        event
            .entry("ResponseURL")
            .or_insert_with(|| json!(response_url(address)));
        Value::Object(event)
    }

    /// Hands the event to any function; the PUTs that came of it.
    pub async fn hand_to(&self, function: impl AsyncFnOnce(Value)) -> Vec<Put> {
        let server = Server::start(self.replies.clone(), self.invocations_denied).await;
        function(self.event(&server.address())).await;
        server.seen().0
    }

    /// Invokes the runtime as Lambda does.
    pub async fn send(&self, runtime: &Runtime) -> Run {
        let server = Server::start(self.replies.clone(), self.invocations_denied).await;
        let invocation = Invocation {
            function: "arn:aws:lambda:eu-central-1:123456789012:function:things".into(),
            deadlines: Deadlines::within(self.timeout),
            propagation: self.propagation,
            log: LogPlace(Some((
                "/aws/lambda/things".into(),
                "2026/11/24/[$LATEST]0badcafe".into(),
            ))),
            lambda: Arc::new(OnceCell::new_with(Some(lambda(&server.address())))),
        };
        let result = runtime.invoke(self.event(&server.address()), &invocation).await;
        let (puts, invocations) = server.seen();
        Run {
            puts,
            invocations,
            result,
        }
    }
}

/// A URL signed as S3 signs, on the loopback interface.
fn response_url(address: &str) -> String {
    format!(
        "{address}/cloudformation-custom-resource-response/arn%3Aaws%3Acloudformation%7CThing?AWSAccessKeyId=AKIDEXAMPLE&Expires=1795500000&Signature={}",
        log::percent_encoded(SIGNATURE)
    )
}

fn lambda(address: &str) -> Client {
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "testing"))
        .endpoint_url(address)
        .build();
    Client::from_conf(config)
}

/// What an invocation did to the outside.
#[derive(Debug)]
pub struct Run {
    /// Every PUT to the response's address, refused ones too.
    pub puts: Vec<Put>,
    /// Every event with which the function invoked itself.
    pub invocations: Vec<Value>,
    /// What the function itself returned.
    pub result: Result<(), Unanswered>,
}

impl Run {
    /// The response.
    ///
    /// # Panics
    /// Unless there was exactly one PUT and the function returned without an error.
    #[must_use]
    pub fn response(&self) -> Response {
        assert!(self.result.is_ok(), "the function failed: {:?}", self.result);
        assert!(
            self.invocations.is_empty(),
            "the function invoked itself: {:?}",
            self.invocations
        );
        let [put] = self.puts.as_slice() else {
            panic!("expected exactly one response, got {:#?}", self.puts)
        };
        put.response()
    }

    /// The event with which the function invoked itself.
    ///
    /// # Panics
    /// Unless it did so exactly once, and answered nothing.
    #[must_use]
    pub fn continuation(&self) -> &Value {
        assert!(self.puts.is_empty(), "the function answered: {:#?}", self.puts);
        let [event] = self.invocations.as_slice() else {
            panic!("expected exactly one invocation, got {:#?}", self.invocations)
        };
        event
    }
}

/// A response as CloudFormation reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Response(Value);

impl Put {
    /// The response that it carried.
    ///
    /// # Panics
    /// If its body is not JSON.
    #[must_use]
    pub fn response(&self) -> Response {
        Response(serde_json::from_str(&self.body).expect("a response is JSON"))
    }
}

impl Response {
    /// `SUCCESS` or `FAILED`.
    #[must_use]
    pub fn status(&self) -> &str {
        self.text("Status")
    }

    /// The reason of a failure, without the log group and stream that end it.
    #[must_use]
    pub fn reason(&self) -> &str {
        let whole = self.text("Reason");
        whole.strip_suffix(LOG_HINT).unwrap_or(whole)
    }

    /// The physical id.
    #[must_use]
    pub fn physical_id(&self) -> &str {
        self.text("PhysicalResourceId")
    }

    /// One attribute; empty if there is none of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &str {
        self.0["Data"][name].as_str().unwrap_or_default()
    }

    /// Whether the attributes are masked.
    #[must_use]
    pub fn no_echo(&self) -> bool {
        self.0["NoEcho"] == json!(true)
    }

    /// The whole body.
    #[must_use]
    pub fn body(&self) -> &Value {
        &self.0
    }

    fn text(&self, member: &str) -> &str {
        self.0[member].as_str().unwrap_or_default()
    }
}
