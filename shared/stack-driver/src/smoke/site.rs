//! The site as a visitor reaches it: HTTPS with a verified certificate, redirections shown instead of followed.

use crate::smoke::administrator::Administrator;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, RequestBuilder, Url};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one request may take: a web task that has just started compiles its cache first.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long the connection alone may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// More than any page or answer has that is judged here; the rest is not read.
const LONGEST_BODY: usize = 2 << 20;

/// How the site is reached, where it is not as a visitor does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The site's address, instead of the one that the stack names.
    pub site: Option<String>,
    /// Connect to this host and port, whatever DNS says of the site's name.
    pub connect_to: Option<String>,
    /// An authority to trust besides the machine's.
    pub ca_file: Option<PathBuf>,
}

/// A site that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum NoSite {
    /// Not an address, or one without TLS.
    #[error("{0:?} is no address of a site: it begins with https:// and names a host")]
    Address(String),
    /// What stands in the way of the connection cannot be used.
    #[error("--ca-file {path}: {cause}; give a file of certificates in PEM")]
    CaFile {
        /// The path.
        path: String,
        /// Why not.
        cause: String,
    },
    /// This machine cannot speak HTTPS.
    #[error(
        "HTTPS cannot be used: {0}; look at this machine's authorities (package ca-certificates), and at --ca-file"
    )]
    Tls(String),
    /// The given host is not found.
    #[error("--connect-to {place:?} leads nowhere ({cause}): give a host and a port, such as 192.0.2.10:443")]
    ConnectTo {
        /// What was given.
        place: String,
        /// Why not.
        cause: String,
    },
}

/// A request that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url} did not answer: {cause}")]
pub struct NoReply {
    /// What was asked.
    pub url: String,
    /// The transport's words.
    pub cause: String,
    /// What to do.
    pub remedy: &'static str,
}

/// An answer, as far as it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What was asked.
    pub url: String,
    /// The status.
    pub status: u16,
    /// Where a redirection leads.
    pub location: Option<String>,
    /// The text.
    pub body: String,
    /// The text as JSON, if it says that it is.
    pub json: Option<Value>,
}

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// Nothing.
    None,
    /// JSON.
    Json(&'a Value),
    /// The fields of a form.
    Form(&'a [(&'a str, &'a str)]),
}

/// A site.
#[derive(Debug, Clone)]
pub struct Site {
    client: Client,
    base: Url,
}

impl Site {
    /// Prepares to ask; nothing is sent yet.
    ///
    /// # Errors
    /// The address, the authority or the place to connect to is none.
    pub async fn open(address: &str, route: &Route) -> Result<Self, NoSite> {
        let base = route.site.as_deref().unwrap_or(address);
        let strange = || NoSite::Address(base.to_owned());
        let url = Url::parse(base).map_err(|_| strange())?;
        let host = url
            .host_str()
            .filter(|_| url.scheme() == "https")
            .ok_or_else(strange)?
            .to_owned();
        let mut builder = Client::builder()
            .user_agent(concat!("stack-driver/", env!("CARGO_PKG_VERSION"), " (smoke test)"))
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(CONNECT_PATIENCE);
        if let Some(path) = &route.ca_file {
            builder = builder.tls_certs_merge(authorities(path)?);
        }
        if let Some(place) = &route.connect_to {
            // A proxy would look the name up by itself.
            builder = builder.no_proxy().resolve_to_addrs(&host, &addresses(place).await?);
        }
        let client = builder.build().map_err(|error| NoSite::Tls(innermost(&error)))?;
        Ok(Self { client, base: url })
    }

    /// The address of a page.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let mut url = self.base.clone();
        url.set_path(path);
        url.to_string()
    }

    /// Asks as a visitor does.
    ///
    /// # Errors
    /// Nobody answers.
    pub async fn visit(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body<'_>,
    ) -> Result<Reply, NoReply> {
        self.send(self.request(method, path, query, body)).await
    }

    /// Asks with an administrator's name and password.
    ///
    /// # Errors
    /// Nobody answers.
    pub async fn ask_as(
        &self,
        who: &Administrator,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Body<'_>,
    ) -> Result<Reply, NoReply> {
        let request = self.request(method, path, query, body);
        self.send(request.basic_auth(&who.username, Some(who.password.expose_secret())))
            .await
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)], body: Body<'_>) -> RequestBuilder {
        let request = self.client.request(method, self.url(path)).query(query);
        match body {
            Body::None => request,
            Body::Json(value) => request.json(value),
            Body::Form(fields) => request.form(fields),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Reply, NoReply> {
        let mut url = self.base.to_string();
        let reply = async {
            let request = request.build()?;
            url = request.url().to_string();
            let mut response = self.client.execute(request).await?;
            let header = |name| {
                response
                    .headers()
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            };
            let (status, location, kind) = (response.status().as_u16(), header(LOCATION), header(CONTENT_TYPE));
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > LONGEST_BODY {
                    break;
                }
            }
            let is_json = kind.is_some_and(|kind| kind.contains("json"));
            let json = is_json.then(|| serde_json::from_slice(&bytes).ok()).flatten();
            let body = String::from_utf8_lossy(&bytes).into_owned();
            Ok::<_, reqwest::Error>((status, location, body, json))
        };
        match reply.await {
            Ok((status, location, body, json)) => Ok(Reply {
                url,
                status,
                location,
                body,
                json,
            }),
            Err(error) => {
                let (cause, remedy) = explain(&error);
                Err(NoReply { url, cause, remedy })
            }
        }
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, NoSite> {
    let refused = |cause: String| NoSite::CaFile {
        path: path.display().to_string(),
        cause,
    };
    let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| refused(innermost(&error)))?;
    if found.is_empty() {
        return Err(refused("it holds no certificate".to_owned()));
    }
    Ok(found)
}

async fn addresses(place: &str) -> Result<Vec<SocketAddr>, NoSite> {
    let refused = |cause: String| NoSite::ConnectTo {
        place: place.to_owned(),
        cause,
    };
    let found = tokio::net::lookup_host(place)
        .await
        .map_err(|error| refused(error.to_string()))?;
    Ok(found.collect())
}

/// The transport's innermost words, and what to do.
fn explain(error: &reqwest::Error) -> (String, &'static str) {
    let chain = words(error);
    let cause = chain.last().cloned().unwrap_or_default();
    let mentions = |text: &str| chain.iter().any(|words| words.to_lowercase().contains(text));
    let remedy = if mentions("certificate") {
        "Its certificate is not one that this machine trusts for that name: look at CertificateArn and the site's name; an \
         authority of your own is trusted with --ca-file FILE (with make: SITE_CA_FILE=FILE)."
    } else if mentions("dns error") {
        "The name is in no DNS that this machine asks: make the record of the output SiteDnsRecord, or reach the load balancer by \
         its own name with --connect-to NAME:443 (with make: SITE_CONNECT_TO=NAME:443)."
    } else if error.is_timeout() {
        "Somebody takes the connection and says nothing, or nobody does: look at the load balancer's security group, and whether its \
         targets are healthy."
    } else {
        "Look at the network and the proxy (HTTPS_PROXY) here, and whether the load balancer stands."
    };
    let patience = if error.is_connect() { CONNECT_PATIENCE } else { PATIENCE };
    if error.is_timeout() {
        return (format!("no answer within {} s", patience.as_secs()), remedy);
    }
    (cause, remedy)
}

fn words(error: &dyn std::error::Error) -> Vec<String> {
    let mut chain = Vec::new();
    let mut current = Some(error);
    while let Some(cause) = current {
        chain.push(cause.to_string());
        current = cause.source();
    }
    chain
}

fn innermost(error: &dyn std::error::Error) -> String {
    words(error).pop().unwrap_or_default()
}
