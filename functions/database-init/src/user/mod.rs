//! `Custom::DatabaseUser`: a user from a secret, with exactly the rights that the template lists.

pub mod apply;
pub mod mark;
pub mod observe;
pub mod plan;
pub mod rights;

use custom_resource::{Answer, CustomResource, Deletion, Outcome, PhysicalId, Request, Scope};
use database::quoting::identifier;
use database::{Connection, Connector, Credentials, Name, NameKind};
use serde::Serialize;
use tokio::time::Instant;

pub use mark::UserMark;
pub use observe::{Account, Login, Observed};
pub use plan::{Change, Desired, Removal, plan, plan_removal};
pub use rights::{Privilege, Right, Rights};

use crate::error::{Error, Refusal};
use crate::id::{self, physical_id};
use crate::properties::{DeletionPolicy, UserProperties};
use crate::registry;
use crate::server::{Servers, Target, persist};

/// Accounts of MySQL and RDS; <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_MySQL.html>.
const RESERVED: [&str; 6] = [
    "root",
    "mysql.sys",
    "mysql.session",
    "mysql.infoschema",
    "rdsadmin",
    "rdsrepladmin",
];

/// The longest plugin's name and the longest user's name in UTF-8, in bytes.
const LONGEST_PLUGIN: usize = 64;
const LONGEST_USER: usize = 3 * NameKind::User.most_characters();

/// Answers for `Custom::DatabaseUser`.
#[derive(Debug, Clone)]
pub struct UserHandler(Servers);

impl UserHandler {
    /// A handler that reaches its servers in this way.
    #[must_use]
    pub fn new(servers: Servers) -> Self {
        Self(servers)
    }
}

/// What `Fn::GetAtt` reads of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// The name, without the host.
    pub username: String,
    /// From where the user may come.
    pub user_host: String,
    /// How MySQL checks the password.
    pub authentication_plugin: String,
    /// How many rights the template lists, each privilege on each object counted.
    pub grant_count: usize,
}

/// A user's name and the hosts that it may come from: together one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName {
    /// The user.
    pub user: Name,
    /// The hosts.
    pub host: Name,
}

impl AccountName {
    /// As statements name it.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("{}@{}", identifier(self.user.as_str()), identifier(self.host.as_str()))
    }
}

/// A valid request's subject.
struct Subject {
    target: Target,
    name: AccountName,
    credentials: Credentials,
    desired: Desired,
}

impl UserHandler {
    async fn subject(&self, request: &Request, properties: &UserProperties) -> Result<Subject, Error> {
        let target = Target::new(&properties.host, properties.port, &properties.admin_secret_arn)?;
        let rights = Rights::from_properties(&properties.grants)?;
        let host = Name::new(NameKind::Host, &properties.user_host)?;
        let credentials = self.0.secret(&properties.user_secret_arn).await?;
        let user = Name::new(NameKind::User, credentials.username())?;
        if let Some(property) = properties.username.as_ref().filter(|name| *name != user.as_str()) {
            return Err(Error::TwoNames {
                property: property.clone(),
                secret: user.to_string(),
            });
        }
        if RESERVED.contains(&user.as_str()) {
            return Err(Error::ReservedUser(user.to_string()));
        }
        if properties.deletion_policy == DeletionPolicy::DropAll && properties.confirm_deletion != user.as_str() {
            return Err(Error::Unconfirmed {
                wanted: user.to_string(),
            });
        }
        let desired = Desired {
            owner: request.scope().owner(),
            id: request.id().to_string(),
            adopt: properties.adopt_existing,
            rights,
        };
        Ok(Subject {
            target,
            name: AccountName { user, host },
            credentials,
            desired,
        })
    }

    /// `created` is when a Create began, which a Delete may overtake; an Update has no such rival.
    async fn reconcile(
        &self,
        request: &Request,
        properties: &UserProperties,
        created: Option<Instant>,
    ) -> Result<Outcome<Attributes>, Error> {
        let subject = self.subject(request, properties).await?;
        let authentication_plugin = persist(request.deadline(), || self.attempt(request, &subject, created)).await?;
        Ok(Outcome::Done(Answer::new(Attributes {
            username: subject.name.user.to_string(),
            user_host: subject.name.host.to_string(),
            authentication_plugin,
            grant_count: subject.desired.rights.len(),
        })))
    }

    /// One attempt; the plugin that MySQL checks the user's password with.
    async fn attempt(&self, request: &Request, subject: &Subject, created: Option<Instant>) -> Result<String, Error> {
        let connector = self.0.connector(&subject.target);
        let mut connection = self.0.administer(&subject.target, request.deadline()).await?;
        let result = subject.make(&mut connection, &connector, request, created).await;
        connection.close().await;
        result
    }

    async fn remove(&self, request: &Request, target: &Target, properties: &UserProperties) -> Result<(), Error> {
        let mut connection = self.0.administer(target, request.deadline()).await?;
        let result = undo(&mut connection, request, properties).await;
        connection.close().await;
        result
    }
}

async fn undo(connection: &mut Connection, request: &Request, properties: &UserProperties) -> Result<(), Error> {
    let (owner, id) = (request.scope().owner(), request.id().as_str());
    let marked = observe::marked(connection, &owner, id).await?;
    if marked.is_empty() {
        registry::note_deletion(connection, &owner, id).await?;
    }
    for (name, mark) in marked {
        if properties.deletion_policy == DeletionPolicy::DropAll && properties.confirm_deletion != name.user.as_str() {
            tracing::warn!(user = %name.user, "kept: ConfirmDeletion does not name it");
            continue;
        }
        let steps = plan_removal(properties.deletion_policy, &mark);
        apply::remove(connection, &name, &steps).await?;
    }
    Ok(())
}

impl Subject {
    async fn make(
        &self,
        connection: &mut Connection,
        connector: &Connector,
        request: &Request,
        created: Option<Instant>,
    ) -> Result<String, Error> {
        let Self {
            name,
            credentials,
            desired,
            ..
        } = self;
        if connection.user() == name.user.as_str() {
            return Err(Error::ReservedUser(name.user.to_string()));
        }
        if let Some(began) = created {
            registry::stop_if_deleted(connection, request, began).await?;
        }
        let observed = observe::observe(connection, connector, name, credentials).await?;
        let changes = plan(desired, &observed).map_err(|refusal| self.refused(refusal))?;
        apply::apply(connection, name, credentials, &changes).await?;
        Ok(observe::plugin(connection, name).await?.unwrap_or_default())
    }

    fn refused(&self, refusal: Refusal) -> Error {
        let AccountName { user, host } = &self.name;
        Error::Refused {
            thing: format!("the user `{user}`@`{host}` on {}", self.target.address()),
            refusal,
        }
    }
}

impl CustomResource for UserHandler {
    type Properties = UserProperties;
    type Attributes = Attributes;
    type Error = Error;

    /// The user's name where the template says it, else its secret: no secret is read for an id.
    fn physical_id(&self, scope: &Scope, properties: &UserProperties) -> PhysicalId {
        let UserProperties {
            host, port, user_host, ..
        } = properties;
        let user = properties.username.as_ref().unwrap_or(&properties.user_secret_arn);
        physical_id(scope, id::USER, host, *port, &format!("{user}@{user_host}"))
    }

    fn recognises(&self, id: &PhysicalId) -> bool {
        id.as_str().starts_with(id::USER)
    }

    fn largest_attributes(&self, properties: &UserProperties) -> Attributes {
        Attributes {
            username: "x".repeat(LONGEST_USER),
            user_host: properties.user_host.clone(),
            authentication_plugin: "x".repeat(LONGEST_PLUGIN),
            grant_count: usize::MAX,
        }
    }

    fn was_denied(&self, error: &Error) -> bool {
        error.is_denied()
    }

    async fn create(&self, request: &Request, properties: UserProperties) -> Result<Outcome<Attributes>, Error> {
        self.reconcile(request, &properties, Some(Instant::now())).await
    }

    async fn update(
        &self,
        request: &Request,
        properties: UserProperties,
        _old: Option<UserProperties>,
    ) -> Result<Outcome<Attributes>, Error> {
        self.reconcile(request, &properties, None).await
    }

    async fn delete(&self, request: &Request, properties: Option<UserProperties>) -> Result<Deletion, Error> {
        let Some(properties) = properties else {
            tracing::warn!("the properties are unreadable, so nothing says what to do with the user; it is kept");
            return Ok(Deletion::Done);
        };
        if properties.deletion_policy == DeletionPolicy::Retain {
            tracing::info!("the user is kept, as DeletionPolicy says");
            return Ok(Deletion::Done);
        }
        let Ok(target) = Target::new(&properties.host, properties.port, &properties.admin_secret_arn) else {
            tracing::warn!("properties under which nothing can have been made; nothing to undo");
            return Ok(Deletion::Done);
        };
        match persist(request.deadline(), || self.remove(request, &target, &properties)).await {
            Err(error) if error.server_is_gone() => {
                tracing::warn!(%error, "the server is gone, and the user with it");
                Ok(Deletion::Done)
            }
            other => other.map(|()| Deletion::Done),
        }
    }
}
