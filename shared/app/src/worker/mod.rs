//! The worker: claim, send, record. Every job of every queue comes through `App::handle`.

mod anomaly;
mod bodies;
mod family;
mod gates;
mod giving_up;
pub(crate) mod lapse;
mod prepare;
mod run;

use std::time::Duration;

use muster_domain::control::Control;
use muster_domain::execution::guard::GuardView;
use muster_domain::execution::{Execution, Pinned};
use muster_domain::ids::ExecutionId;
use muster_domain::plan::Plan;
use muster_domain::time::Time;

use self::run::Run;
use crate::job::Job;
use crate::ports::Egress;
use crate::table::{Key, Record, Stored, TableError};
use crate::{App, Error};

/// A worker's turn: its way out, its name, and when it must be done.
pub struct Shift<'a> {
    pub egress: &'a dyn Egress,
    /// Names the process, in leases and trails.
    pub holder: &'a str,
    /// The invocation's deadline: leases end here.
    pub deadline: Time,
}

/// What must be left of a shift after a call's timeout, to store its outcome.
pub const RECORDING_RESERVE: Duration = Duration::from_secs(2);
/// The longest that one request may take, whatever its definition says.
pub const MAX_REQUEST_TIME: Duration = Duration::from_secs(20);

impl App {
    /// Does what a job asks for. `Ok` means that the message may be deleted: its effect is stored or no longer wanted.
    pub async fn handle(&self, job: &Job, shift: &Shift<'_>) -> Result<(), Error> {
        match job {
            Job::Run { execution } => self.run(execution, shift).await,
            Job::Deliver { incident, seq } => self.deliver_event(incident, *seq).await,
            Job::Notify { execution, number } => {
                self.notify(&Key::Notification(execution.clone(), *number), shift).await
            }
            Job::Tell { execution, step, round, number } => {
                self.notify(&Key::AskingNote(execution.clone(), step.clone(), *round, *number), shift).await
            }
        }
    }

    /// Ends what a job was for that failed too often: an execution ends without another call; an event or a notification stays
    /// owed, and the sweeper asks for it again.
    pub async fn give_up(&self, job: &Job, reason: &str) -> Result<(), Error> {
        match job {
            Job::Run { execution } => self.finalise(execution, reason).await,
            Job::Deliver { incident, seq } => {
                tracing::error!(incident_id = %incident, seq, reason, "an event is not delivered yet");
                Ok(())
            }
            Job::Notify { execution, number } | Job::Tell { execution, number, .. } => {
                tracing::error!(execution_id = %execution, number, reason, "a notification is not delivered yet");
                Ok(())
            }
        }
    }

    async fn run(&self, id: &ExecutionId, shift: &Shift<'_>) -> Result<(), Error> {
        let seen = match self.load_execution(id).await {
            Ok(seen) => seen,
            Err(Error::NotFound { .. }) => {
                tracing::warn!(execution_id = %id, "a job names an execution that does not exist");
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let compiled = self.plan_of(&seen.value.pinned).await?;
        let seen = self.with_parent(seen, &compiled).await?;
        if let Some(mut run) = Run::claim(self, shift, compiled, seen).await? {
            run.go_on().await?;
        }
        Ok(())
    }

    async fn guard_view(&self, execution: &Execution, plan: &Plan) -> Result<GuardView, Error> {
        let scopes: Vec<Key> = execution.scopes().into_iter().map(Key::Control).collect();
        let keys: Vec<Key> = scopes.iter().cloned().chain(definition_keys(&execution.pinned)).collect();
        let mut found = self.table.batch_get(&keys).await?;
        let controls = scopes.iter().filter_map(|key| found.remove(key)).map(typed::<Control>);
        let controls = controls.collect::<Result<Vec<_>, _>>()?;
        let freeze = self.standing_of(execution, plan, &controls).await?;
        Ok(match &execution.pinned {
            Pinned::Runbook(pin) => GuardView {
                runbook: found.remove(&Key::Runbook(pin.id.clone())).map(typed).transpose()?,
                decision: found.remove(&Key::Decision(pin.id.clone(), pin.version)).map(typed).transpose()?,
                workflow: None,
                controls,
                freeze,
            },
            Pinned::Workflow(pin) => GuardView {
                workflow: found.remove(&Key::Workflow(pin.id.clone())).map(typed).transpose()?,
                controls,
                ..GuardView::default()
            },
        })
    }
}

fn definition_keys(pinned: &Pinned) -> Vec<Key> {
    match pinned {
        Pinned::Runbook(pin) => {
            vec![Key::Runbook(pin.id.clone()), Key::Decision(pin.id.clone(), pin.version)]
        }
        Pinned::Workflow(pin) => vec![Key::Workflow(pin.id.clone())],
    }
}

fn typed<T: TryFrom<Record, Error = Record>>(stored: Stored) -> Result<T, TableError> {
    stored.typed().map(|versioned| versioned.value)
}
