//! One recipient of one report: what the rest of the function works on.

use ses_events::{Address, Event, Kind, Recipient};
use sha2::{Digest, Sha256};

use crate::clues::Clues;
use crate::policy::{Policy, Verdict, on_complaint};

/// The longest reason that is written into Mautic's tables, in bytes; receiving servers say up to 512 a line.
const LONGEST_REASON: usize = 1000;
/// 2100-01-01: a date after it is an error, and a year with five digits no date for MySQL.
const LATEST: i64 = 4_102_444_800;

/// What SHA-256 makes of something.
pub type Key = [u8; 32];

/// One recipient of one bounce or complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The same for each repetition of the report: type, SES's id and recipient.
    pub key: Key,
    /// What the report means.
    pub verdict: Verdict,
    /// `Bounce` or `Complaint`.
    pub kind: &'static str,
    /// SES's subtype, or the type of feedback.
    pub subtype: String,
    /// Whom it concerns.
    pub address: Address,
    /// When it happened, in seconds since 1970.
    pub at: i64,
    /// What is written into Mautic: the receiving server's words where there are any.
    pub reason: String,
    /// What the mail's headers tell.
    pub clues: Clues,
    /// Whether the mail went to nobody else.
    pub alone: bool,
}

impl Incident {
    /// The recipients that an event concerns; none for events that report no failure. `now`, in seconds since 1970, is
    /// taken where SES names no time.
    #[must_use]
    pub fn all(event: &Event, policy: &Policy, now: i64) -> Vec<Self> {
        let clues = Clues::read(event);
        let date = |at: Option<i64>| {
            at.or(event.sent_at)
                .filter(|at| (0..LATEST).contains(at))
                .unwrap_or(now)
        };
        let incident =
            |recipient: &Recipient, kind, verdict, subtype: &str, id: Option<&String>, at, reason: String| Self {
                key: key(kind, id.unwrap_or(&event.message_id), &recipient.address),
                verdict,
                kind,
                subtype: subtype.to_owned(),
                address: recipient.address.clone(),
                at: date(at),
                reason: shortened(&reason),
                clues: clues.clone(),
                alone: event.destinations.len() + event.odd_destinations <= 1,
            };
        match &event.kind {
            Kind::Bounce(bounce) => {
                let one = |recipient: &Recipient| {
                    let verdict = policy.on_bounce(bounce, recipient);
                    let id = bounce.feedback_id.as_ref();
                    incident(
                        recipient,
                        "Bounce",
                        verdict,
                        &bounce.subtype,
                        id,
                        bounce.at,
                        bounce_reason(bounce, recipient),
                    )
                };
                bounce.recipients.iter().map(one).collect()
            }
            Kind::Complaint(complaint) => {
                let feedback = complaint.feedback_type.as_deref();
                let subtype = complaint.subtype.as_deref().or(feedback).unwrap_or_default();
                let reason = feedback.map_or_else(|| "complaint".to_owned(), |kind| format!("complaint: {kind}"));
                let one = |recipient: &Recipient| {
                    let (verdict, id) = (on_complaint(complaint), complaint.feedback_id.as_ref());
                    incident(
                        recipient,
                        "Complaint",
                        verdict,
                        subtype,
                        id,
                        complaint.at,
                        reason.clone(),
                    )
                };
                complaint.recipients.iter().map(one).collect()
            }
            Kind::Other(_) | Kind::Unknown(_) => Vec::new(),
        }
    }

    /// Under what soft bounces of this address are counted; nobody reads an address from it.
    #[must_use]
    pub fn subject(&self) -> Key {
        Sha256::digest(self.address.folded()).into()
    }
}

/// Such as `Permanent/General: smtp; 550 5.1.1 user unknown`.
fn bounce_reason(bounce: &ses_events::Bounce, recipient: &Recipient) -> String {
    use ses_events::BounceType::{Permanent, Transient, Undetermined, Unknown};
    let class = match &bounce.class {
        Permanent => "Permanent",
        Transient => "Transient",
        Undetermined => "Undetermined",
        Unknown(other) => other,
    };
    let said = recipient.diagnostic.as_ref().or(recipient.status.as_ref());
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    format!("{class}/{}{said}", bounce.subtype)
}

/// On one line and not too long: whoever runs the receiving server writes these words.
fn shortened(reason: &str) -> String {
    let mut line: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let end = line.floor_char_boundary(LONGEST_REASON);
    line.truncate(end);
    line
}

fn key(kind: &str, id: &str, address: &Address) -> Key {
    let mut digest = Sha256::new();
    for part in [kind, id, &address.folded()] {
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use ses_events::Message;

    use super::*;

    const NOW: i64 = 1_795_477_200;

    fn incidents(text: &str) -> Vec<Incident> {
        let policy = Policy {
            soft_threshold: 3,
            soft_days: 14,
            permanent_statuses: Vec::new(),
        };
        match Message::read(text) {
            Ok(Message::Event(event)) => Incident::all(&event, &policy, NOW),
            other => panic!("{other:?}"),
        }
    }

    fn bounce(feedback_id: &str, address: &str, more: &str) -> Incident {
        let text = format!(
            r#"{{"eventType": "Bounce", "mail": {{"messageId": "m", "timestamp": "2026-11-23T23:38:20Z"}}, "bounce": {{"bounceType": "Transient",
            "bounceSubType": "General", "feedbackId": "{feedback_id}", "bouncedRecipients": [{{"emailAddress": "{address}"{more}}}]}}}}"#
        );
        incidents(&text).remove(0)
    }

    #[test]
    fn a_repetition_has_the_same_key_and_nothing_else_has() {
        let first = bounce("f", "Jane <jane@example.com>", "");
        assert_eq!(first.key, bounce("f", "JANE@example.com", "").key);
        assert_ne!(first.key, bounce("g", "jane@example.com", "").key);
        assert_ne!(first.key, bounce("f", "joe@example.com", "").key);
        assert_eq!(first.subject(), bounce("g", "JANE@example.com", "").subject());
    }

    #[test]
    fn a_mail_to_one_went_to_nobody_else_even_if_the_other_is_no_address() {
        let alone = |destination: &str| {
            let text = format!(
                r#"{{"eventType": "Bounce", "mail": {{"messageId": "m", "destination": {destination}}}, "bounce": {{"bounceType": "Permanent",
                "bounceSubType": "General", "bouncedRecipients": [{{"emailAddress": "a@b.c"}}]}}}}"#
            );
            incidents(&text)[0].alone
        };
        for destination in ["null", "[]", r#"["a@b.c"]"#, r#"["odd"]"#] {
            assert!(alone(destination), "{destination}");
        }
        for destination in [r#"["a@b.c", "d@e.f"]"#, r#"["a@b.c", "odd"]"#, r#"["a@b.c", 7]"#] {
            assert!(!alone(destination), "{destination}");
        }
    }

    #[test]
    fn a_reason_is_one_line_and_not_too_long() {
        assert_eq!(bounce("f", "a@b.c", "").reason, "Transient/General");
        assert_eq!(
            bounce("f", "a@b.c", r#", "status": "4.2.2""#).reason,
            "Transient/General: 4.2.2"
        );
        let spoken = bounce(
            "f",
            "a@b.c",
            r#", "status": "4.2.2", "diagnosticCode": "smtp; 452\r\n full""#,
        );
        assert_eq!(spoken.reason, "Transient/General: smtp; 452   full");
        let long = bounce("f", "a@b.c", &format!(r#", "diagnosticCode": "{}""#, "é".repeat(2000)));
        assert_eq!(long.reason, format!("Transient/General: {}", "é".repeat(490)));
    }

    #[test]
    fn the_mail_s_time_or_the_present_stands_in_for_a_missing_or_impossible_one() {
        assert_eq!(bounce("f", "a@b.c", "").at, 1_795_477_100);
        for timestamp in [
            "",
            r#", "timestamp": "2999-01-01T00:00:00Z""#,
            r#", "timestamp": "1960-01-01T00:00:00Z""#,
        ] {
            let text = format!(
                r#"{{"notificationType": "Complaint", "mail": {{"messageId": "m"{timestamp}}}, "complaint": {{"complainedRecipients": [{{"emailAddress": "a@b.c"}}]}}}}"#
            );
            let found = incidents(&text).remove(0);
            assert_eq!(
                (found.at, found.reason.as_str(), found.kind),
                (NOW, "complaint", "Complaint")
            );
        }
    }
}
