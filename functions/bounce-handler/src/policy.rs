//! What a report means for a contact: a pure function of what SES says and of what the operator chose.

use ses_events::{Bounce, BounceType, Complaint, Recipient};

/// What the operator chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// So many soft bounces of an address within [`Policy::soft_days`] count as a hard one; 0 for never.
    pub soft_threshold: u32,
    /// The days in which soft bounces are counted together.
    pub soft_days: u32,
    /// Enhanced status codes, such as `5.1.1`, that make any bounce of that recipient a hard one, whatever its type.
    pub permanent_statuses: Vec<String>,
}

/// Mautic's own numbers for why a contact gets no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// 1, unsubscribed: what Mautic makes of a complaint.
    Unsubscribed,
    /// 2, bounced.
    Bounced,
}

impl Reason {
    /// As Mautic's table has it.
    #[must_use]
    pub fn number(self) -> i16 {
        match self {
            Self::Unsubscribed => 1,
            Self::Bounced => 2,
        }
    }
}

/// What a report means for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// No more mail.
    Suppress(Reason),
    /// One of several that together mean no more mail.
    Soft,
    /// SES did not even try, since the address stands on a list of the account's or failed its validation. The event that
    /// brought it there was reported when it came, and nothing bounced now.
    ProviderSuppressed,
    /// Nothing: the recipient says that it was no spam.
    Harmless,
    /// A type or subtype that is not known, and could mean anything.
    Unknown,
}

impl Verdict {
    /// The word for it in tables, logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Suppress(Reason::Bounced) => "bounced",
            Self::Suppress(Reason::Unsubscribed) => "complained",
            Self::Soft => "soft",
            Self::ProviderSuppressed => "provider-suppressed",
            Self::Harmless => "harmless",
            Self::Unknown => "unknown",
        }
    }
}

/// Subtypes of permanent bounces by which the receiving side, or SES's own global list, rejects the address.
const HARD: [&str; 3] = ["General", "NoEmail", "Suppressed"];
/// Subtypes by which SES refuses to send for a list of the account's or tenant's own, or for its validation of addresses.
const BY_PROVIDER: [&str; 3] = [
    "OnAccountSuppressionList",
    "OnTenantSuppressionList",
    "EmailValidationSuppressed",
];

impl Policy {
    /// What a bounce means for one of its recipients.
    #[must_use]
    pub fn on_bounce(&self, bounce: &Bounce, recipient: &Recipient) -> Verdict {
        let subtype = bounce.subtype.as_str();
        let permanent = recipient
            .status
            .as_ref()
            .is_some_and(|status| self.permanent_statuses.contains(status));
        match &bounce.class {
            _ if BY_PROVIDER.contains(&subtype) => Verdict::ProviderSuppressed,
            BounceType::Permanent if HARD.contains(&subtype) => Verdict::Suppress(Reason::Bounced),
            _ if permanent => Verdict::Suppress(Reason::Bounced),
            BounceType::Transient | BounceType::Undetermined => Verdict::Soft,
            BounceType::Permanent | BounceType::Unknown(_) => Verdict::Unknown,
        }
    }
}

/// What a complaint means for those who may have made it.
#[must_use]
pub fn on_complaint(complaint: &Complaint) -> Verdict {
    match (complaint.subtype.as_deref(), complaint.feedback_type.as_deref()) {
        (Some(subtype), _) if BY_PROVIDER.contains(&subtype) => Verdict::ProviderSuppressed,
        (_, Some("not-spam")) => Verdict::Harmless,
        _ => Verdict::Suppress(Reason::Unsubscribed),
    }
}

#[cfg(test)]
mod tests {
    use ses_events::Address;

    use super::*;

    fn policy() -> Policy {
        Policy {
            soft_threshold: 3,
            soft_days: 14,
            permanent_statuses: vec!["5.1.1".into()],
        }
    }

    fn bounced(class: BounceType, subtype: &str, status: Option<&str>) -> Verdict {
        let address = Address::parse("a@example.com").expect("an address");
        let recipient = Recipient {
            address,
            status: status.map(str::to_owned),
            diagnostic: None,
        };
        let bounce = Bounce {
            class,
            subtype: subtype.into(),
            recipients: vec![recipient.clone()],
            feedback_id: None,
            at: None,
        };
        policy().on_bounce(&bounce, &recipient)
    }

    fn complained(feedback_type: Option<&str>, subtype: Option<&str>) -> Verdict {
        on_complaint(&Complaint {
            feedback_type: feedback_type.map(str::to_owned),
            subtype: subtype.map(str::to_owned),
            recipients: Vec::new(),
            feedback_id: None,
            at: None,
        })
    }

    #[test]
    fn every_documented_bounce_has_its_verdict() {
        use BounceType::{Permanent, Transient, Undetermined, Unknown};
        for (class, subtype, verdict) in [
            (Permanent, "General", Verdict::Suppress(Reason::Bounced)),
            (Permanent, "NoEmail", Verdict::Suppress(Reason::Bounced)),
            (Permanent, "Suppressed", Verdict::Suppress(Reason::Bounced)),
            (Permanent, "OnAccountSuppressionList", Verdict::ProviderSuppressed),
            (Permanent, "OnTenantSuppressionList", Verdict::ProviderSuppressed),
            (Permanent, "EmailValidationSuppressed", Verdict::ProviderSuppressed),
            (Permanent, "", Verdict::Unknown),
            (Permanent, "OnMoonList", Verdict::Unknown),
            (Undetermined, "Undetermined", Verdict::Soft),
            (Transient, "General", Verdict::Soft),
            (Transient, "MailboxFull", Verdict::Soft),
            (Transient, "MessageTooLarge", Verdict::Soft),
            (Transient, "CustomTimeoutExceeded", Verdict::Soft),
            (Transient, "ContentRejected", Verdict::Soft),
            (Transient, "AttachmentRejected", Verdict::Soft),
            (Transient, "Tomorrow", Verdict::Soft),
            (Unknown("Sideways".into()), "General", Verdict::Unknown),
        ] {
            assert_eq!(bounced(class.clone(), subtype, None), verdict, "{class:?} {subtype}");
        }
    }

    #[test]
    fn a_status_may_make_any_bounce_a_hard_one_but_not_one_that_was_never_tried() {
        assert_eq!(
            bounced(BounceType::Transient, "General", Some("5.1.1")),
            Verdict::Suppress(Reason::Bounced)
        );
        assert_eq!(bounced(BounceType::Transient, "General", Some("5.1.10")), Verdict::Soft);
        let suppressed = bounced(BounceType::Permanent, "OnAccountSuppressionList", Some("5.1.1"));
        assert_eq!(suppressed, Verdict::ProviderSuppressed);
    }

    #[test]
    fn every_documented_complaint_has_its_verdict() {
        for kind in ["abuse", "auth-failure", "fraud", "other", "virus", "a new one"] {
            assert_eq!(
                complained(Some(kind), None),
                Verdict::Suppress(Reason::Unsubscribed),
                "{kind}"
            );
        }
        assert_eq!(complained(None, None), Verdict::Suppress(Reason::Unsubscribed));
        assert_eq!(complained(Some("not-spam"), None), Verdict::Harmless);
        assert_eq!(
            complained(None, Some("OnAccountSuppressionList")),
            Verdict::ProviderSuppressed
        );
    }
}
