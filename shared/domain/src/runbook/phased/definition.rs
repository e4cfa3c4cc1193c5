//! The whole of a phased runbook, and what stands beside its phases.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entry::Entry;
use super::{Escalation, Limits, Phase, Probe, Rollback, Step, Verification};
use crate::ids::{StepId, TeamId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhasedRunbook {
    /// 1 to 200 characters.
    pub name: String,
    /// At most 4,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The owning team; absent for a global runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    /// At most 20, each 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What it is for, as in `capacity`: 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// A JSON Schema of the parameters; absent: any parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Where it may run; absent: anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Environments>,
    /// Which incidents it fits, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applicability: Vec<Applicability>,
    /// What must hold before the first step, at most 20; the first that does not stops the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites: Vec<Prerequisite>,
    #[serde(default, skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
    #[serde(default, skip_serializing_if = "Rollback::is_default")]
    pub rollback: Rollback,
    /// Who hears of trouble, at most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalation: Vec<Escalation>,
    /// 1 to 50, in order.
    pub phases: Vec<Phase>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// Names of what the team measures it by, at most 20, each 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
}

/// Where a runbook may run, by the name of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environments {
    /// A template; what it renders to must be in `allowed`.
    pub name: String,
    /// 1 to 20.
    pub allowed: Vec<String>,
    /// Those that count as production for the risk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub production: Vec<String>,
}

/// One reason why the runbook fits an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applicability {
    /// A rule about `incident` and `team`.
    pub when: String,
    /// How much it says, 1 to 100.
    pub weight: u32,
    /// What to tell a person, 1 to 200 characters.
    pub reason: String,
}

/// What must hold before the first step: the answer to a probe, a rule, that nobody else is on the target, or that nothing is
/// frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prerequisite {
    pub id: StepId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// That no other execution works on the target: where it would wait for its turn, the run fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub target_free: bool,
    /// That no change freeze of its team or of everybody is in force when the run begins, whether it changes something or not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_freeze: bool,
}

impl Prerequisite {
    /// Whether a step of its own checks it. That the target is free is found out when the run is admitted to it, and that nothing
    /// is frozen before each intent.
    pub const fn is_step(&self) -> bool {
        !self.target_free && !self.no_freeze
    }
}

impl PhasedRunbook {
    /// The prerequisite that nobody else works on the target.
    pub fn must_be_alone(&self) -> Option<&StepId> {
        self.prerequisites.iter().find(|one| one.target_free).map(|one| &one.id)
    }

    /// The prerequisite that nothing is frozen.
    pub fn must_not_be_frozen(&self) -> Option<&StepId> {
        self.prerequisites.iter().find(|one| one.no_freeze).map(|one| &one.id)
    }

    /// What stands in the phases, in order, with the JSON pointer of each.
    pub fn entries(&self) -> impl Iterator<Item = (String, &Phase, &Entry)> {
        let phases = self.phases.iter().enumerate();
        phases.flat_map(|(number, phase)| {
            let entries = phase.steps.iter().enumerate();
            entries.map(move |(place, entry)| (format!("/phases/{number}/steps/{place}"), phase, entry))
        })
    }

    /// Every step, those of groups included, in order, with the JSON pointer of each.
    pub fn steps(&self) -> impl Iterator<Item = (String, &Step)> {
        self.entries().flat_map(|(at, _, entry)| entry.steps(&at))
    }
}
