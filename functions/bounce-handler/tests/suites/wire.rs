//! A wire between the function and the server that breaks at a chosen moment: the server sees what it sees when a
//! function is killed, and the function what it sees when the server dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::world::World;

/// When the wire breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Never,
    /// Before this request reaches the server; they are counted from 1 over all connections.
    Before(u32),
    /// After this request reached the server: whether it was carried out, the function does not learn.
    After(u32),
    /// As [`Cut::After`], and for two seconds every new connection ends at once.
    Away(u32),
    /// As [`Cut::After`], but nobody tells the function: the connection stays, and nothing comes.
    Silent(u32),
}

/// As long as a server takes to start again.
const AWAY: Duration = Duration::from_secs(2);

/// A wire to a server. It breaks once, then holds.
pub struct Wire {
    pub port: u16,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: AtomicU32,
    connections: AtomicU32,
    broken: Notify,
}

impl Wire {
    pub async fn to(world: &World, cut: Cut) -> Self {
        let (host, port) = (world.server.host.clone(), world.server.port);
        let listener = TcpListener::bind(("localhost", 0)).await.expect("a port");
        let own = listener.local_addr().expect("an address").port();
        let seen = Arc::<Seen>::default();
        let theirs = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut away: Option<Instant> = None;
            while let Ok((client, _)) = listener.accept().await {
                if matches!(cut, Cut::Away(number) if theirs.requests.load(Ordering::SeqCst) >= number)
                    && away.get_or_insert_with(Instant::now).elapsed() < AWAY
                {
                    continue;
                }
                theirs.connections.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect((host.as_str(), port)).await.expect("the server");
                tokio::spawn(carry(client, server, cut, Arc::clone(&theirs)));
            }
        });
        Self { port: own, seen }
    }

    /// How many requests went over it.
    pub fn requests(&self) -> u32 {
        self.seen.requests.load(Ordering::SeqCst)
    }

    /// How many connections were made over it.
    pub fn connections(&self) -> u32 {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Waits for the wire to break.
    pub async fn broken(&self) {
        self.seen.broken.notified().await;
    }
}

/// Each side says something and waits for the other, so that what comes in one piece from the client is one request.
async fn carry(mut client: TcpStream, mut server: TcpStream, cut: Cut, seen: Arc<Seen>) {
    let (mut from_client, mut from_server) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut answered = true;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(length @ 1..) = read else { return };
                let number = seen.requests.fetch_add(u32::from(answered), Ordering::SeqCst) + u32::from(answered);
                if answered && cut == Cut::Before(number) {
                    break;
                }
                answered = false;
                if server.write_all(&from_client[..length]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Ok(length @ 1..) = read else { return };
                let number = seen.requests.load(Ordering::SeqCst);
                if [Cut::After(number), Cut::Away(number), Cut::Silent(number)].contains(&cut) && !answered {
                    break;
                }
                answered = true;
                if client.write_all(&from_server[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
    drop(server);
    seen.broken.notify_one();
    if matches!(cut, Cut::Silent(_)) {
        while let Ok(1..) = client.read(&mut from_client).await {}
    }
}
