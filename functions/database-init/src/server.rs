//! The way to a server, and the lock that keeps deliveries apart.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use database::{Authority, Connection, Connector, Credentials, InvalidAuthority, Patience, read_secret};
use tokio::time::Instant;

use crate::error::Error;

/// One lock for all resources of a server: they also share the table of owners, and each holds it for milliseconds.
const LOCK: &str = "database-init";
/// What is left for the answer's own words: a reason that names the server is worth more than "the time ran out".
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What is needed to reach any server: the secrets, and whom to believe.
#[derive(Debug, Clone)]
pub struct Servers {
    secrets: Client,
    authority: Authority,
}

/// One server and its administrator.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) admin_secret_arn: String,
}

impl Servers {
    /// `authorities` is a PEM file with the certificate authorities to believe instead of RDS's own.
    ///
    /// # Errors
    /// If that file holds none.
    pub fn new(secrets: Client, authorities: Option<&Path>) -> Result<Self, InvalidAuthority> {
        let authority = authorities.map_or_else(|| Ok(Authority::rds()), Authority::from_file)?;
        Ok(Self { secrets, authority })
    }

    /// The administrator's connection, alone at work on this server until it is closed.
    pub(crate) async fn administer(&self, target: &Target, deadline: Instant) -> Result<Connection, Error> {
        let connector = self.connector(target);
        let mut connection = connector
            .connect_with_secret(&self.secrets, &target.admin_secret_arn)
            .await?;
        let seconds = deadline
            .saturating_duration_since(Instant::now())
            .saturating_sub(LAST_WORDS)
            .as_secs();
        let got: Option<(Option<i64>,)> = connection.first("SELECT GET_LOCK(?, ?)", (LOCK, seconds)).await?;
        if matches!(got, Some((Some(1),))) {
            return Ok(connection);
        }
        connection.close().await;
        Err(Error::Busy(target.address()))
    }

    pub(crate) fn connector(&self, target: &Target) -> Connector {
        Connector::new(&target.host, target.port, self.authority.clone())
    }

    pub(crate) async fn secret(&self, arn: &str) -> Result<Credentials, Error> {
        Ok(read_secret(&self.secrets, arn).await?)
    }
}

impl Target {
    /// Checks the host's name, which otherwise nothing would until the resolver stumbles over it.
    pub(crate) fn new(host: &str, port: u16, admin_secret_arn: &str) -> Result<Self, Error> {
        if host.is_empty()
            || !host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-:_".contains(&byte))
        {
            return Err(Error::Host(host.to_owned()));
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            admin_secret_arn: admin_secret_arn.to_owned(),
        })
    }

    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Makes attempt after attempt until the deadline, as long as the failure is one that may pass. Every attempt observes
/// anew, so that it goes on from wherever the connection broke off.
pub(crate) async fn persist<T, F>(deadline: Instant, mut attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut patience = Patience::until(deadline.checked_sub(LAST_WORDS).unwrap_or(deadline));
    loop {
        match attempt().await {
            Err(error) if error.is_transient() && patience.wait().await => {
                tracing::warn!(%error, "tried again");
            }
            other => return other,
        }
    }
}
