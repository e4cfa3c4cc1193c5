//! The egress under test, with a name service and secrets of the test's choosing.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use muster_app::ports::{Call, Egress, SecretError, Secrets};
use muster_domain::ids::SecretName;
use muster_domain::outcome::Outcome;
use muster_domain::request::{ContentType, RenderedRequest, RequestUrl, WebhookAuth, WebhookMethod};
use muster_domain::time::Time;
use muster_egress::{EgressPolicy, HttpEgress, Lookup};
use secrecy::SecretString;

pub(crate) struct Sender {
    egress: HttpEgress,
    pub(crate) names: Arc<Names>,
    pub(crate) secrets: Arc<FixedSecrets>,
}

impl Sender {
    /// Opens the targets named, and nothing else.
    pub(crate) fn allowing(targets: &[String]) -> Self {
        Self::with(targets, Names::default(), FixedSecrets::default())
    }

    pub(crate) fn with(targets: &[String], names: Names, secrets: FixedSecrets) -> Self {
        let policy = EgressPolicy::allowing(targets.iter().map(|target| target.parse().unwrap()).collect());
        let (names, secrets) = (Arc::new(names), Arc::new(secrets));
        let egress = HttpEgress::with_lookup(policy, secrets.clone(), names.clone()).unwrap();
        Self { egress, names, secrets }
    }

    pub(crate) async fn send(&self, request: &RenderedRequest) -> Outcome {
        self.send_within(Duration::from_secs(20), request).await
    }

    pub(crate) async fn send_within(&self, timeout: Duration, request: &RenderedRequest) -> Outcome {
        let now = Time::from_millis(1_700_000_000_000);
        self.egress
            .send(Call {
                request,
                idempotency_key: "ex_1.restart",
                attempt_id: "ex_1.restart.1",
                timeout,
                now,
                callback: None,
            })
            .await
    }
}

pub(crate) fn request(url: impl Into<String>) -> RenderedRequest {
    RenderedRequest {
        method: WebhookMethod::Post,
        url: RequestUrl::Text(url.into()),
        headers: vec![],
        auth: WebhookAuth::None,
        content_type: ContentType::Json,
        body: "{}".into(),
    }
}

pub(crate) fn answered(status: u16, body: &str) -> Outcome {
    Outcome::Answered { status, retry_after_ms: None, body: body.into(), truncated: false }
}

/// A name service that gives every name the same answer; each answer but the last is given once.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Names {
    pub(crate) fn answering(answers: &[&[&str]]) -> Self {
        let names = Self::default();
        names.answer(answers);
        names
    }

    pub(crate) fn answer(&self, answers: &[&[&str]]) {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        *self.answers.lock().unwrap() = answers.iter().map(parse).collect();
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 {
            return Ok(answers.remove(0));
        }
        answers.first().cloned().ok_or_else(|| io::Error::other("no such name"))
    }
}

#[derive(Default)]
pub(crate) struct FixedSecrets {
    values: BTreeMap<SecretName, String>,
    mood: Mood,
    reads: AtomicUsize,
}

/// Whether the store answers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Mood {
    #[default]
    Answering,
    Failing,
    Hanging,
}

impl FixedSecrets {
    pub(crate) fn holding(values: &[(&str, &str)]) -> Self {
        let values = values.iter().map(|(name, value)| (name.parse().unwrap(), (*value).to_owned()));
        Self { values: values.collect(), ..Self::default() }
    }

    pub(crate) fn in_mood(mood: Mood) -> Self {
        Self { mood, ..Self::default() }
    }

    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Secrets for FixedSecrets {
    async fn read(&self, name: &SecretName) -> Result<SecretString, SecretError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        match self.mood {
            Mood::Answering => {
                let value = self.values.get(name).ok_or_else(|| SecretError::Missing(name.clone()))?;
                Ok(SecretString::from(value.as_str()))
            }
            Mood::Failing => {
                Err(SecretError::Unreadable { name: name.clone(), source: "the store is down".into() })
            }
            Mood::Hanging => std::future::pending().await,
        }
    }
}
