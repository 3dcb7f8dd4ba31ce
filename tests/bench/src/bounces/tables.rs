//! Mautic's tables with many contacts and five sends each, in a schema of their own.

use database::{Authority, Connection, Connector, Credentials, Error, Name, NameKind};
use local_servers::MySql;

/// Where the contacts and sends are; dropped by the next run.
const MAUTIC: &str = "bench_mautic";
/// Where the function's own tables are.
const OWN: &str = "bench_bounces";
/// Rows that one statement makes: more would not fit into the server's memory here.
const AT_ONCE: usize = 50_000;

/// The tables of one server.
pub struct Stage<'a> {
    server: &'a MySql,
    /// How many contacts there are; five times as many sends.
    pub contacts: usize,
}

impl<'a> Stage<'a> {
    /// Makes and fills the tables.
    ///
    /// # Errors
    /// When MySQL refuses.
    pub async fn fill(server: &'a MySql, contacts: usize) -> Result<Self, Error> {
        let stage = Self { server, contacts };
        let mut connection = stage.connect().await?;
        for statement in schema() {
            connection.run(&statement).await?;
        }
        let mut from = 0;
        while from < contacts {
            let count = AT_ONCE.min(contacts - from);
            let numbers = format!(
                "(WITH RECURSIVE numbers AS (SELECT {from} + 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < {from} + {count}) SELECT n FROM numbers) t"
            );
            connection
                .run(&format!("INSERT INTO {MAUTIC}.leads (id, email) SELECT n, CONCAT('contact', n, '@example.com') FROM {numbers}"))
                .await?;
            for send in 0..5 {
                connection
                    .run(&format!(
                        "INSERT INTO {MAUTIC}.email_stats (email_id, lead_id, email_address, date_sent, tracking_hash, open_details) \
                         SELECT {send} + 1, n, CONCAT('contact', n, '@example.com'), '2026-11-23' + INTERVAL {send} HOUR, \
                         CONCAT('bench', {send}, 'x', LPAD(n, 15, '0')), 'a:0:{{}}' FROM {numbers}"
                    ))
                    .await?;
            }
            from += count;
        }
        for statement in indices() {
            connection.run(&statement).await?;
        }
        connection.close().await;
        Ok(stage)
    }

    /// The same tables, by another way to their server.
    #[must_use]
    pub fn by_way_of<'b>(&self, server: &'b MySql) -> Stage<'b> {
        let contacts = self.contacts;
        Stage { server, contacts }
    }

    /// Where they are.
    #[must_use]
    pub fn server(&self) -> &MySql {
        self.server
    }

    /// The administrator's connection, in Mautic's schema.
    ///
    /// # Errors
    /// When MySQL refuses.
    pub async fn connect(&self) -> Result<Connection, Error> {
        let credentials = Credentials::new(&self.server.admin_user, self.server.admin_password.clone().into());
        let mut connection = self.connector().connect(&credentials).await?;
        connection
            .run("SET SESSION cte_max_recursion_depth = 1000000, transaction_isolation = 'READ-COMMITTED'")
            .await?;
        Ok(connection)
    }

    /// The way to the server.
    ///
    /// # Panics
    /// When its authority's file is gone.
    #[must_use]
    pub fn connector(&self) -> Connector {
        let authority = Authority::from_file(&self.server.ca_file).expect("the servers' authority");
        Connector::new(&self.server.host, self.server.port, authority)
    }

    /// The administrator's secret.
    #[must_use]
    pub fn secret(&self) -> String {
        serde_json::json!({"username": self.server.admin_user, "password": self.server.admin_password}).to_string()
    }

    /// For the function.
    ///
    /// # Panics
    /// Never: the names are fixed.
    #[must_use]
    pub fn place(&self) -> bounce_handler::Place {
        let schema = |name| Name::new(NameKind::Schema, name).expect("a name");
        bounce_handler::Place {
            mautic: schema(MAUTIC),
            prefix: String::new(),
            own: schema(OWN),
        }
    }

    /// Statements that the server has carried out, and prepared, since it started.
    ///
    /// # Errors
    /// When MySQL refuses.
    pub async fn statements(&self, connection: &mut Connection) -> Result<u64, Error> {
        let query = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Questions', 'Com_stmt_prepare')";
        let rows: Vec<(String, u64)> = connection.rows(query, ()).await?;
        Ok(rows.iter().map(|(_, value)| value).sum())
    }

    /// An index that Mautic does not have; an operator may.
    ///
    /// # Errors
    /// When MySQL refuses.
    pub async fn index_addresses(&self) -> Result<(), Error> {
        let mut connection = self.connect().await?;
        connection
            .run(&format!("CREATE INDEX address ON {MAUTIC}.leads (email)"))
            .await?;
        connection.close().await;
        Ok(())
    }

    /// Takes it all away.
    ///
    /// # Errors
    /// When MySQL refuses.
    pub async fn clear(&self) -> Result<(), Error> {
        let mut connection = self.connect().await?;
        for schema in [MAUTIC, OWN] {
            connection.run(&format!("DROP DATABASE {schema}")).await?;
        }
        connection.close().await;
        Ok(())
    }
}

fn schema() -> Vec<String> {
    vec![
        format!("DROP DATABASE IF EXISTS {MAUTIC}"),
        format!("DROP DATABASE IF EXISTS {OWN}"),
        format!("CREATE DATABASE {MAUTIC} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"),
        format!("CREATE DATABASE {OWN} CHARACTER SET utf8mb4"),
        format!(
            "CREATE TABLE {MAUTIC}.leads (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, is_published TINYINT(1) NOT NULL DEFAULT 1, \
             firstname VARCHAR(191) DEFAULT 'A first name', lastname VARCHAR(191) DEFAULT 'A last name', company VARCHAR(191) DEFAULT 'A company with a name', \
             city VARCHAR(191) DEFAULT 'A city', country VARCHAR(191) DEFAULT 'A country', points INT NOT NULL DEFAULT 0, email VARCHAR(191))"
        ),
        format!(
            "CREATE TABLE {MAUTIC}.emails (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(191) NOT NULL)"
        ),
        format!("INSERT INTO {MAUTIC}.emails (name) VALUES ('1'), ('2'), ('3'), ('4'), ('5')"),
        format!(
            "CREATE TABLE {MAUTIC}.lead_donotcontact (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, lead_id BIGINT UNSIGNED, date_added DATETIME NOT NULL, \
             reason SMALLINT NOT NULL, channel VARCHAR(191) NOT NULL, channel_id INT, comments LONGTEXT, \
             KEY leadid_reason_channel (lead_id, channel, reason), KEY dnc_reason_search (reason), KEY dnc_date_added (date_added), \
             FOREIGN KEY (lead_id) REFERENCES {MAUTIC}.leads (id) ON DELETE CASCADE)"
        ),
        format!(
            "CREATE TABLE {MAUTIC}.email_stats (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, email_id INT UNSIGNED, lead_id BIGINT UNSIGNED, \
             email_address VARCHAR(191) NOT NULL, date_sent DATETIME NOT NULL, is_read TINYINT(1) NOT NULL DEFAULT 0, \
             is_failed TINYINT(1) NOT NULL DEFAULT 0, tracking_hash VARCHAR(191), tokens LONGTEXT, open_count INT, open_details LONGTEXT)"
        ),
    ]
}

/// Those of Mautic's that a bounce's look-ups or changes touch; made last, since that is quicker.
fn indices() -> Vec<String> {
    vec![
        format!(
            "ALTER TABLE {MAUTIC}.email_stats ADD KEY stat_email_hash_search (tracking_hash), ADD KEY stat_email_search (email_id, lead_id), \
             ADD KEY stat_email_failed_search (is_failed)"
        ),
        format!("ANALYZE TABLE {MAUTIC}.email_stats, {MAUTIC}.leads"),
    ]
}
