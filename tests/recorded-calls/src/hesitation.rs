//! Answers that take a moment.

use std::future::poll_fn;
use std::task::Poll;

use aws_smithy_runtime_api::client::identity::{
    IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// An identity cache that caches nothing, and lets everybody else have a turn between what a mocked call does and its answer.
///
/// Without it such a call is done and answered at once: of two deliveries on one thread, the first would be over before the
/// second begins, and nobody could be killed after a call and before he knows of it.
///
/// ```no_run
/// use aws_sdk_secretsmanager::Client;
/// use aws_smithy_mocks::{RuleMode, mock_client};
/// use recorded_calls::Hesitation;
///
/// let rules: [aws_smithy_mocks::Rule; 0] = [];
/// let client: Client = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, &rules, |config| {
///     config.identity_cache(Hesitation)
/// });
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Hesitation;

impl ResolveCachedIdentity for Hesitation {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            a_turn().await;
            resolver.resolve_identity(components, config).await
        })
    }
}

/// Waits until whatever else can go on has gone on.
async fn a_turn() {
    let mut has_waited = false;
    poll_fn(|context| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Waker};

    use aws_sdk_secretsmanager::Client;
    use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    #[tokio::test]
    async fn a_call_has_done_its_work_before_its_answer_comes() {
        let done = Arc::new(AtomicBool::new(false));
        let works = Arc::clone(&done);
        let get = mock!(Client::get_secret_value).then_output(move || {
            works.store(true, Ordering::Relaxed);
            GetSecretValueOutput::builder().build()
        });
        let client = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&get], |config| config
            .identity_cache(Hesitation));
        let mut call = pin!(client.get_secret_value().secret_id("shop").send());
        let first = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(first.is_pending() && done.load(Ordering::Relaxed));
        assert!(call.await.is_ok());
    }
}
