//! What an event tells about the very mail that it is about: Mautic's own marks in the mail's headers.

use ses_events::Event;

/// The header that the container puts on every tracked mail: the address of the tracking pixel.
const TRACK: &str = "X-Mautic-Track";
const UNSUBSCRIBE: &str = "List-Unsubscribe";
const EMAIL_ID: &str = "X-EMAIL-ID";

/// Marks of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clues {
    /// `email_stats.tracking_hash` of the mail.
    pub hash: Option<String>,
    /// `emails.id` of what was sent.
    pub email_id: Option<u32>,
}

impl Clues {
    /// Reads the headers: the pixel first, then the link to unsubscribe, in each of its forms.
    #[must_use]
    pub fn read(event: &Event) -> Self {
        let pixel = event.header(TRACK).find_map(in_pixel);
        let hash = pixel.or_else(|| event.header(UNSUBSCRIBE).find_map(in_unsubscribe));
        let email_id = event.header(EMAIL_ID).find_map(|value| value.trim().parse().ok());
        Self {
            hash,
            email_id: email_id.filter(|id| *id > 0),
        }
    }
}

/// `https://HOST/email/HASH.gif?ct=...`
fn in_pixel(value: &str) -> Option<String> {
    let value = unfolded(value);
    let mut places = value
        .match_indices("/email/")
        .map(|(at, found)| &value[at + found.len()..]);
    places.find_map(|rest| {
        let hash = leading_hash(rest)?;
        rest[hash.len()..].starts_with(".gif").then(|| hash.to_owned())
    })
}

/// `<https://HOST/email/unsubscribe/HASH/ADDRESS/HMAC>`, with or without what follows the hash, with or without brackets,
/// alone or in a list; or `<mailto:USER+unsubscribe_HASH@HOST>`.
fn in_unsubscribe(value: &str) -> Option<String> {
    let value = unfolded(value);
    let after = |mark: &str, ends: &[&str]| {
        let mut places = value.match_indices(mark).map(|(at, found)| &value[at + found.len()..]);
        places.find_map(|rest| {
            let hash = leading_hash(rest)?;
            let tail = &rest[hash.len()..];
            (tail.is_empty() || ends.iter().any(|end| tail.starts_with(end))).then(|| hash.to_owned())
        })
    };
    after("/email/unsubscribe/", &["/", ">", ",", "?", "#"]).or_else(|| after("+unsubscribe_", &["@", "%40"]))
}

/// Long headers are folded: a line's end, then white space. None of it belongs to an address.
fn unfolded(value: &str) -> String {
    value.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The letters and digits at the beginning, if there are as many as a hash of Mautic's may have: 22 or 23, and some more
/// or fewer for versions to come.
fn leading_hash(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    (13..=64).contains(&end).then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use ses_events::{Header, Kind};

    use super::*;

    const HASH: &str = "6b04ceb7e06a6739209454";

    fn clues(headers: &[(&str, &str)]) -> Clues {
        let header = |(name, value): &(&str, &str)| Header {
            name: (*name).into(),
            value: value.replace("HASH", HASH),
        };
        Clues::read(&Event {
            kind: Kind::Other("Send"),
            message_id: String::new(),
            sent_at: None,
            destinations: Vec::new(),
            odd_destinations: 0,
            headers: headers.iter().map(header).collect(),
            odd_recipients: 0,
        })
    }

    #[test]
    fn the_hash_is_found_in_the_pixel_s_address() {
        for value in [
            "https://m.example.com/email/HASH.gif?ct=YTo",
            "https://m.example.com/mautic/index.php/email/HASH.gif",
            " https://m.example.com/email/\r\n HASH.gif",
            "<img src=\"https://m.example.com/email/HASH.gif\">",
            "https://m.example.com/email/x/email/HASH.gif",
        ] {
            assert_eq!(
                clues(&[("x-mautic-track", value)]).hash.as_deref(),
                Some(HASH),
                "{value}"
            );
        }
        for value in [
            "",
            "{tracking_pixel}",
            "https://m.example.com/email/HASH",
            "https://m.example.com/email/.gif",
            "/email/short.gif",
        ] {
            assert_eq!(clues(&[("X-Mautic-Track", value)]).hash, None, "{value}");
        }
    }

    #[test]
    fn the_hash_is_found_in_every_form_of_the_link_to_unsubscribe() {
        for value in [
            "<https://m.example.com/email/unsubscribe/HASH/a@example.com/4c1f>",
            "<https://m.example.com/email/unsubscribe/HASH>",
            "https://m.example.com/email/unsubscribe/HASH",
            "<mailto:u@example.com>,<https://m.example.com/email/unsubscribe/HASH/a%40example.com/4c1f>",
            "<https://m.example.com/email/unsubscribe/HASH/a@example.com/4c1f>, <mailto:u@example.com?subject=x>",
            "<https://m.example.com/index.php/email/unsubscribe/HASH?x=1>",
            "<https://m.example.com/email/unsubscribe/HASH/a@example.com/\r\n\t4c1f>",
            "<mailto:bounces+unsubscribe_HASH@example.com>",
            "<mailto:bounces+unsubscribe_HASH%40example.com>",
        ] {
            assert_eq!(
                clues(&[("List-Unsubscribe", value)]).hash.as_deref(),
                Some(HASH),
                "{value}"
            );
        }
        for value in [
            "",
            "<mailto:u@example.com>",
            "<https://m.example.com/email/unsubscribe/>",
            "<https://m.example.com/email/unsubscribe/HASH_x>",
        ] {
            assert_eq!(clues(&[("List-Unsubscribe", value)]).hash, None, "{value}");
        }
    }

    #[test]
    fn the_pixel_goes_before_the_link_and_any_header_of_the_name_counts() {
        let other = "0000ceb7e06a6739209454";
        let link = format!("<https://m.example.com/email/unsubscribe/{other}/a/b>");
        let found = clues(&[
            ("List-Unsubscribe", &link),
            ("X-Mautic-Track", "odd"),
            ("X-Mautic-Track", "/email/HASH.gif"),
        ]);
        assert_eq!(found.hash.as_deref(), Some(HASH));
    }

    #[test]
    fn the_email_s_id_is_a_positive_number() {
        assert_eq!(clues(&[("x-email-id", " 7 ")]).email_id, Some(7));
        for value in ["0", "-1", "7a", "", "99999999999"] {
            assert_eq!(clues(&[("X-EMAIL-ID", value)]).email_id, None, "{value}");
        }
    }
}
