//! A secret that is rotated, as far as the four steps see Secrets Manager: versions, their values and their labels.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::http::Response;

/// The ARN of the secret that both sides rotate.
pub const ROTATED_ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rotated-AbCdEf";
/// The version that is in use before, and the one that is made.
const OLD: &str = "11111111-1111-1111-1111-111111111111";
/// The rotation's token.
pub const NEW: &str = "22222222-2222-2222-2222-222222222222";

/// The secret's versions.
#[derive(Debug, Default)]
pub struct Rotated {
    values: BTreeMap<String, String>,
    labels: BTreeMap<String, BTreeSet<String>>,
}

impl Rotated {
    /// As it is when `RotateSecret` has begun: a current version, and a pending one without a value.
    #[must_use]
    pub fn begun(current: String) -> Self {
        let label = |id: &str, label: &str| (id.to_owned(), [label.to_owned()].into());
        Self {
            values: [(OLD.to_owned(), current)].into(),
            labels: [label(OLD, "AWSCURRENT"), label(NEW, "AWSPENDING")].into(),
        }
    }

    /// What the version with this label holds.
    #[must_use]
    pub fn value(&self, label: &str) -> Option<&str> {
        let (id, _) = self.labels.iter().find(|(_, labels)| labels.contains(label))?;
        self.values.get(id).map(String::as_str)
    }

    /// Whether the rotation has come to its end.
    #[must_use]
    pub fn is_rotated(&self) -> bool {
        self.labels.get(NEW).is_some_and(|labels| labels.contains("AWSCURRENT"))
    }

    /// Answers one call.
    pub fn answer(&mut self, operation: &str, sent: &Value) -> Response {
        let text = |name: &str| sent[name].as_str().unwrap_or_default().to_owned();
        let body = match operation {
            "DescribeSecret" => json!({"ARN": ROTATED_ARN, "RotationEnabled": true, "VersionIdsToStages": self.labels}),
            "GetSecretValue" => {
                let label = sent["VersionStage"].as_str().unwrap_or("AWSCURRENT");
                let Some(value) = self.value(label) else {
                    return missing();
                };
                let id = if label == "AWSPENDING" || self.is_rotated() {
                    NEW
                } else {
                    OLD
                };
                json!({"ARN": ROTATED_ARN, "Name": "rotated", "VersionId": id, "SecretString": value, "VersionStages": [label]})
            }
            "PutSecretValue" => {
                self.values.insert(text("ClientRequestToken"), text("SecretString"));
                json!({"ARN": ROTATED_ARN, "VersionId": text("ClientRequestToken")})
            }
            "UpdateSecretVersionStage" => {
                let (label, to) = (text("VersionStage"), text("MoveToVersionId"));
                for labels in self.labels.values_mut() {
                    labels.remove(&label);
                }
                self.labels.entry(to).or_default().insert(label);
                json!({"ARN": ROTATED_ARN, "Name": "rotated"})
            }
            _ => json!({"RandomPassword": format!("bench-{}", "x".repeat(42))}),
        };
        json_response(Response::ok(body.to_string()))
    }
}

fn missing() -> Response {
    let body = json!({"__type": "ResourceNotFoundException", "message": "no such value"});
    json_response(Response::status(400, body.to_string()))
}

fn json_response(response: Response) -> Response {
    response.header("content-type", "application/x-amz-json-1.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_steps_calls_lead_to_a_rotated_secret() {
        let mut secret = Rotated::begun("old".to_owned());
        let pending = json!({"VersionStage": "AWSPENDING"});
        assert_eq!(secret.answer("GetSecretValue", &pending).status, 400);
        secret.answer(
            "PutSecretValue",
            &json!({"ClientRequestToken": NEW, "SecretString": "new"}),
        );
        assert!(secret.answer("GetSecretValue", &pending).body.contains("\"new\""));
        assert_eq!((secret.value("AWSCURRENT"), secret.is_rotated()), (Some("old"), false));
        secret.answer(
            "UpdateSecretVersionStage",
            &json!({"VersionStage": "AWSCURRENT", "MoveToVersionId": NEW, "RemoveFromVersionId": OLD}),
        );
        assert_eq!((secret.value("AWSCURRENT"), secret.is_rotated()), (Some("new"), true));
    }
}
