//! The other side: S3's place for responses and Lambda's API, on one loopback port.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the address answers to a PUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// This HTTP status, at once.
    Status(u16),
    /// 200, after a while.
    After(Duration),
    /// The connection is closed without an answer.
    HangUp,
    /// The request is read and never answered; the connection stays open until the other side has had enough.
    Silence,
}

/// One PUT as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Path and query.
    pub target: String,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Put {
    /// The value of a header, if there is one of that (lower-case) name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Seen {
    puts: Vec<Put>,
    invocations: Vec<Value>,
}

pub(super) struct Server {
    address: String,
    seen: Arc<Mutex<Seen>>,
    accepting: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(replies: Vec<Reply>, denied: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let theirs = Arc::clone(&seen);
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&theirs), replies.clone(), denied));
            }
        });
        Self {
            address: format!("http://127.0.0.1:{port}"),
            seen,
            accepting,
        }
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    pub(super) fn seen(self) -> (Vec<Put>, Vec<Value>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut seen.puts), std::mem::take(&mut seen.invocations))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One request a connection: the answer closes it.
async fn serve(mut connection: TcpStream, seen: Arc<Mutex<Seen>>, replies: Vec<Reply>, denied: bool) {
    let Some((method, put)) = read(&mut connection).await else {
        return;
    };
    let reply = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if method == "PUT" {
            seen.puts.push(put);
            replies.get(seen.puts.len() - 1).copied().unwrap_or(Reply::Status(200))
        } else {
            seen.invocations
                .push(serde_json::from_str(&put.body).unwrap_or_default());
            Reply::Status(if denied { 403 } else { 202 })
        }
    };
    let status = match reply {
        Reply::Status(status) => status,
        Reply::After(pause) => {
            tokio::time::sleep(pause).await;
            200
        }
        Reply::HangUp => return,
        Reply::Silence => {
            // Nothing more is sent before the end of the connection, however that is made.
            let _ = connection.read_u8().await;
            return;
        }
    };
    // Lambda names its errors in a header; S3's are not read.
    let kind = if status == 403 {
        "x-amzn-errortype: AccessDeniedException\r\n"
    } else {
        ""
    };
    let answer = format!("HTTP/1.1 {status} Answer\r\n{kind}content-length: 0\r\nconnection: close\r\n\r\n");
    // Whoever hung up meanwhile wants no answer.
    let _ = connection.write_all(answer.as_bytes()).await;
}

async fn read(connection: &mut TcpStream) -> Option<(String, Put)> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.and_then(|(_, value)| value.parse().ok())?;
    while bytes.len() < head_end + 4 + length {
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&bytes[head_end + 4..]).into_owned();
    Some((method, Put { target, headers, body }))
}

fn header((name, value): (&str, &str)) -> (String, String) {
    (name.to_ascii_lowercase(), value.trim().to_owned())
}
