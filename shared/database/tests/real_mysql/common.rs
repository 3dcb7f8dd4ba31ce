//! What the tests on real servers share.

use database::{Authority, Connection, Connector, Credentials};
use local_servers::MySql;

/// Connects to a server as it should be connected to.
pub fn connector(server: &MySql) -> Connector {
    Connector::new(&server.host, server.port, authority(server))
}

pub fn authority(server: &MySql) -> Authority {
    Authority::from_file(&server.ca_file).expect("the servers' authority")
}

pub fn admin(server: &MySql, user: &str) -> Credentials {
    Credentials::new(user, server.admin_password.clone().into())
}

/// An administrator's connection, with backslash escapes or without.
pub async fn admin_connection(server: &MySql, user: &str) -> Connection {
    connector(server)
        .connect(&admin(server, user))
        .await
        .expect("an administrator's connection")
}
