//! Why a resource is not as it should be, in the words of whoever wrote the template.

use custom_resource::Owner;
use database::InvalidName;
use thiserror::Error;

/// What becomes the reason of a failure.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The server, or the way to it.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// A name that MySQL does not take.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A secret that cannot be read.
    #[error(transparent)]
    Secret(#[from] database::SecretError),
    /// What is there belongs to somebody else.
    #[error("{thing} {refusal}")]
    Refused {
        /// The schema or user, and its server.
        thing: String,
        /// Whose it is, and what can be done.
        refusal: Refusal,
    },
    /// `Host` is not the name of a server.
    #[error("Host `{0}` is no host name; give the database's endpoint, without port")]
    Host(String),
    /// A schema that belongs to MySQL or to this function.
    #[error("`{0}` is one of MySQL's own schemas, or this function's; choose another Name")]
    ReservedSchema(String),
    /// A right on a schema that belongs to MySQL or to this function.
    #[error(
        "Grants name the schema `{0}`, which is MySQL's own or this function's; leave it out, whoever may write there may do anything"
    )]
    ReservedGrant(String),
    /// A user who is MySQL's or RDS's own.
    #[error(
        "the secret's user `{0}` is MySQL's or RDS's own, or the administrator itself; choose another user name in the secret"
    )]
    ReservedUser(String),
    /// The template and the secret name two users.
    #[error("Username is `{property}`, but the secret's user is `{secret}`; make them the same, or leave Username out")]
    TwoNames {
        /// As the template has it.
        property: String,
        /// As the secret has it.
        secret: String,
    },
    /// Something that is no privilege at this level.
    #[error("Grants name the privilege `{privilege}` for {object}, which MySQL does not give there; it gives {}", known.join(", "))]
    Privilege {
        /// As the template has it.
        privilege: String,
        /// The schema, table or column.
        object: String,
        /// What is possible.
        known: Vec<&'static str>,
    },
    /// A grant without privileges.
    #[error("Grants name no privilege for {0}; list at least one, or leave the entry out")]
    NoPrivileges(String),
    /// Columns without a table.
    #[error("Grants name columns of schema `{0}` but no table; add Table")]
    ColumnsWithoutTable(String),
    /// Dropping has not been asked for twice.
    #[error(
        "DeletionPolicy DropAll destroys `{wanted}` when the resource is deleted; set ConfirmDeletion to `{wanted}`, or DeletionPolicy to Retain"
    )]
    Unconfirmed {
        /// What `ConfirmDeletion` must say.
        wanted: String,
    },
    /// A Delete came first.
    #[error("the resource was deleted while it was being made, so nothing was made; create it again")]
    Deleted,
    /// Another delivery works on the same server.
    #[error(
        "another delivery of a database event was still at work on {0} when the time ran out; update the stack again"
    )]
    Busy(String),
}

/// Why a thing that this resource did not make is left as it is; reads on from the thing's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Nobody's mark is on it.
    #[error(
        "exists already and was not made by this stack; set AdoptExisting to true to take it over, or choose another name"
    )]
    Unmarked,
    /// Another resource's mark is on it.
    #[error(
        "belongs to the resource {} of stack {}; choose another name, or set AdoptExisting to true to take it away from there",
        .0.logical_id(), .0.stack_id()
    )]
    Foreign(Owner),
}

impl Error {
    /// Whether the whole attempt may succeed when it is made again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_transient())
    }

    /// Whether the function's role was not allowed to read a secret, or not yet.
    pub(crate) fn is_denied(&self) -> bool {
        match self {
            Self::Secret(error) | Self::Database(database::Error::Secret(error)) => error.is_denied(),
            _ => false,
        }
    }

    /// Whether there is no server of that name any more.
    pub(crate) fn server_is_gone(&self) -> bool {
        matches!(self, Self::Database(database::Error::Dns { temporary: false, .. }))
    }
}
