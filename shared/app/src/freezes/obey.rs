//! Obeying change freezes: when an execution is accepted, and each time that it would begin something before its first change.

use muster_domain::control::Control;
use muster_domain::execution::Execution;
use muster_domain::freeze::{FreezeStanding, Frozen, frozen, standing};
use muster_domain::ids::BreakGlassId;
use muster_domain::plan::Plan;
use serde::{Deserialize, Serialize};

use crate::controls::killed;
use crate::{App, Error};

/// A freeze that a run would meet now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FreezeForecast {
    pub frozen: Frozen,
    /// The break-glass by which it would begin all the same; absent: it would be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlassId>,
}

impl App {
    /// Refuses what a kill switch stops, and what is frozen.
    pub(crate) async fn refuse_stopped(&self, execution: &Execution, plan: &Plan) -> Result<(), Error> {
        let controls = self.controls(execution.scopes()).await?;
        killed(&controls)?;
        refused(self.standing_of(execution, plan, &controls).await?)
    }

    /// Refuses what would begin a change that is frozen, or asks that nothing is.
    pub(crate) async fn refuse_frozen(&self, execution: &Execution, plan: &Plan) -> Result<(), Error> {
        refused(self.freeze_standing(execution, plan).await?)
    }

    /// What a dry run tells of freezes.
    pub(crate) async fn freeze_forecast(
        &self,
        execution: &Execution,
        plan: &Plan,
    ) -> Result<Option<FreezeForecast>, Error> {
        Ok(match self.freeze_standing(execution, plan).await? {
            FreezeStanding::Open => None,
            FreezeStanding::Frozen(frozen) => Some(FreezeForecast { frozen, break_glass: None }),
            FreezeStanding::Passed { frozen, glass } => {
                Some(FreezeForecast { frozen, break_glass: Some(glass) })
            }
        })
    }

    async fn freeze_standing(&self, execution: &Execution, plan: &Plan) -> Result<FreezeStanding, Error> {
        if !execution.is_bound_by_freezes(plan) {
            return Ok(FreezeStanding::Open);
        }
        let controls = self.controls(execution.scopes()).await?;
        self.standing_of(execution, plan, &controls).await
    }

    /// What the windows that were just read say. Broken glass is looked for only while something is frozen.
    pub(crate) async fn standing_of(
        &self,
        execution: &Execution,
        plan: &Plan,
        controls: &[Control],
    ) -> Result<FreezeStanding, Error> {
        let now = self.clock.now();
        if !execution.is_bound_by_freezes(plan) || frozen(controls, now).is_none() {
            return Ok(FreezeStanding::Open);
        }
        let (log, _) = self.glass_log().await?;
        let standing = standing(controls, &log.glasses, &execution.scopes(), now);
        Ok(standing.asked_by(execution.must_find_no_freeze(plan)))
    }
}

fn refused(standing: FreezeStanding) -> Result<(), Error> {
    match standing {
        FreezeStanding::Open | FreezeStanding::Passed { .. } => Ok(()),
        FreezeStanding::Frozen(frozen) => Err(Error::Frozen(Box::new(frozen))),
    }
}
