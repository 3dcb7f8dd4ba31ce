//! `Custom::SmtpCredentials`: an access key of an IAM user, kept in a secret as what an SMTP client needs: user name,
//! password, host, port, region.
//!
//! The key's own secret is turned into the password of SES's SMTP interface ([`smtp_password`]) and forgotten; nothing but
//! the password is ever written anywhere. The handler goes the same three steps until nothing is left to do: [`observe`]
//! reads the user's keys and the secret's versions, [`mod@plan`] decides on the next step, [`apply`] carries it out.
//!
//! It works on a user whose tag [`OWNER_TAG`] names this very resource, and on no other: the template that makes the user
//! writes it. All keys of that user are this resource's; still it deletes one only when the user has no room for another,
//! and never one that a version of the secret refers to. A password that works is never replaced; another region needs
//! another password, and the way back to the first one uses the first key again. The old key stays for tasks that still
//! use it. Deleting removes every key, without which IAM does not delete the user.
//!
//! A repeated event finds that the secret's current version fits and does nothing. Two deliveries at once write one version,
//! since both write under the request's id; the one that comes too late deletes its key again. A key that no version refers
//! to and that is younger than [`plan::GRACE`] may be about to be written by another delivery, so it is waited for.
//!
//! # Permissions
//! On the user: `iam:ListUserTags`, `iam:ListAccessKeys`, `iam:CreateAccessKey`, `iam:DeleteAccessKey`. On the secret:
//! `secretsmanager:GetSecretValue`, `secretsmanager:PutSecretValue`, `secretsmanager:UpdateSecretVersionStage`; on its key
//! `kms:Decrypt` and `kms:GenerateDataKey`. On its stack `cloudformation:DescribeStackResource`.
//!
//! # Example
//! A key is made once; planning again after it was written gives nothing to do.
//! ```
//! use custom_resource::Owner;
//! use smtp_credentials::observe::{Key, Observed, Version};
//! use smtp_credentials::plan::{Desired, Step, plan};
//!
//! let owner = Owner::new("arn:aws:cloudformation:eu-central-1:1:stack/mautic/7e1", "SmtpCredentials");
//! let desired = Desired {
//!     owner: owner.clone(),
//!     region: "eu-central-1".into(),
//!     host: "email-smtp.eu-central-1.amazonaws.com".into(),
//!     port: 587,
//! };
//! let mut observed = Observed { owner: Some(owner), ..Observed::default() };
//! assert_eq!(plan(&desired, &observed, 0)?, Some(Step::CreateKey));
//!
//! observed.keys = vec![Key { id: "AKIAIOSFODNN7EXAMPLE".into(), active: true, made: 0 }];
//! observed.current = Some(Version {
//!     id: "v1".into(),
//!     username: Some("AKIAIOSFODNN7EXAMPLE".into()),
//!     region: desired.region.clone(),
//!     host: desired.host.clone(),
//!     port: desired.port,
//! });
//! assert_eq!(plan(&desired, &observed, 0)?, None);
//! # Ok::<(), smtp_credentials::plan::Refusal>(())
//! ```
//!
//! Criteria met: P1, P3, P4 and R5 to R9 of the project's list; P2 by [`smtp_password`] and by the template.

pub mod apply;
pub mod error;
mod handler;
pub mod observe;
pub mod plan;
mod properties;

pub use error::Error;
pub use handler::{Attributes, Clients, Endpoint, InvalidEndpoint, OWNER_TAG, SmtpCredentials};
pub use properties::{Properties, Region, UserName};
