//! Deliveries of integrations: verified over the raw bytes, taken once, and only then read.

use muster_domain::digest::Digest;
use muster_domain::fault::Fault;
use muster_domain::ids::{IncidentId, IntegrationId};
use muster_domain::integration::{Integration, Seen};
use muster_domain::sources::verification::{Headers, Rejected, Scheme, verify};
use muster_domain::sources::{Decoded, Ignored, Undecodable, decode};
use muster_domain::time::Time;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::error::chain;
use crate::ports::SecretError;
use crate::signals::{Effect, Outcome, SEEN_TTL, Sender, Taken};
use crate::table::{CommitError, Expect, Key, Versioned, Write};
use crate::{App, Error};

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivered {
    /// How many of its reports were followed.
    pub accepted: usize,
    /// Reports that change nothing, with the reason.
    pub ignored: Vec<Ignored>,
    /// The incidents that it is about, each once.
    pub incidents: Vec<IncidentId>,
}

impl App {
    /// Takes one delivery as it came over the wire. An integration that is disabled is not there.
    pub async fn receive_delivery(
        &self,
        id: &IntegrationId,
        headers: &Headers<'_>,
        body: &[u8],
    ) -> Result<Delivered, Error> {
        let now = self.clock.now();
        let integration = self.load_integration(id).await?.value;
        if !integration.enabled {
            return Err(Error::NotFound { kind: "integration", id: id.to_string() });
        }
        let signed = self.verified(&integration, headers, body, now).await?;
        let replay_key = signed.or_else(|| named_by_sender(&integration, headers, body));
        let repeat = match &replay_key {
            Some(key) => self.seen_delivery(*key, now).await?,
            None => Repeat::Unknown,
        };
        if repeat == Repeat::Yes {
            return Ok(repeated());
        }
        let decoded = decode(integration.source, body).map_err(|error| refused(id, body, &error))?;
        let delivered = self.take_decoded(integration, decoded).await?;
        // Last: a delivery that failed half-way is taken again when its sender repeats it.
        if let Some(key) = replay_key {
            self.remember_delivery(key, repeat, now).await?;
        }
        Ok(delivered)
    }

    async fn take_decoded(&self, integration: Integration, decoded: Decoded) -> Result<Delivered, Error> {
        let Integration { id, team, source, .. } = integration;
        let sender = Sender { scope: id.to_string(), team, source };
        let Taken { outcomes } = self.take_signals(&sender, decoded.signals).await?;
        let mut delivered = Delivered { ignored: decoded.ignored, ..Delivered::default() };
        for outcome in outcomes {
            delivered.add(outcome);
        }
        tracing::info!(
            integration = %id,
            source = source.as_str(),
            accepted = delivered.accepted,
            ignored = delivered.ignored.len(),
            "took a delivery"
        );
        Ok(delivered)
    }

    /// What tells a replay of the delivery, if its sender names or dates what it signs.
    async fn verified(
        &self,
        integration: &Integration,
        headers: &Headers<'_>,
        body: &[u8],
        now: Time,
    ) -> Result<Option<Digest>, Error> {
        let (values, unreadable) = self.read_secrets(integration).await;
        let secrets: Vec<&[u8]> = values.iter().map(|value| value.expose_secret().as_bytes()).collect();
        match (verify(&integration.scheme, &secrets, headers, body, now), unreadable) {
            (Ok(verified), _) => {
                let key = json!(["delivery", integration.id, verified.replay_key]);
                Ok(tells_replays(&integration.scheme).then(|| Digest::of_json(&key)))
            }
            // One of the secrets that could not be read may be the one that verifies.
            (Err(Rejected::Mismatch | Rejected::NoSecret), Some(error)) => Err(error.into()),
            (Err(rejected), _) => {
                tracing::warn!(
                    integration = %integration.id,
                    error = chain(&rejected),
                    "refused a delivery that does not verify"
                );
                Err(Error::Unverified)
            }
        }
    }

    /// The values that can be read, and why another could not. A secret that is not there verifies nothing.
    async fn read_secrets(&self, integration: &Integration) -> (Vec<SecretString>, Option<SecretError>) {
        let (mut values, mut unreadable) = (Vec::new(), None);
        for name in &integration.secrets {
            match self.secrets.read(name).await {
                Ok(value) => values.push(value),
                Err(error @ SecretError::Missing(_)) => {
                    tracing::error!(integration = %integration.id, error = chain(&error), "verifying a delivery");
                }
                Err(error @ SecretError::Unreadable { .. }) => unreadable = Some(error),
            }
        }
        (values, unreadable)
    }

    async fn seen_delivery(&self, key: Digest, now: Time) -> Result<Repeat, Error> {
        let Some(stored) = self.table.get(&Key::Seen(key)).await? else { return Ok(Repeat::Unknown) };
        let Versioned { value, version } = stored.typed::<Seen>()?;
        if value.expires_at > now { Ok(Repeat::Yes) } else { Ok(Repeat::LongAgo(version)) }
    }

    async fn remember_delivery(&self, key: Digest, repeat: Repeat, now: Time) -> Result<(), Error> {
        let expect = match repeat {
            Repeat::LongAgo(version) => Expect::Version(version),
            Repeat::Unknown | Repeat::Yes => Expect::Absent,
        };
        let record = Seen { key, expires_at: now.plus(SEEN_TTL) }.into();
        match self.table.commit(vec![Write::Put { record, expect }]).await {
            // A copy of it was taken at the same time; its reports were taken once all the same.
            Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
            Err(CommitError::Table(error)) => Err(error.into()),
        }
    }
}

impl Delivered {
    fn add(&mut self, outcome: Outcome) {
        let Outcome { delivery, incident, effect, .. } = outcome;
        self.accepted += usize::from(effect.is_accepted());
        if let Some(incident) = incident.filter(|incident| !self.incidents.contains(incident)) {
            self.incidents.push(incident);
        }
        let reason = match effect {
            Effect::Opened | Effect::Counted | Effect::Acknowledged | Effect::Resolved => return,
            Effect::Repeated => "this report was taken before".to_owned(),
            Effect::Ignored { reason } | Effect::Failed { reason } => reason,
        };
        self.ignored.push(Ignored { delivery: Some(delivery), reason });
    }
}

/// Whether a delivery was taken before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Unknown,
    /// The record of this version no longer counts.
    LongAgo(u64),
    Yes,
}

/// What tells a replay of a delivery under an `Idempotency-Key`. The key is not signed, so another body under it is another delivery.
fn named_by_sender(integration: &Integration, headers: &Headers<'_>, body: &[u8]) -> Option<Digest> {
    let key = headers.idempotency_key()?;
    Some(Digest::of_json(&json!(["delivery", integration.id, "key", key, Digest::of_bytes(body)])))
}

/// Whether the scheme signs an id or a time, so that two equal deliveries are one. The reports of others are told apart by
/// their own ids alone, for a sender may truly say the same thing twice.
fn tells_replays(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::StandardWebhooks | Scheme::Slack => true,
        Scheme::Grafana { timestamp_header } => timestamp_header.is_some(),
        Scheme::Pagerduty | Scheme::Bearer | Scheme::Basic { .. } | Scheme::Header { .. } => false,
    }
}

fn repeated() -> Delivered {
    let ignored = Ignored { delivery: None, reason: "this delivery was taken before".to_owned() };
    Delivered { ignored: vec![ignored], ..Delivered::default() }
}

/// Its digest, and not its content, is for the log: an alert may hold what is not for everybody who reads logs.
fn refused(id: &IntegrationId, body: &[u8], error: &Undecodable) -> Error {
    let digest = Digest::of_bytes(body);
    tracing::warn!(integration = %id, bytes = body.len(), %digest, error = chain(error), "cannot read a delivery");
    Error::Invalid(vec![Fault::new(error.pointer.clone(), format!("{}; {}", error.problem, error.mend))])
}
