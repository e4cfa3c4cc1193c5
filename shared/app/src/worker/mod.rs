//! The worker: claim, send, record. Every job of every queue comes through `App::handle`.

mod bodies;
mod lapse;
mod run;

use std::time::Duration;

use muster_domain::control::KillSwitch;
use muster_domain::execution::Execution;
use muster_domain::execution::guard::GuardView;
use muster_domain::ids::ExecutionId;
use muster_domain::time::Time;

use self::run::Run;
use crate::job::Job;
use crate::ports::Egress;
use crate::table::{Key, Stored, TableError};
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
        let compiled = self.compiled(&seen.value.runbook.id, seen.value.runbook.version).await?;
        if let Some(mut run) = Run::claim(self, shift, compiled, seen).await? {
            run.go_on().await?;
        }
        Ok(())
    }

    async fn guard_view(&self, execution: &Execution) -> Result<GuardView, Error> {
        let pin = &execution.runbook;
        let mut keys = vec![Key::Runbook(pin.id.clone()), Key::Decision(pin.id.clone(), pin.version)];
        keys.extend(execution.scopes().into_iter().map(Key::KillSwitch));
        let mut found = self.table.batch_get(&keys).await?;
        let mut take = |key: Key| found.remove(&key);
        let runbook = take(Key::Runbook(pin.id.clone())).map(Stored::typed).transpose()?;
        let decision = take(Key::Decision(pin.id.clone(), pin.version)).map(Stored::typed).transpose()?;
        let switches: Result<Vec<KillSwitch>, TableError> =
            found.into_values().map(|stored| stored.typed().map(|found| found.value)).collect();
        Ok(GuardView {
            runbook: runbook.map(|found| found.value),
            decision: decision.map(|found| found.value),
            switches: switches?,
        })
    }
}
