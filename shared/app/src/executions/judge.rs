//! What is found out about a run of a phased runbook before anything is stored: whether it may run in this environment, and how
//! risky it is (D3, D4).

use muster_domain::execution::Execution;
use muster_domain::ids::RunbookId;
use muster_domain::incident::Incident;
use muster_domain::notification::Team;
use muster_domain::render::context;
use muster_domain::risk::{Facts, Risk, assess};
use muster_domain::runbook::phased::{Environments, PhasedRunbook};
use muster_domain::template::Template;
use serde_json::Value;

use crate::plans::Compiled;
use crate::table::{Key, Order, PageRequest, Query};
use crate::{App, Error};

/// How many of the latest runs make up a runbook's history.
pub const HISTORY: u32 = 50;

impl App {
    /// The risk of a run, with the approval that the team's policy demands; `None` of a runbook without phases. A run that may not
    /// be in its environment, or is riskier than the team allows, is refused.
    pub(super) async fn risk_of(
        &self,
        execution: &Execution,
        compiled: &Compiled,
        incident: Option<&Incident>,
    ) -> Result<Option<Risk>, Error> {
        let (Some(phased), Some(pinned)) = (&compiled.phased, execution.pinned.runbook()) else {
            return Ok(None);
        };
        let environment = environment(phased, execution, incident)?;
        let (ended, failed) = self.endings(&pinned.id).await?;
        let risk = assess(phased, &Facts { environment, ended, failed });
        let policy = match &execution.team {
            Some(team) => self.table.get(&Key::Team(team.clone())).await?,
            None => None,
        };
        let policy = policy.map(|stored| stored.typed::<Team>()).transpose()?;
        let Some(policy) = policy.and_then(|team| team.value.settings.risk) else { return Ok(Some(risk)) };
        if let Some(refusal) = policy.refusal(risk.score) {
            return Err(Error::Conflict(format!("the run is refused: {refusal}")));
        }
        Ok(Some(Risk { demands: policy.demands(risk.score), ..risk }))
    }

    /// How many of the latest runs came to an end, and how many of these failed or were taken back.
    async fn endings(&self, runbook: &RunbookId) -> Result<(u32, u32), Error> {
        let runs = self.latest_runs(runbook).await?;
        let ends = runs.iter().filter_map(|run| run.status().failed());
        Ok(ends.fold((0, 0), |(ended, failed), fails| (ended + 1, failed + u32::from(fails))))
    }

    /// The latest runs of a runbook, the newest first.
    pub(crate) async fn latest_runs(&self, runbook: &RunbookId) -> Result<Vec<Execution>, Error> {
        let query = Query::ExecutionsOfRunbook { runbook: runbook.clone() };
        let request = PageRequest { limit: HISTORY, order: Order::Descending, after: None };
        let page = self.table.query(&query, &request).await?;
        let runs = page.records.into_iter().map(|stored| Ok(stored.typed::<Execution>()?.value));
        runs.collect()
    }
}

/// The environment of a run and whether it counts as production, if the runbook names one.
fn environment(
    phased: &PhasedRunbook,
    execution: &Execution,
    incident: Option<&Incident>,
) -> Result<Option<(String, bool)>, Error> {
    let Some(environments) = &phased.environments else { return Ok(None) };
    let context = context(execution, incident, &std::collections::BTreeMap::new());
    let name = named(environments, &context)?;
    if !environments.allowed.contains(&name) {
        let allowed = environments.allowed.join(", ");
        let message =
            format!("the run is refused: its environment is {name:?}, and the runbook is for {allowed}");
        return Err(Error::Conflict(message));
    }
    let production = environments.production.contains(&name);
    Ok(Some((name, production)))
}

fn named(environments: &Environments, context: &Value) -> Result<String, Error> {
    let refused =
        |why: String| Error::Conflict(format!("the run is refused: its environment is unknown: {why}"));
    let template = Template::compile(&environments.name).map_err(|fault| refused(fault.to_string()))?;
    template.render(context).map_err(|fault| refused(fault.to_string()))
}
