//! Reports as SES tells them, and batches as Lambda hands them over.

use serde_json::{Value, json};
use ses_events::Batch;

/// 2026-11-23 23:38:25.
const AT: &str = "2026-11-23T23:38:25.000Z";

/// Which of SES's two formats a report has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Event publishing, by a configuration set.
    Published,
    /// A notification of an identity.
    Notified,
}

/// On which way a report comes to the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A topic, then a queue whose subscription delivers raw.
    Raw,
    /// A topic, then a queue.
    Wrapped,
    /// A topic that the function itself is subscribed to.
    Topic,
}

/// One report, as SES tells it.
#[derive(Debug, Clone)]
pub struct Report {
    pub format: Format,
    pub id: String,
    pub kind: &'static str,
    /// `bounceType`, or `complaintSubType`; blank for none.
    pub class: &'static str,
    /// `bounceSubType`, or `complaintFeedbackType`.
    pub subtype: &'static str,
    pub diagnostic: String,
    pub recipients: Vec<String>,
    pub headers: Vec<(&'static str, String)>,
    pub at: String,
}

impl Report {
    pub fn bounce(id: &str, recipient: &str, diagnostic: &str) -> Self {
        Self {
            format: Format::Published,
            id: id.into(),
            kind: "Bounce",
            class: "Permanent",
            subtype: "General",
            diagnostic: diagnostic.into(),
            recipients: vec![recipient.into()],
            headers: Vec::new(),
            at: AT.into(),
        }
    }

    pub fn soft(id: &str, recipient: &str) -> Self {
        Self {
            class: "Transient",
            subtype: "MailboxFull",
            ..Self::bounce(id, recipient, "full")
        }
    }

    /// A complaint; its type of feedback.
    pub fn complaint(id: &str, recipient: &str, feedback: &'static str) -> Self {
        Self {
            kind: "Complaint",
            class: "",
            subtype: feedback,
            ..Self::bounce(id, recipient, "")
        }
    }

    pub fn hash(mut self, hash: &str) -> Self {
        self.headers
            .push(("X-Mautic-Track", format!("https://m.example.com/email/{hash}.gif?ct=x")));
        self
    }

    pub fn email(mut self, id: u32) -> Self {
        self.headers.push(("X-EMAIL-ID", id.to_string()));
        self
    }

    pub fn at(mut self, at: &str) -> Self {
        self.at = at.into();
        self
    }

    pub fn also(mut self, recipient: &str) -> Self {
        self.recipients.push(recipient.into());
        self
    }

    pub fn text(&self) -> String {
        let headers: Vec<Value> = self
            .headers
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        let mail = json!({"messageId": format!("m-{}", self.id), "timestamp": "2026-11-23T23:38:00.000Z", "destination": self.recipients, "headers": headers});
        let member = match self.format {
            Format::Published => "eventType",
            Format::Notified => "notificationType",
        };
        if self.kind == "Complaint" {
            let recipients: Vec<_> = self.recipients.iter().map(|one| json!({"emailAddress": one})).collect();
            let class = Some(self.class).filter(|class| !class.is_empty());
            return json!({member: "Complaint", "mail": mail, "complaint": {"complaintSubType": class, "complaintFeedbackType": self.subtype,
                "feedbackId": self.id, "timestamp": self.at, "complainedRecipients": recipients}})
            .to_string();
        }
        let recipients: Vec<_> = self
            .recipients
            .iter()
            .map(|one| json!({"emailAddress": one, "diagnosticCode": self.diagnostic}))
            .collect();
        json!({member: "Bounce", "mail": mail, "bounce": {"bounceType": self.class, "bounceSubType": self.subtype, "feedbackId": self.id, "timestamp": self.at, "bouncedRecipients": recipients}}).to_string()
    }
}

/// A batch of SQS messages, named q-0, q-1, ...
pub fn batch(texts: &[String]) -> Batch {
    batch_by(Way::Raw, texts)
}

/// A batch as Lambda hands it over at the end of this way.
pub fn batch_by(way: Way, texts: &[String]) -> Batch {
    let record = |(index, text): (usize, &String)| {
        let told = json!({"Type": "Notification", "MessageId": format!("n-{index}"), "Message": text});
        let queued = |body: &str| json!({"messageId": format!("q-{index}"), "body": body, "eventSource": "aws:sqs"});
        match way {
            Way::Raw => queued(text),
            Way::Wrapped => queued(&told.to_string()),
            Way::Topic => json!({"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": told}),
        }
    };
    let records: Vec<_> = texts.iter().enumerate().map(record).collect();
    serde_json::from_str(&json!({"Records": records}).to_string()).expect("a batch")
}
