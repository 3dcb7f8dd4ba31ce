//! What the function is asked to do.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// One step of a rotation, by the names that Secrets Manager gives them; the last one is this crate's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Step {
    /// Make the next credential, and keep it as the pending version.
    #[serde(rename = "createSecret")]
    Create,
    /// Install it beside the current one.
    #[serde(rename = "setSecret")]
    Set,
    /// Prove that it works.
    #[serde(rename = "testSecret")]
    Test,
    /// Make it the current one.
    #[serde(rename = "finishSecret")]
    Finish,
    /// Retire the previous one, which nobody uses any more.
    #[serde(rename = "retireSecret")]
    Retire,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "createSecret",
            Self::Set => "setSecret",
            Self::Test => "testSecret",
            Self::Finish => "finishSecret",
            Self::Retire => "retireSecret",
        })
    }
}

/// An invocation's payload. Members that are not listed are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotationEvent {
    /// What to do.
    pub step: Step,
    /// The secret's ARN.
    pub secret_id: String,
    /// The id of the version that is to become current; with [`Step::Retire`] of the one that is.
    pub client_request_token: String,
}

/// A payload that is no step of a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the event is no step of a rotation ({0}); this function is invoked by Secrets Manager and by rotation-rollout: start a \
     rotation with aws secretsmanager rotate-secret"
)]
pub struct MalformedEvent(String);

impl RotationEvent {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`MalformedEvent`], which quotes names of members and steps only.
    pub fn parse(payload: Value) -> Result<Self, MalformedEvent> {
        serde_json::from_value(payload).map_err(|error| MalformedEvent(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_steps_are_spelled_as_secrets_manager_spells_them() {
        for step in [Step::Create, Step::Set, Step::Test, Step::Finish, Step::Retire] {
            let payload = json!({
                "Step": step.to_string(), "SecretId": "arn", "ClientRequestToken": "v2", "RotationToken": "newer members",
            });
            let event = RotationEvent::parse(payload).unwrap();
            assert_eq!((event.step, event.secret_id.as_str()), (step, "arn"));
        }
    }

    #[test]
    fn another_payload_says_how_a_rotation_is_started() {
        let error = RotationEvent::parse(json!({"SecretId": "arn"})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the event is no step of a rotation (missing field `Step`); this function is invoked by Secrets Manager and by \
             rotation-rollout: start a rotation with aws secretsmanager rotate-secret"
        );
    }
}
