//! From a host and a secret to an open connection.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use mysql_async::{Conn, OptsBuilder, SslOpts};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use crate::authority::Authority;
use crate::connection::Connection;
use crate::credentials::{Credentials, read_secret};
use crate::error::{Error, Place};
use crate::key_exchange::prefer_p256;

/// For one attempt, from the first packet to the log-in; a healthy server in the same region takes milliseconds.
const ATTEMPT: Duration = Duration::from_secs(10);
/// What the driver would otherwise ask the server for, in a round trip more.
const MAX_PACKET: usize = 16 * 1024 * 1024;
const WAIT_TIMEOUT_SECONDS: usize = 28_800;

/// Knows a server and whom to believe about it; opens connections.
#[derive(Debug, Clone)]
pub struct Connector {
    host: String,
    port: u16,
    authority: Authority,
}

impl Connector {
    /// For a server by the name that its certificate must bear.
    #[must_use]
    pub fn new(host: &str, port: u16, authority: Authority) -> Self {
        Self {
            host: host.to_owned(),
            port,
            authority,
        }
    }

    /// One attempt with these credentials.
    ///
    /// # Errors
    /// Any kind of [`Error`] but the one of secrets.
    pub async fn connect(&self, credentials: &Credentials) -> Result<Connection, Error> {
        prefer_p256();
        let addresses = self.resolve().await?;
        let address = self.address();
        let place = Place {
            address: &address,
            user: credentials.username(),
        };
        let opening = async {
            let conn = Conn::new(self.options(credentials, addresses)).await;
            let conn = conn.map_err(|error| Error::connecting(error, place))?;
            Connection::opened(conn, place).await
        };
        timeout(ATTEMPT, opening).await.unwrap_or_else(|_| {
            Err(Error::Tcp {
                address: address.clone(),
                reason: format!("no answer in {} s", ATTEMPT.as_secs()),
            })
        })
    }

    /// One attempt with the credentials of a secret. If the server does not let the user in, the secret is read once
    /// more: RDS rotates its master user's password by itself, at any moment.
    ///
    /// # Errors
    /// Any kind of [`Error`].
    pub async fn connect_with_secret(&self, secrets: &Client, arn: &str) -> Result<Connection, Error> {
        let credentials = read_secret(secrets, arn).await?;
        let refused = match self.connect(&credentials).await {
            Err(error @ Error::Authentication { .. }) => error,
            other => return other,
        };
        let again = read_secret(secrets, arn).await?;
        if again.same_login(&credentials) {
            return Err(refused);
        }
        tracing::info!(arn, "the secret changed while it was used; trying with its new value");
        self.connect(&again).await
    }

    /// Asked for here and not left to the driver, whose error would not tell a wrong name from a dead server.
    async fn resolve(&self) -> Result<Vec<IpAddr>, Error> {
        let unknown = |reason: String, temporary| Error::Dns {
            host: self.host.clone(),
            reason,
            temporary,
        };
        match tokio::net::lookup_host((self.host.as_str(), self.port)).await {
            Ok(found) => {
                let addresses: Vec<_> = found.map(|address| address.ip()).collect();
                if addresses.is_empty() {
                    Err(unknown("it has no address".into(), false))
                } else {
                    Ok(addresses)
                }
            }
            Err(error) => {
                let reason = error.to_string();
                // EAI_AGAIN; the standard library passes on the resolver's words but not its number.
                let temporary = reason.contains("emporary failure") || reason.contains("ry again");
                Err(unknown(reason, temporary))
            }
        }
    }

    fn options(&self, credentials: &Credentials, addresses: Vec<IpAddr>) -> OptsBuilder {
        let authorities = self.authority.vouching_for(&self.host).into_iter();
        let authorities = authorities.map(|pem| match pem {
            Cow::Borrowed(pem) => pem.into(),
            Cow::Owned(pem) => pem.into(),
        });
        let tls = SslOpts::default()
            .with_root_certs(authorities.collect())
            .with_disable_built_in_roots(true);
        OptsBuilder::default()
            .ip_or_hostname(self.host.as_str())
            .tcp_port(self.port)
            .resolved_ips(Some(addresses))
            .user(Some(credentials.username()))
            .pass(Some(credentials.password().expose_secret()))
            .ssl_opts(tls)
            // On a loopback address the driver would otherwise move to the server's socket, which has no TLS.
            .prefer_socket(false)
            .max_allowed_packet(Some(MAX_PACKET))
            .wait_timeout(Some(WAIT_TIMEOUT_SECONDS))
    }

    fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}
