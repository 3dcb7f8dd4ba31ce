//! The PUT that carries the response to the signed URL.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::iter::successors;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use tokio::time::{Instant, sleep, timeout};

use crate::event::ResponseUrl;
use crate::trust::{CONNECT_TIMEOUT, connector};

/// How long one attempt may take at most, connection included.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// The bounds of the pause after a first failure; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why CloudFormation has no answer. No message shows the URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Undelivered {
    /// The URL is none.
    #[error(
        "the response could not be sent: ResponseURL is not a valid address; let only CloudFormation invoke this function"
    )]
    InvalidUrl,
    /// The other side will not have it, however often it is sent.
    #[error(
        "the response was refused with HTTP status {status}: ResponseURL has expired (after two hours), was altered, or its \
         bucket is barred to this function, by an endpoint's policy perhaps; delete or update the stack once more"
    )]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// No attempt succeeded in the time that there was.
    #[error(
        "the response could not be sent: attempt {attempts}, the last, ended with {last}; a function inside a VPC \
         needs a way to S3: a gateway endpoint or a NAT gateway, and port 443 open in its security group"
    )]
    OutOfTime {
        /// How often it was tried.
        attempts: u32,
        /// What came of the last attempt.
        last: String,
    },
}

/// Sends `body` until it is accepted, finally refused, or `deadline` has come; tells the number of attempts.
pub(crate) async fn deliver(url: &ResponseUrl, body: &str, deadline: Instant) -> Result<u32, Undelivered> {
    let connector = connector();
    let mut attempts = 0;
    let mut pause = FIRST_PAUSE;
    loop {
        attempts += 1;
        let left = deadline.saturating_duration_since(Instant::now());
        let last = match attempt(&connector, request(url, body)?, limit(left)).await {
            Ok(200..=299) => return Ok(attempts),
            Ok(status @ (429 | 500..)) => format!("HTTP status {status}"),
            Ok(status) => return Err(Undelivered::Refused { status }),
            Err(NoAnswer(what)) => what.to_owned(),
        };
        let rest = jittered(pause);
        if Instant::now() + rest >= deadline {
            return Err(Undelivered::OutOfTime { attempts, last });
        }
        tracing::warn!(
            attempts,
            result = last,
            "the response was not accepted; sending it again"
        );
        sleep(rest).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The time for an attempt while `left` is left. A server that accepts the connection and then says nothing does not get all
/// of it: half stays for another attempt, which meets another server perhaps, unless there is no more than a connection may
/// need.
fn limit(left: Duration) -> Duration {
    (left / 2).clamp(CONNECT_TIMEOUT, ATTEMPT_TIMEOUT).min(left)
}

fn request(url: &ResponseUrl, body: &str) -> Result<HttpRequest, Undelivered> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("PUT").map_err(|_| Undelivered::InvalidUrl)?;
    request.set_uri(url.expose()).map_err(|_| Undelivered::InvalidUrl)?;
    // The URL is signed for an empty content type; any other breaks the signature.
    request.headers_mut().insert("content-type", "");
    // The next answer may be hours away: a connection that died meanwhile would cost it an attempt.
    request.headers_mut().insert("connection", "close");
    Ok(request)
}

struct NoAnswer(&'static str);

async fn attempt(connector: &SharedHttpConnector, request: HttpRequest, limit: Duration) -> Result<u16, NoAnswer> {
    match timeout(limit, connector.call(request)).await {
        Ok(Ok(response)) => Ok(response.status().as_u16()),
        Ok(Err(error)) if error.is_timeout() => Err(NoAnswer("a connection that timed out")),
        Ok(Err(error)) => Err(NoAnswer(describe(&error))),
        Err(_) => Err(NoAnswer("no answer in time")),
    }
}

/// What kept a connection from being made, in fixed words: the error's own might quote the address.
fn describe(error: &(dyn Error + 'static)) -> &'static str {
    let chain = || successors(Some(error), |&error| error.source());
    let says = |word| chain().any(|error| error.to_string().contains(word));
    if says("dns error") {
        "no address for the host name"
    } else if says("certificate") {
        "a server certificate that is not trusted"
    } else {
        "no connection"
    }
}

/// Between a half and the whole of `pause`. Functions that failed together should not come back together; the standard
/// library's randomly keyed hasher is random enough for that.
fn jittered(pause: Duration) -> Duration {
    let share = RandomState::new().hash_one(0_u8) % 512;
    // At most 511 of 1,024 parts.
    pause / 2 + pause * u32::try_from(share).unwrap_or_default() / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("client error (Connect) for https://secret")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Inner(&'static str);

    #[test]
    fn what_kept_a_connection_from_being_made_is_told_in_fixed_words() {
        let told = |inner| describe(&Outer(Inner(inner)));
        let dns = "dns error: failed to lookup address information";
        assert_eq!(told(dns), "no address for the host name");
        let tls = "invalid peer certificate: UnknownIssuer";
        assert_eq!(told(tls), "a server certificate that is not trusted");
        assert_eq!(told("Connection refused (os error 111)"), "no connection");
    }

    #[test]
    fn an_attempt_leaves_time_for_another_where_there_is_enough() {
        for (left, expected) in [
            (60_000, 10_000),
            (20_000, 10_000),
            (7_750, 3_875),
            (4_000, 3_000),
            (2_000, 2_000),
            (0, 0),
        ] {
            assert_eq!(
                limit(Duration::from_millis(left)),
                Duration::from_millis(expected),
                "{left} ms"
            );
        }
    }

    #[test]
    fn pauses_differ_and_stay_between_a_half_and_the_whole() {
        let pauses: Vec<_> = (0..100).map(|_| jittered(LONGEST_PAUSE)).collect();
        assert!(
            pauses
                .iter()
                .all(|pause| (LONGEST_PAUSE / 2..LONGEST_PAUSE).contains(pause))
        );
        assert!(pauses.iter().any(|pause| pause != &pauses[0]));
    }
}
