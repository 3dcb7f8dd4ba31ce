//! A rotation as a Lambda function.

use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::Value;

use crate::rotate::Rotation;
use crate::target::RotationTarget;

/// Answers invocations with the [`Outcome`](crate::Outcome) of their steps, until the process is ended. Logs as
/// [`custom_resource::init_log`] does.
///
/// # Errors
/// If the Lambda service cannot be reached.
pub async fn serve<T: RotationTarget + 'static>(rotation: Rotation<T>) -> Result<(), lambda_runtime::Error> {
    custom_resource::init_log();
    let rotation = &rotation;
    let function = service_fn(move |event: LambdaEvent<Value>| async move {
        let deadline = event.context.deadline();
        rotation.handle(event.payload, deadline).await.map_err(|error| {
            tracing::error!(%error, "not rotated");
            Diagnostic {
                error_type: "NotRotated".into(),
                error_message: error.to_string(),
            }
        })
    });
    Runtime::new(function).run().await
}
