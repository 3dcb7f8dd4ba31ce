//! Whether an installation made the administrator of the secret, with the secret's password.

use database::Credentials;
use secrecy::ExposeSecret;
use tracing::warn;

/// What is wrong with the administrator; reads on from the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such user.
    #[error("is not among Mautic's users")]
    Missing,
    /// There is, with another password.
    #[error("has another password there")]
    OtherPassword,
}

/// Compares what Mautic keeps of the password, a bcrypt hash, with the secret. It takes a second or more: that is what
/// bcrypt is for.
pub(crate) fn check(administrator: &Credentials, hash: Option<&str>) -> Result<(), Fault> {
    let Some(hash) = hash else {
        return Err(Fault::Missing);
    };
    match bcrypt::verify(administrator.password().expose_secret(), hash) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Fault::OtherPassword),
        // A Mautic to come may use another algorithm. The user is there; more cannot be said, and is no failure.
        Err(_) => {
            warn!("Mautic's hash of the administrator's password is none of bcrypt's: it was not compared");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(password: &str, hash: Option<&str>) -> Result<(), Fault> {
        check(&Credentials::new("admin", password.to_owned().into()), hash)
    }

    #[test]
    fn a_user_with_the_secret_s_password_is_the_administrator() {
        // As PHP's password_hash and crypt(3) write them.
        for version in ["2y", "2b", "2a"] {
            let hash = bcrypt::hash("hunter2", 4).unwrap().replacen("2b", version, 1);
            assert_eq!(checked("hunter2", Some(&hash)), Ok(()), "{hash}");
            assert_eq!(checked("hunter3", Some(&hash)), Err(Fault::OtherPassword), "{hash}");
        }
        assert_eq!(checked("hunter2", None), Err(Fault::Missing));
    }

    #[test]
    fn a_hash_of_another_kind_is_not_compared() {
        assert_eq!(
            checked("hunter2", Some("$argon2id$v=19$m=65536,t=4,p=1$c2FsdA$aGFzaA")),
            Ok(())
        );
    }
}
