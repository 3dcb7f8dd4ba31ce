//! Against TLS servers on loopback, whose certificates are made for the occasion.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_smithy_types::body::SdkBody;
use http_body_util::Full;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;

/// Beyond the life of this code.
const LATER: i32 = 2100;
/// Gives another process the address to ask.
const ADDRESS: &str = "TRUST_TEST_ADDRESS";

/// A certificate authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { pem, issuer }
    }

    fn store(&self) -> TrustStore {
        TrustStore::empty().with_pem_certificate(self.pem.as_str())
    }

    /// A server with a certificate of this authority, for this host name and good until the end of this year.
    async fn server(&self, host: &str, year: i32) -> Server {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 12, 31);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Server::start(TlsAcceptor::from(Arc::new(config.unwrap()))).await
    }
}

/// Answers every request with 200.
struct Server {
    address: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

impl Server {
    async fn start(tls: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let seen = Arc::new(Seen::default());
        let theirs = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                theirs.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, tls.clone(), Arc::clone(&theirs)));
            }
        });
        Self { address, seen }
    }

    fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// What arrived, each as its request line and its body.
    fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, tls: TlsAcceptor, seen: Arc<Seen>) -> io::Result<()> {
    let mut stream = tls.accept(stream).await?;
    let mut received = Vec::new();
    while stream.read_buf(&mut received).await? > 0 {
        let text = String::from_utf8_lossy(&received).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.ends_with('.')) {
            let line = head.lines().next().unwrap_or_default();
            seen.requests.lock().unwrap().push(format!("{line} {body}"));
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await?;
            received.clear();
        }
    }
    Ok(())
}

/// Sends a text that ends with a full stop; the status, or the whole chain of what went wrong.
async fn put(connector: &impl HttpConnector, address: &str, body: &str) -> Result<u16, String> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("PUT").unwrap();
    request.set_uri(address).unwrap();
    match connector.call(request).await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) => Err(
            std::iter::successors(Some(&error as &dyn Error), |&error| error.source())
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(": "),
        ),
    }
}

fn in_turn(few: &Authority, others: &Authority) -> InTurn {
    let everyone = few.store().with_pem_certificate(others.pem.as_str());
    InTurn::new(trusting(few.store()), everyone)
}

fn others_were_read(connector: &InTurn) -> bool {
    connector.0.all.get().is_some()
}

async fn refused(connector: &InTurn, server: &Server) -> String {
    let error = put(connector, &server.address, "a secret.").await.unwrap_err();
    assert_eq!(server.requests(), [""; 0], "nothing was sent");
    error
}

#[tokio::test]
async fn a_certificate_of_the_few_needs_nobody_else() {
    let (few, others) = (Authority::new("few"), Authority::new("others"));
    let server = few.server("localhost", LATER).await;
    let connector = in_turn(&few, &others);
    for body in ["one.", "two."] {
        assert_eq!(put(&connector, &server.address, body).await, Ok(200));
    }
    assert_eq!(server.requests(), ["PUT / HTTP/1.1 one.", "PUT / HTTP/1.1 two."]);
    assert!(!others_were_read(&connector));
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_looked_up_and_the_request_arrives_once() {
    // The same name with another key: such a certificate fails by its signature.
    for name in ["others", "few"] {
        let (few, others) = (Authority::new("few"), Authority::new(name));
        let server = others.server("localhost", LATER).await;
        let connector = in_turn(&few, &others);
        for body in ["one.", "two."] {
            assert_eq!(put(&connector, &server.address, body).await, Ok(200), "{name}");
        }
        assert_eq!(server.requests(), ["PUT / HTTP/1.1 one.", "PUT / HTTP/1.1 two."]);
        assert_eq!(
            server.connections(),
            2,
            "one that was refused, and one for both requests"
        );
        // Whom the few vouch for is still believed.
        let server = few.server("localhost", LATER).await;
        assert_eq!(put(&connector, &server.address, "three.").await, Ok(200), "{name}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_certificate_of_no_authority_is_refused() {
    for name in ["nobody", "few", "others"] {
        let (few, others) = (Authority::new("few"), Authority::new("others"));
        let server = Authority::new(name).server("localhost", LATER).await;
        let error = refused(&in_turn(&few, &others), &server).await;
        let expected = match name {
            "nobody" => "invalid peer certificate: UnknownIssuer",
            _ => "invalid peer certificate: BadSignature",
        };
        assert!(error.ends_with(expected), "{name}: {error}");
        assert_eq!(server.connections(), 2, "{name}: all were asked");
    }
}

#[tokio::test]
async fn a_certificate_for_another_host_or_of_the_past_is_refused_whoever_signed_it() {
    let (few, others) = (Authority::new("few"), Authority::new("others"));
    for authority in [&few, &others] {
        for (host, year, expected) in [
            ("example.org", LATER, "certificate not valid for name \"localhost\""),
            ("localhost", 2020, "certificate expired"),
        ] {
            let server = authority.server(host, year).await;
            let error = refused(&in_turn(&few, &others), &server).await;
            assert!(error.contains(expected), "{host}, {year}: {error}");
        }
    }
}

#[tokio::test]
async fn what_has_nothing_to_do_with_certificates_reads_nobody_else() {
    let (few, others) = (Authority::new("few"), Authority::new("others"));
    let connector = in_turn(&few, &others);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/", listener.local_addr().unwrap());
    let hang_up = tokio::spawn(async move { listener.accept().await.map(drop) });
    put(&connector, &address, "one.").await.unwrap_err();
    hang_up.await.unwrap().unwrap();
    put(&connector, &address, "two.").await.unwrap_err();
    assert!(!others_were_read(&connector));
}

#[tokio::test]
async fn a_body_that_can_be_read_once_goes_to_those_who_know_everyone() {
    let (few, others) = (Authority::new("few"), Authority::new("others"));
    let server = others.server("localhost", LATER).await;
    let mut request = HttpRequest::new(SdkBody::from_body_1_x(Full::from("once.")));
    request.set_method("PUT").unwrap();
    request.set_uri(server.address.as_str()).unwrap();
    assert!(request.try_clone().is_none());
    let response = in_turn(&few, &others).call(request).await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(server.connections(), 1);
}

/// The five are the ones that browsers know by these names, keys included.
#[test]
fn amazon_s_authorities_are_amazon_s() {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(AMAZON.as_bytes()) {
        store.add(certificate.unwrap()).unwrap();
    }
    assert_eq!(store.len(), 5);
    for root in &store.roots {
        assert!(
            webpki_roots::TLS_SERVER_ROOTS.contains(root),
            "{:?}",
            String::from_utf8_lossy(&root.subject)
        );
        let subject = String::from_utf8_lossy(&root.subject);
        assert!(
            subject.contains("Amazon Root CA ")
                || subject.contains("Starfield Services Root Certificate Authority - G2"),
            "{subject}"
        );
    }
}

/// What a process makes of a server when this variable, if any, replaces the machine's authorities. That process runs the
/// one test below, which then only tells this.
async fn outcome(server: &Server, replacement: Option<(&str, &Path)>) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["replaced_authorities_are_the_only_ones", "--nocapture"]);
    for name in REPLACEMENTS {
        command.env_remove(name);
    }
    command.envs(replacement).env(ADDRESS, &server.address);
    let output = spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = printed.lines().find_map(|line| line.strip_prefix("outcome: "));
    line.unwrap_or_else(|| panic!("{output:?}")).to_owned()
}

#[tokio::test]
async fn replaced_authorities_are_the_only_ones_and_else_amazon_s_come_before_the_machine_s() {
    if let Ok(address) = std::env::var(ADDRESS) {
        return println!("\noutcome: {:?}", put(&connector(), &address, "here.").await);
    }
    let (theirs, others) = (Authority::new("theirs"), Authority::new("others"));
    let folder = std::env::temp_dir().join(format!("trust-{}", std::process::id()));
    // A folder's files bear the hash of the subject as OpenSSL makes it; nobody checks it.
    let file = folder.join("0a1b2c3d.0");
    fs::create_dir_all(&folder).unwrap();
    fs::write(&file, &theirs.pem).unwrap();
    for replacement in [("SSL_CERT_FILE", file.as_path()), ("SSL_CERT_DIR", folder.as_path())] {
        let server = theirs.server("localhost", LATER).await;
        assert_eq!(outcome(&server, Some(replacement)).await, "Ok(200)", "{replacement:?}");
        let server = others.server("localhost", LATER).await;
        let refused = outcome(&server, Some(replacement)).await;
        assert!(refused.contains("UnknownIssuer"), "{replacement:?}: {refused}");
        assert_eq!(server.connections(), 1, "{replacement:?}: Amazon's were not tried");
    }
    fs::remove_dir_all(&folder).unwrap();
    let server = others.server("localhost", LATER).await;
    let refused = outcome(&server, None).await;
    assert!(refused.contains("UnknownIssuer"), "{refused}");
    assert_eq!(server.connections(), 2, "Amazon's, then the machine's");
}
