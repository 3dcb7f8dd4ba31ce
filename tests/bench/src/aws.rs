//! The harness: Lambda's Runtime API, CloudFormation's response URL, and the AWS APIs that the jobs call, on one loopback port.
//!
//! The AWS answers are the shortest that the SDKs accept for a first Create: a secret, no identity yet, a zone with nothing in it.

use crate::http::{Request, Response, serve};
use serde_json::json;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const RUNTIME: &str = "/2018-06-01/runtime/";
const DEADLINE: Duration = Duration::from_mins(1);

/// What CloudFormation was told, once the function had also finished its invocation.
#[derive(Debug)]
pub struct Answer {
    /// When the PUT to the response URL arrived.
    pub at: Instant,
    /// Its body.
    pub body: String,
}

#[derive(Default)]
struct State {
    event: Option<String>,
    answer: Option<Answer>,
    identity: bool,
    secret: String,
}

/// The running harness.
pub struct Harness {
    address: String,
    state: Arc<Mutex<State>>,
    finished: tokio::sync::Mutex<mpsc::UnboundedReceiver<Answer>>,
}

impl Harness {
    /// Starts it on a free loopback port.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::clone(&state);
        tokio::spawn(serve(listener, move |request| {
            let (state, sender) = (Arc::clone(&shared), sender.clone());
            async move {
                match route(&request, &state, &sender) {
                    Some(response) => response,
                    // Lambda leaves an idle runtime's question for the next event unanswered.
                    None => std::future::pending().await,
                }
            }
        }));
        Ok(Self {
            address,
            state,
            finished: tokio::sync::Mutex::new(receiver),
        })
    }

    /// `host:port`, for `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where CloudFormation's answer is to be PUT.
    #[must_use]
    pub fn response_url(&self) -> String {
        format!("http://{}/answer?X-Amz-Signature=bench", self.address)
    }

    /// Puts the next event and the secret that Secrets Manager gives out; forgets everything of the sample before.
    pub fn prepare(&self, event: String, secret: String) {
        *lock(&self.state) = State {
            event: Some(event),
            secret,
            ..State::default()
        };
    }

    /// Waits until the function has answered CloudFormation and the Runtime API.
    pub async fn answer(&self) -> Answer {
        match self.finished.lock().await.recv().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn route(request: &Request, state: &Mutex<State>, finished: &mpsc::UnboundedSender<Answer>) -> Option<Response> {
    let mut state = lock(state);
    let path = request.target.split('?').next().unwrap_or_default();
    if let Some(call) = path.strip_prefix(RUNTIME) {
        return runtime(call, &mut state, finished);
    }
    if path == "/answer" {
        state.answer = Some(Answer {
            at: Instant::now(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        });
        return Some(Response::ok(""));
    }
    Some(match request.operation.as_str() {
        "secretsmanager.GetSecretValue" => secret(&state),
        _ if path.starts_with("/v2/email/") => ses(request, path, &mut state),
        _ => route53(request, path),
    })
}

fn runtime(call: &str, state: &mut State, finished: &mpsc::UnboundedSender<Answer>) -> Option<Response> {
    if call == "invocation/next" {
        let event = state.event.take()?;
        let deadline = std::time::SystemTime::now() + DEADLINE;
        let since_epoch = deadline.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        return Some(
            Response::ok(event)
                .header("content-type", "application/json")
                .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
                .header(
                    "lambda-runtime-invoked-function-arn",
                    "arn:aws:lambda:eu-central-1:123456789012:function:bench",
                )
                .header("lambda-runtime-deadline-ms", since_epoch.as_millis().to_string()),
        );
    }
    // Any other call ends the invocation, well or badly.
    let unanswered = || Answer {
        at: Instant::now(),
        body: format!("the function ended with {call} and never answered CloudFormation"),
    };
    // The receiver lives as long as the harness.
    let _ = finished.send(state.answer.take().unwrap_or_else(unanswered));
    Some(Response::status(202, "{}"))
}

fn secret(state: &State) -> Response {
    let body = json!({"ARN": crate::jobs::SECRET_ARN, "Name": "bench", "VersionId": "v1", "SecretString": state.secret, "VersionStages": ["AWSCURRENT"]});
    Response::ok(body.to_string()).header("content-type", "application/x-amz-json-1.1")
}

fn ses(request: &Request, path: &str, state: &mut State) -> Response {
    let identity = json!({
        "IdentityType": "DOMAIN", "VerifiedForSendingStatus": false, "Tags": [],
        "DkimAttributes": {"Tokens": ["tokenone", "tokentwo", "tokenthree"], "Status": "PENDING", "SigningEnabled": true},
        "MailFromAttributes": {"MailFromDomain": "mail.example.org", "MailFromDomainStatus": "PENDING", "BehaviorOnMxFailure": "USE_DEFAULT_VALUE"},
    });
    let body = match (request.method.as_str(), path.trim_start_matches("/v2/email/")) {
        ("GET", "account") => json!({"ProductionAccessEnabled": false, "SendingEnabled": true}),
        ("POST", "identities") => {
            state.identity = true;
            identity
        }
        ("GET", _) if state.identity => identity,
        ("GET", _) => {
            return Response::status(404, json!({"message": "not found"}).to_string())
                .header("x-amzn-errortype", "NotFoundException");
        }
        _ => json!({}),
    };
    Response::ok(body.to_string()).header("content-type", "application/json")
}

const ZONE: &str = "<Id>/hostedzone/ZBENCH</Id><Name>example.org.</Name><CallerReference>bench</CallerReference>\
    <Config><PrivateZone>false</PrivateZone></Config><ResourceRecordSetCount>0</ResourceRecordSetCount>";
const CHANGE: &str = "<ChangeInfo><Id>/change/CBENCH</Id><Status>INSYNC</Status><SubmittedAt>2026-11-23T00:00:00Z</SubmittedAt></ChangeInfo>";

fn route53(request: &Request, path: &str) -> Response {
    let (element, body) = match (request.method.as_str(), path) {
        ("POST", _) => ("ChangeResourceRecordSetsResponse", CHANGE.to_owned()),
        (_, _) if path.contains("/change/") => ("GetChangeResponse", CHANGE.to_owned()),
        (_, _) if path.ends_with("/rrset") => (
            "ListResourceRecordSetsResponse",
            "<ResourceRecordSets></ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>"
                .to_owned(),
        ),
        (_, _) if path.ends_with("/ZBENCH") => ("GetHostedZoneResponse", format!("<HostedZone>{ZONE}</HostedZone>")),
        _ => (
            "ListHostedZonesByNameResponse",
            format!(
                "<HostedZones><HostedZone>{ZONE}</HostedZone></HostedZones><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>"
            ),
        ),
    };
    let xml = format!(
        "<?xml version=\"1.0\"?><{element} xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">{body}</{element}>"
    );
    Response::ok(xml).header("content-type", "text/xml")
}
