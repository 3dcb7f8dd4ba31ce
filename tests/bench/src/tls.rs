//! Certificates: the server's own, and what the contenders trust.
//!
//! Each reads the authorities that it would read on AWS, and one more, that of the servers here. For AWS's endpoints those
//! are Amazon's own for our binaries, and botocore's bundle of the public ones for Python; for the database RDS's of one
//! region, for both. Reading them is part of a cold start.

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
    /// For AWS's endpoints, our side: Amazon's authorities, and the local one.
    pub amazon: PathBuf,
    /// For AWS's endpoints, the other side: the public authorities, and the local one.
    pub public: PathBuf,
    /// For MySQL: the authorities of RDS in the region, and the local one.
    pub databases: PathBuf,
}

impl Trust {
    /// Writes the three files below `root`'s target folder, each from the bundle that is there and `mysql`'s authority.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn write(root: &Path, site_packages: &Path, mysql: &MySql) -> io::Result<Self> {
        let folder = root.join("target/bench");
        fs::create_dir_all(&folder)?;
        let trust = Self {
            amazon: folder.join("amazon.pem"),
            public: folder.join("public.pem"),
            databases: folder.join("databases.pem"),
        };
        let local = fs::read_to_string(&mysql.ca_file)?;
        for (file, bundle) in [
            (&trust.amazon, root.join("shared/custom-resource/data/amazon-roots.pem")),
            (&trust.public, site_packages.join("botocore/cacert.pem")),
            (&trust.databases, root.join("shared/database/data/rds/eu-central-1.pem")),
        ] {
            fs::write(file, fs::read_to_string(bundle)? + "\n" + &local)?;
        }
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
