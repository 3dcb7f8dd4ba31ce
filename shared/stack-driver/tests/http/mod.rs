//! A request as the servers of these tests read it.

use tokio::io::AsyncReadExt;

/// Reads one request: its first line and its headers, and its body.
pub async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> (String, String) {
    let mut data = Vec::new();
    loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.expect("read");
        data.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&data).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, value)| value.parse().expect("a length"));
        if body.len() >= length {
            return (head.to_owned(), body.to_owned());
        }
    }
}
