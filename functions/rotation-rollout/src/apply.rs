//! Carries out the plan. Decides nothing.

use aws_sdk_lambda::primitives::Blob;
use custom_resource::AwsError;
use serde_json::{Value, json};

use crate::plan::Overlap;
use crate::rollout::Clients;

/// How a retirement ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retired {
    /// The old credential is good for nothing any more.
    Done,
    /// The service is at it.
    UnderWay,
    /// What the rotating function says.
    Failed(String),
}

/// Begins a new deployment of a service, with the task definition that it has.
///
/// # Errors
/// [`AwsError`].
pub(crate) async fn deploy(clients: &Clients, cluster: &str, service: &str) -> Result<(), AwsError> {
    let call = clients.ecs.update_service().cluster(cluster).service(service);
    let updated = call.force_new_deployment(true).send().await;
    updated.map_err(AwsError::of("ecs:UpdateService", format!("service {service}")))?;
    Ok(())
}

/// Lets the function that rotates the secret retire the old credential.
///
/// # Errors
/// [`AwsError`].
pub(crate) async fn retire(clients: &Clients, function: &str, overlap: &Overlap) -> Result<Retired, AwsError> {
    let event = json!({
        "Step": "retireSecret", "SecretId": overlap.secret, "ClientRequestToken": overlap.current,
    });
    let call = clients.lambda.invoke().function_name(function);
    let answer = call.payload(Blob::new(event.to_string())).send().await;
    let answer = answer.map_err(AwsError::of("lambda:InvokeFunction", format!("function {function}")))?;
    let payload = answer.payload().map(|blob| blob.as_ref().to_vec()).unwrap_or_default();
    let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
    if answer.function_error().is_some() {
        let words = payload["errorMessage"].as_str().unwrap_or("it died; its log says why");
        return Ok(Retired::Failed(words.to_owned()));
    }
    match payload["Outcome"].as_str() {
        Some("under way") => Ok(Retired::UnderWay),
        _ => Ok(Retired::Done),
    }
}
