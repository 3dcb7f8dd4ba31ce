//! The two jobs: the same CloudFormation event for our binary and for the Python function beside it.

use crate::aws::Harness;
use local_servers::MySql;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The ARN that both sides read the master's credentials from.
pub const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:bench-AbCdEf";

/// A job: which function, and the event that starts it.
#[derive(Debug, Clone)]
pub struct Job {
    /// The function's name: our crate, and the Python module beside it (with underscores).
    pub name: &'static str,
    /// CloudFormation's event.
    pub event: Value,
    /// What Secrets Manager gives out.
    pub secret: Value,
}

/// Both jobs, against this MySQL server.
#[must_use]
pub fn all(mysql: &MySql, harness: &Harness) -> Vec<Job> {
    let secret = json!({"username": mysql.admin_user, "password": mysql.admin_password});
    let database = json!({"AdminSecretArn": SECRET_ARN, "Host": mysql.host, "Port": mysql.port.to_string(), "Name": "bench", "AdoptExisting": "true"});
    let domain = json!({"Domain": "example.org", "HostedZoneId": "ZBENCH", "WaitForVerification": "false"});
    vec![
        Job {
            name: "database-init",
            event: event("Custom::Database", &database, harness),
            secret: secret.clone(),
        },
        Job {
            name: "ses-domain",
            event: event("Custom::SesDomain", &domain, harness),
            secret,
        },
    ]
}

fn event(resource: &str, properties: &Value, harness: &Harness) -> Value {
    json!({
        "RequestType": "Create", "RequestId": "bench-request", "LogicalResourceId": "Bench", "ResourceType": resource,
        "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/bench/0a1b2c3d",
        "ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:bench",
        "ResponseURL": harness.response_url(), "ResourceProperties": properties,
    })
}

/// The environment that Lambda would give either contender.
#[must_use]
pub fn environment(mysql: &MySql, harness: &Harness, virtual_environment: &Path) -> Vec<(String, String)> {
    let endpoint = format!("http://{}", harness.address());
    let site_packages = site_packages(virtual_environment);
    [
        ("AWS_LAMBDA_RUNTIME_API", harness.address()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("DATABASE_CA_BUNDLE", &mysql.ca_file.to_string_lossy()),
        ("PYTHONPATH", &site_packages.to_string_lossy()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// Where the virtual environment keeps boto3 and PyMySQL; empty when it is not there.
fn site_packages(virtual_environment: &Path) -> PathBuf {
    let versions = std::fs::read_dir(virtual_environment.join("lib"))
        .into_iter()
        .flatten()
        .flatten();
    versions
        .map(|version| version.path().join("site-packages"))
        .find(|path| path.is_dir())
        .unwrap_or_default()
}
