//! Asks DNS which name servers answer for a zone.

use crate::preflight::zone::Delegation;
use hickory_resolver::Resolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use std::net::SocketAddr;
use std::time::Duration;

/// How long one question may take; it is asked twice.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks this machine's resolver, or the given one.
pub async fn delegation(zone: &str, resolver: Option<SocketAddr>) -> Delegation {
    match ask(zone, resolver).await {
        Ok(servers) if servers.is_empty() => Delegation::Nobody,
        Ok(servers) => Delegation::Servers(servers),
        Err(error) if error.is_nx_domain() || error.is_no_records_found() => Delegation::Nobody,
        Err(error) => Delegation::Unasked(format!("DNS could not be asked ({error})")),
    }
}

async fn ask(zone: &str, server: Option<SocketAddr>) -> Result<Vec<String>, NetError> {
    let mut builder = match server {
        Some(address) => Resolver::builder_with_config(only(address), TokioRuntimeProvider::default()),
        None => Resolver::builder_tokio()?,
    };
    builder.options_mut().timeout = PATIENCE;
    builder.options_mut().attempts = 1;
    // The trailing dot keeps the machine's search domains out of it.
    let answer = builder
        .build()?
        .ns_lookup(format!("{}.", zone.trim_end_matches('.')))
        .await?;
    let name = |data: &RData| match data {
        RData::NS(server) => Some(server.to_string()),
        _ => None,
    };
    Ok(answer
        .answers()
        .iter()
        .filter_map(|record| name(&record.data))
        .collect())
}

fn only(address: SocketAddr) -> ResolverConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    ResolverConfig::from_name_servers(vec![NameServerConfig::new(address.ip(), true, connections.to_vec())])
}
