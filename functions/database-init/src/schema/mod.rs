//! `Custom::Database`: a schema for utf8mb4, kept when the stack goes.

pub mod apply;
pub mod observe;
pub mod plan;

use custom_resource::{Answer, CustomResource, Deletion, Outcome, PhysicalId, Request, Scope};
use database::{Connection, Name, NameKind};
use serde::Serialize;
use tokio::time::Instant;

pub use observe::{Observed, Schema};
pub use plan::{Change, Desired, Removal, plan, plan_removal};

use crate::error::{Error, Refusal};
use crate::id::{self, physical_id};
pub use crate::ownership::Mark;
use crate::properties::{SchemaDeletionPolicy, SchemaProperties};
use crate::registry::{self, REGISTRY};
use crate::server::{Servers, Target, persist};

/// Whether a schema belongs to MySQL or to this function.
pub(crate) fn is_reserved(schema: &str) -> bool {
    ["mysql", "information_schema", "performance_schema", "sys", REGISTRY]
        .iter()
        .any(|reserved| schema.eq_ignore_ascii_case(reserved))
}

/// Answers for `Custom::Database`.
#[derive(Debug, Clone)]
pub struct SchemaHandler(Servers);

impl SchemaHandler {
    /// A handler that reaches its servers in this way.
    #[must_use]
    pub fn new(servers: Servers) -> Self {
        Self(servers)
    }
}

/// What `Fn::GetAtt` reads of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attributes {
    /// Its name.
    pub name: String,
    /// Its default character set.
    pub character_set: String,
    /// Its default collation.
    pub collation: String,
    /// The server's version, as it says it.
    pub server_version: String,
}

/// A valid request's subject.
struct Subject {
    target: Target,
    name: Name,
}

impl Subject {
    fn new(properties: &SchemaProperties) -> Result<Self, Error> {
        let name = Name::new(NameKind::Schema, &properties.name)?;
        if is_reserved(name.as_str()) {
            return Err(Error::ReservedSchema(properties.name.clone()));
        }
        let target = Target::new(&properties.host, properties.port, &properties.admin_secret_arn)?;
        Ok(Self { target, name })
    }

    async fn make(
        &self,
        connection: &mut Connection,
        request: &Request,
        desired: &Desired,
        created: Option<Instant>,
    ) -> Result<(), Error> {
        if let Some(began) = created {
            registry::stop_if_deleted(connection, request, began).await?;
        }
        let observed = observe::observe(connection, &self.name).await?;
        let changes = plan(desired, &observed).map_err(|refusal| self.refused(refusal))?;
        Ok(apply::apply(connection, &self.name, &changes).await?)
    }

    async fn undo(&self, connection: &mut Connection, request: &Request) -> Result<(), Error> {
        let (owner, id) = (request.scope().owner(), request.id().as_str());
        let observed = observe::observe(connection, &self.name).await?;
        let steps = plan_removal(&owner, id, &observed);
        apply::remove(connection, &self.name, &steps).await?;
        if steps.is_empty() {
            registry::note_deletion(connection, &owner, id).await?;
        }
        Ok(())
    }

    fn refused(&self, refusal: Refusal) -> Error {
        Error::Refused {
            thing: format!("the schema `{}` on {}", self.name, self.target.address()),
            refusal,
        }
    }
}

impl SchemaHandler {
    /// `created` is when a Create began, which a Delete may overtake; an Update has no such rival.
    async fn reconcile(
        &self,
        request: &Request,
        properties: &SchemaProperties,
        created: Option<Instant>,
    ) -> Result<Outcome<Attributes>, Error> {
        let subject = Subject::new(properties)?;
        if properties.deletion_policy == SchemaDeletionPolicy::DropAll && properties.confirm_deletion != properties.name
        {
            return Err(Error::Unconfirmed {
                wanted: properties.name.clone(),
            });
        }
        let desired = Desired {
            owner: request.scope().owner(),
            id: request.id().to_string(),
            adopt: properties.adopt_existing,
        };
        let attributes = persist(request.deadline(), || {
            self.attempt(request, &subject, &desired, created)
        })
        .await?;
        Ok(Outcome::Done(Answer::new(attributes)))
    }

    async fn attempt(
        &self,
        request: &Request,
        subject: &Subject,
        desired: &Desired,
        created: Option<Instant>,
    ) -> Result<Attributes, Error> {
        let mut connection = self.0.administer(&subject.target, request.deadline()).await?;
        let result = subject.make(&mut connection, request, desired, created).await;
        let server_version = connection.version().to_owned();
        connection.close().await;
        let Schema {
            character_set,
            collation,
        } = Schema::wanted();
        result.map(|()| Attributes {
            name: subject.name.to_string(),
            character_set,
            collation,
            server_version,
        })
    }

    async fn remove(&self, request: &Request, subject: &Subject) -> Result<(), Error> {
        let mut connection = self.0.administer(&subject.target, request.deadline()).await?;
        let result = subject.undo(&mut connection, request).await;
        connection.close().await;
        result
    }
}

impl CustomResource for SchemaHandler {
    type Properties = SchemaProperties;
    type Attributes = Attributes;
    type Error = Error;

    fn physical_id(&self, scope: &Scope, properties: &SchemaProperties) -> PhysicalId {
        physical_id(scope, id::SCHEMA, &properties.host, properties.port, &properties.name)
    }

    fn recognises(&self, id: &PhysicalId) -> bool {
        id.as_str().starts_with(id::SCHEMA)
    }

    fn largest_attributes(&self, properties: &SchemaProperties) -> Attributes {
        let Schema {
            character_set,
            collation,
        } = Schema::wanted();
        // The longest version that the protocol's greeting can carry is shorter.
        Attributes {
            name: properties.name.clone(),
            character_set,
            collation,
            server_version: "x".repeat(64),
        }
    }

    fn was_denied(&self, error: &Error) -> bool {
        error.is_denied()
    }

    async fn create(&self, request: &Request, properties: SchemaProperties) -> Result<Outcome<Attributes>, Error> {
        self.reconcile(request, &properties, Some(Instant::now())).await
    }

    async fn update(
        &self,
        request: &Request,
        properties: SchemaProperties,
        _old: Option<SchemaProperties>,
    ) -> Result<Outcome<Attributes>, Error> {
        self.reconcile(request, &properties, None).await
    }

    async fn delete(&self, request: &Request, properties: Option<SchemaProperties>) -> Result<Deletion, Error> {
        let Some(properties) = properties else {
            tracing::warn!("the properties are unreadable, so nobody asked twice to drop the schema; it is kept");
            return Ok(Deletion::Done);
        };
        let dropped = properties.deletion_policy == SchemaDeletionPolicy::DropAll;
        if !dropped || properties.confirm_deletion != properties.name {
            tracing::info!(
                schema = properties.name,
                "kept, as DeletionPolicy and ConfirmDeletion say"
            );
            return Ok(Deletion::Done);
        }
        let Ok(subject) = Subject::new(&properties) else {
            tracing::warn!("properties under which nothing can have been made; nothing to drop");
            return Ok(Deletion::Done);
        };
        match persist(request.deadline(), || self.remove(request, &subject)).await {
            Err(error) if error.server_is_gone() => {
                tracing::warn!(%error, "the server is gone, and the schema with it");
                Ok(Deletion::Done)
            }
            other => other.map(|()| Deletion::Done),
        }
    }
}
