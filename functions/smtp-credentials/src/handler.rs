//! The handler that the runtime calls.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use custom_resource::{Answer, CustomResource, Deletion, Outcome, PhysicalId, Request, Scope};
use serde::Serialize;
use thiserror::Error as ThisError;
use tracing::{info, warn};

use crate::apply::{Job, delete_key};
use crate::error::Error;
use crate::observe::{Observed, keys, observe};
use crate::plan::{Desired, Refusal, Step, plan};
use crate::properties::{Properties, UserName};

/// The tag by which an IAM user names the resource that its access keys belong to, `STACK-ARN/LOGICAL-ID`.
pub const OWNER_TAG: &str = "smtp-credentials:owner";

const PREFIX: &str = "smtp-credentials:";
/// IAM's longest id of an access key, in characters.
const LONGEST_KEY_ID: usize = 128;
/// How often to observe and plan: making room, a key, and a look at both take three rounds.
const MOST_ROUNDS: usize = 8;
/// The pause before another look.
const PAUSE: Duration = Duration::from_secs(1);
/// How often to look for a key that was just made: IAM may list it a few seconds late.
const MOST_LOOKS: usize = 5;

/// The clients.
#[derive(Debug, Clone)]
pub struct Clients {
    /// For the user and its keys.
    pub iam: aws_sdk_iam::Client,
    /// For the secret.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// For the stack's own state.
    pub stacks: aws_sdk_cloudformation::Client,
}

impl Clients {
    /// The clients that `config` gives.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            iam: aws_sdk_iam::Client::new(config),
            secrets: aws_sdk_secretsmanager::Client::new(config),
            stacks: aws_sdk_cloudformation::Client::new(config),
        }
    }
}

/// An SMTP server that stands in for SES's, as on the local AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
}

/// An address that is none.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("SMTP_ENDPOINT `{0}` is no HOST:PORT; correct the function's environment, or leave it out for SES itself")]
pub struct InvalidEndpoint(String);

impl Endpoint {
    /// The server that the environment variable `SMTP_ENDPOINT` names; `None` for SES itself.
    ///
    /// # Errors
    /// If it is set to something else than `HOST:PORT`.
    pub fn from_environment() -> Result<Option<Self>, InvalidEndpoint> {
        std::env::var("SMTP_ENDPOINT")
            .ok()
            .map(|address| Self::parse(&address))
            .transpose()
    }

    /// Reads `HOST:PORT`.
    ///
    /// # Errors
    /// If it is something else.
    pub fn parse(address: &str) -> Result<Self, InvalidEndpoint> {
        let (host, port) = address.rsplit_once(':').unwrap_or_default();
        match port.parse() {
            Ok(port) if !host.is_empty() => Ok(Self {
                host: host.to_owned(),
                port,
            }),
            _ => Err(InvalidEndpoint(address.to_owned())),
        }
    }
}

/// What `Fn::GetAtt` reads; the password only the secret holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// The access key's id, with which a client signs in.
    pub username: String,
    /// SES's SMTP server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The region for which the password is good.
    pub region: String,
}

/// `Custom::SmtpCredentials`.
#[derive(Debug, Clone)]
pub struct SmtpCredentials {
    clients: Clients,
    endpoint: Option<Endpoint>,
}

impl SmtpCredentials {
    /// With these clients, and a server in the place of SES's if there is one.
    #[must_use]
    pub fn new(clients: Clients, endpoint: Option<Endpoint>) -> Self {
        Self { clients, endpoint }
    }

    fn desired(&self, scope: &Scope, properties: &Properties) -> Desired {
        let given = || Endpoint {
            host: properties.host.clone(),
            port: properties.port,
        };
        let Endpoint { host, port } = self.endpoint.clone().unwrap_or_else(given);
        Desired {
            owner: scope.owner(),
            region: properties.region.as_str().to_owned(),
            host,
            port,
        }
    }

    async fn reconcile(
        &self,
        request: &Request,
        properties: &Properties,
        is_create: bool,
    ) -> Result<Outcome<Attributes>, Error> {
        let job = Job {
            clients: &self.clients,
            request,
            user: &properties.user_name,
            secret: &properties.secret_arn,
            desired: self.desired(request.scope(), properties),
            is_create,
        };
        let username = converge(&job).await?;
        let Desired { host, port, region, .. } = job.desired;
        Ok(Outcome::Done(Answer::new(Attributes {
            username,
            host,
            port,
            region,
        })))
    }
}

/// Observes, plans and applies until nothing is left to do; the user name of the version in use.
async fn converge(job: &Job<'_>) -> Result<String, Error> {
    let refused = |refusal| Error::Refused {
        user: job.user.to_string(),
        refusal: Box::new(refusal),
    };
    let (mut rounds, mut created, mut looks) = (0, false, 0);
    while rounds < MOST_ROUNDS {
        let observed = observe(job.clients, job.user, job.secret).await?;
        let observed = observed.ok_or_else(|| refused(Refusal::NoUser))?;
        let Some(step) = plan(&job.desired, &observed, now()).map_err(refused)? else {
            return Ok(observed
                .current
                .and_then(|version| version.username)
                .unwrap_or_default());
        };
        info!(user = %job.user, %step);
        if step == Step::CreateKey && created {
            // What was written is the current version, so its key is not there: not yet, or no longer.
            if looks == MOST_LOOKS {
                return Err(Error::Deleted(job.user.to_string()));
            }
            looks += 1;
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        rounds += usize::from(!matches!(step, Step::Wait(_)));
        created |= step == Step::CreateKey;
        carry_out(job, &observed, step).await?;
    }
    Err(Error::Contended {
        user: job.user.to_string(),
        rounds,
    })
}

async fn carry_out(job: &Job<'_>, observed: &Observed, step: Step) -> Result<(), Error> {
    match step {
        Step::CreateKey => match job.create_key().await {
            // Another delivery wrote first, and its key is the one to use.
            Err(Error::Overtaken(_)) => Ok(()),
            other => other,
        },
        Step::Restore(version) => {
            let current = observed.current.as_ref().map(|version| version.id.as_str());
            job.restore(current, &version).await
        }
        Step::Readdress => job.readdress().await,
        Step::DeleteKey(key) => Ok(job.delete_key(&key).await?),
        Step::Wait(_) => {
            tokio::time::sleep(PAUSE).await;
            Ok(())
        }
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

fn user_of(id: &PhysicalId) -> Option<UserName> {
    UserName::try_from(id.as_str().strip_prefix(PREFIX)?.to_owned()).ok()
}

impl CustomResource for SmtpCredentials {
    type Properties = Properties;
    type Attributes = Attributes;
    type Error = Error;

    fn physical_id(&self, scope: &Scope, properties: &Properties) -> PhysicalId {
        let id = PhysicalId::new(format!("{PREFIX}{}", properties.user_name));
        // A user's name has at most 64 printable characters, so this always is an id.
        id.unwrap_or_else(|_| PhysicalId::placeholder(scope.stack_id(), scope.logical_id()))
    }

    fn recognises(&self, id: &PhysicalId) -> bool {
        user_of(id).is_some()
    }

    fn largest_attributes(&self, properties: &Properties) -> Attributes {
        let given = &properties.host;
        Attributes {
            username: "x".repeat(LONGEST_KEY_ID),
            host: self.endpoint.as_ref().map_or(given, |endpoint| &endpoint.host).clone(),
            port: u16::MAX,
            region: properties.region.as_str().to_owned(),
        }
    }

    fn was_denied(&self, error: &Error) -> bool {
        error.may_pass()
    }

    async fn create(&self, request: &Request, properties: Properties) -> Result<Outcome<Attributes>, Error> {
        self.reconcile(request, &properties, true).await
    }

    async fn update(
        &self,
        request: &Request,
        properties: Properties,
        _: Option<Properties>,
    ) -> Result<Outcome<Attributes>, Error> {
        self.reconcile(request, &properties, false).await
    }

    /// From the id alone: it names the user, and the user's tag says whose its keys are.
    async fn delete(&self, request: &Request, _: Option<Properties>) -> Result<Deletion, Error> {
        let Some(user) = user_of(request.id()) else {
            return Ok(Deletion::Done);
        };
        let Some((owner, keys)) = keys(&self.clients, &user).await? else {
            info!(%user, "the user is gone, and its keys with it");
            return Ok(Deletion::Done);
        };
        if owner.as_ref() != Some(&request.scope().owner()) {
            warn!(%user, "the user was not made for this resource: its keys stay");
            return Ok(Deletion::Done);
        }
        for key in keys {
            info!(%user, key = key.id, "deleting the access key");
            delete_key(&self.clients, &user, &key.id).await?;
        }
        Ok(Deletion::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_host_and_a_port() {
        let endpoint = Endpoint::parse("localhost:2525").unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("localhost", 2525));
        for wrong in [
            "",
            "localhost",
            ":25",
            "localhost:",
            "localhost:smtp",
            "localhost:70000",
        ] {
            assert_eq!(
                Endpoint::parse(wrong).unwrap_err().to_string(),
                format!(
                    "SMTP_ENDPOINT `{wrong}` is no HOST:PORT; correct the function's environment, or leave it out for SES \
                     itself"
                )
            );
        }
    }
}
