//! The handler that the runtime calls.

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_sdk_route53::config::Builder;
use custom_resource::{Answer, CustomResource, Deletion, Outcome, PhysicalId, Request, Scope};
use serde_json::json;

use crate::attributes::{Attributes, Facts};
use crate::error::Error;
use crate::identity::Identity;
use crate::names::Domain;
use crate::observe::{self, Assumed, Clients};
use crate::settings::{Settings, ZoneId};
use crate::setup::{Job, Kind, converge};
use crate::verify::{Waited, Waiting, now};
use crate::{records, teardown, zonefile};

const PREFIX: &str = "ses-domain:";

/// `Custom::SesDomain`.
pub struct SesDomain {
    clients: Clients,
}

impl SesDomain {
    /// With the clients that `config` gives; a zone's role is assumed when a stack asks for it.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let assuming = config.clone();
        Self::with(Clients {
            ses: aws_sdk_sesv2::Client::new(config),
            stacks: aws_sdk_cloudformation::Client::new(config),
            dns: aws_sdk_route53::Client::new(config),
            assume: Box::new(move |role| assume(assuming.clone(), role.to_owned())),
        })
    }

    /// With these clients.
    #[must_use]
    pub fn with(clients: Clients) -> Self {
        Self { clients }
    }

    async fn reconcile(
        &self,
        request: &Request,
        settings: &Settings,
        kind: Kind,
    ) -> Result<Outcome<Attributes>, Error> {
        let job = Job::new(&self.clients, request.scope(), &settings.domain);
        let production_access = observe::production_access(&self.clients.ses).await?;
        let resumed = request
            .state()
            .and_then(|state| serde_json::from_value(state.clone()).ok());
        let (mut waiting, mut identity) = match resumed {
            Some(waiting) => (waiting, None),
            None => begin(&job, settings, kind)
                .await
                .map(|(waiting, identity)| (waiting, Some(identity)))?,
        };
        if let Some(limits) = settings.wait {
            match waiting.wait(&job, settings, limits, request).await? {
                Waited::Over(verified) => identity = Some(*verified),
                Waited::Unfinished => return Ok(Outcome::Continue(json!(waiting))),
            }
        }
        let zone = waiting.zone_id();
        let identity = identity.unwrap_or_default();
        let attributes = attributes(&job, settings, &identity, zone.as_ref(), production_access);
        Ok(Outcome::Done(Answer::new(attributes)))
    }
}

/// The first attempt: everything but the waiting.
async fn begin(job: &Job<'_>, settings: &Settings, kind: Kind) -> Result<(Waiting, Identity), Error> {
    let started = now();
    let standing = converge(job, settings, kind).await?;
    let waiting = Waiting {
        started,
        zone: standing.zone.map(|zone| zone.id.to_string()),
        change: standing.change,
        tags: standing.identity.tags.clone(),
    };
    Ok((waiting, standing.identity))
}

fn attributes(
    job: &Job<'_>,
    settings: &Settings,
    identity: &Identity,
    zone: Option<&ZoneId>,
    production_access: bool,
) -> Attributes {
    let records = records::desired(settings, &identity.keys, job.region);
    tracing::info!(domain = %settings.domain, records = zonefile::lines(&records));
    Attributes::of(Facts {
        settings,
        identity,
        arn: &job.target.arn,
        zone,
        records: &records,
        region: job.region,
        production_access,
    })
}

/// A client with the credentials of `role`, which last an hour: longer than any invocation.
fn assume(config: SdkConfig, role: String) -> Assumed {
    Box::pin(async move {
        let credentials = AssumeRoleProvider::builder(role)
            .session_name("ses-domain")
            .configure(&config)
            .build()
            .await;
        aws_sdk_route53::Client::from_conf(Builder::from(&config).credentials_provider(credentials).build())
    })
}

fn domain_of(id: &PhysicalId) -> Option<Domain> {
    Domain::parse(id.as_str().strip_prefix(PREFIX)?).ok()
}

impl CustomResource for SesDomain {
    type Properties = Settings;
    type Attributes = Attributes;
    type Error = Error;

    fn physical_id(&self, scope: &Scope, settings: &Settings) -> PhysicalId {
        let id = PhysicalId::new(format!("{PREFIX}{}", settings.domain));
        // A domain has at most 209 printable characters, so this always is an id.
        id.unwrap_or_else(|_| PhysicalId::placeholder(scope.stack_id(), scope.logical_id()))
    }

    fn recognises(&self, id: &PhysicalId) -> bool {
        domain_of(id).is_some()
    }

    fn largest_attributes(&self, settings: &Settings) -> Attributes {
        Attributes::largest(settings)
    }

    fn was_denied(&self, error: &Error) -> bool {
        error.is_denied()
    }

    async fn create(&self, request: &Request, settings: Settings) -> Result<Outcome<Attributes>, Error> {
        self.reconcile(request, &settings, Kind::Create).await
    }

    async fn update(
        &self,
        request: &Request,
        settings: Settings,
        _: Option<Settings>,
    ) -> Result<Outcome<Attributes>, Error> {
        self.reconcile(request, &settings, Kind::Update).await
    }

    async fn delete(&self, request: &Request, _: Option<Settings>) -> Result<Deletion, Error> {
        match domain_of(request.id()) {
            Some(domain) => teardown::delete(&Job::new(&self.clients, request.scope(), &domain)).await,
            None => Ok(Deletion::Done),
        }
    }
}
