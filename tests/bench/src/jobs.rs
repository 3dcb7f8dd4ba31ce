//! The two jobs: the same CloudFormation event for our binary and for the Python function beside it, on the same empty
//! stage; and the proof that both did them.

use std::path::{Path, PathBuf};

use database::{Authority, Connector, Credentials};
use local_servers::MySql;
use serde_json::{Value, json};

use crate::aws::Harness;
use crate::secret::ROTATED_ARN;
use crate::tls::Trust;

/// The ARN that both sides read the administrator's credentials from.
pub const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bench-AbCdEf";

/// The schema that both sides make, dropped before each time.
const SCHEMA: &str = "bench";

/// The user whose password both sides rotate, made anew before each time; and its password then.
const USER: &str = "bench_rotated";
const PASSWORD: &str = "bench-before-the-rotation";

/// What stands in the zone after either side's work.
const RECORDS: [&str; 6] = [
    "CNAME tokenone._domainkey.example.org",
    "CNAME tokenthree._domainkey.example.org",
    "CNAME tokentwo._domainkey.example.org",
    "MX mail.example.org",
    "TXT _dmarc.example.org",
    "TXT mail.example.org",
];

/// A job: a function's name, which is our crate's, and the Python module's with underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// A schema with its character set.
    Database,
    /// An SES identity with its six records.
    Domain,
}

/// Why a stage could not be set or looked at.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// MySQL refused.
    #[error("MySQL: {0}")]
    Database(#[from] database::Error),
    /// A certificate authority cannot be read.
    #[error(transparent)]
    Authority(#[from] database::InvalidAuthority),
    /// The job was not done.
    #[error("{job} should have left {expected}, but there is {found}")]
    Undone {
        /// Whose.
        job: &'static str,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
}

impl Job {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Database, Self::Domain];

    /// The function's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database-init",
            Self::Domain => "ses-domain",
        }
    }

    /// CloudFormation's event.
    #[must_use]
    pub fn event(self, stage: &Stage<'_>) -> Value {
        let (resource, properties) = match self {
            Self::Database => (
                "Custom::Database",
                json!({"AdminSecretArn": SECRET_ARN, "Host": stage.mysql.host, "Port": stage.mysql.port.to_string(), "Name": SCHEMA}),
            ),
            Self::Domain => (
                "Custom::SesDomain",
                json!({"Domain": "example.org", "HostedZoneId": "ZBENCH", "MailFromSubdomain": "mail", "DmarcPolicy": "none", "WaitForVerification": "false"}),
            ),
        };
        json!({
            "RequestType": "Create", "RequestId": "bench-request", "LogicalResourceId": "Bench", "ResourceType": resource,
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/bench/0a1b2c3d",
            "ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:bench",
            "ResponseURL": stage.harness.response_url(), "ResourceProperties": properties,
        })
    }
}

/// Where the jobs are done.
pub struct Stage<'a> {
    /// AWS, as far as the jobs see it.
    pub harness: &'a Harness,
    /// The database server.
    pub mysql: &'a MySql,
}

impl Stage<'_> {
    /// Empties the stage: no schema, no identity, no records.
    ///
    /// # Errors
    /// When MySQL refuses.
    pub async fn clear(&self) -> Result<(), StageError> {
        let secret = json!({"username": self.mysql.admin_user, "password": self.mysql.admin_password});
        self.harness.prepare(secret.to_string());
        self.on_mysql(&format!("DROP DATABASE IF EXISTS {SCHEMA}"))
            .await
            .map(drop)
    }

    /// Looks whether `job` was done.
    ///
    /// # Errors
    /// [`StageError::Undone`], or when MySQL refuses.
    pub async fn check(&self, job: Job) -> Result<(), StageError> {
        let (expected, found) = match job {
            Job::Domain => (RECORDS.join(", "), self.harness.records().join(", ")),
            Job::Database => {
                let query = format!(
                    "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{SCHEMA}'"
                );
                let found = self.on_mysql(&query).await?;
                ("utf8mb4_unicode_ci".to_owned(), found.join(", "))
            }
        };
        if found == expected {
            return Ok(());
        }
        Err(StageError::Undone {
            job: job.name(),
            expected,
            found,
        })
    }

    /// Prepares a rotation: a user with one password, its secret, and a pending version without a value.
    ///
    /// # Errors
    /// When MySQL refuses.
    pub async fn begin_rotation(&self) -> Result<(), StageError> {
        self.clear().await?;
        self.on_mysql(&format!("DROP USER IF EXISTS '{USER}'@'%'")).await?;
        self.on_mysql(&format!(
            "CREATE USER '{USER}'@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL"
        ))
        .await?;
        let MySql { host, port, .. } = self.mysql;
        let content = json!({"username": USER, "password": PASSWORD, "host": host, "port": port});
        self.harness.begin_rotation(content.to_string());
        Ok(())
    }

    /// Looks whether the secret was rotated, and both passwords work.
    ///
    /// # Errors
    /// [`StageError::Undone`], or when MySQL refuses one of them.
    pub async fn check_rotation(&self) -> Result<(), StageError> {
        let (current, is_rotated) = self.harness.rotated("AWSCURRENT");
        let current: Value = serde_json::from_str(&current).unwrap_or_default();
        let password = current["password"].as_str().unwrap_or_default();
        if !is_rotated || password == PASSWORD {
            return Err(StageError::Undone {
                job: "rotate-database",
                expected: "another password".to_owned(),
                found: "the old one".to_owned(),
            });
        }
        for password in [PASSWORD, password] {
            let credentials = Credentials::new(USER, password.to_owned().into());
            self.connector()?.connect(&credentials).await?.close().await;
        }
        self.on_mysql(&format!("DROP USER '{USER}'@'%'")).await.map(drop)
    }

    fn connector(&self) -> Result<Connector, StageError> {
        let MySql {
            host, port, ca_file, ..
        } = self.mysql;
        Ok(Connector::new(host, *port, Authority::from_file(ca_file)?))
    }

    /// The first column of what a statement gives.
    async fn on_mysql(&self, statement: &str) -> Result<Vec<String>, StageError> {
        let connector = self.connector()?;
        let credentials = Credentials::new(&self.mysql.admin_user, self.mysql.admin_password.clone().into());
        let mut connection = connector.connect(&credentials).await?;
        let rows = connection.rows(statement, ()).await;
        connection.close().await;
        Ok(rows?)
    }
}

/// The environment that Lambda would give either contender of these jobs, but for the authorities that it trusts for AWS's
/// endpoints.
#[must_use]
pub fn environment(harness: &Harness, trust: &Trust, site_packages: &Path) -> Vec<(String, String)> {
    let own = [
        ("DATABASE_CA_BUNDLE", trust.databases.to_string_lossy()),
        ("MASTER_SECRET_ARN", SECRET_ARN.into()),
        ("DATABASE_SECRET_ARN", ROTATED_ARN.into()),
        ("PYTHONPATH", site_packages.to_string_lossy()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value.into_owned()));
    [lambda_environment(harness), own.to_vec()].concat()
}

/// The environment that Lambda gives every function.
#[must_use]
pub fn lambda_environment(harness: &Harness) -> Vec<(String, String)> {
    [
        ("AWS_LAMBDA_RUNTIME_API", harness.runtime()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_ENDPOINT_URL", harness.endpoint()),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_SESSION_TOKEN", "bench"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Where a virtual environment keeps boto3 and PyMySQL.
#[must_use]
pub fn site_packages(virtual_environment: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(virtual_environment.join("lib")).ok()?;
    let mut folders = versions.flatten().map(|version| version.path().join("site-packages"));
    folders.find(|path| path.join("boto3").is_dir() && path.join("pymysql").is_dir())
}
