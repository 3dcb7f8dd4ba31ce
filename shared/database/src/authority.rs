//! Whose signature on a server's certificate is believed.

use std::borrow::Cow;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;

/// Every region's authorities, 133 KB; a function's package grows by 63 KB. `data/refresh.sh` makes it.
const RDS: &str = include_str!("../data/rds-global-bundle.pem");

/// The certificate authorities that may vouch for a server; no others do, not even those that browsers trust.
#[derive(Debug, Clone)]
pub struct Authority {
    pem: Cow<'static, [u8]>,
}

/// A file that holds no certificate authority.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the certificate authorities in `{path}` cannot be used: {reason}; name a PEM file that holds at least one")]
pub struct InvalidAuthority {
    path: String,
    reason: String,
}

impl Authority {
    /// The authorities of Amazon RDS in all regions, as this crate carries them.
    #[must_use]
    pub fn rds() -> Self {
        Self {
            pem: Cow::Borrowed(RDS.as_bytes()),
        }
    }

    /// The authorities in a PEM file, instead of RDS's.
    ///
    /// # Errors
    /// If the file cannot be read or holds no certificate.
    pub fn from_file(path: &Path) -> Result<Self, InvalidAuthority> {
        let invalid = |reason: String| InvalidAuthority {
            path: path.display().to_string(),
            reason,
        };
        let pem = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
        match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
            Ok(certificates) if certificates.is_empty() => Err(invalid("it holds no certificate in PEM form".into())),
            Ok(_) => Ok(Self { pem: Cow::Owned(pem) }),
            Err(error) => Err(invalid(format!("it is no PEM file ({error})"))),
        }
    }

    pub(crate) fn pem(&self) -> Cow<'static, [u8]> {
        self.pem.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rds_s_authorities_are_all_certificates() {
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(RDS.as_bytes())
            .map(|one| one.expect("a certificate"))
            .collect();
        assert_eq!(certificates.len(), RDS.matches("BEGIN CERTIFICATE").count());
        assert!(
            certificates.len() >= 80,
            "only {} authorities: are all regions there?",
            certificates.len()
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        assert_eq!(
            Authority::from_file(Path::new("/no/such.pem"))
                .expect_err("nothing is there")
                .to_string(),
            "the certificate authorities in `/no/such.pem` cannot be used: No such file or directory (os error 2); \
             name a PEM file that holds at least one"
        );
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let path = std::env::temp_dir().join(format!("database-authority-{}", std::process::id()));
        std::fs::write(&path, "nothing to see").expect("a file");
        let error = Authority::from_file(&path).expect_err("it holds none").to_string();
        std::fs::remove_file(&path).expect("the file");
        assert_eq!(
            error.replace(&path.display().to_string(), "PATH"),
            "the certificate authorities in `PATH` cannot be used: it holds no certificate in PEM form; \
             name a PEM file that holds at least one"
        );
    }
}
