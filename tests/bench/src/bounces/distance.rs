//! A network's distance on loopback: a relay whose bytes arrive half a round trip after they were sent.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// As much as a socket gives at once.
const PIECE: usize = 64 * 1024;

/// The way to a server that is some distance off. What follows one after the other is on its way together, as in a network:
/// the relay delays, it does not slow down. Its threads end with their connections, the listening one with the process.
#[derive(Debug, Clone, Copy)]
pub struct Relay {
    port: u16,
}

impl Relay {
    /// Listens on a free port of 127.0.0.1 and relays to another.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(to: u16, round_trip: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || {
            // A caller that is gone already, or a server that refuses, shows at the caller's end.
            for near in listener.incoming().flatten() {
                drop(TcpStream::connect((Ipv4Addr::LOCALHOST, to)).and_then(|far| join(&near, &far, round_trip / 2)));
            }
        });
        Ok(Self { port })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(self) -> u16 {
        self.port
    }
}

fn join(near: &TcpStream, far: &TcpStream, delay: Duration) -> io::Result<()> {
    for (from, to) in [(near, far), (far, near)] {
        from.set_nodelay(true)?;
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        let (sent, arriving) = channel();
        thread::spawn(move || read(from, &sent, delay));
        thread::spawn(move || deliver(&arriving, to));
    }
    Ok(())
}

/// Whatever comes, with the time at which it arrives.
fn read(mut from: TcpStream, sent: &Sender<(Instant, Vec<u8>)>, delay: Duration) {
    let mut piece = vec![0; PIECE];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if sent.send((Instant::now() + delay, piece[..length].to_vec())).is_err() {
            return;
        }
    }
}

/// Hands on what has arrived; the end of one direction is the end of it for the other side.
fn deliver(arriving: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (due, bytes) in arriving {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    // Whoever is gone already has shut it down himself.
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(5);

    /// A server that says everything again, and the way to it.
    fn echo() -> TcpStream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("its address").port();
        thread::spawn(move || {
            let (mut near, mut far) = listener
                .accept()
                .map(|(one, _)| (one.try_clone().expect("a clone"), one))?;
            io::copy(&mut near, &mut far)?;
            far.shutdown(Shutdown::Write)
        });
        let relay = Relay::start(port, ROUND_TRIP).expect("a port");
        TcpStream::connect((Ipv4Addr::LOCALHOST, relay.port())).expect("the relay")
    }

    #[test]
    fn an_answer_takes_a_round_trip() {
        let mut stream = echo();
        let began = Instant::now();
        for _ in 0..10 {
            stream.write_all(b"x").expect("sent");
            stream.read_exact(&mut [0]).expect("an answer");
        }
        assert!(began.elapsed() >= 10 * ROUND_TRIP, "{:?}", began.elapsed());
    }

    #[test]
    fn nothing_is_lost_and_the_end_arrives() {
        let mut stream = echo();
        let text: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut writing = stream.try_clone().expect("a clone");
        let sent = text.clone();
        let writer = thread::spawn(move || {
            writing.write_all(&sent)?;
            writing.shutdown(Shutdown::Write)
        });
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("all of it");
        writer.join().expect("no panic").expect("sent");
        assert_eq!(answer, text);
    }
}
