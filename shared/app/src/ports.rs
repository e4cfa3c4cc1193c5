//! What the use cases need of the world. Each port has a local adapter and one for AWS, and holds no rules.

use std::time::Duration;

use async_trait::async_trait;
use muster_domain::ids::{SecretName, TeamId};
use muster_domain::outcome::Outcome;
use muster_domain::request::RenderedRequest;
use muster_domain::time::Time;
use secrecy::SecretString;

use crate::job::Job;
pub use crate::table::Table;

/// The current time. A test moves its own.
pub trait Clock: Send + Sync {
    fn now(&self) -> Time;
}

/// Nudges towards the worker. The table is the truth: a lost nudge costs time, never work.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Delivers `job` at least once, not before `after` has passed. The longest delay is the adapter's; it may deliver earlier
    /// than asked, and the receiver of an early job asks again.
    ///
    /// `team` is whose work it is. Those who wait take turns, so that a team with much work does not hold up the others; what
    /// belongs to no team waits as that of one more.
    async fn send(&self, job: Job, team: Option<&TeamId>, after: Duration) -> Result<(), QueueError>;

    /// Whether the job is certainly on its way already, so that the sweeper need not repeat it. A queue that cannot tell says no.
    fn holds(&self, job: &Job) -> bool;

    /// Approximate counts, for people.
    async fn stats(&self) -> Result<QueueStats, QueueError>;
}

/// Approximate depths of the work queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct QueueStats {
    /// Delivered to nobody yet.
    pub waiting: u64,
    /// In a worker's hands.
    pub active: u64,
    /// Not yet due.
    pub delayed: u64,
    /// In the dead-letter queue.
    pub failed: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct QueueError {
    /// What was being done, as in "sending a job to the queue".
    pub doing: &'static str,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Where events of incidents are published.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Hands over one EventBridge envelope as JSON. `Ok` means that the bus has taken it and will deliver it at least once.
    async fn publish(&self, event: &[u8]) -> Result<(), BusError>;
}

#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct BusError {
    /// What was being done, as in "publishing an event".
    pub doing: &'static str,
    pub kind: BusErrorKind,
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusErrorKind {
    /// Trying again later may help: throttled, unreachable, timed out.
    Unavailable,
    /// The bus refuses this event, or this process.
    Refused,
}

/// The bus of a process that publishes nothing: what is given to it stays owed.
#[derive(Debug, Clone, Copy)]
pub struct NoBus;

#[async_trait]
impl Bus for NoBus {
    async fn publish(&self, _event: &[u8]) -> Result<(), BusError> {
        let source = "this process has no bus".into();
        Err(BusError { doing: "publishing an event", kind: BusErrorKind::Refused, source })
    }
}

/// Values of secrets, read when a request is sent and held no longer.
#[async_trait]
pub trait Secrets: Send + Sync {
    async fn read(&self, name: &SecretName) -> Result<SecretString, SecretError>;
}

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("there is no secret named {0}")]
    Missing(SecretName),
    #[error("reading the secret {name}")]
    Unreadable {
        name: SecretName,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// For a process that verifies nothing: every read is refused.
pub struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn read(&self, name: &SecretName) -> Result<SecretString, SecretError> {
        let source = "this process was put together without a source of secrets".into();
        Err(SecretError::Unreadable { name: name.clone(), source })
    }
}

/// The one way out to an address that a user gave.
#[async_trait]
pub trait Egress: Send + Sync {
    /// Sends `call` at most once and says what is known of it. Never fails: every failure is an outcome.
    async fn send(&self, call: Call<'_>) -> Outcome;
}

/// One attempt as it is sent.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    pub request: &'a RenderedRequest,
    /// The same for every attempt of a step: sent as `Idempotency-Key` and `webhook-id`.
    pub idempotency_key: &'a str,
    /// Different for every attempt: sent as `muster-attempt-id`.
    pub attempt_id: &'a str,
    /// From the first byte out to the last byte in.
    pub timeout: Duration,
    /// The moment of the attempt, sent as `webhook-timestamp`.
    pub now: Time,
    /// Where, and by which proof, the receiver says later that it is done; of a call that waits for that.
    pub callback: Option<&'a CallbackPass>,
}

/// What a call takes along that waits for its receiver to call back. It is made for the call and stored nowhere.
#[derive(Debug, Clone)]
pub struct CallbackPass {
    /// Sent as `muster-callback-url`.
    pub url: String,
    /// Sent as `muster-callback-token`.
    pub token: SecretString,
}
