//! `Custom::SesDomain`: a domain's SES identity, with DKIM, MAIL FROM, SPF and DMARC wired into Route 53, then verified.
//!
//! CloudFormation can make the identity but not the records that prove it, nor wait for the proof. This handler does
//! both, in three steps that repeat until there is nothing left to do: [`observe`] reads the identity and the zone,
//! [`plan`] decides, [`apply`] carries the decision out, all records in one batch that Route 53 takes or refuses whole.
//! [`verify`] then waits for SES. To know what will happen to a zone, read [`plan`] and [`zone_plan`]; nothing else decides.
//!
//! It never replaces a record that it did not write, never widens an SPF record to what receivers refuse (two records,
//! more than ten look-ups), never deletes an identity that it adopted, and never deletes a record that changed since.
//! Deleting leaves the zone as it was, byte for byte. An update adds and keeps the old records until the Delete, so that
//! a rollback finds them; what a setting switches off is taken back, since a rollback writes it again, and the same.
//!
//! What it made is written in the identity's tags before it is made ([`marks`]). An identity without them is somebody
//! else's. If the identity is deleted by hand, its tags are lost, and the records stay in the zone.
//!
//! # Permissions
//! On the identity `arn:PARTITION:ses:REGION:ACCOUNT:identity/DOMAIN`: `ses:GetEmailIdentity`, `ses:CreateEmailIdentity`,
//! `ses:DeleteEmailIdentity`, `ses:TagResource`, `ses:UntagResource`, `ses:PutEmailIdentityMailFromAttributes`,
//! `ses:PutEmailIdentityConfigurationSetAttributes`; `cloudformation:DescribeStackResource` on its stack, to learn whether
//! a Delete has overtaken its Create. Creating with and putting a configuration set is authorised on its
//! ARN as well; `ses:GetAccount` on `*`. On the zone: `route53:GetHostedZone`, `route53:ListResourceRecordSets`,
//! `route53:ChangeResourceRecordSets`; `route53:GetChange` on `arn:PARTITION:route53:::change/*`;
//! `route53:ListHostedZones` on `*` unless `HostedZoneId` is given. With `RoleArn`, that role needs Route 53's, and the
//! function `sts:AssumeRole` on it.
//!
//! # Example
//! Planning again after the plan gives an empty plan.
//! ```
//! use ses_domain::identity::{Identity, MailFrom};
//! use ses_domain::plan::{Observed, Step, plan};
//! use ses_domain::records::DkimKeys;
//! use custom_resource::Owner;
//!
//! let owner = Owner::new("arn:aws:cloudformation:eu-central-1:1:stack/mautic/7e1", "SesDomain");
//! let settings = serde_json::from_str(r#"{"Domain": "example.com", "ExternalDns": "true"}"#).unwrap();
//! fn observe(identity: Option<&Identity>) -> Observed<'_> {
//!     Observed { identity, zone: None, region: "eu-central-1" }
//! }
//!
//! let first = plan(&owner, &settings, observe(None)).unwrap();
//! let [Step::CreateIdentity { tags, .. }] = first.steps.as_slice() else { panic!() };
//!
//! let mut identity = Identity { tags: tags.clone(), ..Identity::default() };
//! let second = plan(&owner, &settings, observe(Some(&identity))).unwrap();
//! let [Step::Mark(more), Step::SetMailFrom(Some(domain))] = second.steps.as_slice() else { panic!() };
//! assert_eq!(domain, "mail.example.com");
//!
//! identity.tags.extend(more.clone());
//! identity.mail_from = Some(MailFrom { domain: domain.clone(), status: "PENDING".into() });
//! assert_eq!(plan(&owner, &settings, observe(Some(&identity))).unwrap().steps, []);
//! ```
//!
//! Criteria met: D1 to D6 and R5 to R9 of the project's list.

pub mod apply;
pub mod attributes;
pub mod dmarc;
pub mod error;
pub mod handler;
pub mod identity;
pub mod marks;
pub mod names;
pub mod observe;
pub mod plan;
pub mod records;
pub mod settings;
pub mod setup;
pub mod spf;
mod teardown;
pub mod txt;
pub mod verify;
pub mod zone;
pub mod zone_plan;
pub mod zonefile;

pub use handler::SesDomain;
