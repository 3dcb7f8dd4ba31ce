//! One server with an empty schema and Mautic's own user, ECS in memory, and a stand-in that plays each task that is started.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use custom_resource::Runtime;
use custom_resource::testing::{Response, Run, Scenario, create, update};
use database::{Authority, Connection, Connector, Credentials};
use local_servers::MySql;
use mautic_release::MauticRelease;
use serde_json::{Value, json};

use crate::clients::{Secrets, clients};
use crate::ecs::{CLUSTER, Shared, lock};
use crate::stand_in::{self, FIRST, NEWER, Play};

pub const TYPE: &str = "Custom::MauticRelease";
pub const ID: &str = "mautic-release:shop/Thing";
pub const DEFINITION: &str = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-prod-release:7";
/// The image before, as CloudFormation's way back names it.
pub const EARLIER: &str = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-prod-release:6";
pub const LATER: &str = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-prod-release:8";
pub const LOG_GROUP: &str = "shop-prod-ReleaseLogGroup";
pub const DATABASE_SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Database-AbCdEf";
pub const ADMINISTRATOR_SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Administrator-GhIjKl";
/// The administrator's generated password.
pub const ADMINISTRATOR_PASSWORD: &str = "s3nt1nelAdministrator42";
/// The version of Mautic in the image.
pub const VERSION: &str = "7.2.1";
/// What ECS says of a task whose container came to its end by itself.
pub const EXITED: &str = "Essential container in task exited";
/// The rights that cloudformation/modules/database-init.yaml gives to Mautic's user.
const RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, CREATE TEMPORARY TABLES";

/// Told of a task that was started: its ARN, and the release's id.
pub type Starter = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// What both the test and the stand-in need.
#[derive(Clone)]
pub struct Place {
    pub server: MySql,
    pub schema: String,
    pub password: String,
    pub ecs: Shared,
    play: Arc<Mutex<Play>>,
}

pub struct World {
    pub place: Place,
    pub secrets: Secrets,
    pub runtime: Runtime,
}

/// A world on every server.
pub async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for server in local_servers::mysql() {
        worlds.push(World::new(&server).await);
    }
    worlds
}

/// A name that no other test and no earlier run uses.
fn fresh(stem: &str) -> String {
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

impl Place {
    fn authority(&self) -> Authority {
        Authority::from_file(&self.server.ca_file).expect("the servers' authority")
    }

    async fn connect_as(&self, user: &str, password: &str) -> Connection {
        let connector = Connector::new(&self.server.host, self.server.port, self.authority());
        connector
            .connect(&Credentials::new(user, password.to_owned().into()))
            .await
            .expect("a connection")
    }

    /// The administrator's connection, to prepare and to meddle.
    pub async fn administer(&self) -> Connection {
        self.connect_as(&self.server.admin_user, &self.server.admin_password)
            .await
    }

    /// Mautic's own; its user is called as its schema.
    pub async fn connect(&self) -> Connection {
        self.connect_as(&self.schema, &self.password).await
    }

    /// Plays a task to its end, if it has one.
    async fn perform(self, arn: String, release: String) {
        let play = *self.play.lock().expect("no panic before");
        let command = {
            let mut command = Vec::new();
            lock(&self.ecs).task(&arn, |task| command.clone_from(&task.command));
            command.get(1).cloned().unwrap_or_default()
        };
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (exit_code, reason, line) = match play {
            Play::Never => return,
            Play::NotStarted(reason) => (None, reason, None),
            Play::Lies => (Some(0), EXITED, Some("Install canceled")),
            Play::EndsWith(code) => (Some(code), EXITED, Some("An exception occurred")),
            Play::KilledHalfway => (Some(137), EXITED, Some("Creating database tables")),
            Play::Well | Play::Unrecorded | Play::OtherPassword => (Some(0), EXITED, Some("done")),
        };
        if let Some(line) = line {
            lock(&self.ecs).say(&arn, &[&format!("release {command}"), line]);
            self.work(play, &command, &release).await;
        }
        lock(&self.ecs).end(&arn, exit_code, reason);
    }

    async fn work(&self, play: Play, command: &str, release: &str) {
        let (mut connection, schema) = (self.connect().await, self.schema.as_str());
        match (play, command) {
            (Play::Lies, _) => {}
            (Play::KilledHalfway, _) => stand_in::half_install(&mut connection, schema).await,
            (_, "install") => {
                let password = if play == Play::OtherPassword {
                    "another"
                } else {
                    ADMINISTRATOR_PASSWORD
                };
                stand_in::install(&mut connection, schema, ("admin", password)).await;
            }
            (_, "migrate") => stand_in::record_migration(&mut connection, schema, NEWER).await,
            (_, other) => panic!("release {other}"),
        }
        if ![Play::Lies, Play::KilledHalfway, Play::Unrecorded].contains(&play) {
            stand_in::record(&mut connection, schema, release, command, VERSION).await;
        }
        connection.close().await;
    }
}

impl World {
    async fn new(server: &MySql) -> Self {
        let place = Place {
            server: server.clone(),
            schema: fresh("mautic"),
            password: "s3nt1nel-'\\\"%-pässwörd".to_owned(),
            ecs: Shared::default(),
            play: Arc::new(Mutex::new(Play::Well)),
        };
        let actor = place.clone();
        let starter: Starter = Arc::new(move |arn, release| {
            tokio::spawn(actor.clone().perform(arn.to_owned(), release.to_owned()));
        });
        let secrets = Secrets::new(Mutex::new(HashMap::new()));
        let handler = MauticRelease::new(clients(&place.ecs, &secrets, &starter), place.authority());
        let world = Self {
            runtime: Runtime::new().on(TYPE, handler),
            place,
            secrets,
        };
        let (schema, password) = (world.place.schema.clone(), world.place.password.clone());
        world.secret(DATABASE_SECRET, &json!({"username": schema, "password": password}));
        let administrator = json!({"username": "admin", "email": "a@example.com", "password": ADMINISTRATOR_PASSWORD});
        world.secret(ADMINISTRATOR_SECRET, &administrator);
        let mut connection = world.place.administer().await;
        let literal = connection.literal(&password);
        for statement in [
            format!("CREATE DATABASE {schema} CHARACTER SET utf8mb4"),
            format!("CREATE USER {schema} IDENTIFIED BY {literal}"),
            format!("GRANT {RIGHTS} ON {schema}.* TO {schema}"),
        ] {
            connection.run(&statement).await.expect(&statement);
        }
        connection.close().await;
        world
    }

    /// Drops what the world made on the server.
    pub async fn end(self) {
        let schema = &self.place.schema;
        self.run(&[
            &format!("DROP DATABASE IF EXISTS {schema}"),
            &format!("DROP USER {schema}"),
        ])
        .await;
    }

    pub fn secret(&self, arn: &str, content: &Value) {
        self.secrets
            .lock()
            .expect("no panic before")
            .insert(arn.to_owned(), content.to_string());
    }

    /// What becomes of the next tasks.
    pub fn play(&self, play: Play) {
        *self.place.play.lock().expect("no panic before") = play;
    }

    /// Runs statements as the administrator.
    pub async fn run(&self, statements: &[&str]) {
        let mut connection = self.place.administer().await;
        for statement in statements {
            connection
                .run(statement)
                .await
                .unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        connection.close().await;
    }

    /// A schema that an earlier release has installed.
    pub async fn installed(&self) {
        let (mut connection, schema) = (self.place.connect().await, &self.place.schema);
        stand_in::install(&mut connection, schema, ("admin", "changed long ago")).await;
        stand_in::record(&mut connection, schema, "an-earlier-release", "install", "7.1.0").await;
        connection.close().await;
    }

    /// Every table with its rows' number: what must not change.
    pub async fn tables(&self) -> Vec<(String, u64)> {
        let schema = &self.place.schema;
        let mut connection = self.place.administer().await;
        let query = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ORDER BY 1";
        let names: Vec<String> = connection.rows(query, (schema,)).await.expect("tables");
        let mut tables = Vec::new();
        for name in names {
            let query = format!("SELECT COUNT(*) FROM {schema}.{name}");
            let count = connection.first(&query, ()).await.expect("rows").unwrap_or_default();
            tables.push((name, count));
        }
        connection.close().await;
        tables
    }

    pub fn properties(&self) -> Value {
        let MySql { host, port, .. } = &self.place.server;
        json!({
            "Cluster": CLUSTER, "TaskDefinition": DEFINITION, "Subnets": ["subnet-1", "subnet-2"], "SecurityGroups": "sg-1",
            "Host": host, "Port": port.to_string(), "Schema": self.place.schema, "DatabaseSecretArn": DATABASE_SECRET,
            "AdministratorSecretArn": ADMINISTRATOR_SECRET, "LogGroup": LOG_GROUP, "WaitSeconds": "30", "Nonce": "1",
        })
    }

    pub fn creation(&self) -> Scenario {
        create(TYPE, self.properties())
    }

    /// An update from the release before to this one.
    pub fn upgrade(&self) -> Scenario {
        update(
            TYPE,
            ID,
            self.properties(),
            with(self.properties(), "TaskDefinition", EARLIER),
        )
    }

    pub async fn send(&self, scenario: &Scenario) -> Run {
        scenario.send(&self.runtime).await
    }

    pub async fn succeeds(&self, scenario: &Scenario) -> Response {
        let response = self.send(scenario).await.response();
        assert_eq!(
            (response.status(), response.reason()),
            ("SUCCESS", ""),
            "{}",
            self.place.server.version
        );
        response
    }

    /// The reason, with what differs from world to world replaced by words.
    pub async fn fails(&self, scenario: &Scenario) -> String {
        let response = self.send(scenario).await.response();
        assert_eq!(response.status(), "FAILED", "{}", self.place.server.version);
        let MySql { host, port, .. } = &self.place.server;
        response
            .reason()
            .replace(&self.place.schema, "SCHEMA")
            .replace(&format!("{host}:{port}"), "SERVER")
    }

    /// The actions of all tasks that were started.
    pub fn started(&self) -> Vec<String> {
        let ecs = lock(&self.place.ecs);
        ecs.tasks.iter().map(|task| task.command.join(" ")).collect()
    }
}

pub fn with(mut properties: Value, name: &str, value: impl Into<Value>) -> Value {
    properties[name] = value.into();
    properties
}

/// The five attributes, in their order.
pub fn attributes(response: &Response) -> [&str; 5] {
    ["SchemaState", "MauticVersion", "LatestMigration", "Action", "TaskArn"].map(|name| response.attribute(name))
}

/// The ARN of the task that was started as this one.
pub fn arn(number: usize) -> String {
    format!("arn:aws:ecs:eu-central-1:123456789012:task/{CLUSTER}/{number:032x}")
}

/// What a schema holds that a stand-in has installed, in a reason's words.
pub fn installed_words() -> String {
    format!("a Mautic migrated to {FIRST}")
}
