//! Before a run begins: whether its runbook has given up on the incident meanwhile.

use muster_domain::execution::decide::Hold;

use super::run::Run;
use crate::Error;

impl Run<'_> {
    /// What was accepted may have been waiting while others did not help. What has begun goes on.
    pub(super) async fn given_up(&self) -> Result<Option<Hold>, Error> {
        let execution = &self.seen.value;
        if !execution.steps.is_empty() || execution.undoes.is_some() {
            return Ok(None);
        }
        let given_up = self.app.given_up(execution, &self.compiled).await?;
        Ok(given_up.map(|given_up| Hold::GivenUp(given_up.to_string())))
    }
}
