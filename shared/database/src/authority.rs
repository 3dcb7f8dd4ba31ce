//! Whose signature on a server's certificate is believed.

use std::borrow::Cow;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;

/// Each region's authorities as PEM, 133 KB in all; a function's package grows by 63 KB. `data/refresh.sh` makes them.
static RDS: &[(&str, &str)] = &include!("../data/rds/regions.rs");

/// What the name of an RDS server ends with, after its region. Regions in China have another, and authorities of their own.
const ENDPOINTS: &str = ".rds.amazonaws.com";

/// The certificate authorities that may vouch for a server; no others do, not even those that browsers trust.
#[derive(Debug, Clone)]
pub struct Authority(Source);

#[derive(Debug, Clone)]
enum Source {
    Rds,
    File(Vec<u8>),
}

/// A file that holds no certificate authority.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the certificate authorities in `{path}` cannot be used: {reason}; name a PEM file that holds at least one")]
pub struct InvalidAuthority {
    path: String,
    reason: String,
}

impl Authority {
    /// The authorities of Amazon RDS, as this crate carries them. Those of its own region vouch for a server whose name
    /// tells the region, those of all regions for any other.
    ///
    /// RDS has three a region. Reading all of them would be a third of what a function computes at a cold start.
    #[must_use]
    pub fn rds() -> Self {
        Self(Source::Rds)
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
            Ok(_) => Ok(Self(Source::File(pem))),
            Err(error) => Err(invalid(format!("it is no PEM file ({error})"))),
        }
    }

    /// The authorities that may vouch for the server of this name, as PEM texts.
    pub(crate) fn vouching_for(&self, host: &str) -> Vec<Cow<'static, [u8]>> {
        match &self.0 {
            Source::File(pem) => vec![Cow::Owned(pem.clone())],
            Source::Rds => of_region(host).map_or_else(
                || RDS.iter().map(|(_, pem)| Cow::Borrowed(pem.as_bytes())).collect(),
                |pem| vec![Cow::Borrowed(pem.as_bytes())],
            ),
        }
    }
}

/// The authorities of the region that a server's name tells, such as `shop.c9akciq32.eu-central-1.rds.amazonaws.com`.
fn of_region(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let (_, region) = host.strip_suffix(ENDPOINTS)?.rsplit_once('.')?;
    let at = RDS.binary_search_by_key(&region, |(name, _)| name).ok()?;
    Some(RDS[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(pems: &[Cow<'static, [u8]>]) -> usize {
        let certificates = pems.iter().flat_map(|pem| CertificateDer::pem_slice_iter(pem));
        certificates.collect::<Result<Vec<_>, _>>().expect("certificates").len()
    }

    #[test]
    fn every_region_s_file_is_compiled_in_and_holds_its_authorities() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/rds");
        let files = std::fs::read_dir(folder).expect("the folder");
        let mut files: Vec<_> = files.map(|file| file.expect("a file").file_name()).collect();
        files.sort();
        let mut expected: Vec<std::ffi::OsString> =
            RDS.iter().map(|(region, _)| format!("{region}.pem").into()).collect();
        expected.push("regions.rs".into());
        expected.sort();
        assert_eq!(files, expected);
        assert!(RDS.is_sorted(), "a region is looked for by halves");
        for (region, pem) in RDS {
            let certificates = count(&[Cow::Borrowed(pem.as_bytes())]);
            assert_eq!(certificates, pem.matches("BEGIN CERTIFICATE").count());
            assert!(
                certificates >= 3,
                "{region}: RSA of two lengths and ECC, not {certificates}"
            );
        }
    }

    #[test]
    fn a_server_s_own_region_vouches_for_it() {
        for host in [
            "shop.c9akciq32.eu-central-1.rds.amazonaws.com",
            "shop.cluster-c9akciq32.eu-central-1.rds.amazonaws.com",
            "us-east-1.c9akciq32.eu-central-1.rds.amazonaws.com",
            "Shop.C9AKCIQ32.EU-Central-1.RDS.amazonaws.com.",
        ] {
            let vouching = Authority::rds().vouching_for(host);
            let [pem] = vouching.as_slice() else {
                panic!("{host}: {} files", vouching.len())
            };
            assert!(
                String::from_utf8_lossy(pem).starts_with("# Amazon RDS's certificate authorities in eu-central-1,"),
                "{host}"
            );
        }
    }

    #[test]
    fn all_regions_vouch_for_a_server_whose_name_tells_none() {
        for host in [
            "db.example.org",
            "10.0.0.1",
            "shop.c9akciq32.mars-north-1.rds.amazonaws.com",
            "shop.c9akciq32.rds.cn-north-1.amazonaws.com.cn",
            "eu-central-1.rds.amazonaws.com.example.org",
            "eu-central-1.rds.amazonaws.com",
            "",
        ] {
            let vouching = Authority::rds().vouching_for(host);
            assert_eq!(vouching.len(), RDS.len(), "{host}");
            assert!(count(&vouching) >= 80, "{host}: are all regions there?");
        }
    }

    #[test]
    fn a_file_vouches_for_every_server_and_alone() {
        let path = std::env::temp_dir().join(format!("database-authority-file-{}", std::process::id()));
        std::fs::write(&path, RDS[0].1).expect("a file");
        let authority = Authority::from_file(&path).expect("it holds three");
        std::fs::remove_file(&path).expect("the file");
        for host in ["db.example.org", "shop.c9akciq32.eu-central-1.rds.amazonaws.com"] {
            assert_eq!(authority.vouching_for(host), [RDS[0].1.as_bytes()], "{host}");
        }
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
