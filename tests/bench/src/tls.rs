//! Certificates: the server's own, and what the contenders trust.
//!
//! Both trust what they would trust on AWS, and one authority more: the public authorities for AWS's endpoints, those of
//! RDS for the database. Reading them is part of a cold start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use local_servers::MySql;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// Files of authorities, made for one run.
#[derive(Debug, Clone)]
pub struct Trust {
    /// For AWS's endpoints: the public authorities, and the local one.
    pub endpoints: PathBuf,
    /// For MySQL: the authorities of RDS, and the local one.
    pub databases: PathBuf,
}

impl Trust {
    /// Writes both files into `folder`; `public` is a bundle of the public authorities, `rds` one of RDS's.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn write(folder: &Path, public: &Path, rds: &Path, local: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let trust = Self {
            endpoints: folder.join("endpoints.pem"),
            databases: folder.join("databases.pem"),
        };
        let local = fs::read_to_string(local)?;
        fs::write(&trust.endpoints, fs::read_to_string(public)? + "\n" + &local)?;
        fs::write(&trust.databases, fs::read_to_string(rds)? + "\n" + &local)?;
        Ok(trust)
    }
}

/// TLS with the MySQL servers' own certificate, which is good for this machine's loopback names; it lies beside the
/// authority that signed it.
///
/// # Errors
/// When certificate or key cannot be read.
pub fn acceptor(mysql: &MySql) -> io::Result<TlsAcceptor> {
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(mysql.ca_file.with_file_name("server.pem")).and_then(Iterator::collect);
    let key = PrivateKeyDer::from_pem_file(mysql.ca_file.with_file_name("server.key"));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain.map_err(io::Error::other)?, key.map_err(io::Error::other)?);
    Ok(TlsAcceptor::from(Arc::new(config.map_err(io::Error::other)?)))
}
