//! Mautic's first administrator, as the installation made them.

use crate::cloud::{Cloud, CloudError};
use aws_sdk_secretsmanager::Client;
use secrecy::SecretString;
use serde::Deserialize;

/// Who signs in to Mautic's API.
#[derive(Debug, Clone, Deserialize)]
pub struct Administrator {
    /// The user name.
    pub username: String,
    /// The password, which nothing prints.
    pub password: SecretString,
}

/// Why there is no administrator to sign in with.
#[derive(Debug, thiserror::Error)]
pub enum NoAdministrator {
    /// Secrets Manager does not give the secret away.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The secret is something else.
    #[error("the secret {arn} holds no JSON with username and password")]
    Strange {
        /// Its ARN.
        arn: String,
    },
}

/// Reads the secret.
///
/// # Errors
/// Secrets Manager refuses, or the secret has another shape.
pub async fn read(cloud: &Cloud, client: &Client, arn: &str) -> Result<Administrator, NoAdministrator> {
    let answer = client.get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(|error| cloud.explain("to read the administrator's secret", &error))?;
    let text = answer.secret_string().unwrap_or_default();
    // The parser's own words would quote what it stumbled over.
    serde_json::from_str(text).map_err(|_| NoAdministrator::Strange { arn: arn.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
    use aws_smithy_mocks::{mock, mock_client};
    use secrecy::ExposeSecret;

    const ARN: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-1a2b";

    fn cloud() -> Cloud {
        let config = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12());
        Cloud::new(config.region(Region::new("eu-central-1")).build())
    }

    async fn holding(text: &'static str) -> Result<Administrator, NoAdministrator> {
        let rule = mock!(Client::get_secret_value)
            .match_requests(|request| request.secret_id() == Some(ARN))
            .then_output(move || GetSecretValueOutput::builder().secret_string(text).build());
        read(&cloud(), &mock_client!(aws_sdk_secretsmanager, [&rule]), ARN).await
    }

    #[tokio::test]
    async fn name_and_password_are_read_and_the_password_is_not_shown() {
        let text = r#"{"username": "admin", "email": "admin@example.com", "password": "Planted5ecret"}"#;
        let administrator = holding(text).await.expect("an administrator");
        assert_eq!(administrator.username, "admin");
        assert_eq!(administrator.password.expose_secret(), "Planted5ecret");
        assert!(!format!("{administrator:?}").contains("Planted5ecret"));
    }

    #[tokio::test]
    async fn a_secret_of_another_shape_is_named_and_not_quoted() {
        for text in ["Planted5ecret", r#"{"username": "admin", "pass": "Planted5ecret"}"#] {
            let error = holding(text).await.expect_err("refused");
            assert_eq!(
                error.to_string(),
                format!("the secret {ARN} holds no JSON with username and password")
            );
            assert!(!format!("{error:?}").contains("Planted5ecret"));
        }
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_the_services_words() {
        let rule = mock!(Client::get_secret_value).then_error(|| {
            let details = aws_sdk_secretsmanager::error::ErrorMetadata::builder()
                .code("AccessDeniedException")
                .message("User: x is not authorized to perform: secretsmanager:GetSecretValue")
                .build();
            GetSecretValueError::generic(details)
        });
        let client = mock_client!(aws_sdk_secretsmanager, [&rule]);
        assert_eq!(
            read(&cloud(), &client, ARN).await.expect_err("refused").to_string(),
            "AWS refuses to read the administrator's secret: User: x is not authorized to perform: secretsmanager:GetSecretValue \
             (AccessDeniedException)"
        );
    }
}
