//! The target of the rotation: an ElastiCache user with two passwords at most.

use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::error::ProvideErrorMetadata;
use aws_sdk_elasticache::types::Authentication;
use custom_resource::AwsError;
use rotation::{Retirement, RotationTarget, Secret, random_password};
use secrecy::ExposeSecret;
use tracing::info;

use crate::cache::Cache;
use crate::error::Error;
use crate::plan::{Change, Observed, WrongCurrent, plan_installation, plan_retirement};

/// ElastiCache's word for a user that changes nothing.
const ACTIVE: &str = "active";
/// How ElastiCache says that the user is being changed already.
const BUSY: [&str; 2] = ["InvalidUserState", "InvalidUserStateFault"];

/// A user of a cache.
#[derive(Clone)]
pub struct CacheUser {
    users: Client,
    id: String,
    cache: Cache,
}

impl CacheUser {
    /// The user of this id, who signs in to `cache`.
    #[must_use]
    pub fn new(users: Client, id: &str, cache: Cache) -> Self {
        Self {
            users,
            id: id.to_owned(),
            cache,
        }
    }

    fn thing(&self) -> String {
        format!("user {}", self.id)
    }

    /// How many passwords the user has, and whether it is being changed.
    async fn described(&self) -> Result<(usize, bool), Error> {
        let described = self.users.describe_users().user_id(&self.id).send().await;
        let described = described.map_err(AwsError::of("elasticache:DescribeUsers", self.thing()))?;
        let user = described
            .users()
            .first()
            .ok_or_else(|| Error::NoUser(self.id.clone()))?;
        let passwords = user.authentication().and_then(Authentication::password_count);
        let passwords = passwords.and_then(|count| usize::try_from(count).ok());
        Ok((passwords.unwrap_or_default(), user.status() != Some(ACTIVE)))
    }

    async fn observe(&self, current: &Secret, pending: Option<&Secret>) -> Result<Observed, Error> {
        let (passwords, is_changing) = self.described().await?;
        Ok(Observed {
            current_works: self.cache.lets_in(current).await?,
            pending_works: match pending {
                Some(pending) => self.cache.lets_in(pending).await?,
                None => false,
            },
            passwords,
            is_changing,
        })
    }

    /// Begins the change; that another one is in flight is as good.
    async fn give(&self, passwords: &[&Secret]) -> Result<(), Error> {
        info!(
            user = self.id,
            passwords = passwords.len(),
            "changing the user's passwords"
        );
        let mut call = self.users.modify_user().user_id(&self.id);
        for secret in passwords {
            call = call.passwords(secret.password()?.expose_secret());
        }
        match call.send().await {
            Err(error) if !error.code().is_some_and(|code| BUSY.contains(&code)) => {
                Err(AwsError::of("elasticache:ModifyUser", self.thing())(error).into())
            }
            _ => Ok(()),
        }
    }

    fn refused(&self, refusal: WrongCurrent) -> Error {
        Error::Refused {
            user: self.id.clone(),
            refusal,
        }
    }
}

impl RotationTarget for CacheUser {
    type Error = Error;

    async fn make(&self, current: &Secret) -> Result<Secret, Error> {
        Ok(current.with("password", &random_password()))
    }

    async fn install(&self, current: &Secret, pending: &Secret) -> Result<(), Error> {
        let observed = self.observe(current, Some(pending)).await?;
        match plan_installation(&observed).map_err(|refusal| self.refused(refusal))? {
            Change::BothPasswords => self.give(&[pending, current]).await,
            _ => Ok(()),
        }
    }

    async fn prove(&self, pending: &Secret) -> Result<(), Error> {
        // That one node lets the user in says nothing of the others: ElastiCache alone knows when it has told them all.
        let (_, is_changing) = self.described().await?;
        if is_changing {
            return Err(Error::InFlight { user: self.id.clone() });
        }
        if self.cache.lets_in(pending).await? {
            return Ok(());
        }
        Err(Error::NotAccepted {
            address: self.cache.address(),
            user: pending.username()?.to_owned(),
        })
    }

    async fn retire(&self, current: &Secret, pending: Option<&Secret>) -> Result<Retirement, Error> {
        let observed = self.observe(current, pending).await?;
        match plan_retirement(&observed).map_err(|refusal| self.refused(refusal))? {
            Change::Nothing => return Ok(Retirement::Done),
            Change::CurrentPassword => self.give(&[current]).await?,
            Change::InFlight | Change::BothPasswords => {}
        }
        // Where the change takes no time, it need not be asked for again.
        match self.described().await? {
            (0 | 1, false) => Ok(Retirement::Done),
            _ => Ok(Retirement::UnderWay),
        }
    }

    fn may_pass(&self, error: &Error) -> bool {
        error.may_pass()
    }
}
