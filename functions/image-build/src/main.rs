//! The function behind `Custom::ContainerImage`.

use custom_resource::{Error, Runtime, aws_config};
use image_build::{Clients, ContainerImage};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let handler = ContainerImage::new(Clients::new(&aws_config().await));
    Runtime::new().on("Custom::ContainerImage", handler).run().await
}
