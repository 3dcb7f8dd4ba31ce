//! The function: a batch of SES's reports in, their records in Mautic's database out.

use std::time::{Duration, SystemTime};

use bounce_handler::{Failed, Handler, Settings, store::Store};
use custom_resource::{Error, aws_config, init_log};
use database::{Authority, Connector};
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use ses_events::Batch;
use tokio::time::Instant;

/// What is left for the answer when the time runs out.
const LAST_WORDS: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    init_log();
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let authority = settings
        .authorities
        .as_deref()
        .map_or_else(|| Ok(Authority::rds()), Authority::from_file)?;
    let connector = Connector::new(&settings.host, settings.port, authority);
    let config = aws_config().await;
    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    let store = Store::new(
        connector,
        secrets,
        &settings.secret_arn,
        settings.place,
        settings.policy.clone(),
    );
    let suppression = settings.suppress.then(|| aws_sdk_sesv2::Client::new(&config));
    let handler = &Handler::new(store, settings.policy, suppression, &settings.namespace);
    let function = service_fn(move |event: LambdaEvent<Batch>| async move {
        let left = event
            .context
            .deadline()
            .duration_since(SystemTime::now())
            .unwrap_or_default();
        let deadline = Instant::now() + left.saturating_sub(LAST_WORDS);
        let answered = handler
            .handle(&event.payload, &event.context.request_id, deadline)
            .await;
        answered.map_err(|Failed(reason)| Diagnostic {
            error_type: "Failed".into(),
            error_message: reason,
        })
    });
    Runtime::new(function).run().await
}
