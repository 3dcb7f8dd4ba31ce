//! The one place where the configuration of AWS clients is made, and the one way out.

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpConnector, http_client_fn};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

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

/// The SDK's own HTTP stack, for its clients and for the answer to CloudFormation: the binary carries no second one, and
/// the machine's certificate authorities are read once rather than for each client.
pub(crate) fn connector() -> SharedHttpConnector {
    static CONNECTOR: OnceLock<SharedHttpConnector> = OnceLock::new();
    let make = || {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build();
        SharedHttpConnector::new(connector)
    };
    CONNECTOR.get_or_init(make).clone()
}
