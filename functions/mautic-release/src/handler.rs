//! The handler that the runtime calls.

use std::time::Duration;

use aws_config::SdkConfig;
use custom_resource::{Answer, CustomResource, Deletion, Outcome, PhysicalId, Request, Scope, Watch};
use database::{Authority, read_secret};
use secrecy::SecretString;
use serde_json::json;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::administrator::check;
use crate::apply::Job;
use crate::attributes::Attributes;
use crate::error::Error;
use crate::plan::{Direction, Done, Observed, Order, Refusal, Step, needs_schema, plan};
use crate::properties::Properties;
use crate::schema::{Databases, Schema};
use crate::tasks;

const PREFIX: &str = "mautic-release:";
/// The pause between two looks: the first one, doubling up to the longest. Fargate takes half a minute to start a task.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What one look and what follows it take at most: a connection that is not answered, a log that comes late.
const RESERVE: Duration = Duration::from_secs(15);
/// How long a Delete lets a task come to its end.
const LAST_TASK: Duration = Duration::from_mins(2);

/// The clients.
#[derive(Debug, Clone)]
pub struct Clients {
    /// For the tasks.
    pub ecs: aws_sdk_ecs::Client,
    /// For what the tasks say.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// For the secrets.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// For the stack's own state.
    pub stacks: aws_sdk_cloudformation::Client,
}

impl Clients {
    /// The clients that `config` gives.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            ecs: aws_sdk_ecs::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            secrets: aws_sdk_secretsmanager::Client::new(config),
            stacks: aws_sdk_cloudformation::Client::new(config),
        }
    }
}

/// `Custom::MauticRelease`.
#[derive(Debug, Clone)]
pub struct MauticRelease {
    clients: Clients,
    databases: Databases,
}

/// How a release came to its end.
struct Released {
    done: Done,
    schema: Schema,
}

impl MauticRelease {
    /// With these clients, believing database servers that `authority` vouches for.
    #[must_use]
    pub fn new(clients: Clients, authority: Authority) -> Self {
        let databases = Databases::new(clients.secrets.clone(), authority);
        Self { clients, databases }
    }

    async fn release(&self, job: &Job<'_>, direction: Direction) -> Result<Outcome<Attributes>, Error> {
        let mut watch = Watch::resume(job.request);
        let Some(Released { done, schema }) = self.converge(job, direction, &mut watch).await? else {
            return Ok(Outcome::Continue(json!(watch)));
        };
        if let Done::Released { action, .. } = &done
            && *action == crate::action::Action::Install
        {
            self.administrator_is_there(job).await?;
        }
        Ok(Outcome::Done(Answer::new(Attributes::of(&done, &schema))))
    }

    /// Observes, plans and applies until nothing is left to do; `None` when the invocation is over before that.
    async fn converge(
        &self,
        job: &Job<'_>,
        direction: Direction,
        watch: &mut Watch,
    ) -> Result<Option<Released>, Error> {
        let (mut pause, mut obstacle) = (FIRST_PAUSE, None);
        loop {
            let over = watch.over(job.properties.wait_seconds.duration());
            let order = Order {
                direction,
                request_id: job.request.request_id(),
                over,
            };
            match self.step(job, order, watch).await {
                Ok(Some(released)) => return Ok(Some(released)),
                Ok(None) => obstacle = None,
                Err(error) if error.may_pass() && over.is_none() => {
                    warn!(%error, "tried again");
                    obstacle = Some(error);
                }
                // What took the time says more than that there is none left.
                Err(error) => return Err(obstacle.filter(|_| error.is_about_time()).unwrap_or(error)),
            }
            if job.request.remaining() < pause + RESERVE {
                return Ok(None);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn step(&self, job: &Job<'_>, order: Order<'_>, watch: &mut Watch) -> Result<Option<Released>, Error> {
        let observed = self.observe(job, order, watch).await?;
        let step = match plan(order, &observed) {
            Ok(step) => step,
            Err(refusal) => return Err(self.refused(job, refusal).await),
        };
        info!(%step, schema = observed.schema.word());
        match step {
            Step::Start(action) => {
                watch.started = Some(job.start(action).await?.arn);
                Ok(None)
            }
            Step::Wait(_) => Ok(None),
            Step::Done(done) => Ok(Some(Released {
                done,
                schema: observed.schema,
            })),
        }
    }

    async fn observe(&self, job: &Job<'_>, order: Order<'_>, watch: &Watch) -> Result<Observed, Error> {
        let known = watch.started.as_deref();
        let mut tasks = match tasks::observe(&self.clients.ecs, job.properties, known).await {
            Ok(tasks) => tasks,
            // On the way back nothing is started, whatever tasks there are; and nothing may fail.
            Err(error) if order.direction == Direction::Back => {
                warn!(%error, "not known which tasks there are");
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(known) = known
            && !tasks.iter().any(|task| task.arn == known)
        {
            let mark = tasks::started_by(order.request_id);
            tasks.push(tasks::Task::unseen(known, None, mark));
        }
        let schema = if needs_schema(order, &tasks) {
            self.databases.observe(job.properties, order.request_id).await
        } else {
            Schema::InUse
        };
        Ok(Observed { tasks, schema })
    }

    /// The refusal as an error, with the end of the task's log.
    async fn refused(&self, job: &Job<'_>, refusal: Refusal) -> Error {
        let properties = job.properties;
        let log = match refusal.task() {
            Some(task) => {
                let (prefix, container) = (&properties.log_stream_prefix, &properties.container);
                let stream = format!("{prefix}/{container}/{}", tasks::id(task));
                let secrets = self.known_secrets(properties).await;
                log_tail::tail(&self.clients.logs, &properties.log_group, &stream, &secrets).await
            }
            None => String::new(),
        };
        Error::Refused {
            schema: properties.schema.as_str().to_owned(),
            server: format!("{}:{}", properties.host.as_str(), properties.port),
            refusal: Box::new(refusal),
            log,
        }
    }

    /// The passwords that a log might show.
    async fn known_secrets(&self, properties: &Properties) -> Vec<SecretString> {
        let mut secrets = Vec::new();
        for arn in [&properties.database_secret_arn, &properties.administrator_secret_arn] {
            if let Ok(credentials) = read_secret(&self.clients.secrets, arn).await {
                secrets.push(credentials.password().clone());
            }
        }
        secrets
    }

    async fn administrator_is_there(&self, job: &Job<'_>) -> Result<(), Error> {
        let properties = job.properties;
        let arn = &properties.administrator_secret_arn;
        let administrator = read_secret(&self.clients.secrets, arn).await?;
        let hash = self
            .databases
            .password_hash(properties, administrator.username())
            .await?;
        check(&administrator, hash.as_deref()).map_err(|fault| Error::Administrator {
            schema: properties.schema.as_str().to_owned(),
            username: administrator.username().to_owned(),
            secret: arn.clone(),
            fault,
        })
    }

    fn job<'a>(&'a self, request: &'a Request, properties: &'a Properties, is_create: bool) -> Job<'a> {
        Job {
            clients: &self.clients,
            request,
            properties,
            is_create,
        }
    }
}

impl CustomResource for MauticRelease {
    type Properties = Properties;
    type Attributes = Attributes;
    type Error = Error;

    /// The resource's place in its stack: a release of another schema, or on another server, is none that has to be
    /// deleted, since a Delete changes nothing; and an update must be seen to go back.
    fn physical_id(&self, scope: &Scope, _: &Properties) -> PhysicalId {
        let id = PhysicalId::new(format!("{PREFIX}{}/{}", scope.stack_name(), scope.logical_id()));
        // Both names have at most 255 printable characters, so this always is an id.
        id.unwrap_or_else(|_| PhysicalId::placeholder(scope.stack_id(), scope.logical_id()))
    }

    fn recognises(&self, id: &PhysicalId) -> bool {
        id.as_str().starts_with(PREFIX)
    }

    fn largest_attributes(&self, _: &Properties) -> Attributes {
        Attributes::largest()
    }

    fn was_denied(&self, error: &Error) -> bool {
        error.is_denied()
    }

    async fn create(&self, request: &Request, properties: Properties) -> Result<Outcome<Attributes>, Error> {
        let job = self.job(request, &properties, true);
        self.release(&job, Direction::Forward).await
    }

    async fn update(
        &self,
        request: &Request,
        properties: Properties,
        old: Option<Properties>,
    ) -> Result<Outcome<Attributes>, Error> {
        let goes_back = old.is_some_and(|old| properties.task_definition.is_before(&old.task_definition));
        let direction = if goes_back { Direction::Back } else { Direction::Forward };
        let job = self.job(request, &properties, false);
        self.release(&job, direction).await
    }

    /// Nothing is undone. A task that still runs may come to its end first: a cluster with tasks cannot be deleted.
    async fn delete(&self, request: &Request, properties: Option<Properties>) -> Result<Deletion, Error> {
        let Some(properties) = properties else {
            return Ok(Deletion::Done);
        };
        let end = (Instant::now() + LAST_TASK).min(Instant::now() + request.remaining().saturating_sub(RESERVE));
        let mut pause = FIRST_PAUSE;
        loop {
            let tasks = tasks::observe(&self.clients.ecs, &properties, None)
                .await
                .unwrap_or_default();
            let Some(task) = tasks.into_iter().find(|task| task.runs() && task.is_a_release()) else {
                return Ok(Deletion::Done);
            };
            if Instant::now() + pause >= end {
                warn!(
                    task = task.arn,
                    "the task still runs and was left alone; its cluster cannot be deleted before it ends"
                );
                return Ok(Deletion::Done);
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
