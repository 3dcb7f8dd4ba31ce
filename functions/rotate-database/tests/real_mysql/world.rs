//! One server, one of its administrators, and one user whose password is rotated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use database::{Authority, Connection, Connector, Credentials};
use local_servers::MySql;
use recorded_calls::{Hesitation, Recorder};
use rotate_database::MySqlUsers;
use rotation::Rotation;
use rotation::testing::{ARN, Scene, Shelf, V1};
use serde_json::{Value, json};

pub const MASTER: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-0c1f-AbCdEf";

pub struct World {
    pub server: MySql,
    pub user: String,
    pub shelf: Arc<Shelf>,
    pub rotation: Rotation<MySqlUsers>,
    pub admin: Connection,
}

/// A name that no other test and no earlier run uses.
pub fn fresh() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_millis();
    format!(
        "rotated_{:x}_{}",
        time % 0x1000_0000,
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Every server with each of its administrators.
pub async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for server in local_servers::mysql() {
        for admin in server.admins() {
            worlds.push(World::new(&server, admin).await);
        }
    }
    worlds
}

impl World {
    pub async fn new(server: &MySql, admin: &str) -> Self {
        let user = fresh();
        let shelf = Shelf::new();
        shelf.hold(
            MASTER,
            V1,
            &json!({"username": admin, "password": server.admin_password}),
        );
        let content = json!({
            "engine": "mysql", "host": server.host, "port": server.port, "username": user, "password": "s3nt1nel'\\ü-0",
            "dbname": "shop",
        });
        shelf.hold(ARN, V1, &content);
        let mut connection = connector(server)
            .connect(&Credentials::new(admin, server.admin_password.clone().into()))
            .await
            .expect("an administrator's connection");
        let password = connection.literal("s3nt1nel'\\ü-0");
        let create = format!("CREATE USER `{user}`@`%` IDENTIFIED BY {password} REQUIRE SSL");
        connection.run(&create).await.expect("a user");
        Self {
            rotation: rotation(&shelf, authority(server)),
            server: server.clone(),
            user,
            shelf,
            admin: connection,
        }
    }

    pub async fn sql(&mut self, statement: &str) {
        let statement = statement.replace("THEM", &format!("`{}`@`%`", self.user));
        self.admin.run(&statement).await.expect("an administrator's statement");
    }
}

impl Scene for World {
    type Target = MySqlUsers;

    fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    fn rotation(&self) -> &Rotation<MySqlUsers> {
        &self.rotation
    }

    async fn lets_in(&self, content: &Value) -> bool {
        let text = |name: &str| content[name].as_str().expect("a text").to_owned();
        let credentials = Credentials::new(&text("username"), text("password").into());
        match connector(&self.server).connect(&credentials).await {
            Ok(connection) => {
                connection.close().await;
                true
            }
            Err(_) => false,
        }
    }
}

pub fn rotation(shelf: &Arc<Shelf>, authority: Authority) -> Rotation<MySqlUsers> {
    let client = || {
        shelf.client(|config| {
            config
                .interceptor(Recorder::of("rotate-database"))
                .identity_cache(Hesitation)
        })
    };
    Rotation::new(client(), [ARN.to_owned()], MySqlUsers::new(client(), MASTER, authority))
}

pub fn authority(server: &MySql) -> Authority {
    Authority::from_file(&server.ca_file).expect("the servers' authority")
}

pub fn connector(server: &MySql) -> Connector {
    Connector::new(&server.host, server.port, authority(server))
}
