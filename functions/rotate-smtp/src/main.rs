//! The function that rotates the mail user's access key.

use custom_resource::aws_config;
use rotate_smtp::{MailUser, SmtpServers};
use rotation::{Rotation, serve, variables};
use tls_connection::Trust;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let [secret, user] = variables(["SMTP_SECRET_ARN", "SMTP_USER_NAME"])?;
    let config = aws_config().await;
    let bundle = std::env::var_os("SMTP_CA_BUNDLE");
    let trust = bundle.map_or_else(|| Ok(Trust::public()), |path| Trust::from_file(path.as_ref()))?;
    let target = MailUser::new(aws_sdk_iam::Client::new(&config), &user, SmtpServers::new(trust));
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    serve(Rotation::new(secrets, [secret], target)).await
}
