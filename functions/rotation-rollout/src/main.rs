//! The function that ends an overlap of two credentials.

use std::time::SystemTime;

use custom_resource::{aws_config, init_log};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use rotation_rollout::{Clients, Rollout, Settings, metrics};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    init_log();
    let rollout = &Rollout::new(Clients::new(&aws_config().await), Settings::from_environment()?);
    let function = service_fn(move |event: LambdaEvent<Value>| async move {
        let found = rollout.handle(&event.payload, event.context.deadline()).await;
        let found = found.map_err(|error| Diagnostic {
            error_type: "NotRolledOut".into(),
            error_message: error.to_string(),
        })?;
        println!(
            "{}",
            metrics::line(&event.context.env_config.function_name, &found, SystemTime::now())
        );
        Ok::<_, Diagnostic>(found)
    });
    Runtime::new(function).run().await
}
