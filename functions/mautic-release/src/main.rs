//! The function behind `Custom::MauticRelease`.

use std::path::Path;

use custom_resource::{Error, Runtime, aws_config};
use database::Authority;
use mautic_release::{Clients, MauticRelease};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let clients = Clients::new(&aws_config().await);
    let authorities = std::env::var_os("DATABASE_CA_BUNDLE");
    let authority = authorities.map_or_else(|| Ok(Authority::rds()), |file| Authority::from_file(Path::new(&file)))?;
    let handler = MauticRelease::new(clients, authority);
    Runtime::new().on("Custom::MauticRelease", handler).run().await
}
