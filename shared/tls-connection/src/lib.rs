//! A connection under TLS to a server that speaks in lines: its name verified, its failures told apart.
//!
//! TLS begins at once, as with Redis, or amid a conversation, as with SMTP's STARTTLS ([`Lines::secure`]); whoever slips lines
//! in before it, to be taken for the server's own, is refused. Every wait ends.
//!
//! ```no_run
//! # async fn converse() -> Result<(), tls_connection::Error> {
//! use tls_connection::{Lines, Trust};
//!
//! let trust = Trust::public();
//! let mut cache = Lines::connect("cache.example.org", 6379).await?.secure(&trust).await?;
//! cache.write(b"PING\r\n").await?;
//! assert_eq!(cache.read().await?, "-NOAUTH Authentication required.");
//! # Ok(())
//! # }
//! ```
//!
//! It knows no protocol, keeps no pool, and tries nothing twice.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// For a connection, a handshake, or a line.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest line, in bytes; SMTP's has 512, Redis's first answers less.
const LONGEST_LINE: u64 = 8_192;

/// Whose signature on a server's certificate is believed.
#[derive(Debug, Clone)]
pub struct Trust(Arc<ClientConfig>);

/// A file that holds no certificate authority.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the certificate authorities in `{path}` cannot be used ({reason}); name a PEM file that holds at least one")]
pub struct InvalidAuthority {
    path: String,
    reason: String,
}

/// What went wrong, told apart by what the reader has to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// There is no such name, no way, or no answer.
    #[error(
        "no conversation with {address} ({reason}); check that it runs, and that its security group and the network admit the function"
    )]
    Network {
        /// `host:port`.
        address: String,
        /// What the network says.
        reason: String,
    },
    /// The server is not who it should be.
    #[error(
        "{address} cannot be trusted ({reason}); its certificate must name this very host and come from an authority that is believed"
    )]
    Tls {
        /// `host:port`.
        address: String,
        /// What the TLS library says.
        reason: String,
    },
}

impl Trust {
    /// The authorities that browsers trust; they vouch for AWS's own endpoints.
    #[must_use]
    pub fn public() -> Self {
        Self::of(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }

    /// Those in a PEM file, and no others.
    ///
    /// # Errors
    /// If the file cannot be read or holds no certificate.
    pub fn from_file(path: &Path) -> Result<Self, InvalidAuthority> {
        let invalid = |reason: String| InvalidAuthority {
            path: path.display().to_string(),
            reason,
        };
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| invalid(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
            roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(invalid("it holds no certificate in PEM form".to_owned()));
        }
        Ok(Self::of(roots))
    }

    fn of(roots: RootCertStore) -> Self {
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(Arc::new(config))
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Lines<S> {
    stream: BufReader<S>,
    host: String,
    address: String,
}

impl Lines<TcpStream> {
    /// Opens a connection, not yet under TLS.
    ///
    /// # Errors
    /// [`Error::Network`].
    pub async fn connect(host: &str, port: u16) -> Result<Self, Error> {
        let address = format!("{host}:{port}");
        let opened = timeout(PATIENCE, TcpStream::connect((host, port))).await;
        let stream = opened.map_err(|_| silent(&address))?;
        let stream = stream.map_err(|error| network(&address, &error))?;
        Ok(Self {
            stream: BufReader::new(stream),
            host: host.to_owned(),
            address,
        })
    }

    /// Begins TLS.
    ///
    /// # Errors
    /// [`Error::Tls`] if the server is not who it should be, or spoke out of turn; [`Error::Network`].
    pub async fn secure(self, trust: &Trust) -> Result<Lines<TlsStream<TcpStream>>, Error> {
        let tls = |reason: String| Error::Tls {
            address: self.address.clone(),
            reason,
        };
        if !self.stream.buffer().is_empty() {
            return Err(tls("it went on in the clear where TLS was to begin".to_owned()));
        }
        let name = ServerName::try_from(self.host.clone()).map_err(|error| tls(error.to_string()))?;
        let connector = TlsConnector::from(Arc::clone(&trust.0));
        let stream = self.stream.into_inner();
        let shaken = timeout(PATIENCE, connector.connect(name, stream)).await;
        let stream = match shaken.map_err(|_| silent(&self.address))? {
            Ok(stream) => stream,
            // tokio-rustls reports what the handshake found as an error of this kind.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Error::Tls {
                    address: self.address,
                    reason: error.to_string(),
                });
            }
            Err(error) => return Err(network(&self.address, &error)),
        };
        Ok(Lines {
            stream: BufReader::new(stream),
            host: self.host,
            address: self.address,
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lines<S> {
    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// [`Error::Network`].
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let sending = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        let sent = timeout(PATIENCE, sending).await.map_err(|_| silent(&self.address))?;
        sent.map_err(|error| network(&self.address, &error))
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// [`Error::Network`], also where the line does not end.
    pub async fn read(&mut self) -> Result<String, Error> {
        let mut line = Vec::new();
        let mut limited = (&mut self.stream).take(LONGEST_LINE);
        let read = timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await;
        read.map_err(|_| silent(&self.address))?
            .map_err(|error| network(&self.address, &error))?;
        if line.pop() != Some(b'\n') {
            let closed = std::io::Error::new(
                std::io::ErrorKind::UnexpectedEof,
                "it ended the conversation amid a line",
            );
            return Err(network(&self.address, &closed));
        }
        Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
    }
}

fn network(address: &str, error: &std::io::Error) -> Error {
    Error::Network {
        address: address.to_owned(),
        reason: error.to_string(),
    }
}

fn silent(address: &str) -> Error {
    Error::Network {
        address: address.to_owned(),
        reason: format!("no answer in {} s", PATIENCE.as_secs()),
    }
}

#[cfg(test)]
mod tests;
