//! What monitoring tools report becomes incidents: each report once, a firing and its resolution on the same incident.
//!
//! Architecture invariant: a report is done with in one commit, which holds the incident, its event, its audit entry, what
//! the fingerprint stands for and that the report was seen. Of two that open an incident at once, one does and the other
//! finds it open.

mod incident;

use std::time::Duration;

use muster_domain::digest::Digest;
use muster_domain::ids::{IncidentId, TeamId};
use muster_domain::incident::{Incident, IncidentEvent, IncidentStatus};
use muster_domain::integration::{Alert, IsOver, Seen};
use muster_domain::sources::verification::MAX_SKEW;
use muster_domain::sources::{Signal, SignalStatus, Source};
use muster_domain::time::Time;
use serde::Serialize;
use serde_json::json;

use crate::error::chain;
use crate::table::{CommitError, Expect, Key, Versioned, Write};
use crate::{App, Error};

/// How long a report is known, so that its repeat changes nothing. The senders repeat for minutes, at most for hours.
pub const SEEN_TTL: Duration = Duration::from_hours(24);
/// How long an undated report may be sent again and is still the same: as long as a signed one may be on its way.
const SENT_AGAIN_WITHIN: Duration = MAX_SKEW;
/// How often one report is looked at anew when others change the same incident.
const MAX_TRIES: usize = 8;

/// Who reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Within which fingerprints and deliveries are unique: an integration's id, or `bus:<account>`.
    pub scope: String,
    /// Whose incidents the reports are about.
    pub team: Option<TeamId>,
    pub source: Source,
}

/// What became of the signals of one delivery, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Taken {
    pub outcomes: Vec<Outcome>,
}

/// What became of one signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub delivery: String,
    pub fingerprint: String,
    /// The incident that it is about, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    #[serde(flatten)]
    pub effect: Effect,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "effect", rename_all = "camelCase")]
pub enum Effect {
    /// A new incident.
    Opened,
    /// Another firing of an open incident, whose priority it may have raised.
    Counted,
    Acknowledged,
    Resolved,
    /// This very report was dealt with before.
    Repeated,
    /// It changes nothing, for this reason.
    Ignored {
        reason: String,
    },
    /// It can never be taken, for this reason.
    Failed {
        reason: String,
    },
}

impl Effect {
    pub(crate) fn ignored(reason: impl Into<String>) -> Self {
        Self::Ignored { reason: reason.into() }
    }

    /// Whether the report was followed.
    pub const fn is_accepted(&self) -> bool {
        match self {
            Self::Opened | Self::Counted | Self::Acknowledged | Self::Resolved => true,
            Self::Repeated | Self::Ignored { .. } | Self::Failed { .. } => false,
        }
    }
}

impl App {
    /// Takes the signals one by one. One that cannot be taken harms no other; if the table failed for one of them, the answer
    /// is that error after all of them were tried, and the sender's repeat takes only what is missing.
    pub async fn take_signals(&self, sender: &Sender, signals: Vec<Signal>) -> Result<Taken, Error> {
        let mut taken = Taken::default();
        let mut failure = None;
        for signal in &signals {
            match self.take_signal(sender, signal).await {
                Ok(outcome) => taken.outcomes.push(outcome),
                Err(error) if error.retryable() => failure = Some(error),
                Err(error) => taken.outcomes.push(failed(sender, signal, &error)),
            }
        }
        failure.map_or(Ok(taken), Err)
    }

    async fn take_signal(&self, sender: &Sender, signal: &Signal) -> Result<Outcome, Error> {
        for _ in 0..MAX_TRIES {
            let Decided { outcome, writes, events } = self.decide_signal(sender, signal).await?;
            if writes.is_empty() {
                return Ok(outcome);
            }
            match self.table.commit(writes).await {
                Ok(()) => {
                    self.deliver_soon(&events).await;
                    return Ok(outcome);
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(CommitError::Table(error)) => return Err(error.into()),
            }
        }
        Err(Error::Contention)
    }

    async fn decide_signal(&self, sender: &Sender, signal: &Signal) -> Result<Decided, Error> {
        let found = self.find(sender, signal).await?;
        if found.seen == SeenBefore::Yes || found.is_sent_again(signal) {
            return Ok(Decided::nothing(&found, signal, Effect::Repeated));
        }
        if found.overtakes(signal) {
            let reason = "a newer report of this alert came before it";
            return Ok(Decided::nothing(&found, signal, Effect::ignored(reason)));
        }
        match signal.status {
            SignalStatus::Firing => self.decide_firing(sender, signal, &found),
            SignalStatus::Acknowledged => self.decide_acknowledged(sender, signal, &found),
            SignalStatus::Resolved => self.decide_resolved(sender, signal, &found),
        }
    }

    /// What is stored about the signal: one consistent read, and one more for the incident.
    async fn find(&self, sender: &Sender, signal: &Signal) -> Result<Found, Error> {
        let now = self.clock.now();
        let (alert_key, seen_key) = (sender.alert_key(signal), sender.seen_key(signal));
        let keys = [Key::Alert(alert_key), Key::Seen(seen_key)];
        let mut stored = self.table.batch_get(&keys).await?;
        let mut take = |key: Key| stored.remove(&key);
        let alert = take(Key::Alert(alert_key)).map(|stored| stored.typed::<Alert>()).transpose()?;
        let seen = take(Key::Seen(seen_key)).map(|stored| stored.typed::<Seen>()).transpose()?;
        let incident = match &alert {
            Some(alert) => {
                let stored = self.table.get(&Key::Incident(alert.value.incident.clone())).await?;
                stored.map(|stored| stored.typed::<Incident>()).transpose()?
            }
            None => None,
        };
        let seen = match seen {
            Some(seen) if seen.value.expires_at > now => SeenBefore::Yes,
            Some(seen) => SeenBefore::LongAgo(seen.version),
            None => SeenBefore::No,
        };
        Ok(Found { now, alert_key, seen_key, alert, incident, seen })
    }
}

impl Sender {
    pub(crate) fn name(&self) -> &'static str {
        self.source.as_str()
    }

    fn alert_key(&self, signal: &Signal) -> Digest {
        Digest::of_json(&json!(["alert", self.scope, signal.fingerprint]))
    }

    fn seen_key(&self, signal: &Signal) -> Digest {
        Digest::of_json(&json!(["signal", self.scope, signal.delivery]))
    }
}

/// What the table knows that a signal is about.
struct Found {
    now: Time,
    alert_key: Digest,
    seen_key: Digest,
    alert: Option<Versioned<Alert>>,
    incident: Option<Versioned<Incident>>,
    seen: SeenBefore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SeenBefore {
    No,
    /// The record, of this version, no longer counts.
    LongAgo(u64),
    Yes,
}

impl Found {
    /// That the signal was dealt with; absent for a report that cannot be told from its repetition.
    fn remembered(&self, signal: &Signal) -> Option<Write> {
        let expect = match self.seen {
            SeenBefore::No => Expect::Absent,
            SeenBefore::LongAgo(version) => Expect::Version(version),
            SeenBefore::Yes => return None,
        };
        let record = Seen { key: self.seen_key, expires_at: self.now.plus(SEEN_TTL) };
        tells_repeats_apart(signal).then(|| Write::Put { record: record.into(), expect })
    }

    fn overtakes(&self, signal: &Signal) -> bool {
        let (Some(alert), Some(incident)) = (&self.alert, &self.incident) else { return false };
        let is_over = if incident.value.status.is_open() { IsOver::No } else { IsOver::Yes };
        alert.value.overtakes(signal, is_over)
    }

    /// What the alert keeps of a report that cannot be told from its repetition.
    fn undated(&self, signal: &Signal) -> Option<Digest> {
        (!tells_repeats_apart(signal)).then_some(self.seen_key)
    }

    /// Whether a sender that got no answer sends an undated report again: it is the last one of its alert, not long ago, and
    /// the incident is still as it left it. Where anything came in between it is a new report, for an alarm that is taken
    /// twice does less harm than one that is lost.
    fn is_sent_again(&self, signal: &Signal) -> bool {
        let (Some(alert), Some(incident)) = (&self.alert, &self.incident) else { return false };
        let last = alert.value.undated == Some(self.seen_key);
        let soon = self.now.since(alert.value.updated_at) <= SENT_AGAIN_WITHIN;
        let status = incident.value.status;
        last && soon
            && match signal.status {
                SignalStatus::Firing => status.is_open(),
                SignalStatus::Acknowledged => status == IncidentStatus::Acknowledged,
                SignalStatus::Resolved => !status.is_open(),
            }
    }
}

/// Whether two reports with the same delivery id are one. In the generic form the id is a digest of the body: without a
/// moment in it, an alert that fires again after its resolution has the id of its first firing, and must not be lost.
fn tells_repeats_apart(signal: &Signal) -> bool {
    let dated = signal.started_at.is_some() || signal.ended_at.is_some();
    match signal.source {
        Source::Generic => dated,
        Source::Cloudwatch
        | Source::Pagerduty
        | Source::Alertmanager
        | Source::Grafana
        | Source::Datadog
        | Source::AwsHealth => true,
    }
}

/// What a signal comes to, and the writes that make it so.
struct Decided {
    outcome: Outcome,
    writes: Vec<Write>,
    events: Vec<IncidentEvent>,
}

impl Decided {
    /// Nothing is written: the same report may count later.
    fn nothing(found: &Found, signal: &Signal, effect: Effect) -> Self {
        let incident = found.incident.as_ref().map(|incident| incident.value.id.clone());
        Self { outcome: outcome(signal, incident, effect), writes: Vec::new(), events: Vec::new() }
    }
}

fn outcome(signal: &Signal, incident: Option<IncidentId>, effect: Effect) -> Outcome {
    let (delivery, fingerprint) = (signal.delivery.clone(), signal.fingerprint.clone());
    Outcome { delivery, fingerprint, incident, effect }
}

fn failed(sender: &Sender, signal: &Signal, error: &Error) -> Outcome {
    tracing::error!(
        source = sender.name(),
        scope = sender.scope,
        delivery = signal.delivery,
        error = chain(error),
        "taking a signal"
    );
    outcome(signal, None, Effect::Failed { reason: error.to_string() })
}
