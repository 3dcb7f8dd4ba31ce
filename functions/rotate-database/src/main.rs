//! The function that rotates the passwords of MySQL users.

use aws_sdk_secretsmanager::Client;
use custom_resource::aws_config;
use database::Authority;
use rotate_database::{MASTER, MySqlUsers};
use rotation::{Rotation, secrets_but, serve, variables};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let [master] = variables([MASTER])?;
    let secrets = Client::new(&aws_config().await);
    let bundle = std::env::var_os("DATABASE_CA_BUNDLE");
    let authority = bundle.map_or_else(|| Ok(Authority::rds()), |path| Authority::from_file(path.as_ref()))?;
    let users = MySqlUsers::new(secrets.clone(), &master, authority);
    serve(Rotation::new(secrets, secrets_but(MASTER), users)).await
}
