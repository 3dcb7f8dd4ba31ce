//! The one place where the configuration of AWS clients is made, and the one way out.

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_runtime_api::client::http::{HttpClient, http_client_fn};

use crate::trust::connector;

/// The configuration for every AWS client of a function: region, credentials and endpoint from the environment
/// (`AWS_REGION`, `AWS_ENDPOINT_URL`, ...), retries and timeouts as of one pinned version of the SDK's behaviour, so that
/// a new release of the SDK changes nothing by itself.
///
/// Lambda hands a function its role's credentials in the environment, so nothing else is searched for them: no profile, no
/// metadata service, no web identity, which would make a client of STS at every cold start.
pub async fn aws_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .http_client(http_client())
        .load()
        .await
}

fn http_client() -> impl HttpClient {
    http_client_fn(|_, _| connector())
}
