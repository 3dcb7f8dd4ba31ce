//! The function behind `Custom::SmtpCredentials`.

use custom_resource::{Error, Runtime, aws_config};
use smtp_credentials::{Clients, Endpoint, SmtpCredentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let clients = Clients::new(&aws_config().await);
    let handler = SmtpCredentials::new(clients, Endpoint::from_environment()?);
    Runtime::new().on("Custom::SmtpCredentials", handler).run().await
}
