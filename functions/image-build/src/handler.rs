//! The handler that the runtime calls.

use std::time::Duration;

use aws_config::SdkConfig;
use custom_resource::{Answer, AwsError, CustomResource, Deletion, Outcome, PhysicalId, Request, Scope, Watch};
use serde_json::json;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::apply::{Job, empty, stop};
use crate::attributes::Attributes;
use crate::builds::{self, Build};
use crate::error::Error;
use crate::images;
use crate::plan::{Observed, Order, Refusal, Step, plan};
use crate::properties::Properties;
use crate::{context, tag};

const PREFIX: &str = "container-image:";
/// The pause between two looks: the first one, doubling up to the longest. A build takes minutes.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// What one look and what follows it take at most: a log that comes late.
const RESERVE: Duration = Duration::from_secs(15);

/// The clients.
#[derive(Debug, Clone)]
pub struct Clients {
    /// For the builds.
    pub builds: aws_sdk_codebuild::Client,
    /// For the repository.
    pub images: aws_sdk_ecr::Client,
    /// For the build context.
    pub bucket: aws_sdk_s3::Client,
    /// For what the builds say.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// For the stack's own state.
    pub stacks: aws_sdk_cloudformation::Client,
}

impl Clients {
    /// The clients that `config` gives.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        // A bucket's name as a part of the path leads to S3 everywhere, and to an S3 that has one address only.
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
        Self {
            builds: aws_sdk_codebuild::Client::new(config),
            images: aws_sdk_ecr::Client::new(config),
            bucket: aws_sdk_s3::Client::from_conf(s3),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            stacks: aws_sdk_cloudformation::Client::new(config),
        }
    }
}

/// `Custom::ContainerImage`.
#[derive(Debug, Clone)]
pub struct ContainerImage {
    clients: Clients,
}

impl ContainerImage {
    /// With these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { clients }
    }

    async fn build(
        &self,
        request: &Request,
        properties: Properties,
        is_create: bool,
    ) -> Result<Outcome<Attributes>, Error> {
        let content_tag = tag::content_tag(&context::digest(), &properties);
        let job = Job {
            clients: &self.clients,
            request,
            properties: &properties,
            tag: tag::tag(&content_tag, properties.patch.as_str()),
            content_tag,
            is_create,
        };
        let mut watch = Watch::resume(request);
        let Some(digest) = self.converge(&job, &mut watch).await? else {
            return Ok(Outcome::Continue(json!(watch)));
        };
        let attributes = Attributes::of(&properties, &digest, &job.content_tag);
        Ok(Outcome::Done(Answer::new(attributes)))
    }

    /// Observes, plans and applies until the image is there; `None` when the invocation is over before that.
    async fn converge(&self, job: &Job<'_>, watch: &mut Watch) -> Result<Option<String>, Error> {
        let (mut pause, mut obstacle) = (FIRST_PAUSE, None);
        loop {
            let over = watch.over(job.properties.wait_seconds.duration());
            match self.step(job, over, watch).await {
                Ok(Some(digest)) => return Ok(Some(digest)),
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

    async fn step(&self, job: &Job<'_>, over: Option<u64>, watch: &mut Watch) -> Result<Option<String>, Error> {
        let order = Order {
            tag: &job.tag,
            request_id: job.request.request_id(),
            over,
        };
        let observed = self.observe(job, order, watch).await?;
        let step = match plan(order, &observed) {
            Ok(step) => step,
            Err(refusal) => return Err(self.refused(job, refusal).await),
        };
        info!(%step, tag = job.tag);
        match step {
            Step::Start => {
                watch.started = Some(job.start().await?);
                Ok(None)
            }
            Step::Wait(_) => Ok(None),
            Step::Done(digest) => Ok(Some(digest)),
        }
    }

    async fn observe(&self, job: &Job<'_>, order: Order<'_>, watch: &Watch) -> Result<Observed, AwsError> {
        let known = watch.started.as_deref();
        let mut builds = builds::observe(&self.clients.builds, job.properties, known).await?;
        if let Some(known) = known
            && !builds.iter().any(|build| build.id == known)
        {
            builds.push(Build::unseen(known, order.tag, order.request_id));
        }
        // A build lets the tag that rolls follow as its last act: where that is, the other one is.
        let rolling = job.properties.rolling.then(|| tag::rolling(&job.content_tag));
        let tag = rolling.as_deref().unwrap_or(order.tag);
        let image = images::digest(&self.clients.images, &job.properties.repository, tag).await?;
        Ok(Observed { builds, image })
    }

    /// The refusal as an error, with the end of the build's log.
    async fn refused(&self, job: &Job<'_>, refusal: Refusal) -> Error {
        let log = match refusal.log() {
            Some(log) => log_tail::tail(&self.clients.logs, &log.group, &log.stream, &[]).await,
            None => String::new(),
        };
        Error::Refused {
            tag: job.tag.clone(),
            repository: job.properties.repository.clone(),
            refusal: Box::new(refusal),
            log,
        }
    }
}

impl CustomResource for ContainerImage {
    type Properties = Properties;
    type Attributes = Attributes;
    type Error = Error;

    /// The resource's place in its stack: another image is no other resource, since the one before must stay for a way back.
    fn physical_id(&self, scope: &Scope, _: &Properties) -> PhysicalId {
        let id = PhysicalId::new(format!("{PREFIX}{}/{}", scope.stack_name(), scope.logical_id()));
        // Both names have at most 255 printable characters, so this always is an id.
        id.unwrap_or_else(|_| PhysicalId::placeholder(scope.stack_id(), scope.logical_id()))
    }

    fn recognises(&self, id: &PhysicalId) -> bool {
        id.as_str().starts_with(PREFIX)
    }

    fn largest_attributes(&self, properties: &Properties) -> Attributes {
        let content_tag = tag::content_tag(&context::digest(), properties);
        let digest = format!("sha256:{}", "0".repeat(64));
        Attributes::of(properties, &digest, &content_tag)
    }

    fn was_denied(&self, error: &Error) -> bool {
        error.is_denied()
    }

    async fn create(&self, request: &Request, properties: Properties) -> Result<Outcome<Attributes>, Error> {
        self.build(request, properties, true).await
    }

    async fn update(
        &self,
        request: &Request,
        properties: Properties,
        _: Option<Properties>,
    ) -> Result<Outcome<Attributes>, Error> {
        self.build(request, properties, false).await
    }

    /// Images stay: they go with their repository. A build that nobody waits for any more is stopped, and the contexts are
    /// taken out of the bucket, which could not be deleted with them.
    async fn delete(&self, _: &Request, properties: Option<Properties>) -> Result<Deletion, Error> {
        let Some(properties) = properties else {
            return Ok(Deletion::Done);
        };
        match builds::observe(&self.clients.builds, &properties, None).await {
            Ok(builds) => {
                for build in builds.iter().filter(|build| build.runs()) {
                    stop(&self.clients, &build.id).await?;
                }
            }
            Err(error) if error.code() == Some("ResourceNotFoundException") => {}
            Err(error) => return Err(error.into()),
        }
        empty(&self.clients, &properties.bucket).await?;
        Ok(Deletion::Done)
    }
}
