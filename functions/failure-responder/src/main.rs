//! The function: one record in, one answer to CloudFormation out.

use custom_resource::{Error, init_log};
use failure_responder::respond;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_log();
    let function = service_fn(|record: LambdaEvent<Value>| async move {
        let end = record.context.deadline();
        respond(record.payload, end).await
    });
    Runtime::new(function).run().await
}
