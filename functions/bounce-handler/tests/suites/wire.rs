//! A wire between the function and the server that breaks at a chosen moment: the server sees what it sees when a
//! function is killed, and the function what it sees when the server dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// When the wire breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Before this request reaches the server; they are counted from 1 over all connections.
    Before(u32),
    /// After this request reached the server: whether it was carried out, the function does not learn.
    After(u32),
    /// As [`Cut::After`], and for two seconds every new connection ends at once.
    Away(u32),
}

/// As long as a server takes to start again.
const AWAY: Duration = Duration::from_secs(2);

/// A wire to `host:port`; its own port. It breaks once, then holds.
pub async fn wire(host: String, port: u16, cut: Cut) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind(("localhost", 0)).await.expect("a port");
    let own = listener.local_addr().expect("an address").port();
    let requests = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        let mut away: Option<Instant> = None;
        while let Ok((client, _)) = listener.accept().await {
            if matches!(cut, Cut::Away(number) if seen.load(Ordering::SeqCst) >= number)
                && away.get_or_insert_with(Instant::now).elapsed() < AWAY
            {
                continue;
            }
            let server = TcpStream::connect((host.as_str(), port)).await.expect("the server");
            tokio::spawn(carry(client, server, cut, Arc::clone(&seen)));
        }
    });
    (own, requests)
}

/// Each side says something and waits for the other, so that what comes in one piece from the client is one request.
async fn carry(mut client: TcpStream, mut server: TcpStream, cut: Cut, requests: Arc<AtomicU32>) {
    let (mut from_client, mut from_server) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut answered = true;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(length @ 1..) = read else { return };
                let number = requests.load(Ordering::SeqCst) + u32::from(answered);
                requests.store(number, Ordering::SeqCst);
                if answered && cut == Cut::Before(number) {
                    return;
                }
                answered = false;
                if server.write_all(&from_client[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Ok(length @ 1..) = read else { return };
                let number = requests.load(Ordering::SeqCst);
                if [Cut::After(number), Cut::Away(number)].contains(&cut) && !answered {
                    return;
                }
                answered = true;
                if client.write_all(&from_server[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
