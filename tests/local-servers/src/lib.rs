//! The real servers that the tests use, as `make servers` started them.
//!
//! Tests ask for every server and run on each; there is no way to ask for "any one", so that no version goes untested.
//!
//! ```no_run
//! for server in local_servers::mysql() {
//!     println!("{} at {}:{}", server.version, server.host, server.port);
//! }
//! ```

mod private;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use private::Private;

/// Names the release lines of MySQL that must run, such as `8.0 9`. CI sets it, so that on a machine that has one of them only
/// the other does not go untested unnoticed.
const DEMANDED: &str = "DEMANDED_MYSQL";

/// A running MySQL server that refuses connections without TLS.
#[derive(Clone, Deserialize)]
pub struct MySql {
    /// Such as `8.0.45`.
    pub version: String,
    /// The name that its certificate is good for.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// PEM file of the authority that signed its certificate.
    pub ca_file: PathBuf,
    /// PEM file of an authority of the same name with another key, which must be refused.
    pub wrong_ca_file: PathBuf,
    /// A user with the rights of RDS's master user.
    pub admin_user: String,
    /// A user with the same rights and password whose sessions run with `NO_BACKSLASH_ESCAPES`.
    pub no_backslash_admin_user: String,
    /// The password of both.
    pub admin_password: String,
}

impl MySql {
    /// Both administrators: first the one with MySQL's default SQL mode, then the one without backslash escapes.
    #[must_use]
    pub fn admins(&self) -> [&str; 2] {
        [&self.admin_user, &self.no_backslash_admin_user]
    }
}

/// Without the password.
impl fmt::Debug for MySql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MySql {} at {}:{}", self.version, self.host, self.port)
    }
}

/// A running Redis or Valkey server, or a cluster of them, that refuses connections without TLS.
#[derive(Clone, Deserialize)]
pub struct Cache {
    /// `redis` or `valkey`.
    pub engine: String,
    /// Such as `7.0.15`.
    pub version: String,
    /// The name that its certificate is good for.
    pub host: String,
    /// The TCP port of each shard.
    pub ports: Vec<u16>,
    /// PEM file of the authority that signed its certificate.
    pub ca_file: PathBuf,
    /// PEM file of an authority of the same name with another key, which must be refused.
    pub wrong_ca_file: PathBuf,
    /// A user who may do everything.
    pub admin_user: String,
    /// Its password.
    pub admin_password: String,
}

/// Without the password.
impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}:{:?}", self.engine, self.version, self.host, self.ports)
    }
}

#[derive(Deserialize)]
struct Servers {
    #[serde(default)]
    mysql: Vec<MySql>,
    #[serde(default)]
    cache: Vec<Cache>,
}

/// Every MySQL server that runs; their versions are printed, for the test's output.
///
/// # Panics
/// If none is known: `make servers` starts them. If one is missing that `DEMANDED_MYSQL` names.
#[must_use]
pub fn mysql() -> Vec<MySql> {
    let servers = known().mysql;
    assert!(
        !servers.is_empty(),
        "no MySQL server is known: run `make servers` first"
    );
    let versions: Vec<_> = servers.iter().map(|server| server.version.as_str()).collect();
    let versions = versions.join(", ");
    let demanded = std::env::var(DEMANDED).unwrap_or_default();
    let missing = missing(&demanded, &servers);
    assert!(
        missing.is_empty(),
        "{DEMANDED} is `{demanded}`, but only MySQL {versions} runs: take a machine that has {missing:?} as well (Debian on amd64 has), or unset it"
    );
    println!("tested on MySQL {versions}");
    servers
}

/// The release lines of a list that no server belongs to.
fn missing<'a>(demanded: &'a str, servers: &[MySql]) -> Vec<&'a str> {
    let runs = |line: &&str| {
        let within = format!("{line}.");
        servers.iter().any(|server| server.version.starts_with(&within))
    };
    demanded.split_whitespace().filter(|line| !runs(line)).collect()
}

/// Every Redis and Valkey that runs, alone and as a cluster; their versions are printed, for the test's output.
///
/// # Panics
/// If none is known: `make servers` starts them.
#[must_use]
pub fn caches() -> Vec<Cache> {
    let servers = known().cache;
    assert!(!servers.is_empty(), "no cache is known: run `make servers` first");
    println!("tested on {servers:?}");
    servers
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The servers that run; none where nothing was started.
fn known() -> Servers {
    let path = project().join(".local/servers.json");
    read(&std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned()))
}

/// The servers that a `servers.json` lists.
fn read(text: &str) -> Servers {
    match serde_json::from_str(text) {
        Ok(servers) => servers,
        Err(error) => panic!("servers.json cannot be read ({error}): run `make servers` again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"aws": {"endpoint": "http://127.0.0.1:1"}, "mysql": [{"version": "8.0.45", "host": "localhost",
        "port": 3306, "ca_file": "/ca.pem", "wrong_ca_file": "/wrong.pem", "admin_user": "admin",
        "no_backslash_admin_user": "plain", "admin_password": "hush", "plaintext_forbidden": true}],
        "cache": [{"engine": "valkey", "version": "8.0.1", "host": "localhost", "port": 6379, "ports": [6379, 6380],
        "is_cluster": true, "ca_file": "/ca.pem", "wrong_ca_file": "/wrong.pem", "admin_user": "admin",
        "admin_password": "hush"}]}"#;

    #[test]
    fn a_server_s_debug_form_shows_no_password() {
        assert_eq!(format!("{:?}", read(TEXT).mysql), "[MySql 8.0.45 at localhost:3306]");
        assert_eq!(
            format!("{:?}", read(TEXT).cache),
            "[valkey 8.0.1 at localhost:[6379, 6380]]"
        );
    }

    #[test]
    fn both_administrators_are_named() {
        assert_eq!(read(TEXT).mysql[0].admins(), ["admin", "plain"]);
    }

    #[test]
    fn a_file_without_servers_lists_none() {
        let servers = read(r#"{"aws": {}}"#);
        assert!(servers.mysql.is_empty() && servers.cache.is_empty());
    }

    #[test]
    fn a_release_line_that_is_demanded_and_does_not_run_is_named() {
        let servers = read(TEXT).mysql;
        assert_eq!(missing("", &servers), Vec::<&str>::new());
        assert_eq!(missing("8.0 8", &servers), Vec::<&str>::new());
        assert_eq!(missing("8.0 9 8.04", &servers), ["9", "8.04"]);
    }

    #[test]
    fn the_running_servers_are_found() {
        for server in mysql() {
            assert!(server.ca_file.is_file(), "{server:?}");
        }
        for server in caches() {
            assert!(server.ca_file.is_file() && !server.ports.is_empty(), "{server:?}");
        }
    }
}
