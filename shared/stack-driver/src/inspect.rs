//! Gathers what the summary shows: from the stack, the zone and SES. What cannot be read is said, not fatal.

use crate::cloud::{Cloud, CloudError, Resource, Stack};
use crate::dns::{Record, candidate_zones, mail_records};
use crate::event::STACK_TYPE;
use crate::summary::{Mail, Sending, Summary, domain, schema, user};

/// Looks at a stack and all that is nested in it.
///
/// # Errors
/// CloudFormation cannot be asked.
pub async fn inspect(cloud: &Cloud, stack: &Stack, setup: Option<String>) -> Result<Summary, CloudError> {
    let mut summary = Summary {
        stack: stack.name.clone(),
        status: stack.status.clone(),
        locked: stack.termination_protection,
        outputs: stack.outputs.clone(),
        mail: Vec::new(),
        schemas: Vec::new(),
        users: Vec::new(),
        secrets: Vec::new(),
        endpoint: cloud.endpoint().map(str::to_owned),
        setup,
    };
    let mut open = vec![stack.id.clone()];
    while let Some(id) = open.pop() {
        let resources = cloud.resources(&id).await?;
        note(cloud, &resources, &mut summary).await;
        let nested = resources
            .into_iter()
            .filter(|resource| resource.resource_type == STACK_TYPE);
        open.extend(nested.map(|resource| resource.physical_id).filter(|id| !id.is_empty()));
    }
    Ok(summary)
}

async fn note(cloud: &Cloud, resources: &[Resource], summary: &mut Summary) {
    let has_user = resources
        .iter()
        .any(|resource| resource.resource_type == "Custom::DatabaseUser");
    for resource in resources {
        match resource.resource_type.as_str() {
            "Custom::Database" => summary.schemas.extend(schema(&resource.physical_id)),
            "Custom::DatabaseUser" => summary.users.extend(user(&resource.physical_id)),
            "AWS::SecretsManager::Secret" if has_user => summary.secrets.push(resource.physical_id.clone()),
            "Custom::SesDomain" => {
                if let Some(domain) = domain(&resource.physical_id) {
                    summary.mail.push(mail(cloud, domain).await);
                }
            }
            _ => {}
        }
    }
}

async fn mail(cloud: &Cloud, domain: &str) -> Mail {
    let ses = aws_sdk_sesv2::Client::new(&cloud.config);
    let (zone, records) = match zone_records(cloud, domain).await {
        Ok(Some((zone, records))) => (Some(zone), Ok(mail_records(domain, &records))),
        Ok(None) => (None, Ok(Vec::new())),
        Err(error) => (None, Err(error.to_string())),
    };
    Mail {
        domain: domain.to_owned(),
        identity: identity(cloud, &ses, domain).await,
        zone,
        records,
        sending: sending(cloud, &ses).await,
    }
}

async fn sending(cloud: &Cloud, ses: &aws_sdk_sesv2::Client) -> Sending {
    match ses.get_account().send().await {
        Ok(account) if account.production_access_enabled() => Sending::Production,
        Ok(_) => Sending::Sandbox,
        Err(error) => Sending::Unknown(cloud.explain("to read the SES account", &error).to_string()),
    }
}

async fn identity(cloud: &Cloud, ses: &aws_sdk_sesv2::Client, domain: &str) -> String {
    let identity = match ses.get_email_identity().email_identity(domain).send().await {
        Ok(identity) => identity,
        Err(error) => return cloud.explain("to read the SES identity", &error).to_string(),
    };
    let dkim = identity
        .dkim_attributes()
        .and_then(|dkim| dkim.status())
        .map_or("not known", |status| status.as_str());
    let mail_from = identity.mail_from_attributes().map_or_else(
        || "no MAIL FROM domain".to_owned(),
        |mail| {
            format!(
                "MAIL FROM {} {}",
                mail.mail_from_domain(),
                mail.mail_from_domain_status().as_str()
            )
        },
    );
    format!("DKIM {dkim}, {mail_from}")
}

/// The id and the records of the public zone with the longest name that holds the domain.
async fn zone_records(cloud: &Cloud, domain: &str) -> Result<Option<(String, Vec<Record>)>, CloudError> {
    let route53 = aws_sdk_route53::Client::new(&cloud.config);
    for name in candidate_zones(domain) {
        if let Some(zone) = public_zone(cloud, &route53, &name).await? {
            let records = records(cloud, &route53, &zone).await?;
            return Ok(Some((zone, records)));
        }
    }
    Ok(None)
}

async fn public_zone(
    cloud: &Cloud,
    route53: &aws_sdk_route53::Client,
    name: &str,
) -> Result<Option<String>, CloudError> {
    // The name is where the list begins, not a filter: zones of other names follow.
    let answer = route53.list_hosted_zones_by_name().dns_name(name).send().await;
    let answer = answer.map_err(|error| cloud.explain(&format!("to look for the zone {name}"), &error))?;
    let is_it = |zone: &&aws_sdk_route53::types::HostedZone| {
        let private = zone
            .config()
            .is_some_and(aws_sdk_route53::types::HostedZoneConfig::private_zone);
        zone.name().trim_end_matches('.').eq_ignore_ascii_case(name) && !private
    };
    let zone = answer.hosted_zones().iter().find(is_it);
    Ok(zone.map(|zone| zone.id().trim_start_matches("/hostedzone/").to_owned()))
}

async fn records(cloud: &Cloud, route53: &aws_sdk_route53::Client, zone: &str) -> Result<Vec<Record>, CloudError> {
    let mut records = Vec::new();
    let mut request = route53.list_resource_record_sets().hosted_zone_id(zone);
    loop {
        let page = request.send().await;
        let page = page.map_err(|error| cloud.explain(&format!("to read the records of the zone {zone}"), &error))?;
        records.extend(page.resource_record_sets().iter().map(|set| {
            Record {
                name: set.name().trim_end_matches('.').to_lowercase(),
                kind: set.r#type().as_str().to_owned(),
                values: set
                    .resource_records()
                    .iter()
                    .map(|record| record.value().to_owned())
                    .collect(),
            }
        }));
        if !page.is_truncated() {
            return Ok(records);
        }
        request = route53
            .list_resource_record_sets()
            .hosted_zone_id(zone)
            .set_start_record_name(page.next_record_name().map(str::to_owned))
            .set_start_record_type(page.next_record_type().cloned())
            .set_start_record_identifier(page.next_record_identifier().map(str::to_owned));
    }
}
