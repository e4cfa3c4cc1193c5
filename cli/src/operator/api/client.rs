//! Sends calls. A call that got no answer, or the answer to come again, is repeated under the same key.

use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::{Client, Response, StatusCode, redirect, retry};
use serde_json::Value;

use super::backoff::{MAX_TRIES, pause};
use super::call::{Call, Reply};
use super::connection::{Connection, ConnectionArgs, ConnectionError};
use super::error::ApiError;
use super::key::IdempotencyKey;
use super::problem::Problem;
use crate::operator::output::Printer;
use crate::operator::pace::Pace;

/// From the first packet to the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer that is read: a whole audit chain stays far below.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
const JSON: &str = "application/json";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// A client of one server.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    http: Client,
    connection: Connection,
    printer: Printer,
    pace: Pace,
}

impl Api {
    pub(crate) fn new(args: &ConnectionArgs, printer: Printer, pace: Pace) -> Result<Self, ConnectionError> {
        let connection = args.resolve()?;
        let http = client(&connection).map_err(ConnectionError::Client)?;
        Ok(Self { http, connection, printer, pace })
    }

    /// The answer to a call, after as many tries as are allowed.
    pub(crate) async fn send(&self, mut call: Call) -> Result<Reply, ApiError> {
        if call.is_keyed() && call.key.is_none() {
            call.key = Some(IdempotencyKey::random().map_err(ApiError::NoRandomness)?);
        }
        let mut tries = 1;
        loop {
            let failure = match self.attempt(&call).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            match failure.pause(self.pace.retry, tries) {
                Some(wait) => self.wait(&failure.error, tries, wait).await,
                None => return Err(failure.error),
            }
            tries += 1;
        }
    }

    async fn wait(&self, error: &ApiError, tries: u32, wait: Duration) {
        let seconds = wait.as_secs_f32();
        let next = tries + 1;
        self.printer.note(&format!("{error}; trying again in {seconds:.1} s (try {next} of {MAX_TRIES})"));
        tokio::time::sleep(wait).await;
    }

    async fn attempt(&self, call: &Call) -> Result<Reply, Failure> {
        let sent = self.request(call).send().await;
        let answered = match sent {
            Ok(response) if response.status().is_success() => self.reply(response).await,
            Ok(response) => Err(self.refusal(response).await),
            Err(cause) => Err(self.no_answer(cause)),
        };
        answered.map_err(|failure| failure.of(call))
    }

    fn request(&self, call: &Call) -> reqwest::RequestBuilder {
        let url = self.connection.base.at(&call.path, &call.query);
        let mut request = self.http.request(call.method.clone(), url);
        match (&call.proof, &self.connection.authorization) {
            (Some(proof), _) => {
                for (name, value) in proof {
                    request = request.header(name, value);
                }
            }
            (None, Some(authorization)) => request = request.header(header::AUTHORIZATION, authorization),
            (None, None) => {}
        }
        if let Some(etag) = &call.if_match {
            request = request.header(header::IF_MATCH, etag);
        }
        if let Some(key) = &call.key {
            request = request.header(IDEMPOTENCY_KEY, key.as_str());
        }
        match (&call.bytes, &call.body) {
            (Some(bytes), _) => request.header(header::CONTENT_TYPE, JSON).body(bytes.clone()),
            (None, Some(body)) => request.json(body),
            (None, None) => request,
        }
    }

    async fn reply(&self, response: Response) -> Result<Reply, Failure> {
        let etag = text_of(response.headers(), &header::ETAG);
        let bytes = self.read(response).await?;
        let body = match bytes.as_slice() {
            [] => Value::Null,
            bytes => serde_json::from_slice(bytes).map_err(|cause| self.unreadable(cause))?,
        };
        Ok(Reply { body, etag })
    }

    async fn refusal(&self, response: Response) -> Failure {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = match self.read(response).await {
            Ok(bytes) => bytes,
            Err(failure) => return failure,
        };
        let server = self.server();
        let error = match serde_json::from_slice::<Problem>(&bytes) {
            _ if status.is_redirection() => ApiError::Redirected { server, status },
            Ok(problem) if is_problem(&headers) => {
                problem.completed(status, text_of(&headers, &CORRELATION_ID)).into()
            }
            Ok(_) | Err(_) => ApiError::Foreign { server, status },
        };
        let hope =
            if passing(status) { Hope::MayPass { retry_after: retry_after(&headers) } } else { Hope::Final };
        Failure { error, hope }
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| self.no_answer(cause))? {
            if bytes.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(self.unreadable(TooLarge));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn no_answer(&self, cause: reqwest::Error) -> Failure {
        let hope = if cause.is_builder() { Hope::Final } else { Hope::MayPass { retry_after: None } };
        let error = ApiError::Unreachable { server: self.server(), cause: cause.without_url() };
        Failure { error, hope }
    }

    fn unreadable(&self, cause: impl std::error::Error + Send + Sync + 'static) -> Failure {
        let error = ApiError::Unreadable { server: self.server(), cause: Box::new(cause) };
        Failure { error, hope: Hope::Final }
    }

    fn server(&self) -> String {
        self.connection.base.to_string()
    }
}

/// A client that follows no redirect, so that the token goes to the given server alone.
fn client(connection: &Connection) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(connection.timeout)
        .redirect(redirect::Policy::none())
        .retry(retry::never());
    // A proxy cannot reach this machine's own loopback.
    if connection.base.is_loopback() { builder.no_proxy().build() } else { builder.build() }
}

/// A try that did not succeed, and whether another may.
struct Failure {
    error: ApiError,
    hope: Hope,
}

enum Hope {
    MayPass { retry_after: Option<Duration> },
    Final,
}

impl Failure {
    /// What was sent once and may not be repeated has failed for good, unless nothing left this machine.
    fn of(self, call: &Call) -> Self {
        let unsent = matches!(&self.error, ApiError::Unreachable { cause, .. } if cause.is_connect());
        if unsent || call.may_repeat() { self } else { Self { hope: Hope::Final, ..self } }
    }

    fn pause(&self, base: Duration, tries: u32) -> Option<Duration> {
        match self.hope {
            Hope::MayPass { retry_after } => pause(base, tries, retry_after, spread()),
            Hope::Final => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("it is larger than {MAX_ANSWER_BYTES} bytes")]
struct TooLarge;

/// Statuses that say "not now".
fn passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 502..=504)
}

fn is_problem(headers: &HeaderMap) -> bool {
    let media_type = text_of(headers, &header::CONTENT_TYPE).unwrap_or_default();
    media_type.starts_with("application/problem+json")
}

/// The pause a server asks for in seconds; its form as a date is rare and not worth a clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text_of(headers, &header::RETRY_AFTER)?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// Without randomness all come again at the same time, which is no reason not to come.
fn spread() -> u8 {
    let mut byte = [0];
    let _ = getrandom::fill(&mut byte);
    let [spread] = byte;
    spread
}
