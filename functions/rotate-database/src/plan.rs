//! Decides which statements a step takes. Nothing here calls anything.

use std::fmt;

use thiserror::Error;

use crate::observe::Login;

/// Everything that a plan depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observed {
    /// What came of a log-in with the current password.
    pub current: Login,
    /// With the pending one; refused, where there is none.
    pub pending: Login,
    /// Whether the user has a second password.
    pub has_second: bool,
}

/// One statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// Make the current password the first one. The second stays what it is.
    PutCurrentFirst,
    /// Make the pending password the first one, and what is the first one the second.
    Install,
    /// End the second password.
    DiscardSecond,
}

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PutCurrentFirst => "make the current password the first one",
            Self::Install => "set the pending password, and retain the current one",
            Self::DiscardSecond => "discard the second password",
        })
    }
}

/// Why nothing is changed; reads on from the user's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Nobody can log in as this user.
    #[error(
        "is locked; find out who locked it, and unlock it with ALTER USER ... ACCOUNT UNLOCK, or deploy the stack with another \
         value of Reconcile"
    )]
    Locked,
    /// The secret is wrong already.
    #[error(
        "does not log in with the secret's current password, so that there is nothing to keep; deploy the stack with another \
         value of Reconcile, which sets that password, and rotate again"
    )]
    WrongCurrent,
}

/// What makes the pending password work beside the current one.
///
/// # Errors
/// [`Refusal`] if the current password does not work itself.
pub fn plan_installation(observed: &Observed) -> Result<Vec<Statement>, Refusal> {
    match (observed.pending, observed.current) {
        (Login::Accepted, _) => Ok(Vec::new()),
        (Login::Locked, _) | (_, Login::Locked) => Err(Refusal::Locked),
        (Login::Refused, Login::Refused) => Err(Refusal::WrongCurrent),
        // What is retained is the first password. With two of them the current one may be the second: a rotation that was
        // given up has left its own in front.
        (Login::Refused, Login::Accepted) if observed.has_second => {
            Ok(vec![Statement::PutCurrentFirst, Statement::Install])
        }
        (Login::Refused, Login::Accepted) => Ok(vec![Statement::Install]),
    }
}

/// What makes every other password than the current and the pending one worthless.
///
/// # Errors
/// [`Refusal`] if the current password does not work itself.
pub fn plan_retirement(observed: &Observed) -> Result<Vec<Statement>, Refusal> {
    match (observed.current, observed.pending) {
        (Login::Locked, _) | (_, Login::Locked) => Err(Refusal::Locked),
        (Login::Refused, _) => Err(Refusal::WrongCurrent),
        (Login::Accepted, Login::Refused) if observed.has_second => {
            Ok(vec![Statement::PutCurrentFirst, Statement::DiscardSecond])
        }
        // Both places are taken by passwords that must stay, or there is no second one.
        (Login::Accepted, _) => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MySQL's two places, as its manual describes them.
    #[derive(Debug, Clone, PartialEq, Eq)]
    struct User {
        first: &'static str,
        second: Option<&'static str>,
    }

    impl User {
        fn login(&self, password: &str) -> Login {
            if self.first == password || self.second == Some(password) {
                Login::Accepted
            } else {
                Login::Refused
            }
        }

        fn observed(&self) -> Observed {
            Observed {
                current: self.login("current"),
                pending: self.login("pending"),
                has_second: self.second.is_some(),
            }
        }

        fn run(&mut self, statement: Statement) {
            match statement {
                Statement::PutCurrentFirst => self.first = "current",
                Statement::Install => self.second = Some(std::mem::replace(&mut self.first, "pending")),
                Statement::DiscardSecond => self.second = None,
            }
        }
    }

    fn every_user() -> Vec<User> {
        let names = ["current", "pending", "old", "orphan"];
        let seconds = [None, Some("current"), Some("pending"), Some("old"), Some("orphan")];
        let users = names
            .iter()
            .flat_map(|first| seconds.map(|second| User { first, second }));
        users.collect()
    }

    #[test]
    fn from_whatever_state_the_current_password_works_after_every_statement() {
        let mut reached = 0;
        for user in every_user() {
            type Plan = fn(&Observed) -> Result<Vec<Statement>, Refusal>;
            for (plan, is_installation) in [(plan_installation as Plan, true), (plan_retirement as Plan, false)] {
                let mut user = user.clone();
                let Ok(statements) = plan(&user.observed()) else {
                    assert_eq!(user.login("current"), Login::Refused, "{user:?}");
                    continue;
                };
                let worked = user.login("current");
                for statement in statements {
                    user.run(statement);
                    assert_eq!(user.login("current"), Login::Accepted, "{user:?} after {statement}");
                }
                assert_eq!(user.login("current"), worked);
                assert_eq!(plan(&user.observed()), Ok(Vec::new()), "planned again: {user:?}");
                if is_installation {
                    assert_eq!(user.login("pending"), Login::Accepted, "{user:?}");
                } else {
                    assert_eq!(
                        (user.login("old"), user.login("orphan")),
                        (Login::Refused, Login::Refused),
                        "{user:?}"
                    );
                }
                reached += 1;
            }
        }
        assert!(reached > 15, "{reached} states were planned for");
    }

    #[test]
    fn a_locked_user_and_a_wrong_secret_are_told_apart() {
        let user = |current, pending| Observed {
            current,
            pending,
            has_second: false,
        };
        for plan in [plan_installation, plan_retirement] {
            assert_eq!(plan(&user(Login::Locked, Login::Refused)), Err(Refusal::Locked));
            assert_eq!(plan(&user(Login::Refused, Login::Refused)), Err(Refusal::WrongCurrent));
        }
    }
}
