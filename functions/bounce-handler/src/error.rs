//! What can go wrong, in words for the operator.

use thiserror::Error;

/// Why incidents could not be recorded. The messages wait in the queue and come again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// Mautic's tables are not where they should be.
    #[error(
        "schema `{schema}` has no {missing} that user `{user}` may use; install Mautic first, check MAUTIC_SCHEMA and TABLE_PREFIX, and grant what docs/bounces.md lists"
    )]
    Tables {
        /// Mautic's schema.
        schema: String,
        /// What is missing, by name.
        missing: String,
        /// Who looked.
        user: String,
    },
    /// Other functions are at work on the same contacts.
    #[error("other functions have worked on the same contacts for {seconds} s; the messages come again")]
    Busy {
        /// How long was waited for them.
        seconds: u32,
    },
    /// The function's time ran out.
    #[error(
        "{silent} had not answered when the function's time ran out; the messages come again; see docs/runbooks/bounce-handler-slow.md"
    )]
    Late {
        /// Who was waited for.
        silent: &'static str,
    },
    /// The function has a defect.
    #[error(
        "the message made the function panic, whose place the log says above; it comes again, and stays in the dead-letter queue until the function is mended"
    )]
    Panicked,
    /// SES did not take an address on its list.
    #[error(
        "SES did not put {address} on the account's suppression list ({reason}); the message comes again; the role needs ses:PutSuppressedDestination"
    )]
    NotSuppressed {
        /// The address's pseudonym.
        address: String,
        /// What SES says.
        reason: String,
    },
}

impl Error {
    /// Whether the same thing may succeed when it is tried again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => error.is_transient(),
            Self::Busy { .. } => true,
            Self::Tables { .. } | Self::Late { .. } | Self::Panicked | Self::NotSuppressed { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_becomes_of_the_messages_and_where_to_look() {
        for (error, text) in [
            (
                Error::Busy { seconds: 5 },
                "other functions have worked on the same contacts for 5 s; the messages come again",
            ),
            (
                Error::Late { silent: "the database" },
                "the database had not answered when the function's time ran out; the messages come again; see docs/runbooks/bounce-handler-slow.md",
            ),
            (
                Error::Panicked,
                "the message made the function panic, whose place the log says above; it comes again, and stays in the dead-letter queue until the function is mended",
            ),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
