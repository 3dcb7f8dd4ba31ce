//! Rotates the access key with which a mail user signs in to SES over SMTP: the old key works until it is retired.
//!
//! The secret is `{username, password, region, host, port}`: the key's id, and the password that is derived from the key's
//! own secret for the region ([`smtp_password`]). IAM makes a key and shows its secret once, so the key is made where the
//! secret's pending version is written; it is good from then on, and there is nothing to install. The proof is what a mail
//! client does: STARTTLS and AUTH against the server that the secret names, again and again until IAM has told SES.
//!
//! IAM allows two keys. Whatever the user has beside the secret's key when a rotation begins was left behind by a rotation
//! that died; such an orphan is [deleted](plan::Step::Delete), unless it is so young that another delivery may be about to
//! write it.
//!
//! ```
//! use rotate_smtp::plan::{Key, Step, plan};
//!
//! let key = |id: &str, made| Key { id: id.to_owned(), is_active: true, made };
//! assert_eq!(plan(&[key("AKIAONE", 0)], "AKIAONE", 1_000), Step::Create);
//! assert_eq!(plan(&[key("AKIAONE", 0), key("AKIATWO", 10)], "AKIAONE", 1_000), Step::Delete("AKIATWO".into()));
//! assert_eq!(plan(&[key("AKIAONE", 0), key("AKIATWO", 990)], "AKIAONE", 1_000), Step::Wait("AKIATWO".into()));
//! ```
//!
//! # Permissions
//! Those of [`rotation`]; on the user `iam:ListAccessKeys`, `iam:CreateAccessKey` and `iam:DeleteAccessKey`.
//!
//! Criteria met: O1, O4 and O6 of the project's list, P2 and P3 with it.

mod error;
pub mod plan;
mod server;
mod user;

pub use error::Error;
pub use server::SmtpServers;
pub use user::MailUser;
