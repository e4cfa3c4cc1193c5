//! The safety limits of runs (D7): whose turn it is at a target, and which run comes too soon or too often.
//!
//! A target is a team's: every runbook of the team that names it by the same text works on the same one.

mod admit;
mod target;
#[cfg(test)]
mod tests;
mod usage;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::admit::{Answer, Applicant, Books, Granted, Refusal, admit};
pub use self::target::{Holder, MOST_HOLDERS, MOST_STARTS, MOST_WAITING, Start, Target};
pub use self::usage::{Usage, UsageStart};
use crate::control::Scope;
use crate::digest::Digest;
use crate::execution::Execution;
use crate::ids::ExecutionId;
use crate::runbook::phased::Limits;
use crate::template::Template;
use crate::time::Time;

/// The longest name of a target, in characters.
pub const MAX_TARGET_CHARS: usize = 200;

/// What the limits said to an execution, as it keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Admission {
    /// What it works on: rendered before its first claim, the same ever after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// When the limits let it begin; absent before, and of what has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// Its right to work on the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<TargetLease>,
    /// The rights of executions that wait for this one, which it may use as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<TargetLease>,
    /// Who was on the target when it last asked; empty once it may begin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<ExecutionId>,
}

/// A right to work on a target, until its owner ends. A later one has a greater fence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetLease {
    pub target: TargetKey,
    pub fence: u64,
    pub since: Time,
    /// Who took it and gives it back.
    pub owner: ExecutionId,
}

/// Which target: whose, and its rendered name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetKey {
    /// The team; of an execution without one, its runbook.
    pub of: Scope,
    /// 1 to [`MAX_TARGET_CHARS`] characters, without blanks around it.
    pub name: String,
}

impl TargetKey {
    /// Its place in the table: a name may hold whatever an incident does.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&json!([self.of, self.name]))
    }
}

impl Admission {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Execution {
    /// The lease that this execution took itself, and gives back when it ends.
    pub fn own_lease(&self) -> Option<&TargetLease> {
        self.admission.lease.as_ref().filter(|lease| lease.owner == self.id)
    }

    /// What an execution that this one waits for may use: it would wait for its own parent otherwise.
    pub fn shared_leases(&self) -> Vec<TargetLease> {
        let (shares, own) = (self.admission.shares.iter(), self.own_lease());
        shares.chain(own).cloned().collect()
    }

    /// The target of this name that the execution would work on; `None` of a workflow's, which has none.
    pub fn target_named(&self, name: &str) -> Option<TargetKey> {
        let runbook = || self.pinned.runbook().map(|runbook| Scope::Runbook(runbook.id.clone()));
        let of = self.team.clone().map(Scope::Team).or_else(runbook)?;
        Some(TargetKey { of, name: name.to_owned() })
    }
}

impl Limits {
    /// Whether one of them is judged when a run begins.
    pub fn binds_the_start(&self) -> bool {
        self.target.is_some() || self.executions_per_hour.is_some()
    }

    /// The name of the target that a run works on; the error says why it has none.
    pub fn target_name(&self, context: &Value) -> Result<Option<String>, String> {
        let Some(text) = &self.target else { return Ok(None) };
        let template = Template::compile(text).map_err(|fault| unnamed(&fault.to_string()))?;
        let rendered = template.render(context).map_err(|fault| unnamed(&fault.to_string()))?;
        let name = rendered.trim();
        match name.chars().count() {
            0 => Err(unnamed("it is empty")),
            1..=MAX_TARGET_CHARS => Ok(Some(name.to_owned())),
            long => {
                Err(unnamed(&format!("it has {long} characters; at most {MAX_TARGET_CHARS} are allowed")))
            }
        }
    }
}

fn unnamed(why: &str) -> String {
    format!("limits.target names no target: {why}")
}
