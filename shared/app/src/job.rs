//! What a queue message asks for. Its shape is frozen by samples under `events/jobs/`.

use muster_domain::ids::{ExecutionId, IncidentId, StepId};
use serde::{Deserialize, Serialize};

/// A nudge: look at this item of the table. It carries no facts, so a late or repeated one can do no harm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "camelCase", deny_unknown_fields)]
pub enum Job {
    /// Bring an execution as far as it will go.
    Run { execution: ExecutionId },
    /// Publish an event of an incident.
    Deliver { incident: IncidentId, seq: u64 },
    /// Tell those concerned of a failure of an execution; its failures count from 1.
    Notify { execution: ExecutionId, number: u32 },
    /// Tell those who are asked by a round of an approval step.
    Tell { execution: ExecutionId, step: StepId, round: u32, number: u32 },
}

/// A job as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The version of this shape. A reader refuses versions it does not know, and the message goes to the dead-letter queue.
    pub v: u8,
    #[serde(flatten)]
    pub job: Job,
    /// Joins the log lines of one request over all its hops.
    #[serde(default, rename = "correlationId", skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// The version that is written.
pub const MESSAGE_VERSION: u8 = 1;
