//! Looks at the account before anything is changed. Each judgement is a pure function beside its kind; here the questions are
//! asked, all at once, and only those that concern the package's own resources and parameters.

pub mod account;
pub mod certificate;
mod direct;
pub mod finding;
pub mod mail;
pub mod package;
pub mod quota;
mod ranges;
pub mod roles;
pub mod zone;

use crate::aws_query::AwsQuery;
use crate::cloud::{Cloud, CloudError, Stack};
use crate::event::STACK_TYPE;
use crate::name_servers::delegation;
use crate::settings::Settings;
use finding::Finding;
use futures::future::join_all;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;
use zone::{Delegation, Wish};

/// What is looked at.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The package's folder.
    pub folder: &'a Path,
    /// The parameter file.
    pub parameters: Option<&'a Path>,
    /// The types of all resources in the package's templates.
    pub types: BTreeSet<String>,
    /// The parameters.
    pub settings: Settings,
    /// The stack, if it stands.
    pub present: Option<&'a Stack>,
    /// The bucket that the package goes to.
    pub bucket: &'a str,
    /// Whom to ask about DNS; this machine's resolver if it is none.
    pub dns_server: Option<SocketAddr>,
}

/// Asks and judges; the findings come in the order in which one would ask.
///
/// # Errors
/// The stack that stands cannot be read.
pub async fn look(cloud: &Cloud, aws: AwsQuery<'_>, subject: &Subject<'_>) -> Result<Vec<Finding>, CloudError> {
    let region = cloud.region().unwrap_or("no region");
    let where_is_it = ["s3api", "get-bucket-location", "--bucket", subject.bucket];
    let (caller, location) = tokio::join!(direct::caller(cloud), aws.ask(&where_is_it));
    let mut findings = vec![
        account::caller(&caller, region),
        package::check(subject.folder, subject.parameters),
        account::bucket(subject.bucket, region, &location),
    ];
    findings.extend(ranges::check(&subject.settings));
    if caller.is_err() {
        // Nothing else would be answered either.
        return Ok(findings);
    }
    let (zone, certificate, room, roles, mail) = tokio::join!(
        zone(cloud, subject),
        certificate(aws, subject, region),
        quotas(aws, subject),
        roles(aws, subject),
        mail(cloud, subject),
    );
    findings.extend(zone);
    findings.extend(certificate);
    findings.extend(room);
    findings.extend(roles);
    findings.extend(mail?);
    Ok(findings)
}

async fn zone(cloud: &Cloud, subject: &Subject<'_>) -> Option<Finding> {
    let wish = Wish::read(&subject.settings).filter(|_| subject.settings.knows("HostedZoneId"))?;
    if !wish.is_here() {
        return Some(zone::elsewhere(&wish));
    }
    let zones = direct::zones(cloud, &wish).await;
    let chosen = match zone::choose(&wish, &zones) {
        Ok(zone) => zone.clone(),
        Err(finding) => return Some(finding),
    };
    let chosen = if chosen.name_servers.is_empty() {
        // A list of zones does not name their servers.
        match direct::zone(cloud, &chosen.id).await {
            Ok(zone) => zone,
            Err(_) => chosen,
        }
    } else {
        chosen
    };
    let delegation = if cloud.is_local() && subject.dns_server.is_none() {
        Delegation::Unasked("the zones of a local AWS are in no DNS".to_owned())
    } else {
        delegation(&chosen.name, subject.dns_server).await
    };
    Some(zone::delegated(&chosen, &delegation))
}

async fn certificate(aws: AwsQuery<'_>, subject: &Subject<'_>, region: &str) -> Option<Finding> {
    let settings = &subject.settings;
    let site = certificate::site(settings).filter(|_| settings.knows("CertificateArn"))?;
    let Some(arn) = settings.get("CertificateArn") else {
        return Some(certificate::made(Wish::read(settings).as_ref(), &site));
    };
    let answer = aws
        .ask(&["acm", "describe-certificate", "--certificate-arn", arn])
        .await;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    Some(certificate::given(arn, region, &site, &answer, now))
}

/// Only a new stack needs room: what stands has its own already.
async fn quotas(aws: AwsQuery<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    if subject.present.is_some() {
        return Vec::new();
    }
    let read = |quota: quota::Quota| async move {
        let words = quota::limit_question(&quota);
        let used = async {
            match quota.count {
                Some((words, _)) => Some(aws.ask(words).await),
                None => None,
            }
        };
        let (limit, used) = tokio::join!(aws.ask(&words), used);
        quota::Reading { quota, limit, used }
    };
    let met = quota::met(&subject.types, &subject.settings);
    quota::judge(&join_all(met.into_iter().map(read)).await)
}

async fn roles(aws: AwsQuery<'_>, subject: &Subject<'_>) -> Option<Finding> {
    let used = roles::used(&subject.types);
    if used.is_empty() {
        return None;
    }
    Some(roles::judge(&used, &aws.ask(&roles::QUESTION).await))
}

async fn mail(cloud: &Cloud, subject: &Subject<'_>) -> Result<Vec<Finding>, CloudError> {
    let Some(domain) = subject.settings.get("Domain") else {
        return Ok(Vec::new());
    };
    if !subject.types.contains("Custom::SesDomain") {
        return Ok(Vec::new());
    }
    let own = match subject.present {
        Some(stack) => has_domain(cloud, &stack.id, domain).await?,
        None => false,
    };
    let (identity, account) = tokio::join!(direct::identity(cloud, domain), direct::account(cloud));
    let adopt = subject.settings.is_true("AdoptExistingDomain");
    let mut findings = Vec::new();
    if !own {
        findings.push(mail::identity(domain, adopt, &identity));
    }
    findings.push(mail::account(&account));
    Ok(findings)
}

/// Whether the stack has the domain already.
async fn has_domain(cloud: &Cloud, id: &str, domain: &str) -> Result<bool, CloudError> {
    for resource in cloud.resources(id).await? {
        if resource.physical_id == format!("ses-domain:{domain}") {
            return Ok(true);
        }
        let nested = resource.resource_type == STACK_TYPE && !resource.physical_id.is_empty();
        if nested && Box::pin(has_domain(cloud, &resource.physical_id, domain)).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
