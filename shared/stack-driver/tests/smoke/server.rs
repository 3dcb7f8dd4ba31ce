//! An HTTPS server that answers as it is told, with a certificate by an authority of its own.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use stack_driver::smoke::administrator::Administrator;
use stack_driver::smoke::site::{Route, Site};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// The site's name, which is in no DNS: the route alone leads to it.
pub const NAME: &str = "mautic.example.com";

/// The administrator's password, which may stand nowhere but in a header.
pub const PASSWORD: &str = "Planted5ecret";

/// Who signs in.
pub fn administrator() -> Administrator {
    Administrator {
        username: "admin".to_owned(),
        password: PASSWORD.into(),
    }
}

/// An answer to the requests that begin with a method and a path.
#[derive(Debug, Clone)]
pub struct Told {
    to: &'static str,
    status: u16,
    header: String,
    body: String,
}

/// A page.
pub fn page(to: &'static str, status: u16, body: &str) -> Told {
    Told {
        to,
        status,
        header: "Content-Type: text/html".to_owned(),
        body: body.to_owned(),
    }
}

/// A redirection.
pub fn redirection(to: &'static str, location: &str) -> Told {
    Told {
        header: format!("Location: {location}"),
        ..page(to, 302, "")
    }
}

/// An answer of the API.
pub fn api(to: &'static str, status: u16, body: &Value) -> Told {
    Told {
        header: "Content-Type: application/json".to_owned(),
        ..page(to, status, &body.to_string())
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Method, path and query.
    pub what: String,
    /// The header lines.
    pub head: String,
    /// The body.
    pub body: String,
}

/// A server that runs until the test ends.
pub struct Server {
    /// How it is reached.
    pub route: Route,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Serves with a certificate for this name.
    pub async fn certified_for(name: &str, told: Vec<Told>) -> Self {
        let authority = authority();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let acceptor = TlsAcceptor::from(Arc::new(configuration(&authority, name)));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Who does not trust the certificate leaves during the handshake.
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let request = read(&mut stream).await;
                    let text = answer(&told, &request);
                    seen.lock().expect("no panic").push(request);
                    stream.write_all(text.as_bytes()).await.expect("written");
                    stream.shutdown().await.expect("ended");
                }
            }
        });
        let ca_file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("authority-{}.pem", address.port()));
        std::fs::write(&ca_file, authority.pem()).expect("a file");
        let route = Route {
            site: None,
            connect_to: Some(address.to_string()),
            ca_file: Some(ca_file),
        };
        Self { route, asked }
    }

    /// Serves as the site.
    pub async fn start(told: Vec<Told>) -> Self {
        Self::certified_for(NAME, told).await
    }

    /// The site, as the smoke test reaches it.
    pub async fn site(&self) -> Site {
        Site::open(&format!("https://{NAME}"), &self.route)
            .await
            .expect("a site")
    }

    /// What was asked, in its order.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }

    /// Methods and paths alone.
    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|one| one.what).collect()
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("an authority")
}

fn configuration(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> ServerConfig {
    let key = KeyPair::generate().expect("a key");
    let parameters = CertificateParams::new([name.to_owned()]).expect("a name");
    let certificate = parameters.signed_by(&key, authority).expect("a certificate");
    let private = PrivatePkcs8KeyDer::from(key.serialize_der());
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private.into())
        .expect("a configuration")
}

async fn read(stream: &mut (impl AsyncReadExt + Unpin)) -> Asked {
    let mut data = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.expect("read");
        data.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&data).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let (first, head) = head.split_once("\r\n").unwrap_or((head, ""));
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, value)| value.parse().expect("a length"));
        if body.len() >= length {
            return Asked {
                what: first.trim_end_matches(" HTTP/1.1").to_owned(),
                head: head.to_owned(),
                body: body.to_owned(),
            };
        }
    }
}

fn answer(told: &[Told], request: &Asked) -> String {
    let fits = |one: &&Told| request.what.starts_with(one.to);
    let told = told
        .iter()
        .find(fits)
        .unwrap_or_else(|| panic!("nothing answers {}", request.what));
    format!(
        "HTTP/1.1 {} X\r\n{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        told.status,
        told.header,
        told.body.len(),
        told.body
    )
}
