//! MySQL as a function in AWS needs it: one connection, opened with the credentials of a secret's ARN.
//!
//! - TLS always, with the server's certificate and name verified against RDS's own authorities ([`Authority`]); there is
//!   no way to ask for less.
//! - What went wrong is told apart ([`Error`]): the name, the network, TLS, the password, a missing right, or a server
//!   that is busy for a moment. Only the last kind, and a network that may yet come up, are worth another try ([`Patience`]).
//! - A password that was rotated while we read it is read again, once ([`Connector::connect_with_secret`]).
//! - Statements about users cannot be prepared in MySQL, so names and passwords are quoted here ([`quoting`]), under
//!   either SQL mode.
//!
//! ```
//! use database::quoting::{identifier, literal};
//! use database::{Name, NameKind};
//!
//! let user = Name::new(NameKind::User, "o`hara")?;
//! assert_eq!(
//!     format!("ALTER USER {} IDENTIFIED BY {}", identifier(user.as_str()), literal(r"back\slash'quote", false)),
//!     r"ALTER USER `o``hara` IDENTIFIED BY 'back\\slash\'quote'",
//! );
//! # Ok::<(), database::InvalidName>(())
//! ```
//!
//! It keeps no pool, caches no secret, and knows nothing of what the connection is for.

mod authority;
mod connection;
mod connector;
mod credentials;
mod error;
mod key_exchange;
mod name;
mod patience;
pub mod quoting;

pub use authority::{Authority, InvalidAuthority};
pub use connection::Connection;
pub use connector::Connector;
pub use credentials::{Credentials, SecretError, read_secret};
pub use error::Error;
pub use name::{InvalidName, Name, NameKind};
pub use patience::Patience;
