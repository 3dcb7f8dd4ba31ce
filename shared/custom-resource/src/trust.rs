//! Whose signature on the certificate of an endpoint is believed, and which authorities are read first.
//!
//! Amazon's own five authorities vouch for AWS's endpoints. The machine's bundle holds them among more than a hundred,
//! whose reading is a third of what a function computes at a cold start. So this crate carries the five, and reads the
//! bundle once a certificate does not follow from them: behind a proxy that opens TLS, or at an endpoint of one's own. In
//! the end neither more nor fewer authorities are believed than the machine's and Amazon's.

use std::error::Error;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// `data/refresh.sh` makes it.
const AMAZON: &str = include_str!("../data/amazon-roots.pem");
/// The variables with which an operator replaces the machine's authorities, as OpenSSL and the SDK read them.
const REPLACEMENTS: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
/// How long an endpoint may take to accept a connection.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The SDK's own HTTP stack, for its clients and for the answer to CloudFormation: the binary carries no second one, and
/// certificate authorities are read once rather than for each client.
pub(crate) fn connector() -> SharedHttpConnector {
    static CONNECTOR: OnceLock<SharedHttpConnector> = OnceLock::new();
    CONNECTOR
        .get_or_init(|| believing(REPLACEMENTS.iter().any(|name| std::env::var_os(name).is_some())))
        .clone()
}

/// Whoever replaces the machine's authorities means no others to be believed, not even Amazon's.
fn believing(only_replacements: bool) -> SharedHttpConnector {
    if only_replacements {
        return trusting(TrustStore::default());
    }
    let amazon = TrustStore::empty().with_pem_certificate(AMAZON);
    let everyone = amazon.clone().with_native_roots(true);
    SharedHttpConnector::new(InTurn::new(trusting(amazon), everyone))
}

fn trusting(authorities: TrustStore) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT);
    let tls = TlsContext::builder().with_trust_store(authorities).build();
    let connector = Connector::builder()
        .connector_settings(settings.build())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        // Building the context cannot fail with rustls, which reads the authorities later.
        .tls_context(tls.unwrap_or_default());
    SharedHttpConnector::new(connector.build())
}

/// Believes a few authorities, and all of them once the few did not do.
#[derive(Debug, Clone)]
struct InTurn(Arc<Stores>);

#[derive(Debug)]
struct Stores {
    few: SharedHttpConnector,
    everyone: TrustStore,
    /// Made, and its authorities read, when first needed; from then on it is used for everything.
    all: OnceLock<SharedHttpConnector>,
}

impl InTurn {
    fn new(few: SharedHttpConnector, everyone: TrustStore) -> Self {
        let all = OnceLock::new();
        Self(Arc::new(Stores { few, everyone, all }))
    }
}

impl Stores {
    fn all(&self) -> &SharedHttpConnector {
        self.all.get_or_init(|| trusting(self.everyone.clone()))
    }
}

impl HttpConnector for InTurn {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // A body that can be read only once is not risked.
        let (None, Some(again)) = (self.0.all.get(), request.try_clone()) else {
            return self.0.all().call(request);
        };
        let stores = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            match stores.few.call(request).await {
                // The handshake failed, so that nothing of the request was sent.
                Err(error) if is_about_a_certificate(&error) => {
                    tracing::info!("a server's certificate is not from Amazon's authorities; reading the machine's");
                    stores.all().call(again).await
                }
                other => other,
            }
        })
    }
}

/// Whether we refused the server's certificate; why does not matter, since those who know all authorities judge anew.
fn is_about_a_certificate(error: &(dyn Error + 'static)) -> bool {
    // An I/O error that wraps another passes over it as its source.
    if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        return is_about_a_certificate(inner);
    }
    match error.downcast_ref::<rustls::Error>() {
        Some(error) => matches!(error, rustls::Error::InvalidCertificate(_)),
        None => error.source().is_some_and(is_about_a_certificate),
    }
}

#[cfg(test)]
mod tests;
