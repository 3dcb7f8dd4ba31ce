//! Mautic's tables on a real server, the function's own user with exactly its rights, and the handler.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_secretsmanager::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_secretsmanager::error::BoxError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use bounce_handler::policy::Policy;
use bounce_handler::{Handler, Place, store::Store};
use database::{Authority, Connection, Connector, Credentials, Name, NameKind};
use local_servers::MySql;
use recorded_calls::Recorder;
use serde_json::{Value, json};
use ses_events::Batch;
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard};
use tokio::time::Instant;

use crate::report::{Report, batch};

const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bounces-AbCdEf";
pub const PASSWORD: &str = "Bounce-Pw-0123456789";

pub struct World {
    pub server: MySql,
    pub mautic: String,
    pub own: String,
    pub user: String,
    pub prefix: String,
    /// The administrator's last connection.
    admin: Mutex<Option<Connection>>,
}

/// So many panics are left.
#[derive(Debug)]
struct Defect(AtomicU32);

impl Intercept for Defect {
    fn name(&self) -> &'static str {
        "Defect"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let left = self.0.load(Ordering::SeqCst);
        self.0.store(left.saturating_sub(1), Ordering::SeqCst);
        assert!(left == 0, "a defect");
        Ok(())
    }
}

/// A world on each server.
pub async fn worlds(prefix: &str) -> Vec<World> {
    let mut worlds = Vec::new();
    for server in local_servers::mysql() {
        worlds.push(World::new(server, prefix).await);
    }
    worlds
}

fn fresh() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let time = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    format!(
        "{:x}_{}",
        time.as_millis() % 0x1000_0000,
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// The parts of Mautic's tables that the function meets, as Mautic 7 makes them.
fn tables(schema: &str, prefix: &str) -> Vec<String> {
    let end = "DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci ENGINE=InnoDB ROW_FORMAT=DYNAMIC";
    vec![
        format!(
            "CREATE TABLE {schema}.{prefix}leads (id BIGINT UNSIGNED AUTO_INCREMENT NOT NULL, is_published TINYINT(1) NOT NULL DEFAULT 1, \
             firstname VARCHAR(191) DEFAULT NULL, email VARCHAR(191) DEFAULT NULL, points INT NOT NULL DEFAULT 0, PRIMARY KEY(id)) {end}"
        ),
        format!(
            "CREATE TABLE {schema}.{prefix}emails (id INT UNSIGNED AUTO_INCREMENT NOT NULL, name VARCHAR(191) NOT NULL, sent_count INT NOT NULL DEFAULT 0, \
             read_count INT NOT NULL DEFAULT 0, PRIMARY KEY(id)) {end}"
        ),
        format!(
            "CREATE TABLE {schema}.{prefix}lead_donotcontact (id INT UNSIGNED AUTO_INCREMENT NOT NULL, lead_id BIGINT UNSIGNED DEFAULT NULL, \
             date_added DATETIME NOT NULL, reason SMALLINT NOT NULL, channel VARCHAR(191) NOT NULL, channel_id INT DEFAULT NULL, comments LONGTEXT DEFAULT NULL, \
             INDEX {prefix}leadid_reason_channel (lead_id, channel, reason), INDEX {prefix}dnc_reason_search (reason), \
             INDEX {prefix}dnc_date_added (date_added), PRIMARY KEY(id), \
             FOREIGN KEY (lead_id) REFERENCES {schema}.{prefix}leads (id) ON DELETE CASCADE) {end}"
        ),
        format!(
            "CREATE TABLE {schema}.{prefix}email_stats (id BIGINT UNSIGNED AUTO_INCREMENT NOT NULL, email_id INT UNSIGNED DEFAULT NULL, \
             lead_id BIGINT UNSIGNED DEFAULT NULL, list_id INT UNSIGNED DEFAULT NULL, ip_id INT UNSIGNED DEFAULT NULL, copy_id VARCHAR(32) DEFAULT NULL, \
             email_address VARCHAR(191) NOT NULL, date_sent DATETIME NOT NULL, is_read TINYINT(1) NOT NULL DEFAULT 0, is_failed TINYINT(1) NOT NULL DEFAULT 0, \
             viewed_in_browser TINYINT(1) NOT NULL DEFAULT 0, date_read DATETIME DEFAULT NULL, tracking_hash VARCHAR(191) DEFAULT NULL, \
             retry_count INT DEFAULT NULL, source VARCHAR(191) DEFAULT NULL, source_id INT DEFAULT NULL, tokens LONGTEXT DEFAULT NULL, \
             open_count INT DEFAULT NULL, last_opened DATETIME DEFAULT NULL, open_details LONGTEXT DEFAULT NULL, \
             generated_sent_date DATE GENERATED ALWAYS AS (CONCAT(YEAR(date_sent), '-', LPAD(MONTH(date_sent), 2, '0'), '-', LPAD(DAY(date_sent), 2, '0'))) VIRTUAL, \
             INDEX {prefix}stat_email_hash_search (tracking_hash), INDEX {prefix}stat_email_search (email_id, lead_id), \
             INDEX {prefix}stat_email_failed_search (is_failed), INDEX {prefix}stat_email_lead_id_date_sent (lead_id, date_sent), PRIMARY KEY(id), \
             FOREIGN KEY (lead_id) REFERENCES {schema}.{prefix}leads (id) ON DELETE SET NULL, \
             FOREIGN KEY (email_id) REFERENCES {schema}.{prefix}emails (id) ON DELETE SET NULL) {end}"
        ),
    ]
}

/// What the function's user may do, and no more: the list of docs/bounces.md.
fn grants(mautic: &str, own: &str, prefix: &str, user: &str) -> Vec<String> {
    [
        format!("SELECT (id, email) ON {mautic}.{prefix}leads"),
        format!("SELECT (id) ON {mautic}.{prefix}emails"),
        format!(
            "SELECT (id, lead_id, reason, channel), INSERT (lead_id, date_added, reason, channel, channel_id, comments), \
             UPDATE (date_added, reason, comments) ON {mautic}.{prefix}lead_donotcontact"
        ),
        format!(
            "SELECT (id, email_id, lead_id, email_address, date_sent, is_failed, tracking_hash, open_details), \
             UPDATE (is_failed, open_details) ON {mautic}.{prefix}email_stats"
        ),
        format!("SELECT, INSERT, UPDATE, DELETE, CREATE ON {own}.*"),
    ]
    .map(|right| format!("GRANT {right} TO '{user}'@'%'"))
    .to_vec()
}

impl World {
    /// A world on a server.
    pub async fn new(server: MySql, prefix: &str) -> Self {
        let stem = fresh();
        let world = Self {
            server,
            mautic: format!("mautic_{stem}"),
            own: format!("bounces_{stem}"),
            user: format!("b_{stem}"),
            prefix: prefix.to_owned(),
            admin: Mutex::new(None),
        };
        let World { mautic, own, user, .. } = &world;
        let mut statements = vec![
            format!("CREATE DATABASE {mautic} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"),
            format!("CREATE DATABASE {own} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"),
        ];
        statements.extend(tables(mautic, prefix));
        statements.push(format!(
            "CREATE USER '{user}'@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL"
        ));
        statements.extend(grants(mautic, own, prefix, user));
        world
            .run(&statements.iter().map(String::as_str).collect::<Vec<_>>())
            .await;
        world
    }

    pub fn table(&self, name: &str) -> String {
        format!("{}.{}{name}", self.mautic, self.prefix)
    }

    fn connector(&self, port: u16) -> Connector {
        Connector::new(
            &self.server.host,
            port,
            Authority::from_file(&self.server.ca_file).expect("the servers' authority"),
        )
    }

    /// The administrator's connection: a new one where the server has ended the last.
    async fn admin(&self) -> MappedMutexGuard<'_, Connection> {
        let mut kept = self.admin.lock().await;
        let is_open = match kept.as_mut() {
            Some(connection) => connection.run("DO 0").await.is_ok(),
            None => false,
        };
        if !is_open {
            let credentials = Credentials::new(&self.server.admin_user, self.server.admin_password.clone().into());
            let connection = self.connector(self.server.port).connect(&credentials).await;
            *kept = Some(connection.expect("the administrator's connection"));
        }
        MutexGuard::map(kept, |kept| kept.as_mut().expect("it was opened above"))
    }

    /// A connection of the function's own user.
    pub async fn same_user(&self) -> Connection {
        let credentials = Credentials::new(&self.user, PASSWORD.to_owned().into());
        let connection = self.connector(self.server.port).connect(&credentials).await;
        connection.expect("the function's user")
    }

    /// Runs statements as the administrator; `leads`, `emails`, `rows` and `sends` in braces are the tables.
    pub async fn run(&self, statements: &[&str]) {
        let mut connection = self.admin().await;
        for statement in statements {
            let statement = self.named(statement);
            connection
                .run(&statement)
                .await
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    fn named(&self, statement: &str) -> String {
        statement
            .replace("{leads}", &self.table("leads"))
            .replace("{emails}", &self.table("emails"))
            .replace("{rows}", &self.table("lead_donotcontact"))
            .replace("{sends}", &self.table("email_stats"))
            .replace("{own}", &self.own)
    }

    /// The first column of a query's rows, as text.
    pub async fn column(&self, query: &str) -> Vec<String> {
        let mut connection = self.admin().await;
        let query = self.named(query);
        let rows: Vec<Option<String>> = connection
            .rows(&query, ())
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        rows.into_iter()
            .map(|text| text.unwrap_or_else(|| "NULL".into()))
            .collect()
    }

    /// `lead_donotcontact` by id: contact, date, reason, channel, e-mail, comments.
    pub async fn rows(&self) -> Vec<String> {
        self.column(
            "SELECT CONCAT_WS(' ', COALESCE(lead_id, 'NULL'), date_added, reason, channel, COALESCE(channel_id, 'NULL'), COALESCE(comments, 'NULL')) FROM {rows} ORDER BY id",
        )
        .await
    }

    /// `email_stats` by id: the id, whether it failed, the details.
    pub async fn sends(&self) -> Vec<String> {
        self.column("SELECT CONCAT_WS(' ', id, is_failed, COALESCE(open_details, 'NULL')) FROM {sends} ORDER BY id")
            .await
    }

    pub fn place(&self) -> Place {
        let schema = |name: &str| Name::new(NameKind::Schema, name).expect("a name");
        Place {
            mautic: schema(&self.mautic),
            prefix: self.prefix.clone(),
            own: schema(&self.own),
        }
    }

    /// The function, on this server or through a port in between.
    pub fn handler_at(&self, port: u16, policy: Policy, suppression: Option<aws_sdk_sesv2::Client>) -> Handler {
        self.handler_with(port, policy, suppression, 0)
    }

    /// The function, with a defect that it meets the first so many times that it reads its secret.
    pub fn handler_with(
        &self,
        port: u16,
        policy: Policy,
        suppression: Option<aws_sdk_sesv2::Client>,
        panics: u32,
    ) -> Handler {
        let secret = json!({"username": self.user, "password": PASSWORD}).to_string();
        let rule = mock!(Client::get_secret_value).then_output(move || {
            GetSecretValueOutput::builder()
                .set_secret_string(Some(secret.clone()))
                .build()
        });
        let secrets = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&rule], |config| {
            config
                .interceptor(Recorder::of("bounce-handler"))
                .interceptor(Defect(AtomicU32::new(panics)))
        });
        let store = Store::new(self.connector(port), secrets, SECRET, self.place(), policy.clone());
        Handler::new(store, policy, suppression, "Mautic/test/Bounces")
    }

    pub fn handler(&self) -> Handler {
        self.handler_at(self.server.port, policy(), None)
    }
}

pub fn policy() -> Policy {
    Policy {
        soft_threshold: 3,
        soft_days: 14,
        permanent_statuses: vec!["5.1.1".into()],
    }
}

/// Hands reports over in one batch; the messages that failed.
pub async fn hand(handler: &Handler, reports: &[Report]) -> Value {
    let texts: Vec<_> = reports.iter().map(Report::text).collect();
    hand_texts(handler, &texts).await
}

pub async fn hand_texts(handler: &Handler, texts: &[String]) -> Value {
    hand_batch(handler, &batch(texts)).await
}

pub async fn hand_batch(handler: &Handler, batch: &Batch) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    let answer = handler
        .handle(batch, &fresh(), deadline)
        .await
        .expect("no topic's failed");
    serde_json::to_value(answer).expect("JSON")
}

/// No message failed.
pub fn all_well() -> Value {
    json!({"batchItemFailures": []})
}
