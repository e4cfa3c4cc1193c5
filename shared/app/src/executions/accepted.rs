//! An execution that was accepted, and whose it is: what its first nudge needs.

use std::time::Duration;

use muster_domain::execution::Execution;
use muster_domain::ids::{ExecutionId, TeamId};
use serde::{Deserialize, Serialize};

use crate::App;
use crate::metrics::Counter;

/// As it is kept for a repeated request, it is the id alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Accepted {
    pub id: ExecutionId,
    /// Whose share of the queue its nudge takes. A repeated request does not know it, and nudges nobody.
    #[serde(skip)]
    pub(crate) team: Option<TeamId>,
}

impl Accepted {
    pub(crate) fn of(execution: &Execution) -> Self {
        Self { id: execution.id.clone(), team: execution.team.clone() }
    }
}

impl App {
    /// Counts an execution that is stored now, and nudges a worker.
    pub(crate) async fn accepted(&self, accepted: &Accepted) {
        self.metrics.count(Counter::ExecutionsAccepted);
        self.nudge(&accepted.id, accepted.team.as_ref(), Duration::ZERO).await;
    }
}
