//! The questions of the look at the account for which the driver has a client anyway: half a second less each than through
//! the AWS CLI. Each answer has the members that the CLI prints, as far as a judgement reads them.

use crate::aws_query::{Answer, NoAnswer};
use crate::cloud::Cloud;
use crate::dns::candidate_zones;
use crate::preflight::zone::{Wish, Zone};
use aws_sdk_route53::types::{HostedZone, HostedZoneConfig};
use serde_json::json;

/// `sts get-caller-identity`.
pub async fn caller(cloud: &Cloud) -> Answer {
    let sts = aws_sdk_sts::Client::new(&cloud.config);
    let answer = sts.get_caller_identity().send().await;
    let answer = answer.map_err(|error| cloud.explain("to say who deploys", &error))?;
    Ok(json!({"Account": answer.account(), "Arn": answer.arn()}))
}

/// `sesv2 get-email-identity`.
pub async fn identity(cloud: &Cloud, domain: &str) -> Answer {
    let ses = aws_sdk_sesv2::Client::new(&cloud.config);
    let answer = ses.get_email_identity().email_identity(domain).send().await;
    let answer = answer.map_err(|error| cloud.explain("to read the SES identity", &error))?;
    let tags: Vec<_> = answer
        .tags()
        .iter()
        .map(|tag| json!({"Key": tag.key(), "Value": tag.value()}))
        .collect();
    Ok(json!({ "Tags": tags }))
}

/// `sesv2 get-account`.
pub async fn account(cloud: &Cloud) -> Answer {
    let ses = aws_sdk_sesv2::Client::new(&cloud.config);
    let answer = ses.get_account().send().await;
    let answer = answer.map_err(|error| cloud.explain("to read the SES account", &error))?;
    Ok(json!({
        "EnforcementStatus": answer.enforcement_status().unwrap_or("HEALTHY"),
        "ProductionAccessEnabled": answer.production_access_enabled(),
        "SendingEnabled": answer.sending_enabled(),
    }))
}

/// The zone with the given id, or those whose names could hold the domain.
///
/// # Errors
/// Route 53 cannot be asked, or has no such zone.
pub async fn zones(cloud: &Cloud, wish: &Wish<'_>) -> Result<Vec<Zone>, NoAnswer> {
    if let Some(id) = wish.zone_id {
        return Ok(vec![zone(cloud, id).await?]);
    }
    let route53 = aws_sdk_route53::Client::new(&cloud.config);
    let mut zones = Vec::new();
    for name in candidate_zones(wish.domain) {
        // The name is where the list begins: those that have it stand first.
        let answer = route53
            .list_hosted_zones_by_name()
            .dns_name(&name)
            .max_items(10)
            .send()
            .await;
        let answer = answer.map_err(|error| cloud.explain("to look for the zone", &error))?;
        zones.extend(answer.hosted_zones().iter().map(read));
    }
    Ok(zones)
}

/// A zone with its name servers, which a list does not tell.
///
/// # Errors
/// Route 53 cannot be asked, or has no such zone.
pub async fn zone(cloud: &Cloud, id: &str) -> Result<Zone, NoAnswer> {
    let route53 = aws_sdk_route53::Client::new(&cloud.config);
    let answer = route53.get_hosted_zone().id(id).send().await;
    let answer = answer.map_err(|error| cloud.explain("to read the zone", &error))?;
    let found = answer
        .hosted_zone()
        .map(read)
        .ok_or_else(|| NoAnswer::Failed("Route 53 gave no zone".to_owned()))?;
    let servers = answer.delegation_set().map(|set| set.name_servers().to_vec());
    Ok(Zone {
        name_servers: servers.unwrap_or_default(),
        ..found
    })
}

fn read(zone: &HostedZone) -> Zone {
    Zone {
        id: zone.id().trim_start_matches("/hostedzone/").to_owned(),
        name: zone.name().trim_end_matches('.').to_lowercase(),
        private: zone.config().is_some_and(HostedZoneConfig::private_zone),
        name_servers: Vec::new(),
    }
}
