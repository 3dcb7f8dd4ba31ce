//! An SES identity as a value.

use crate::marks::{Marks, Tags};
use crate::names::Domain;
use crate::records::DkimKeys;

/// SES's word for success, in every status.
pub const SUCCESS: &str = "SUCCESS";

/// What SES says about the identity of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The keys that the DKIM records point to.
    pub keys: DkimKeys,
    /// `SUCCESS`, `PENDING`, `FAILED`, ...
    pub dkim_status: String,
    /// The MAIL FROM domain, if it has one of its own, and its status.
    pub mail_from: Option<MailFrom>,
    /// The configuration set used by default.
    pub configuration_set: Option<String>,
    /// All its tags.
    pub tags: Tags,
}

/// A MAIL FROM domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFrom {
    /// The whole domain.
    pub domain: String,
    /// `SUCCESS`, `PENDING`, `FAILED`, ...
    pub status: String,
}

impl Identity {
    /// What the tags remember.
    #[must_use]
    pub fn marks(&self) -> Marks {
        Marks::read(&self.tags)
    }

    /// The part of its MAIL FROM domain before `domain`.
    #[must_use]
    pub fn mail_from_label(&self, domain: &Domain) -> Option<&str> {
        let whole = &self.mail_from.as_ref()?.domain;
        whole.strip_suffix(domain.as_str())?.strip_suffix('.')
    }

    /// Whether SES has verified everything that it can verify.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        let mail_from = self
            .mail_from
            .as_ref()
            .is_none_or(|mail_from| mail_from.status == SUCCESS);
        self.dkim_status == SUCCESS && mail_from
    }
}
