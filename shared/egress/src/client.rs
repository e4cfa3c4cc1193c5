//! Sends one attempt and says what is known of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use muster_app::ports::{Call, Egress, Secrets};
use muster_domain::outcome::Outcome;
use muster_domain::request::{RenderedRequest, RequestUrl, WebhookMethod};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Request, redirect, retry};
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, timeout_at};

use crate::answer;
use crate::credentials::Credentials;
use crate::dial::{Dial, WatchDial};
use crate::failure;
use crate::headers;
use crate::policy::EgressPolicy;
use crate::redact::Redactor;
use crate::refusal::Refusal;
use crate::resolver::{GuardedResolver, Lookup, SystemLookup};
use crate::target::Target;

/// No call takes longer than this, whatever its definition asks for: a worker's lease counts on it.
pub const LONGEST_CALL: Duration = Duration::from_secs(20);

/// Name lookup, TCP and TLS together.
const LONGEST_CONNECT: Duration = Duration::from_secs(5);

/// More headers than this in an answer are an error. Their bytes are bounded by the HTTP parser's buffer, 408 KiB.
const MOST_ANSWER_HEADERS: usize = 64;

/// The way out to addresses that users gave.
pub struct HttpEgress {
    client: Client,
    policy: EgressPolicy,
    secrets: Arc<dyn Secrets>,
}

impl HttpEgress {
    /// Builds the one client that every call shares; this reads the system's root certificates.
    pub fn new(policy: EgressPolicy, secrets: Arc<dyn Secrets>) -> Result<Self, BuildError> {
        Self::with_lookup(policy, secrets, Arc::new(SystemLookup))
    }

    /// The same, with a name service of the caller's.
    pub fn with_lookup(
        policy: EgressPolicy,
        secrets: Arc<dyn Secrets>,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, BuildError> {
        let client = build_client(GuardedResolver::new(lookup)).map_err(BuildError)?;
        Ok(Self { client, policy, secrets })
    }

    async fn prepare(&self, call: &Call<'_>, deadline: Instant) -> Result<Prepared, Outcome> {
        let (target, credentials) = self.admit(call, deadline).await?;
        let headers = headers::build(call, &credentials).map_err(refused)?;
        let token = call.callback.map(|pass| pass.token.expose_secret());
        let redactor = Redactor::new(call.request, &credentials).and(token);
        let dial = Dial::new(target.guard);
        Ok(Prepared { request: build_request(call.request, target, headers), dial, redactor })
    }

    /// Where the call goes, and its secrets. None is read for a URL that is refused, unless the URL is one.
    async fn admit(&self, call: &Call<'_>, deadline: Instant) -> Result<(Target, Credentials), Outcome> {
        match &call.request.url {
            RequestUrl::Text(text) => {
                let target = Target::parse(text, &self.policy).map_err(refused)?;
                Ok((target, self.credentials(call, deadline).await?))
            }
            RequestUrl::Secret(url) => {
                let credentials = self.credentials(call, deadline).await?;
                let text = credentials.expose(url).map_err(refused)?;
                let target = Target::parse(text, &self.policy)
                    .map_err(|refusal| refused(refusal.of_secret_url(&url.name)))?;
                Ok((target, credentials))
            }
        }
    }

    async fn credentials(&self, call: &Call<'_>, deadline: Instant) -> Result<Credentials, Outcome> {
        let reading = Credentials::read(self.secrets.as_ref(), call.request);
        timeout_at(deadline, reading).await.map_err(|_| failure::secrets_timed_out())?
    }

    async fn exchange(&self, prepared: Prepared, call: &Call<'_>, deadline: Instant) -> Outcome {
        let Prepared { request, dial, redactor } = prepared;
        let sending = dial.scope(self.client.execute(request));
        let outcome = match timeout_at(deadline, sending).await {
            Ok(Ok(response)) => answer::read(response, deadline, call.now).await,
            Ok(Err(error)) => failure::classify(&error),
            Err(_) => failure::timed_out(&dial),
        };
        redactor.outcome(outcome)
    }
}

#[async_trait]
impl Egress for HttpEgress {
    async fn send(&self, call: Call<'_>) -> Outcome {
        let deadline = Instant::now() + call.timeout.min(LONGEST_CALL);
        match self.prepare(&call, deadline).await {
            Ok(prepared) => self.exchange(prepared, &call, deadline).await,
            Err(outcome) => outcome,
        }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("building the HTTP client with the system's root certificates")]
pub struct BuildError(#[source] reqwest::Error);

/// A call that every gate before the network let through.
struct Prepared {
    request: Request,
    dial: Arc<Dial>,
    redactor: Redactor,
}

/// What a default client would do and this one must not, each line for a reason: another address would be called than the one
/// checked (redirects, proxies), a request sent twice (retries, idle connections that turn out closed) or a small answer
/// become a large one (decompression, which another crate's features could turn on).
fn build_client(resolver: GuardedResolver) -> reqwest::Result<Client> {
    Client::builder()
        .dns_resolver(resolver)
        .connector_layer(WatchDial)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .retry(retry::never())
        .pool_max_idle_per_host(0)
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .http1_only()
        .http1_max_headers(MOST_ANSWER_HEADERS)
        .connect_timeout(LONGEST_CONNECT)
        .build()
}

fn build_request(rendered: &RenderedRequest, target: Target, headers: HeaderMap) -> Request {
    let mut request = Request::new(method(rendered.method), target.url);
    *request.headers_mut() = headers;
    *request.body_mut() = Some(rendered.body.clone().into());
    request
}

fn method(method: WebhookMethod) -> Method {
    match method {
        WebhookMethod::Post => Method::POST,
        WebhookMethod::Put => Method::PUT,
        WebhookMethod::Patch => Method::PATCH,
        WebhookMethod::Get => Method::GET,
    }
}

fn refused(refusal: Refusal) -> Outcome {
    Outcome::Refused { reason: refusal.to_string() }
}
