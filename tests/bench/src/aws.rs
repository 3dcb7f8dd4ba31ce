//! The harness: Lambda's Runtime API on one loopback port; on another, over TLS, CloudFormation's response URL and an
//! [`Account`] of AWS.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_rustls::TlsAcceptor;

use crate::account::Account;
use crate::http::{Request, Response, serve};

const RUNTIME: &str = "/2018-06-01/runtime/";
const DEADLINE: Duration = Duration::from_mins(1);

/// What a function told the Runtime API.
#[derive(Debug)]
pub enum Moment {
    /// It asks for an event: its initialisation is over, or its last invocation.
    Ready,
    /// It has finished an invocation.
    Finished(Answer),
}

/// What CloudFormation was told, once the function had also finished its invocation.
#[derive(Debug)]
pub struct Answer {
    /// When the PUT to the response URL arrived.
    pub at: Instant,
    /// Its body.
    pub body: String,
    /// Whether Lambda, too, was told of success.
    pub ended_well: bool,
}

#[derive(Default)]
struct State {
    /// Where the idle function waits for its event.
    waiting: Option<oneshot::Sender<String>>,
    answer: Option<Answer>,
    account: Account,
    calls: usize,
}

/// The running harness.
pub struct Harness {
    runtime: String,
    endpoint: String,
    state: Arc<Mutex<State>>,
    moments: tokio::sync::Mutex<mpsc::UnboundedReceiver<Moment>>,
}

impl Harness {
    /// Starts it on free loopback ports.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(tls: TlsAcceptor) -> io::Result<Self> {
        let (plain, secure) = (listener().await?, listener().await?);
        let runtime = plain.local_addr()?.to_string();
        let endpoint = format!("https://localhost:{}", secure.local_addr()?.port());
        let state = Arc::new(Mutex::new(State::default()));
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::clone(&state);
        tokio::spawn(serve(plain, None, move |request| {
            lambda(request, Arc::clone(&shared), sender.clone())
        }));
        let shared = Arc::clone(&state);
        tokio::spawn(serve(secure, Some(tls), move |request| {
            std::future::ready(Some(aws(&request, &mut lock(&shared))))
        }));
        Ok(Self {
            runtime,
            endpoint,
            state,
            moments: tokio::sync::Mutex::new(receiver),
        })
    }

    /// `host:port`, for `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn runtime(&self) -> &str {
        &self.runtime
    }

    /// The address of every AWS service.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where CloudFormation's answer is to be PUT.
    #[must_use]
    pub fn response_url(&self) -> String {
        format!("{}/answer?X-Amz-Signature=bench", self.endpoint)
    }

    /// Sets the secret that Secrets Manager gives out; forgets what was made before.
    pub fn prepare(&self, secret: String) {
        let mut state = lock(&self.state);
        *state = State {
            waiting: state.waiting.take(),
            account: Account::with_secret(secret),
            ..State::default()
        };
    }

    /// Lets a rotation of the other secret begin, which holds this now.
    pub fn begin_rotation(&self, current: String) {
        lock(&self.state).account.begin_rotation(current);
    }

    /// What the version of the rotated secret with this label holds, and whether the rotation has come to its end.
    #[must_use]
    pub fn rotated(&self, label: &str) -> (String, bool) {
        let state = lock(&self.state);
        let rotated = state.account.rotated();
        (
            rotated.value(label).unwrap_or_default().to_owned(),
            rotated.is_rotated(),
        )
    }

    /// Hands an event to the function that is ready; false if none is.
    #[must_use]
    pub fn hand(&self, event: String) -> bool {
        let waiting = lock(&self.state).waiting.take();
        waiting.is_some_and(|waiting| waiting.send(event).is_ok())
    }

    /// Waits for what the function does next.
    pub async fn moment(&self) -> Moment {
        match self.moments.lock().await.recv().await {
            Some(moment) => moment,
            None => std::future::pending().await,
        }
    }

    /// How many calls were made to AWS since [`Harness::prepare`].
    #[must_use]
    pub fn calls(&self) -> usize {
        lock(&self.state).calls
    }

    /// The record sets written since then, as `TYPE NAME`, sorted.
    #[must_use]
    pub fn records(&self) -> Vec<String> {
        lock(&self.state).account.records()
    }
}

async fn listener() -> io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The Runtime API. Like Lambda it leaves an idle function's question for the next event open.
async fn lambda(
    request: Request,
    state: Arc<Mutex<State>>,
    moments: mpsc::UnboundedSender<Moment>,
) -> Option<Response> {
    let call = request.target.strip_prefix(RUNTIME)?;
    if call == "invocation/next" {
        let (hand, event) = oneshot::channel();
        lock(&state).waiting = Some(hand);
        // The receiver lives as long as the harness.
        let _ = moments.send(Moment::Ready);
        // None: the function is gone, and its successor waits in its place.
        return event.await.ok().map(invocation);
    }
    // Any other call ends the invocation, well or badly.
    let unanswered = || Answer {
        at: Instant::now(),
        body: format!("the function ended with {call} and never answered CloudFormation"),
        ended_well: false,
    };
    let mut answer = lock(&state).answer.take().unwrap_or_else(unanswered);
    answer.ended_well = call.ends_with("/response");
    let _ = moments.send(Moment::Finished(answer));
    Some(Response::status(202, "{}"))
}

fn invocation(event: String) -> Response {
    let deadline = std::time::SystemTime::now() + DEADLINE;
    let since_epoch = deadline.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Response::ok(event)
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:bench",
        )
        .header("lambda-runtime-deadline-ms", since_epoch.as_millis().to_string())
}

/// Everything behind the second port.
fn aws(request: &Request, state: &mut State) -> Response {
    if request.target.starts_with("/answer?") {
        state.answer = Some(Answer {
            at: Instant::now(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            ended_well: false,
        });
        return Response::ok("");
    }
    state.calls += 1;
    state.account.answer(request)
}
