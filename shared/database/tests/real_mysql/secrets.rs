//! Credentials from Secrets Manager, against real servers: a password that rotates while it is used.

use crate::common::connector;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ErrorMetadata;
use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
use aws_sdk_secretsmanager::types::error::ResourceNotFoundException;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use database::{Error, read_secret};
use serde_json::json;

const ARN: &str = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:master-AbCdEf";

/// A secret that gives these passwords, one after the other; reading it more often fails.
fn secret(user: &str, passwords: &[&str]) -> Client {
    let texts: Vec<_> = passwords
        .iter()
        .map(|password| json!({"username": user, "password": password}).to_string())
        .collect();
    let mut sequence = mock!(Client::get_secret_value)
        .match_requests(|request| request.secret_id() == Some(ARN))
        .sequence();
    for text in texts {
        sequence = sequence.output(move || GetSecretValueOutput::builder().secret_string(text.clone()).build());
    }
    let rule = sequence.build();
    mock_client!(aws_sdk_secretsmanager, RuleMode::Sequential, [&rule])
}

#[tokio::test]
async fn a_password_that_was_just_rotated_is_read_again() {
    for server in local_servers::mysql() {
        let secrets = secret(&server.admin_user, &["the old one", &server.admin_password]);
        let connection = connector(&server).connect_with_secret(&secrets, ARN).await;
        connection
            .expect("the second reading has the new password")
            .close()
            .await;
    }
}

#[tokio::test]
async fn a_secret_that_stays_wrong_is_an_authentication_error() {
    for server in local_servers::mysql() {
        for passwords in [["wrong", "wrong"], ["wrong", "wrong too"]] {
            let secrets = secret(&server.admin_user, &passwords);
            let error = connector(&server)
                .connect_with_secret(&secrets, ARN)
                .await
                .expect_err("both are wrong");
            assert!(matches!(error, Error::Authentication { .. }), "{server:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_missing_secret_names_its_arn_and_what_to_check() {
    let rule = mock!(Client::get_secret_value).then_error(|| {
        let words = "Secrets Manager can't find the specified secret.";
        let meta = ErrorMetadata::builder()
            .code("ResourceNotFoundException")
            .message(words)
            .build();
        let missing = ResourceNotFoundException::builder().message(words).meta(meta).build();
        GetSecretValueError::ResourceNotFoundException(missing)
    });
    let secrets = mock_client!(aws_sdk_secretsmanager, [&rule]);
    let error = read_secret(&secrets, ARN).await.expect_err("there is none");
    assert_eq!(
        error.to_string(),
        format!(
            "secret {ARN} cannot be read (ResourceNotFoundException: Secrets Manager can't find the specified secret.); check that it exists, and that \
             the function's role may call secretsmanager:GetSecretValue on it and kms:Decrypt on its key"
        )
    );
}

#[tokio::test]
async fn a_secret_without_a_password_shows_nothing_of_what_it_holds() {
    let rule = mock!(Client::get_secret_value).then_output(|| {
        GetSecretValueOutput::builder()
            .secret_string(r#"{"passwort":"hunter2"}"#)
            .build()
    });
    let secrets = mock_client!(aws_sdk_secretsmanager, [&rule]);
    let error = read_secret(&secrets, ARN).await.expect_err("it is malformed");
    assert_eq!(
        error.to_string(),
        format!(
            "secret {ARN} is not usable: `username` is missing; it must be a JSON object with username and password"
        )
    );
}
