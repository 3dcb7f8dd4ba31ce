//! What becomes of Mautic's rows: decided without a connection, from what was observed under the locks.
//!
//! The rules are Mautic's own (`docs/bounces.md`): a contact has at most one row a channel; a row of another reason is
//! overwritten only when no e-mail is known and the contact did not unsubscribe; a failure of a known send is noted with
//! that send as well.

use std::collections::{BTreeMap, HashMap};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use php_serialised::{Array, Value};

use crate::incident::{Incident, Key};
use crate::policy::{Policy, Reason, Verdict};

/// How an incident was tied to contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Correlation {
    /// By the tracking hash, so by the very mail.
    Hash,
    /// By the e-mail's id and the recipient: their latest send.
    EmailId,
    /// By the address.
    Address,
    /// By the address without its suffix.
    Stripped,
    /// Not at all: Mautic knows nobody of that address.
    #[default]
    Nobody,
}

impl Correlation {
    /// The word for it in logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::EmailId => "email-id",
            Self::Address => "address",
            Self::Stripped => "address-without-suffix",
            Self::Nobody => "nobody",
        }
    }
}

/// What an incident is about in Mautic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// How it was found.
    pub correlation: Correlation,
    /// The contacts, `leads.id`.
    pub contacts: Vec<u64>,
    /// The send, `email_stats.id`.
    pub send: Option<u64>,
    /// The e-mail, `emails.id`, where it is known.
    pub email: Option<u32>,
}

/// What stands in the tables while the locks are held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The rows for the channel email by contact, oldest first: their ids and reasons.
    pub rows: HashMap<u64, Vec<(u32, i16)>>,
    /// `email_stats.open_details` by send.
    pub sends: HashMap<u64, Option<Vec<u8>>>,
    /// When soft bounces were counted, by [`Incident::subject`].
    pub windows: HashMap<Key, Vec<i64>>,
}

/// A row of `lead_donotcontact`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `leads.id`.
    pub contact: u64,
    /// Why.
    pub reason: Reason,
    /// When, in seconds since 1970.
    pub at: i64,
    /// In words.
    pub comments: String,
    /// `emails.id`.
    pub email: Option<u32>,
}

/// What changes of a row of `email_stats`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Whether it becomes a failed one; otherwise that stays as it is.
    pub failed: bool,
    /// The new `open_details`, unless they stay as they are.
    pub details: Option<String>,
}

/// What happened with an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// False if it had been recorded before: then nothing was changed.
    pub fresh: bool,
    /// Whether the recipient gets no more mail because of it, now or since it was first recorded.
    pub suppressed: bool,
    /// How it was tied to contacts.
    pub correlation: Correlation,
    /// Whether the send's `open_details` were no text of PHP's, and so stayed as they were.
    pub unreadable: bool,
}

/// All that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// New rows of `lead_donotcontact`, by contact.
    pub new: BTreeMap<u64, Row>,
    /// Rows of `lead_donotcontact` by their id, that get another reason, date and comments.
    pub changed: BTreeMap<u32, Row>,
    /// Rows of `email_stats` by their id.
    pub sends: BTreeMap<u64, Send>,
    /// When soft bounces were counted, by [`Incident::subject`].
    pub windows: BTreeMap<Key, Vec<i64>>,
    /// What happened, one for each incident.
    pub outcomes: Vec<Outcome>,
}

/// The most soft bounces of one address that are remembered.
const LONGEST_WINDOW: usize = 100;

/// Plans for incidents that were never recorded before, each with its target, in the order in which they happened.
#[must_use]
pub fn plan(incidents: &[(&Incident, &Target)], observed: &Observed, policy: &Policy) -> Plan {
    let mut plan = Plan::default();
    for (incident, target) in incidents {
        let reason = match incident.verdict {
            Verdict::Suppress(reason) => Some(reason),
            Verdict::Soft => plan.count(incident, observed, policy).then_some(Reason::Bounced),
            Verdict::ProviderSuppressed | Verdict::Harmless | Verdict::Unknown => None,
        };
        let mut unreadable = false;
        if let Some(reason) = reason {
            for contact in &target.contacts {
                let row = Row {
                    contact: *contact,
                    reason,
                    at: incident.at,
                    comments: incident.reason.clone(),
                    email: target.email,
                };
                plan.row(row, observed);
            }
            if let Some(send) = target.send {
                unreadable = !plan.note(send, reason, incident, observed);
            }
        }
        plan.outcomes.push(Outcome {
            fresh: true,
            suppressed: reason.is_some(),
            correlation: target.correlation,
            unreadable,
        });
    }
    plan
}

impl Plan {
    /// Adds a soft bounce to its address's; whether that makes it a hard one.
    fn count(&mut self, incident: &Incident, observed: &Observed, policy: &Policy) -> bool {
        let subject = incident.subject();
        let known = || observed.windows.get(&subject).cloned().unwrap_or_default();
        let window = self.windows.entry(subject).or_insert_with(known);
        window.push(incident.at);
        window.sort_unstable();
        // Counted back from the latest, whatever the order in which they arrive.
        let latest = window.last().copied().unwrap_or_default();
        let first = latest - i64::from(policy.soft_days) * 86_400;
        window.retain(|at| *at > first);
        let surplus = window.len().saturating_sub(LONGEST_WINDOW);
        window.drain(..surplus);
        reached(window, policy)
    }

    /// One contact is not to be contacted.
    fn row(&mut self, row: Row, observed: &Observed) {
        if let Some(new) = self.new.get_mut(&row.contact) {
            if overwrites(&row, new.reason.number()) {
                let email = new.email;
                *new = Row { email, ..row };
            }
            return;
        }
        let rows = observed.rows.get(&row.contact).map(Vec::as_slice).unwrap_or_default();
        // Reason 0 means that the contact may be contacted again: as good as no row.
        let Some((id, reason)) = rows.iter().find(|(_, reason)| *reason != 0) else {
            self.new.insert(row.contact, row);
            return;
        };
        let reason = self.changed.get(id).map_or(*reason, |row| row.reason.number());
        if overwrites(&row, reason) {
            self.changed.insert(*id, row);
        }
    }

    /// Notes the failure with its send; false if what stands there cannot be read, and so stays.
    fn note(&mut self, id: u64, reason: Reason, incident: &Incident, observed: &Observed) -> bool {
        // Deleted since it was found.
        let Some(before) = observed.sends.get(&id) else {
            return true;
        };
        let send = self.sends.entry(id).or_insert(Send {
            failed: false,
            details: None,
        });
        send.failed |= reason == Reason::Bounced;
        let present = send.details.as_deref().map(str::as_bytes).or(before.as_deref());
        let Some(details) = appended(present, incident) else {
            return false;
        };
        send.details = Some(details);
        true
    }
}

/// Whether so many soft bounces are as good as a hard one.
#[must_use]
pub fn reached(window: &[i64], policy: &Policy) -> bool {
    policy.soft_threshold > 0 && window.len() >= policy.soft_threshold as usize
}

/// Whether Mautic would overwrite a row of this reason.
fn overwrites(row: &Row, present: i16) -> bool {
    present != row.reason.number() && present != Reason::Unsubscribed.number() && row.email.is_none()
}

/// `open_details` with one more entry under `bounces`; none if they are no array of PHP's.
fn appended(details: Option<&[u8]>, incident: &Incident) -> Option<String> {
    let mut details = match details {
        None | Some(b"") => Value::Array(Array::default()),
        Some(text) => Value::parse(text).ok()?,
    };
    if details == Value::Null {
        details = Value::Array(Array::default());
    }
    let entry = Array::of([
        ("datetime", Value::text(&date(incident.at))),
        ("reason", Value::text(&incident.reason)),
    ]);
    let bounces = details.as_array_mut()?.entry("bounces");
    bounces
        .push(Value::Array(entry))
        .then(|| String::from_utf8(details.to_bytes()).ok())?
}

/// As MySQL and Mautic write a date: `2026-11-23 23:38:25`, UTC.
#[must_use]
pub fn date(seconds: i64) -> String {
    let text = DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default();
    text.replace('T', " ").replace('Z', "")
}
