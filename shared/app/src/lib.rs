//! The use cases of Muster and the ports they need. Everything that awaits is here; nothing here names AWS.

pub mod accounts;
pub mod applicability;
pub mod approvals;
pub mod audit;
pub mod callbacks;
pub mod caller;
pub mod clock;
mod controls;
pub mod deliveries;
pub mod error;
pub mod executions;
pub mod freezes;
pub mod gates;
pub mod incidents;
pub mod injection;
pub mod integrations;
pub mod job;
pub mod kill_switches;
pub mod limits;
mod load;
pub mod matching;
pub mod metrics;
pub mod notifications;
mod once;
pub mod paging;
pub mod people;
pub mod plans;
pub mod ports;
pub mod receive;
pub mod runbooks;
pub mod signals;
pub mod signing_keys;
pub mod sweep;
pub mod table;
pub mod teams;
pub mod telemetry;
pub mod versions;
pub mod worker;
pub mod workflows;

use std::sync::Arc;
use std::time::Duration;

use self::callbacks::Callbacks;
pub use self::caller::Caller;
pub use self::error::Error;
use self::matching::CandidateCache;
use self::metrics::Metrics;
use self::plans::PlanCache;
use self::ports::{Bus, Clock, NoBus, NoSecrets, Queue, Secrets, Table};
use self::signing_keys::SigningKeys;

/// Every use case. One per process, shared by its tasks.
pub struct App {
    table: Arc<dyn Table>,
    queue: Arc<dyn Queue>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    plans: PlanCache,
    candidates: CandidateCache,
    metrics: Arc<Metrics>,
    secrets: Arc<dyn Secrets>,
    callbacks: Option<Callbacks>,
    slack: Option<Arc<dyn SigningKeys>>,
    settings: Settings,
}

/// What differs between installations.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether a person may approve their own work, for installations of one person. The audit log says so each time.
    pub self_approval: SelfApproval,
    /// How long after its moment the sweeper gives something owed another nudge: longer than a nudge usually takes.
    pub nudge_grace: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfApproval {
    Refused,
    Allowed,
}

impl App {
    pub fn new(
        table: Arc<dyn Table>,
        queue: Arc<dyn Queue>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        Self {
            table,
            queue,
            bus: Arc::new(NoBus),
            secrets: Arc::new(NoSecrets),
            callbacks: None,
            slack: None,
            clock,
            plans: PlanCache::default(),
            candidates: CandidateCache::default(),
            metrics: Arc::default(),
            settings,
        }
    }

    /// The same, with a bus for events of incidents. Without one they stay owed.
    #[must_use]
    pub fn with_bus(self, bus: Arc<dyn Bus>) -> Self {
        Self { bus, ..self }
    }

    /// The same, with the secrets that inbound webhooks are verified with.
    #[must_use]
    pub fn with_secrets(self, secrets: Arc<dyn Secrets>) -> Self {
        Self { secrets, ..self }
    }

    /// The same, with what callbacks are proven by. Without it no step that waits for one makes its call, and no token counts.
    #[must_use]
    pub fn with_callbacks(self, callbacks: Callbacks) -> Self {
        Self { callbacks: Some(callbacks), ..self }
    }

    /// The same, with the secrets with which Slack signs what people do there. Without them no button counts.
    #[must_use]
    pub fn with_slack(self, secrets: Arc<dyn SigningKeys>) -> Self {
        Self { slack: Some(secrets), ..self }
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Whether the table answers: the readiness of the process.
    pub async fn ready(&self) -> Result<(), Error> {
        self.table.get(&table::Key::Control(muster_domain::control::Scope::Global)).await?;
        Ok(())
    }
}
