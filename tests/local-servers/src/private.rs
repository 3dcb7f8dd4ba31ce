//! MySQL servers of a test's own, which it may restart: those of `make servers` serve other tests at the same time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{MySql, project, read};

/// One server of each version, durable as RDS's are. They end with this value.
#[derive(Debug)]
pub struct Private {
    state: PathBuf,
    servers: Vec<MySql>,
    /// Held as long as the servers run; the kernel lets go of it when the process ends.
    _lock: File,
}

impl Private {
    /// Starts them below `.local/private/NAME`, and ends before what a run that was killed may have left there.
    ///
    /// # Panics
    /// If they do not start; the panic says why.
    #[must_use]
    pub fn start(name: &str) -> Self {
        let home = project().join(".local/private");
        fs::create_dir_all(&home).expect("a folder below .local");
        let lock = File::create(home.join(format!("{name}.lock"))).expect("a lock file");
        lock.lock().expect("a lock");
        let state = home.join(name);
        call(&state, &["stop"]);
        call(&state, &["start", "--borrow", "--durable"]);
        let listed = fs::read_to_string(state.join("servers.json")).expect("what was started");
        Self {
            servers: read(&listed).mysql,
            state,
            _lock: lock,
        }
    }

    /// The servers.
    #[must_use]
    pub fn servers(&self) -> &[MySql] {
        &self.servers
    }

    /// Lets a server end in order, and start again with its data and its port: as an instance that is rebooted.
    ///
    /// # Panics
    /// If it does not come back.
    pub fn restart(&self, server: &MySql) {
        call(&self.state, &["restart", &server.version]);
    }

    /// Kills a server, and starts it again likewise: as an instance whose machine has died.
    ///
    /// # Panics
    /// If it does not come back.
    pub fn crash(&self, server: &MySql) {
        call(&self.state, &["restart", &server.version, "--crash"]);
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        call(&self.state, &["stop"]);
    }
}

/// `python -m local_aws.mysql`.
fn call(state: &Path, words: &[&str]) {
    let mut command = Command::new(project().join(".local/venv/bin/python3"));
    command
        .args(["-m", "local_aws.mysql", "--state"])
        .arg(state)
        .args(words)
        .env("PYTHONPATH", project().join("tests/local-aws"));
    let done = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: run `make servers` first"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {said}");
}
