//! Connections to every real server: what is believed, what is refused, and how each failure is told.

use std::time::Duration;

use crate::common::{admin, admin_connection, authority, connector};
use database::{Authority, Connection, Connector, Credentials, Error, Patience};
use local_servers::MySql;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// The capability bit of MySQL's greeting that offers TLS, and where its lower two bytes stand: after the packet's
/// head, the protocol's version, the server's version with its closing zero, a thread's id, a salt and a zero.
const CLIENT_SSL: u8 = 0x08;
const AFTER_VERSION: usize = 4 + 8 + 1;
/// How long the client's request for TLS is, with its packet's head.
const SSL_REQUEST: usize = 4 + 32;
/// TLS's type of a record that is part of a handshake, and of the message that opens it.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

async fn refused(connector: &Connector, credentials: &Credentials) -> Error {
    connector.connect(credentials).await.expect_err("it must be refused")
}

#[tokio::test]
async fn a_connection_is_encrypted_and_tells_the_server_s_version() {
    for server in local_servers::mysql() {
        let mut connection = admin_connection(&server, &server.admin_user).await;
        assert!(
            connection.version().starts_with(&server.version),
            "{server:?}: {}",
            connection.version()
        );
        assert_eq!(connection.user(), server.admin_user);
        let cipher: Option<(String, String)> = connection
            .first("SHOW STATUS LIKE 'Ssl_cipher'", ())
            .await
            .expect("a row");
        assert!(
            cipher.is_some_and(|(_, cipher)| cipher.starts_with("TLS_")),
            "{server:?}"
        );
        connection.close().await;
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    for server in local_servers::mysql() {
        let wrong = Authority::from_file(&server.wrong_ca_file).expect("the wrong authority");
        for authority in [wrong, Authority::rds()] {
            let error = refused(
                &Connector::new(&server.host, server.port, authority),
                &admin(&server, "admin"),
            )
            .await;
            assert!(matches!(error, Error::Tls { .. }), "{server:?}: {error:?}");
            assert!(!error.is_transient());
        }
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    for server in local_servers::mysql() {
        let relay = relay_to(&server, false).await;
        let credentials = admin(&server, &server.admin_user);
        let right_name = Connector::new("127.0.0.1", relay, authority(&server))
            .connect(&credentials)
            .await;
        right_name.expect("the certificate names 127.0.0.1").close().await;
        let error = refused(&Connector::new("127.0.0.2", relay, authority(&server)), &credentials).await;
        let Error::Tls { reason, .. } = &error else {
            panic!("{server:?}: {error:?}")
        };
        let expected = "invalid peer certificate: certificate not valid for name \"127.0.0.2\"";
        assert!(reason.starts_with(expected), "{server:?}: {reason}");
    }
}

/// A server that wants keys of another kind asks for a second greeting, a round trip later.
#[tokio::test]
async fn keys_are_agreed_upon_at_the_first_greeting() {
    for server in local_servers::mysql() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let upstream = server.clone();
        let sent = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.expect("the driver");
            let mut upstream = TcpStream::connect((upstream.host.as_str(), upstream.port))
                .await
                .expect("the server");
            let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
                (client.split(), upstream.split());
            let (mut sent, mut bytes) = (Vec::new(), [0; 4096]);
            let sending = async {
                while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
                    sent.extend_from_slice(&bytes[..length]);
                    to_server.write_all(&bytes[..length]).await.expect("the server listens");
                }
                let _ = to_server.shutdown().await;
            };
            let answering = tokio::io::copy(&mut from_server, &mut to_client);
            let _ = tokio::join!(sending, answering);
            sent
        });
        let connector = Connector::new("localhost", port, authority(&server));
        let connection = connector.connect(&admin(&server, &server.admin_user)).await;
        connection.expect("a connection").close().await;
        let records = records(&sent.await.expect("what the driver sent")[SSL_REQUEST..]);
        let greetings = records
            .iter()
            .filter(|(kind, first)| (*kind, *first) == (HANDSHAKE, CLIENT_HELLO));
        assert_eq!(greetings.count(), 1, "{server:?}: {records:?}");
    }
}

/// TLS's records in what was sent, each as its type and the first byte in it.
fn records(mut sent: &[u8]) -> Vec<(u8, u8)> {
    let mut records = Vec::new();
    while let [kind, _, _, high, low, body @ ..] = sent {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        records.push((*kind, body[0]));
        sent = &body[length..];
    }
    records
}

#[tokio::test]
async fn a_server_that_seems_to_offer_no_tls_never_sees_the_password() {
    for server in local_servers::mysql() {
        let relay = relay_to(&server, true).await;
        let connector = Connector::new("localhost", relay, authority(&server));
        let error = refused(&connector, &admin(&server, "admin")).await;
        assert_eq!(
            error.to_string(),
            format!(
                "localhost:{relay} cannot be trusted (the server offers no TLS); its certificate must name this very host and \
                 come from RDS's authorities, or from those that this function was told to trust instead"
            )
        );
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_from_all_other_failures() {
    for server in local_servers::mysql() {
        let credentials = Credentials::new(&server.admin_user, "not it".to_owned().into());
        let error = refused(&connector(&server), &credentials).await;
        assert_eq!(
            error.to_string(),
            format!(
                "localhost:{} does not let user `admin` in (MySQL error 1045: Access denied for user \
                 'admin'@'localhost' (using password: YES)); the secret must hold the user's present password",
                server.port
            )
        );
    }
}

/// MySQL asks some unknown users for a plugin that the driver does not speak; among thirty names there are such.
#[tokio::test]
async fn an_unknown_user_is_told_as_a_wrong_password_is() {
    for server in local_servers::mysql() {
        for number in 0..30 {
            let unknown = Credentials::new(&format!("nobody-{number}"), "secret".to_owned().into());
            let error = refused(&connector(&server), &unknown).await;
            assert!(matches!(error, Error::Authentication { .. }), "{server:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_missing_right_is_told_apart() {
    for server in local_servers::mysql() {
        let mut connection = admin_connection(&server, &server.admin_user).await;
        let error = connection
            .run("SET GLOBAL sql_mode = ''")
            .await
            .expect_err("the master user may not");
        assert!(matches!(error, Error::Permission { .. }), "{server:?}: {error:?}");
        assert!(!error.is_transient());
        connection.close().await;
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_apart() {
    let connector = Connector::new("no-such-server.invalid", 3306, Authority::rds());
    let error = refused(&connector, &Credentials::new("admin", "unused".to_owned().into())).await;
    let Error::Dns { host, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(host, "no-such-server.invalid");
}

#[tokio::test]
async fn a_closed_port_is_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = free.local_addr().expect("its address").port();
    drop(free);
    let error = refused(
        &Connector::new("127.0.0.1", port, Authority::rds()),
        &Credentials::new("a", "b".to_owned().into()),
    )
    .await;
    assert_eq!(
        error.to_string(),
        format!(
            "no connection to 127.0.0.1:{port} (Connection refused (os error 111)); check that the server runs, and that its \
             security group admits the function on this port"
        )
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_server_that_comes_up_before_the_deadline_is_awaited() {
    let server = local_servers::mysql().remove(0);
    let relay = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = relay.local_addr().expect("its address");
    drop(relay);
    let late = server.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        serve(TcpListener::bind(address).await.expect("the same port"), late, false).await;
    });
    let connector = Connector::new("localhost", address.port(), authority(&server));
    let deadline = Instant::now() + Duration::from_secs(20);
    let connection = connect_before(deadline, &connector, &admin(&server, &server.admin_user)).await;
    connection.expect("it came up").close().await;
}

/// As a function connects: again and again while the failure may pass.
async fn connect_before(
    deadline: Instant,
    connector: &Connector,
    credentials: &Credentials,
) -> Result<Connection, Error> {
    let mut patience = Patience::until(deadline);
    loop {
        match connector.connect(credentials).await {
            Err(error) if error.is_transient() && patience.wait().await => {}
            other => return other,
        }
    }
}

/// A relay in front of a real server, on every loopback address; it may hide that the server offers TLS.
async fn relay_to(server: &MySql, hide_tls: bool) -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(serve(listener, server.clone(), hide_tls));
    port
}

async fn serve(listener: TcpListener, server: MySql, hide_tls: bool) {
    while let Ok((mut client, _)) = listener.accept().await {
        let mut upstream = TcpStream::connect((server.host.as_str(), server.port))
            .await
            .expect("the server");
        tokio::spawn(async move {
            let mut greeting = vec![0; 1024];
            let length = upstream.read(&mut greeting).await.expect("a greeting");
            if hide_tls {
                let version = greeting[5..]
                    .iter()
                    .position(|byte| *byte == 0)
                    .expect("the version's end");
                greeting[5 + version + 1 + AFTER_VERSION + 1] &= !CLIENT_SSL;
            }
            client.write_all(&greeting[..length]).await.expect("a client");
            if hide_tls {
                let mut answer = Vec::new();
                let _ = client.read_to_end(&mut answer).await;
                assert_eq!(answer, b"", "the client went on without TLS");
            } else {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
            }
        });
    }
}
