//! The function.

use custom_resource::{Error, Runtime};
use faulty_function::Faulty;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    Runtime::new().on("Custom::Faulty", Faulty).run().await
}
