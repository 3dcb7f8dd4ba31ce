//! The one place where the configuration of AWS clients is made.

use aws_config::{BehaviorVersion, SdkConfig};

/// The configuration for every AWS client of a function: region, credentials and endpoint from the environment
/// (`AWS_REGION`, `AWS_ENDPOINT_URL`, ...), retries and timeouts as of one pinned version of the SDK's behaviour, so that
/// a new release of the SDK changes nothing by itself.
pub async fn aws_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await
}
