//! The SMTP server of the local AWS, as a process.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

pub struct SmtpServer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub host: String,
    pub port: u16,
    pub ca_file: PathBuf,
    pub wrong_ca_file: PathBuf,
}

impl SmtpServer {
    pub fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut process = Command::new(root.join(".local/venv/bin/python3"))
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp_server.py"))
            .env("PYTHONPATH", root.join("tests/local-aws"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONWARNINGS", "ignore")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the project's Python: run `make servers` first");
        let input = process.stdin.take().expect("a pipe");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("the server's address");
        let address: Value = serde_json::from_str(&line).expect("the server's address");
        let text = |name: &str| address[name].as_str().expect("a text").to_owned();
        Self {
            host: text("host"),
            port: address["port"]
                .as_u64()
                .and_then(|port| port.try_into().ok())
                .expect("a port"),
            ca_file: text("ca_file").into(),
            wrong_ca_file: text("wrong_ca_file").into(),
            process,
            input,
            output,
        }
    }

    pub fn allow(&mut self, key: &str, password: &str) {
        self.tell(&json!({"allow": key, "password": password}));
    }

    pub fn deny(&mut self, key: &str) {
        self.tell(&json!({"deny": key}));
    }

    /// Stops to listen, or listens at the same port again.
    pub fn listen(&mut self, listens: bool) {
        self.tell(&json!({"listen": listens}));
    }

    fn tell(&mut self, command: &Value) {
        writeln!(self.input, "{command}").expect("the server reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the server answers");
        assert_eq!(line, "ok\n");
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // Both fail only where it has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
