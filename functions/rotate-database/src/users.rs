//! The target of the rotation: users of MySQL servers.

use aws_sdk_secretsmanager::Client;
use database::{Authority, Connection, Connector};
use rotation::{Retirement, RotationTarget, Secret, random_password};
use secrecy::ExposeSecret;
use tracing::info;

use crate::error::Error;
use crate::observe::{Account, Login, account, credentials, login};
use crate::plan::{Observed, Refusal, Statement, plan_installation, plan_retirement};

/// The variable that names the master user's secret.
pub const MASTER: &str = "MASTER_SECRET_ARN";
/// One lock for all users of a server: each holds it for milliseconds.
const LOCK: &str = "rotate-database";
/// How long to wait for it.
const LOCK_SECONDS: u64 = 10;

/// Users of MySQL servers that one master user administers.
#[derive(Debug, Clone)]
pub struct MySqlUsers {
    secrets: Client,
    master: String,
    authority: Authority,
}

impl MySqlUsers {
    /// With the master user of this secret, believing servers that `authority` vouches for.
    #[must_use]
    pub fn new(secrets: Client, master: &str, authority: Authority) -> Self {
        Self {
            secrets,
            master: master.to_owned(),
            authority,
        }
    }

    fn connector(&self, secret: &Secret) -> Result<Connector, Error> {
        Ok(Connector::new(
            secret.text("host")?,
            secret.port()?,
            self.authority.clone(),
        ))
    }

    /// Looks, plans and carries out, alone at work on this server.
    async fn change(
        &self,
        current: &Secret,
        pending: Option<&Secret>,
        plan: fn(&Observed) -> Result<Vec<Statement>, Refusal>,
    ) -> Result<(), Error> {
        let connector = self.connector(current)?;
        let mut master = connector.connect_with_secret(&self.secrets, &self.master).await?;
        let changed = change(&mut master, &connector, current, pending, plan).await;
        // The lock goes with the connection.
        master.close().await;
        changed
    }
}

async fn change(
    master: &mut Connection,
    connector: &Connector,
    current: &Secret,
    pending: Option<&Secret>,
    plan: fn(&Observed) -> Result<Vec<Statement>, Refusal>,
) -> Result<(), Error> {
    let got: Option<(Option<i64>,)> = master.first("SELECT GET_LOCK(?, ?)", (LOCK, LOCK_SECONDS)).await?;
    if got != Some((Some(1),)) {
        return Err(Error::Busy(LOCK_SECONDS));
    }
    let user = current.username()?;
    let (account, has_second) = account(master, user).await?;
    let observed = Observed {
        current: login(connector, current).await?,
        pending: match pending {
            Some(pending) => login(connector, pending).await?,
            None => Login::Refused,
        },
        has_second,
    };
    let refused = |refusal| Error::Refused {
        user: user.to_owned(),
        refusal,
    };
    for statement in plan(&observed).map_err(refused)? {
        info!(user, %statement);
        run(master, &account, statement, current, pending.unwrap_or(current)).await?;
    }
    Ok(())
}

async fn run(
    master: &mut Connection,
    account: &Account,
    statement: Statement,
    current: &Secret,
    pending: &Secret,
) -> Result<(), Error> {
    let password =
        |secret: &Secret| -> Result<String, Error> { Ok(master.literal(secret.password()?.expose_secret())) };
    let name = account.quoted();
    let text = match statement {
        Statement::PutCurrentFirst => format!("ALTER USER {name} IDENTIFIED BY {}", password(current)?),
        Statement::Install => {
            format!(
                "ALTER USER {name} IDENTIFIED BY {} RETAIN CURRENT PASSWORD",
                password(pending)?
            )
        }
        Statement::DiscardSecond => format!("ALTER USER {name} DISCARD OLD PASSWORD"),
    };
    master.run(&text).await.map_err(|error| match statement {
        Statement::PutCurrentFirst => error.into(),
        Statement::Install | Statement::DiscardSecond => Error::about_second_passwords(error),
    })
}

impl RotationTarget for MySqlUsers {
    type Error = Error;

    async fn make(&self, current: &Secret) -> Result<Secret, Error> {
        Ok(current.with("password", &random_password()))
    }

    async fn install(&self, current: &Secret, pending: &Secret) -> Result<(), Error> {
        self.change(current, Some(pending), plan_installation).await
    }

    async fn prove(&self, pending: &Secret) -> Result<(), Error> {
        let connection = self.connector(pending)?.connect(&credentials(pending)?).await?;
        connection.close().await;
        Ok(())
    }

    async fn retire(&self, current: &Secret, pending: Option<&Secret>) -> Result<Retirement, Error> {
        self.change(current, pending, plan_retirement).await?;
        Ok(Retirement::Done)
    }

    fn may_pass(&self, error: &Error) -> bool {
        error.may_pass()
    }
}
