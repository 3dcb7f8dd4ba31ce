//! The smallest HTTP/1.1 server that the SDKs accept: one request at a time a connection, bodies by Content-Length.
//! With TLS or without.

use std::future::Future;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a client sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, upper-case.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// The header `X-Amz-Target` of AWS's JSON protocols, else empty.
    pub operation: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What the client gets.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers besides Content-Length.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// A 200 with a body.
    pub fn ok(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Another status with a body.
    pub fn status(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            ..Self::ok(body)
        }
    }

    /// The same with one header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn to_bytes(&self) -> Vec<u8> {
        let headers: Vec<String> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let (status, length) = (self.status, self.body.len());
        format!(
            "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n{}\r\n{}",
            headers.concat(),
            self.body
        )
        .into_bytes()
    }
}

/// Answers every request on `listener` with `answer`, until the runtime ends; a connection whose answer is `None` is closed.
///
/// # Errors
/// When the listener fails to accept.
pub async fn serve<F, A>(listener: TcpListener, tls: Option<TlsAcceptor>, answer: F) -> io::Result<()>
where
    F: Fn(Request) -> A + Send + Sync + 'static,
    A: Future<Output = Option<Response>> + Send,
{
    let answer = Arc::new(answer);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (answer, tls) = (Arc::clone(&answer), tls.clone());
        tokio::spawn(async move {
            match tls {
                Some(tls) => connection(tls.accept(stream).await?, &*answer).await,
                None => connection(stream, &*answer).await,
            }
        });
    }
}

async fn connection<S, F, A>(stream: S, answer: &F) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Request) -> A,
    A: Future<Output = Option<Response>>,
{
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await? {
        let Some(response) = answer(request).await else {
            break;
        };
        stream.get_mut().write_all(&response.to_bytes()).await?;
        stream.get_mut().flush().await?;
    }
    Ok(())
}

async fn read(stream: &mut BufReader<impl AsyncRead + Unpin>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut length, mut operation) = (0, String::new());
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            "x-amz-target" => value.trim().clone_into(&mut operation),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(Request {
        method,
        target,
        operation,
        body,
    }))
}
