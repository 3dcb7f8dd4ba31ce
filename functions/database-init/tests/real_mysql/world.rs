//! One server, one administrator, secrets that a test may change, and the runtime with both handlers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ErrorMetadata;
use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use custom_resource::Runtime;
use database::{Authority, Connection, Connector, Credentials, Error};
use database_init::{SchemaHandler, Servers, UserHandler};
use local_servers::MySql;
use recorded_calls::Recorder;
use serde_json::{Value, json};

/// A stack that is not the one of the tests' events.
pub const OTHER_STACK: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/other/0b2e";
pub const ADMIN_SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-0c1f-AbCdEf";

pub struct World {
    pub server: MySql,
    pub admin: String,
    pub runtime: Runtime,
    /// Another one in each world: the users of one secret are one resource's, and a Delete drops them all.
    pub secret_arn: String,
    secrets: Arc<Mutex<HashMap<String, String>>>,
    denials: Arc<AtomicU32>,
}

/// Every server with each of its administrators.
pub fn worlds() -> Vec<World> {
    let servers = local_servers::mysql();
    servers
        .iter()
        .flat_map(|server| server.admins().map(|admin| World::new(server, admin)))
        .collect()
}

/// A name that no other test and no earlier run uses.
pub fn fresh(stem: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let time = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_millis();
    format!(
        "{stem}_{:x}_{}",
        time % 0x1000_0000,
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

impl World {
    fn new(server: &MySql, admin: &str) -> Self {
        let secrets: Arc<Mutex<HashMap<String, String>>> = Arc::default();
        let theirs = Arc::clone(&secrets);
        let denials = Arc::<AtomicU32>::default();
        let denied = Arc::clone(&denials);
        let rule = mock!(Client::get_secret_value).then_compute_response(move |request| {
            if denied
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok()
            {
                let meta = ErrorMetadata::builder()
                    .code("AccessDeniedException")
                    .message("not authorized")
                    .build();
                return MockResponse::Error(GetSecretValueError::generic(meta));
            }
            let known = theirs.lock().expect("no panic before");
            let text = request.secret_id().and_then(|arn| known.get(arn)).cloned();
            MockResponse::Output(GetSecretValueOutput::builder().set_secret_string(text).build())
        });
        let client = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&rule], |config| {
            config.interceptor(Recorder::of("database-init"))
        });
        let servers = Servers::new(client, Some(&server.ca_file)).expect("the servers' authority");
        let runtime = Runtime::new()
            .on("Custom::Database", SchemaHandler::new(servers.clone()))
            .on("Custom::DatabaseUser", UserHandler::new(servers));
        let world = Self {
            server: server.clone(),
            admin: admin.to_owned(),
            runtime,
            secret_arn: format!(
                "arn:aws:secretsmanager:eu-central-1:123456789012:secret:{}-GhIjKl",
                fresh("user")
            ),
            secrets,
            denials,
        };
        world.secret(
            ADMIN_SECRET,
            &json!({"username": admin, "password": server.admin_password}),
        );
        world
    }

    /// Denies the next reads of any secret, so many of them.
    pub fn deny(&self, reads: u32) {
        self.denials.store(reads, Ordering::Relaxed);
    }

    /// Sets a secret's content.
    pub fn secret(&self, arn: &str, content: &Value) {
        self.secrets
            .lock()
            .expect("no panic before")
            .insert(arn.to_owned(), content.to_string());
    }

    /// Sets the user's secret, in the shape of AWS's rotation functions.
    pub fn user_secret(&self, user: &str, password: &str) {
        let MySql { host, port, .. } = &self.server;
        let content = json!({"engine": "mysql", "host": host, "port": port, "username": user, "password": password, "dbname": "shop"});
        self.secret(&self.secret_arn, &content);
    }

    /// Properties of a schema, as a template sends them: text only. `more` overrides them.
    pub fn schema(&self, name: &str, more: &Value) -> Value {
        let mut properties = self.place();
        merge(&mut properties, &json!({"Name": name}));
        merge(&mut properties, more);
        properties
    }

    /// Properties of a user with rights on one schema. `more` overrides them.
    pub fn user(&self, schema: &str, privileges: &[&str], more: &Value) -> Value {
        let mut properties = self.place();
        let grants = json!([{"Database": schema, "Privileges": privileges}]);
        merge(
            &mut properties,
            &json!({"UserSecretArn": self.secret_arn, "UserHost": "%", "Grants": grants}),
        );
        merge(&mut properties, more);
        properties
    }

    fn place(&self) -> Value {
        json!({
            "AdminSecretArn": ADMIN_SECRET, "Host": self.server.host, "Port": self.server.port.to_string(),
            "AdoptExisting": "false", "DeletionPolicy": "Retain", "ServiceTimeout": "360", "Nonce": "1",
        })
    }

    pub fn connector(&self) -> Connector {
        let authority = Authority::from_file(&self.server.ca_file).expect("the servers' authority");
        Connector::new(&self.server.host, self.server.port, authority)
    }

    /// The administrator's own connection, to look and to meddle.
    pub async fn connect(&self) -> Connection {
        let password = self.server.admin_password.clone();
        let credentials = Credentials::new(&self.admin, password.into());
        self.connector()
            .connect(&credentials)
            .await
            .expect("the administrator's connection")
    }

    /// A log-in with a password.
    pub async fn log_in(&self, user: &str, password: &str) -> Result<Connection, Error> {
        self.connector()
            .connect(&Credentials::new(user, password.to_owned().into()))
            .await
    }

    /// Runs statements as the administrator.
    pub async fn run(&self, statements: &[String]) {
        let mut connection = self.connect().await;
        for statement in statements {
            connection
                .run(statement)
                .await
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        connection.close().await;
    }

    /// The first column of a query's rows, as text.
    pub async fn column(&self, query: &str) -> Vec<String> {
        let mut connection = self.connect().await;
        let rows = connection
            .rows(query, ())
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        connection.close().await;
        rows
    }

    /// The names of schemas like this one.
    pub async fn schemas(&self, name: &str) -> Vec<String> {
        self.column(&format!(
            "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{name}'"
        ))
        .await
    }

    /// What an account may do, as MySQL itself says it; empty if there is no such account.
    pub async fn grants(&self, user: &str) -> Vec<String> {
        if self
            .column(&format!("SELECT User FROM mysql.user WHERE User = '{user}'"))
            .await
            .is_empty()
        {
            return Vec::new();
        }
        self.column(&format!("SHOW GRANTS FOR '{user}'@'%'")).await
    }

    /// What MySQL keeps of an account's password: another one, or the same set anew, gives another value.
    pub async fn password_hash(&self, user: &str) -> Vec<String> {
        self.column(&format!(
            "SELECT HEX(authentication_string) FROM mysql.user WHERE User = '{user}'"
        ))
        .await
    }
}

fn merge(properties: &mut Value, more: &Value) {
    let (Value::Object(properties), Value::Object(more)) = (properties, more) else {
        panic!("objects")
    };
    properties.extend(more.clone());
}
