//! `Custom::Database` and `Custom::DatabaseUser`: the schema that an application lives in, and a user who may do in it
//! what the template lists, and nothing else.
//!
//! Reads: the properties, the administrator's secret, the user's secret, and MySQL's own tables of schemas, accounts and
//! rights. Never does: reset a password that still works, give GRANT OPTION, take a right that it did not give, touch
//! what another stack or a person made (unless told to adopt it), drop data unless asked twice, log a secret.
//!
//! Each of the two goes the same three steps, again from the start at every delivery of an event:
//!
//! 1. observe, [`schema::observe`] and [`user::observe`]: what is there;
//! 2. plan, [`mod@schema::plan`] and [`mod@user::plan`]: the list of changes, a plain value, decided without a connection;
//! 3. apply, [`schema::apply`] and [`user::apply`]: one statement a change, each of which may be repeated.
//!
//! Who made a thing is recorded with it before or as it is made: a schema's owner in the table
//! `database_init.owned_schemas`, a user's in its `ATTRIBUTE`. A delivery that was killed between two statements is
//! therefore completed by the next one, and after that nothing is left to do:
//!
//! ```
//! use custom_resource::Owner;
//! use database_init::schema::{Desired, Mark, Observed, Schema, plan};
//!
//! let owner = Owner::new("arn:aws:cloudformation:eu-central-1:1:stack/shop/7e1", "Database");
//! let desired = Desired { owner: owner.clone(), id: "mysql-schema:db:3306/shop".into(), adopt: false };
//! assert_eq!(plan(&desired, &Observed::default())?.len(), 3, "a place for the record, the record, the schema");
//!
//! let made = Observed {
//!     registry: true,
//!     mark: Some(Mark { owner, id: desired.id.clone(), adopted: false }),
//!     schema: Some(Schema::wanted()),
//! };
//! assert!(plan(&desired, &made)?.is_empty());
//! # Ok::<(), database_init::Refusal>(())
//! ```
//!
//! Meets M1 to M6 and R5 to R9 of the project's criteria. Deliveries for one server wait for each other by a lock of
//! MySQL's, which dies with the connection. A Delete may come before the Create that it cancels: it leaves a note, in
//! `database_init.deletions`, at which that Create stops.

mod error;
mod id;
mod ownership;
mod properties;
mod registry;
pub mod schema;
mod server;
pub mod user;

pub use error::{Error, Refusal};
pub use properties::{DeletionPolicy, SchemaProperties, UserProperties};
pub use schema::SchemaHandler;
pub use server::Servers;
pub use user::UserHandler;
