//! Logs that hold what an operator needs, and nothing that a stranger may not read.

use std::panic;

use lambda_runtime::tracing::subscriber::filter::{LevelFilter, Targets};
use lambda_runtime::tracing::subscriber::fmt::{self, MakeWriter};
use lambda_runtime::tracing::subscriber::layer::{Layer, SubscriberExt};
use lambda_runtime::tracing::subscriber::registry;
use tracing::{Span, Subscriber};

use crate::event::Event;

/// The libraries underneath: their finer levels show whole events and requests, the signed URL among them. They stay at
/// warnings whatever level the operator chooses.
const LIBRARIES: [&str; 6] = ["aws_", "h2", "hyper", "lambda_runtime", "rustls", "tower"];

/// Installs the log of a function, as [`Runtime::run`](crate::Runtime::run) does by itself: JSON where `AWS_LAMBDA_LOG_FORMAT` says so, `AWS_LAMBDA_LOG_LEVEL` and finer (INFO by
/// default); of a panic its place only, since its message may quote anything.
pub fn init_log() {
    let setting = |name| std::env::var(name).unwrap_or_default();
    let json = setting("AWS_LAMBDA_LOG_FORMAT").eq_ignore_ascii_case("json");
    let level = level(&setting("AWS_LAMBDA_LOG_LEVEL"));
    // Another subscriber may stand already; then its owner wanted it.
    let _ = tracing::subscriber::set_global_default(subscriber(std::io::stdout, level, json));
    panic::set_hook(Box::new(|panic| {
        let (file, line) = panic
            .location()
            .map_or(("unknown", 0), |place| (place.file(), place.line()));
        tracing::error!(file, line, "the function panicked");
    }));
}

/// Lambda's names for levels; the parser would take an unset one for ERROR.
fn level(name: &str) -> LevelFilter {
    match name {
        "FATAL" => LevelFilter::ERROR,
        "" => LevelFilter::INFO,
        name => name.parse().unwrap_or(LevelFilter::INFO),
    }
}

/// The log as it is written to `writer`.
pub(crate) fn subscriber<W>(writer: W, level: LevelFilter, json: bool) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let quiet = LIBRARIES.map(|library| (library, level.min(LevelFilter::WARN)));
    let filter = Targets::new().with_default(level).with_targets(quiet);
    let layer = fmt::layer().with_ansi(false).with_target(false).with_writer(writer);
    let layer = if json {
        layer.json().flatten_event(true).with_current_span(false).boxed()
    } else {
        layer.boxed()
    };
    registry().with(layer.with_filter(filter))
}

/// The fields that every line about an event carries; all that the runtime ever logs of it.
pub(crate) fn span(event: &Event) -> Span {
    tracing::info_span!(
        "custom resource",
        request_type = %event.request_type,
        resource_type = event.resource_type,
        logical_id = event.scope.logical_id(),
        stack = event.scope.stack_name(),
        request_id = event.request_id,
        continued = event.continued(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_of_lambdas_is_understood_and_none_is_info() {
        let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "", "loud"].map(level);
        let expected = [
            LevelFilter::TRACE,
            LevelFilter::DEBUG,
            LevelFilter::INFO,
            LevelFilter::WARN,
            LevelFilter::ERROR,
            LevelFilter::ERROR,
            LevelFilter::INFO,
            LevelFilter::INFO,
        ];
        assert_eq!(levels, expected);
    }
}
