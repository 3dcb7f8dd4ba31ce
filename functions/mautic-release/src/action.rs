//! What a release's task is told to do.

use std::fmt;

/// The second word of the task's command, after `release`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Makes Mautic's tables in an empty schema, its first administrator, and the record of all its migrations.
    Install,
    /// Carries out the migrations that the image has and the schema has not.
    Migrate,
}

impl Action {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Migrate => "migrate",
        }
    }

    /// The action with that word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Install, Self::Migrate]
            .into_iter()
            .find(|action| action.word() == word)
    }

    /// What the schema then is.
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Install => "installed",
            Self::Migrate => "migrated",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
