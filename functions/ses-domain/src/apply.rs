//! Carries out one step of a plan. Decides nothing.

use aws_sdk_route53::Client as Route53;
use aws_sdk_route53::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_route53::operation::change_resource_record_sets::ChangeResourceRecordSetsError;
use aws_sdk_route53::types as route53;
use aws_sdk_sesv2::Client as Ses;
use aws_sdk_sesv2::error::SdkError;
use aws_sdk_sesv2::types::{BehaviorOnMxFailure, Tag};

use custom_resource::reason;

use crate::error::{self, Error};
use crate::marks::Tags;
use crate::names::Domain;
use crate::plan::Step;
use crate::settings::ZoneId;
use crate::zone::{Change, RecordSet};

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It is done.
    Done,
    /// It is done, and reaches Route 53's servers as the change of this id.
    Changing(String),
    /// What was observed no longer holds, for this reason: observe and plan again.
    Refused(String),
}

/// The identity that steps are about.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its domain.
    pub domain: Domain,
    /// Its ARN.
    pub arn: String,
}

/// Carries out one step.
///
/// # Errors
/// [`Error::Aws`] for what observing again would not help.
pub async fn apply(ses: &Ses, dns: &Route53, target: &Target, step: &Step) -> Result<Applied, Error> {
    let name = target.domain.as_str();
    match step {
        Step::CreateIdentity {
            tags,
            configuration_set,
        } => {
            let call = ses
                .create_email_identity()
                .email_identity(name)
                .set_tags(Some(as_tags(tags)?));
            let answer = call.set_configuration_set_name(configuration_set.clone()).send().await;
            outcome(answer, "ses:CreateEmailIdentity", name)
        }
        Step::Mark(tags) => {
            let call = ses
                .tag_resource()
                .resource_arn(&target.arn)
                .set_tags(Some(as_tags(tags)?));
            outcome(call.send().await, "ses:TagResource", name)
        }
        Step::Unmark(keys) => {
            let call = ses
                .untag_resource()
                .resource_arn(&target.arn)
                .set_tag_keys(Some(keys.clone()));
            outcome(call.send().await, "ses:UntagResource", name)
        }
        Step::ChangeRecords { zone, changes } => change(dns, zone, changes).await,
        Step::SetMailFrom(domain) => {
            // Without its records, mail still leaves, under SES's own MAIL FROM domain.
            let call = ses
                .put_email_identity_mail_from_attributes()
                .email_identity(name)
                .set_mail_from_domain(domain.clone())
                .behavior_on_mx_failure(BehaviorOnMxFailure::UseDefaultValue);
            outcome(call.send().await, "ses:PutEmailIdentityMailFromAttributes", name)
        }
        Step::SetConfigurationSet(set) => {
            let call = ses
                .put_email_identity_configuration_set_attributes()
                .email_identity(name);
            let answer = call.set_configuration_set_name(set.clone()).send().await;
            outcome(answer, "ses:PutEmailIdentityConfigurationSetAttributes", name)
        }
        Step::DeleteIdentity => {
            let call = ses.delete_email_identity().email_identity(name);
            outcome(call.send().await, "ses:DeleteEmailIdentity", name)
        }
    }
}

fn outcome<T, E, R>(answer: Result<T, SdkError<E, R>>, action: &'static str, thing: &str) -> Result<Applied, Error>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let Err(error) = answer else {
        return Ok(Applied::Done);
    };
    match error.code() {
        Some("NotFoundException" | "AlreadyExistsException" | "ConcurrentModificationException") => {
            Ok(Applied::Refused(reason(&error)))
        }
        _ => Err(Error::aws(action, thing)(error)),
    }
}

fn as_tags(tags: &Tags) -> Result<Vec<Tag>, Error> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let built = tags.iter().map(tag).collect::<Result<Vec<_>, _>>();
    built.map_err(|error| incomplete("ses:TagResource", &error))
}

fn incomplete(action: &'static str, error: &dyn std::error::Error) -> Error {
    let problem = error.to_string();
    Error::Incomplete { action, problem }
}

/// Applies the changes to a zone as one batch.
///
/// # Errors
/// [`Error::Aws`].
pub async fn change(dns: &Route53, zone: &ZoneId, changes: &[Change]) -> Result<Applied, Error> {
    const ACTION: &str = "route53:ChangeResourceRecordSets";
    let batch = batch(changes).map_err(|error| incomplete(ACTION, &error))?;
    let answer = dns
        .change_resource_record_sets()
        .hosted_zone_id(zone.as_str())
        .change_batch(batch)
        .send()
        .await;
    match answer {
        Ok(accepted) => Ok(match accepted.change_info() {
            Some(info) => Applied::Changing(info.id().to_owned()),
            None => Applied::Done,
        }),
        Err(error) => match error.as_service_error().and_then(invalid_batch) {
            Some(reason) => Ok(Applied::Refused(reason)),
            None => Err(Error::aws(ACTION, error::zone(zone))(error)),
        },
    }
}

/// Route 53's reasons for refusing a batch: one message, or a list of them. `None` if the call failed otherwise.
fn invalid_batch(error: &ChangeResourceRecordSetsError) -> Option<String> {
    let ChangeResourceRecordSetsError::InvalidChangeBatch(refusal) = error else {
        return None;
    };
    let messages = refusal.messages().join(" ");
    let message = refusal.message().unwrap_or("InvalidChangeBatch");
    Some(if messages.is_empty() {
        message.to_owned()
    } else {
        messages
    })
}

fn batch(changes: &[Change]) -> Result<route53::ChangeBatch, BuildError> {
    let changes = changes.iter().map(|change| {
        let (action, set) = match change {
            Change::Create(set) => (route53::ChangeAction::Create, set),
            Change::Delete(set) => (route53::ChangeAction::Delete, set),
        };
        route53::Change::builder()
            .action(action)
            .resource_record_set(record_set(set)?)
            .build()
    });
    let changes = changes.collect::<Result<Vec<_>, _>>()?;
    route53::ChangeBatch::builder()
        .comment("Custom::SesDomain")
        .set_changes(Some(changes))
        .build()
}

fn record_set(set: &RecordSet) -> Result<route53::ResourceRecordSet, BuildError> {
    let values = set
        .values
        .iter()
        .map(|value| route53::ResourceRecord::builder().value(value).build());
    route53::ResourceRecordSet::builder()
        .name(format!("{}.", set.name))
        .r#type(route53::RrType::from(set.kind.to_string().as_str()))
        .ttl(set.ttl)
        .set_resource_records(Some(values.collect::<Result<Vec<_>, _>>()?))
        .build()
}
