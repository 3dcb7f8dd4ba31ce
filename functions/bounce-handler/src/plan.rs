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

/// For how many days soft bounces of an address are remembered: for the longest window, 30 days, before a report that comes
/// as late as a queue and its dead-letter queue can make it.
pub(crate) const REMEMBERED_DAYS: u32 = 60;
/// The fewest soft bounces of an address that are remembered, should there be so many.
const REMEMBERED: usize = 100;
const DAY: i64 = 86_400;

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
    /// Adds a soft bounce to its address's; whether it is now as good as a hard one.
    fn count(&mut self, incident: &Incident, observed: &Observed, policy: &Policy) -> bool {
        let subject = incident.subject();
        let known = || observed.windows.get(&subject).cloned().unwrap_or_default();
        let window = self.windows.entry(subject).or_insert_with(known);
        window.push(incident.at);
        window.sort_unstable();
        let latest = window.last().copied().unwrap_or_default();
        let first = latest - i64::from(REMEMBERED_DAYS) * DAY;
        window.retain(|at| *at > first);
        let reached = reached(window, incident.at, policy);
        // More of them than this, and so many within the days of the policy have been there already.
        let most = policy
            .soft_threshold
            .saturating_mul(REMEMBERED_DAYS.div_ceil(policy.soft_days.max(1)));
        let surplus = window.len().saturating_sub(REMEMBERED.max(most as usize));
        window.drain(..surplus);
        reached
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

/// Whether the soft bounce at `at` makes one of so many within the days of the policy that they are as good as a hard one.
/// `window` is sorted. Before or after it, the others may have come in any order.
#[must_use]
pub fn reached(window: &[i64], at: i64, policy: &Policy) -> bool {
    let days = i64::from(policy.soft_days) * DAY;
    let together = |some: &[i64]| {
        let (first, last) = (some[0], some[some.len() - 1]);
        last - first < days && (first..=last).contains(&at)
    };
    policy.soft_threshold > 0 && window.windows(policy.soft_threshold as usize).any(together)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ses_events::Address;

    use super::*;

    fn soft(at: i64) -> Incident {
        Incident {
            key: [0; 32],
            verdict: Verdict::Soft,
            kind: "Bounce",
            subtype: "MailboxFull".into(),
            address: Address::parse("jane@example.com").expect("an address"),
            at,
            reason: "full".into(),
            clues: crate::clues::Clues::default(),
            alone: true,
        }
    }

    /// Whether any of these soft bounces acts that come in this order, so many at once.
    fn acts(arrivals: &[i64], at_once: usize, policy: &Policy) -> bool {
        let mut observed = Observed::default();
        let target = Target::default();
        arrivals.chunks(at_once).any(|chunk| {
            let incidents: Vec<_> = chunk.iter().map(|at| soft(*at)).collect();
            let pairs: Vec<_> = incidents.iter().map(|incident| (incident, &target)).collect();
            let plan = plan(&pairs, &observed, policy);
            observed.windows.extend(plan.windows);
            plan.outcomes.iter().any(|outcome| outcome.suppressed)
        })
    }

    fn policy(soft_threshold: u32, soft_days: u32) -> Policy {
        Policy {
            soft_threshold,
            soft_days,
            permanent_statuses: Vec::new(),
        }
    }

    #[test]
    fn three_of_the_first_days_count_though_a_later_one_came_first() {
        let [first, second, third, last] = [1, 2, 3, 20].map(|day| day * DAY);
        assert!(acts(&[last, first, second, third], 1, &policy(3, 14)));
        assert!(!acts(&[last, first, second], 1, &policy(3, 14)));
    }

    #[test]
    fn one_that_comes_long_after_so_many_does_not_act_again() {
        let window = [1, 2, 3, 40].map(|day| day * DAY);
        let acting: Vec<_> = window.iter().map(|at| reached(&window, *at, &policy(3, 14))).collect();
        assert_eq!(acting, [true, true, true, false]);
    }

    proptest! {
        /// Each soft bounce is so many hours late, up to thirty days; those that have the same time are different ones.
        #[test]
        fn soft_bounces_act_whatever_the_order_in_which_they_come(
            bounces in prop::collection::vec((0..120 * 24_i64, 0..30 * 24_i64), 0..40),
            (at_once, threshold, days) in (1..5_usize, 1..6_usize, 1..=30_u32),
        ) {
            let hours = |bounces: &[(i64, i64)]| bounces.iter().map(|(at, _)| at * 3600).collect::<Vec<_>>();
            let mut late = bounces.clone();
            late.sort_by_key(|(at, late)| at + late);
            let mut in_order = hours(&bounces);
            in_order.sort_unstable();
            let expected = in_order
                .windows(threshold)
                .any(|some| some[threshold - 1] - some[0] < i64::from(days) * DAY);
            let policy = policy(u32::try_from(threshold).expect("a few"), days);
            prop_assert_eq!(acts(&hours(&late), at_once, &policy), expected);
            prop_assert_eq!(acts(&in_order, at_once, &policy), expected);
        }
    }
}
