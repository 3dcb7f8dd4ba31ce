//! The function behind `Custom::SesDomain`.

use custom_resource::{Error, Runtime, aws_config};
use ses_domain::SesDomain;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = SesDomain::new(&aws_config().await);
    Runtime::new().on("Custom::SesDomain", handler).run().await
}
