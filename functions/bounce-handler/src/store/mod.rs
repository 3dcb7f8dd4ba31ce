//! The way to the database: one connection, kept while the function is warm; one transaction a batch, tried again as long
//! as the failure is one that may pass.

mod apply;
mod halves;
mod observe;

use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use database::quoting::identifier;
use database::{Connection, Connector, Patience};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use self::halves::halved;
use crate::error::Error;
use crate::incident::Incident;
use crate::plan::{Outcome, reached};
use crate::policy::{Policy, Verdict};
use crate::tables::{Place, Tables};

/// How long a statement waits for other functions' or Mautic's locks before all of it is tried again.
const LOCK_SECONDS: u32 = 5;
/// After this the server ends a connection, and gives back the locks, of a function that was killed.
const SERVER_PATIENCE: Duration = Duration::from_mins(1);
/// A connection that was idle for longer is not used again: the server may be about to end it.
const IDLE: Duration = Duration::from_secs(40);
/// `ER_NO_SUCH_TABLE`.
const NO_SUCH_TABLE: u16 = 1146;

/// Records incidents in Mautic's database.
#[derive(Debug)]
pub struct Store {
    connector: Connector,
    secrets: Client,
    secret_arn: String,
    place: Place,
    policy: Policy,
    session: Mutex<Option<Session>>,
}

/// An open connection with what is known of the tables.
#[derive(Debug)]
struct Session {
    connection: Connection,
    tables: Tables,
    used: SystemTime,
    /// Whether all its locks were given back.
    tidy: bool,
}

impl Store {
    /// A store that connects when it is first used, with the user of a secret.
    #[must_use]
    pub fn new(connector: Connector, secrets: Client, secret_arn: &str, place: Place, policy: Policy) -> Self {
        Self {
            connector,
            secrets,
            secret_arn: secret_arn.to_owned(),
            place,
            policy,
            session: Mutex::new(None),
        }
    }

    /// Records incidents, all different, and tells what happened with each: in one transaction if the server takes them,
    /// otherwise each half by itself, down to the single one that is to blame. `claim` is another one at each call.
    pub async fn record(&self, incidents: &[Incident], claim: &str, deadline: Instant) -> Vec<Result<Outcome, Error>> {
        let persist = |incidents, claim: String| async move { self.persist(incidents, &claim, deadline).await };
        halved(incidents, claim.to_owned(), &persist).await
    }

    async fn persist(&self, incidents: &[Incident], claim: &str, deadline: Instant) -> Result<Vec<Outcome>, Error> {
        let mut patience = Patience::until(deadline);
        let mut kept = self.session.lock().await;
        for attempt in 0_u32.. {
            let warm = kept.is_some();
            // Another claim for each attempt: what an attempt wrote whose commit went unanswered is not ours any more.
            let claim = format!("{claim}.{attempt}");
            let result = timeout_at(deadline, self.attempt(&mut kept, incidents, &claim)).await;
            let result = result.unwrap_or(Err(Error::Late { silent: "the database" }));
            let Err(error) = result else { return result };
            // With the connection go its transaction and its locks.
            *kept = None;
            if !error.is_transient() {
                return Err(error);
            }
            tracing::warn!(%error, attempt, "tried again");
            // A connection that the server ended while it was idle is no reason to wait.
            let again = if warm && attempt == 0 {
                Instant::now() < deadline
            } else {
                patience.wait().await
            };
            if !again {
                return Err(error);
            }
        }
        unreachable!("attempts end by their result")
    }

    async fn attempt(
        &self,
        kept: &mut Option<Session>,
        incidents: &[Incident],
        claim: &str,
    ) -> Result<Vec<Outcome>, Error> {
        let mut session = match kept.take() {
            Some(session) if session.used.elapsed().is_ok_and(|idle| idle < IDLE) => session,
            _ => self.open().await?,
        };
        let outcomes = match self.transaction(&mut session, incidents, claim).await {
            Err(Error::Database(error)) if error.code() == Some(NO_SUCH_TABLE) => {
                session.connection.run("ROLLBACK").await?;
                session.tables.make(&mut session.connection).await?;
                self.transaction(&mut session, incidents, claim).await?
            }
            other => other?,
        };
        session.used = SystemTime::now();
        *kept = Some(session).filter(|session| session.tidy);
        Ok(outcomes)
    }

    async fn open(&self) -> Result<Session, Error> {
        let mut connection = self
            .connector
            .connect_with_secret(&self.secrets, &self.secret_arn)
            .await?;
        let settings = format!(
            "SET SESSION transaction_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = {LOCK_SECONDS}, \
             time_zone = '+00:00', wait_timeout = {}",
            SERVER_PATIENCE.as_secs()
        );
        connection.run(&settings).await?;
        // A statement that changes a table joined with a list wants some schema to be the present one.
        connection
            .run(&format!("USE {}", identifier(self.place.own.as_str())))
            .await?;
        let tables = Tables::find(&mut connection, &self.place).await?;
        Ok(Session {
            connection,
            tables,
            used: SystemTime::now(),
            tidy: true,
        })
    }

    /// From the keys to the commit; at every point before that nothing has happened, after it all has.
    async fn transaction(
        &self,
        session: &mut Session,
        incidents: &[Incident],
        claim: &str,
    ) -> Result<Vec<Outcome>, Error> {
        let Session { connection, tables, .. } = session;
        connection.run("START TRANSACTION").await?;
        let fresh = apply::claim(connection, tables, incidents, claim).await?;
        let mut order: Vec<usize> = (0..incidents.len()).filter(|index| fresh[*index]).collect();
        order.sort_by_key(|index| (incidents[*index].at, incidents[*index].key));
        let new: Vec<&Incident> = order.iter().map(|index| &incidents[*index]).collect();
        let targets = observe::targets(connection, tables, &new).await?;
        observe::lock(connection, tables, &new, &targets, LOCK_SECONDS).await?;
        let observed = observe::under_lock(connection, tables, incidents, &targets).await?;
        let pairs: Vec<_> = new.iter().copied().zip(&targets).collect();
        let plan = crate::plan::plan(&pairs, &observed, &self.policy);
        apply::write(connection, tables, &plan).await?;
        connection.run("COMMIT").await?;
        session.tidy = apply::tidy(&mut session.connection, &session.tables).await;

        let repeated = |incident: &Incident| Outcome {
            fresh: false,
            suppressed: match incident.verdict {
                Verdict::Suppress(_) => true,
                Verdict::Soft => observed
                    .windows
                    .get(&incident.subject())
                    .is_some_and(|window| reached(window, incident.at, &self.policy)),
                Verdict::ProviderSuppressed | Verdict::Harmless | Verdict::Unknown => false,
            },
            correlation: crate::plan::Correlation::Nobody,
            unreadable: false,
        };
        let mut outcomes: Vec<_> = incidents.iter().map(repeated).collect();
        for (index, outcome) in order.into_iter().zip(plan.outcomes) {
            outcomes[index] = outcome;
        }
        Ok(outcomes)
    }
}

/// As MySQL's UNHEX reads it.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02X}");
            text
        })
}
