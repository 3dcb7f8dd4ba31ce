//! Route 53's operations, answered by a [`Stage`](crate::stage::Stage).

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_route53::error::ErrorMetadata;
use aws_sdk_route53::types as dns;
use aws_smithy_mocks::{Rule, mock};
use recorded_calls::rule;
use ses_domain::names::DnsName;
use ses_domain::plan::Step;
use ses_domain::settings::ZoneId;
use ses_domain::zone::{Change, HostedZone, RecordSet, RecordType};

use crate::clients::Actor;

impl Actor {
    pub fn dns_rules(self: &Arc<Self>) -> [Rule; 5] {
        [
            self.list_zones(),
            self.get_zone(),
            self.get_change(),
            self.list_records(),
            self.change_records(),
        ]
    }

    /// Two zones a page, to turn pages.
    fn list_zones(self: &Arc<Self>) -> Rule {
        use aws_sdk_route53::operation::list_hosted_zones as operation;
        let answer = |actor: &Self, input: &operation::ListHostedZonesInput| {
            let from = input
                .marker()
                .and_then(|marker| marker.parse::<usize>().ok())
                .unwrap_or_default();
            let zones = actor
                .stage
                .call(actor.number, "route53:ListHostedZones", |world| Ok(world.zones.clone()))?;
            let more = zones.len() > from + 2;
            let page = zones
                .iter()
                .skip(from)
                .take(2)
                .map(|state| described_zone(&state.zone))
                .collect();
            let output = operation::ListHostedZonesOutput::builder()
                .set_hosted_zones(Some(page))
                .marker("")
                .max_items(2);
            let output = output
                .is_truncated(more)
                .set_next_marker(more.then(|| (from + 2).to_string()));
            Ok(output.build().unwrap())
        };
        rule(
            mock!(aws_sdk_route53::Client::list_hosted_zones),
            self,
            answer,
            operation::ListHostedZonesError::generic,
        )
    }

    fn get_zone(self: &Arc<Self>) -> Rule {
        use aws_sdk_route53::operation::get_hosted_zone as operation;
        let answer = |actor: &Self, input: &operation::GetHostedZoneInput| {
            let id = read_zone_id(input.id());
            let zone = actor.stage.call(actor.number, "route53:GetHostedZone", |world| {
                Ok(world.zone(&id)?.zone.clone())
            })?;
            Ok(operation::GetHostedZoneOutput::builder()
                .hosted_zone(described_zone(&zone))
                .build())
        };
        rule(
            mock!(aws_sdk_route53::Client::get_hosted_zone),
            self,
            answer,
            operation::GetHostedZoneError::generic,
        )
    }

    fn get_change(self: &Arc<Self>) -> Rule {
        use aws_sdk_route53::operation::get_change as operation;
        let answer = |actor: &Self, input: &operation::GetChangeInput| {
            let pending = actor.stage.call(actor.number, "route53:GetChange", |world| {
                let pending = world.spreading > 0;
                world.spreading = world.spreading.saturating_sub(1);
                Ok(pending)
            })?;
            let status = if pending {
                dns::ChangeStatus::Pending
            } else {
                dns::ChangeStatus::Insync
            };
            let info = change_info(input.id().unwrap_or_default(), status);
            Ok(operation::GetChangeOutput::builder().change_info(info).build())
        };
        rule(
            mock!(aws_sdk_route53::Client::get_change),
            self,
            answer,
            operation::GetChangeError::generic,
        )
    }

    /// A page of record sets from a start position, in Route 53's order of reversed labels.
    fn list_records(self: &Arc<Self>) -> Rule {
        use aws_sdk_route53::operation::list_resource_record_sets as operation;
        let answer = |actor: &Self, input: &operation::ListResourceRecordSetsInput| {
            let id = read_zone_id(input.hosted_zone_id());
            let kind = input
                .start_record_type()
                .map(|kind| kind.as_str().to_owned())
                .unwrap_or_default();
            let start = (
                reversed(&DnsName::parse(input.start_record_name().unwrap_or_default())),
                kind,
            );
            let list = "route53:ListResourceRecordSets";
            let (sets, most) = actor.stage.call(actor.number, list, |world| {
                Ok((world.zone(&id)?.sets.clone(), world.page))
            })?;
            let key = |set: &RecordSet| (reversed(&set.name), set.kind.to_string());
            let ordered = sets.iter().map(|set| (key(set), set)).collect::<BTreeMap<_, _>>();
            let rest = ordered.range(start..).map(|(_, set)| *set).collect::<Vec<_>>();
            let next = rest.get(most);
            let page = rest.iter().take(most).map(|set| described_set(set)).collect();
            let output = operation::ListResourceRecordSetsOutput::builder()
                .set_resource_record_sets(Some(page))
                .is_truncated(next.is_some())
                .set_next_record_name(next.map(|set| format!("{}.", set.name)))
                .set_next_record_type(next.map(|set| dns::RrType::from(set.kind.to_string().as_str())))
                .max_items(i32::try_from(most).unwrap());
            Ok(output.build().unwrap())
        };
        let error = operation::ListResourceRecordSetsError::generic;
        rule(
            mock!(aws_sdk_route53::Client::list_resource_record_sets),
            self,
            answer,
            error,
        )
    }

    fn change_records(self: &Arc<Self>) -> Rule {
        use aws_sdk_route53::operation::change_resource_record_sets as operation;
        let answer = |actor: &Self, input: &operation::ChangeResourceRecordSetsInput| {
            let zone = read_zone_id(input.hosted_zone_id());
            let batch = input.change_batch().map(dns::ChangeBatch::changes).unwrap_or_default();
            let changes = batch.iter().map(read_change).collect();
            actor.step(
                "route53:ChangeResourceRecordSets",
                None,
                &Step::ChangeRecords { zone, changes },
            )?;
            let info = change_info("/change/C1", dns::ChangeStatus::Pending);
            Ok(operation::ChangeResourceRecordSetsOutput::builder()
                .change_info(info)
                .build())
        };
        let error = |meta: ErrorMetadata| match meta.code() {
            Some("InvalidChangeBatch") => {
                let refusal = dns::error::InvalidChangeBatch::builder().messages(meta.message().unwrap_or_default());
                operation::ChangeResourceRecordSetsError::InvalidChangeBatch(refusal.meta(meta).build())
            }
            _ => operation::ChangeResourceRecordSetsError::generic(meta),
        };
        rule(
            mock!(aws_sdk_route53::Client::change_resource_record_sets),
            self,
            answer,
            error,
        )
    }
}

fn read_zone_id(text: Option<&str>) -> ZoneId {
    text.and_then(ZoneId::parse).expect("a zone's id")
}

fn reversed(name: &DnsName) -> Vec<String> {
    let text = name.to_string();
    text.split('.').rev().map(str::to_owned).collect()
}

fn described_zone(zone: &HostedZone) -> dns::HostedZone {
    dns::HostedZone::builder()
        .id(format!("/hostedzone/{}", zone.id))
        .name(format!("{}.", zone.name))
        .caller_reference("test")
        .config(dns::HostedZoneConfig::builder().private_zone(zone.private).build())
        .build()
        .unwrap()
}

fn described_set(set: &RecordSet) -> dns::ResourceRecordSet {
    let record = |value: &String| dns::ResourceRecord::builder().value(value).build().unwrap();
    dns::ResourceRecordSet::builder()
        .name(format!("{}.", set.name))
        .r#type(dns::RrType::from(set.kind.to_string().as_str()))
        .ttl(set.ttl)
        .set_set_identifier(set.special.then(|| "blue".to_owned()))
        .set_resource_records(Some(set.values.iter().map(record).collect()))
        .build()
        .unwrap()
}

fn change_info(id: &str, status: dns::ChangeStatus) -> dns::ChangeInfo {
    let submitted = aws_sdk_route53::primitives::DateTime::from_secs(0);
    dns::ChangeInfo::builder()
        .id(id)
        .status(status)
        .submitted_at(submitted)
        .build()
        .unwrap()
}

fn read_change(change: &dns::Change) -> Change {
    let set = change.resource_record_set().expect("a record set");
    let read = RecordSet {
        name: DnsName::parse(set.name()),
        kind: RecordType::from(set.r#type().as_str()),
        ttl: set.ttl().unwrap_or_default(),
        values: set
            .resource_records()
            .iter()
            .map(|record| record.value().to_owned())
            .collect(),
        special: false,
    };
    match change.action() {
        dns::ChangeAction::Create => Change::Create(read),
        dns::ChangeAction::Delete => Change::Delete(read),
        other => panic!("{other} is never sent"),
    }
}
