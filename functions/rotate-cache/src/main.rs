//! The function that rotates the password of the cache's user.

use custom_resource::aws_config;
use rotate_cache::{Cache, CacheUser};
use rotation::{Rotation, serve, variables};
use tls_connection::Trust;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let [secret, user, host, port] = variables(["CACHE_SECRET_ARN", "CACHE_USER_ID", "CACHE_HOST", "CACHE_PORT"])?;
    let config = aws_config().await;
    let bundle = std::env::var_os("CACHE_CA_BUNDLE");
    let trust = bundle.map_or_else(|| Ok(Trust::public()), |path| Trust::from_file(path.as_ref()))?;
    let cache = Cache::new(&host, port.parse()?, trust);
    let target = CacheUser::new(aws_sdk_elasticache::Client::new(&config), &user, cache);
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    serve(Rotation::new(secrets, [secret], target)).await
}
