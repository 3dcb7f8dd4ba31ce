//! Servers that say too much, too little or nothing. Real ones, with their certificates, are those of the tests of
//! rotate-cache and rotate-smtp.

use tokio::net::TcpListener;

use super::*;

/// Longer than any line.
static ENDLESS: [u8; 10_000] = [b'x'; 10_000];

/// A server that says this, and then waits.
async fn saying(words: &'static [u8]) -> Lines<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(words).await.unwrap();
    });
    Lines::connect("127.0.0.1", port).await.unwrap()
}

#[tokio::test]
async fn lines_come_one_by_one_without_their_ends() {
    let mut lines = saying(b"220 one\r\n250 two\n").await;
    assert_eq!(lines.read().await.unwrap(), "220 one");
    assert_eq!(lines.read().await.unwrap(), "250 two");
}

#[tokio::test]
async fn a_line_that_does_not_end_is_no_line() {
    let mut lines = saying(b"220 on").await;
    let error = lines.read().await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "no conversation with {} (it ended the conversation amid a line); check that it runs, and that its security group \
             and the network admit the function",
            lines.address()
        )
    );
    assert!(saying(&ENDLESS).await.read().await.is_err());
}

#[tokio::test]
async fn what_was_slipped_in_before_tls_is_not_taken_for_the_server_s_own() {
    let mut lines = saying(b"220 go ahead\r\n250 I am trusted\r\n").await;
    lines.read().await.unwrap();
    let address = lines.address().to_owned();
    let error = lines.secure(&Trust::public()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{address} cannot be trusted (it went on in the clear where TLS was to begin); its certificate must name this very \
             host and come from an authority that is believed"
        )
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_trusted() {
    let lines = saying(b"").await;
    let error = lines.secure(&Trust::public()).await.unwrap_err();
    assert!(matches!(error, Error::Network { .. }), "{error}");
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_a_matter_of_the_network() {
    let error = Lines::connect("127.0.0.1", 1).await.unwrap_err().to_string();
    assert!(error.starts_with("no conversation with 127.0.0.1:1 ("), "{error}");
}

#[test]
fn a_file_without_an_authority_is_named() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let error = Trust::from_file(&path).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "the certificate authorities in `{}` cannot be used (it holds no certificate in PEM form); name a PEM file that \
             holds at least one",
            path.display()
        )
    );
}
