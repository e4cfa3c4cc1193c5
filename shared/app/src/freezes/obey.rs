//! Obeying change freezes: when an execution is accepted, and each time that it would begin something before its first change.

use std::collections::BTreeMap;

use muster_domain::execution::Execution;
use muster_domain::freeze::{FreezeCalendar, FreezeStanding, Frozen, frozen, standing};
use muster_domain::ids::BreakGlassId;
use muster_domain::plan::Plan;
use serde::{Deserialize, Serialize};

use crate::table::{Key, Stored};
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
    /// Refuses what would begin a change that is frozen.
    pub(crate) async fn refuse_frozen(&self, execution: &Execution, plan: &Plan) -> Result<(), Error> {
        match self.freeze_standing(execution, plan).await? {
            FreezeStanding::Open | FreezeStanding::Passed { .. } => Ok(()),
            FreezeStanding::Frozen(frozen) => Err(Error::Frozen(Box::new(frozen))),
        }
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
        let keys = freeze_keys(execution, plan);
        if keys.is_empty() {
            return Ok(FreezeStanding::Open);
        }
        let mut found = self.table.batch_get(&keys).await?;
        self.standing_of(execution, &keys, &mut found).await
    }

    /// What the calendars that were just read say. Broken glass is looked for only while something is frozen.
    pub(crate) async fn standing_of(
        &self,
        execution: &Execution,
        keys: &[Key],
        found: &mut BTreeMap<Key, Stored>,
    ) -> Result<FreezeStanding, Error> {
        let now = self.clock.now();
        let mut calendars: Vec<FreezeCalendar> = Vec::new();
        for stored in keys.iter().filter_map(|key| found.remove(key)) {
            calendars.push(stored.typed()?.value);
        }
        if frozen(&calendars, now).is_none() {
            return Ok(FreezeStanding::Open);
        }
        let (log, _) = self.glass_log().await?;
        Ok(standing(&calendars, &log.glasses, &execution.scopes(), now))
    }
}

/// The calendars that bind an execution now.
pub(crate) fn freeze_keys(execution: &Execution, plan: &Plan) -> Vec<Key> {
    if !execution.is_bound_by_freezes(plan) {
        return Vec::new();
    }
    execution.freeze_scopes().map(Key::Freezes).collect()
}
