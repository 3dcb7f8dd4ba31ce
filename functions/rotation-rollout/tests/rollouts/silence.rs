//! An HTTP client that brings no answer of some functions: beside the mocks, which answer at once or not at all.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use crate::cluster::State;

pub fn client(state: &Arc<Mutex<State>>) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Wire(Arc::clone(state)));
    http_client_fn(move |_, _| connector.clone())
}

struct Wire(Arc<Mutex<State>>);

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let silent = self.0.lock().unwrap().silent.clone();
        // A function's name ends its ARN, which the address holds in an escaped form.
        let path = format!("{}/invocations", silent.rsplit(':').next().unwrap());
        if !silent.is_empty() && request.uri().contains(&path) {
            return HttpConnectorFuture::new(std::future::pending());
        }
        // The mocks put theirs in its place.
        let empty = HttpResponse::new(200.try_into().unwrap(), SdkBody::empty());
        HttpConnectorFuture::ready(Ok(empty))
    }
}
