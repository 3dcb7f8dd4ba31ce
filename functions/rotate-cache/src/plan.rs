//! Decides what to ask ElastiCache for. Nothing here calls anything.

use thiserror::Error;

/// Everything that a plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// Whether the current password opens the cache.
    pub current_works: bool,
    /// Whether the pending one does; false where there is none.
    pub pending_works: bool,
    /// How many passwords ElastiCache says that the user has.
    pub passwords: usize,
    /// Whether ElastiCache is changing the user.
    pub is_changing: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// Nothing: a change is in flight.
    InFlight,
    /// Give the user the pending and the current password.
    BothPasswords,
    /// Give the user the current password only.
    CurrentPassword,
}

/// Why nothing is changed; reads on from the user's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "does not sign in with the secret's current password, so that there is nothing to keep; see that the user is on and has \
     this password (aws elasticache modify-user --passwords), and rotate again"
)]
pub struct WrongCurrent;

/// What makes the pending password work beside the current one.
///
/// # Errors
/// If the current password does not work itself.
pub fn plan_installation(observed: &Observed) -> Result<Change, WrongCurrent> {
    match observed {
        Observed {
            pending_works: true, ..
        } => Ok(Change::Nothing),
        Observed { is_changing: true, .. } => Ok(Change::InFlight),
        Observed {
            current_works: false, ..
        } => Err(WrongCurrent),
        _ => Ok(Change::BothPasswords),
    }
}

/// What makes every other password than the current and the pending one worthless.
///
/// # Errors
/// If the current password does not work itself.
pub fn plan_retirement(observed: &Observed) -> Result<Change, WrongCurrent> {
    match observed {
        Observed { is_changing: true, .. } => Ok(Change::InFlight),
        Observed {
            current_works: false, ..
        } => Err(WrongCurrent),
        // Both places are taken by passwords that must stay, or there is no second one.
        Observed {
            pending_works: true, ..
        }
        | Observed { passwords: 0 | 1, .. } => Ok(Change::Nothing),
        _ => Ok(Change::CurrentPassword),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Observed = Observed {
        current_works: true,
        pending_works: false,
        passwords: 2,
        is_changing: false,
    };

    #[test]
    fn a_password_that_works_is_not_installed_again_and_one_in_flight_is_not_begun_again() {
        let works = Observed {
            pending_works: true,
            is_changing: true,
            ..USER
        };
        assert_eq!(plan_installation(&works), Ok(Change::Nothing));
        let changing = Observed {
            is_changing: true,
            current_works: false,
            ..USER
        };
        assert_eq!(plan_installation(&changing), Ok(Change::InFlight));
        assert_eq!(plan_retirement(&changing), Ok(Change::InFlight));
    }

    #[test]
    fn nothing_is_built_upon_a_password_that_does_not_work() {
        let wrong = Observed {
            current_works: false,
            ..USER
        };
        assert_eq!(
            (plan_installation(&wrong), plan_retirement(&wrong)),
            (Err(WrongCurrent), Err(WrongCurrent))
        );
    }

    #[test]
    fn a_second_password_is_retired_unless_it_is_the_pending_one() {
        assert_eq!(plan_retirement(&USER), Ok(Change::CurrentPassword));
        let rotating = Observed {
            pending_works: true,
            ..USER
        };
        assert_eq!(plan_retirement(&rotating), Ok(Change::Nothing));
        let single = Observed { passwords: 1, ..USER };
        assert_eq!(plan_retirement(&single), Ok(Change::Nothing));
    }
}
