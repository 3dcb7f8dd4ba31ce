//! The function behind `Custom::Database` and `Custom::DatabaseUser`.

use aws_sdk_secretsmanager::Client;
use custom_resource::{Error, Runtime, aws_config};
use database_init::{SchemaHandler, Servers, UserHandler};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let secrets = Client::new(&aws_config().await);
    let authorities = std::env::var_os("DATABASE_CA_BUNDLE");
    let servers = Servers::new(secrets, authorities.as_ref().map(AsRef::as_ref))?;
    Runtime::new()
        .on("Custom::Database", SchemaHandler::new(servers.clone()))
        .on("Custom::DatabaseUser", UserHandler::new(servers))
        .run()
        .await
}
