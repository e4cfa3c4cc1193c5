//! What a real run would do, step by step.

use muster_app::executions::Forecast;
use muster_domain::ids::{RunbookId, StepId};
use muster_domain::plan::dry_run as domain;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::freeze::Frozen;
use super::request::RenderedRequest;
use super::risk::Risk;
use super::target::LimitsOutlook;

/// What a real run would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DryRun {
    dry_run: Planned,
}

#[derive(Debug, Serialize, ToSchema)]
struct Planned {
    /// In the order in which they would start.
    steps: Vec<PlannedStep>,
    /// Absent of a runbook without phases.
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<Risk>,
    /// Absent of what has no limits that are judged when it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<LimitsOutlook>,
    /// The change freeze that it would meet now; absent: it would meet none.
    #[serde(skip_serializing_if = "Option::is_none")]
    freeze: Option<Frozen>,
}

#[derive(Debug, Serialize, ToSchema)]
struct PlannedStep {
    #[schema(value_type = String)]
    step: StepId,
    #[serde(flatten)]
    outlook: Outlook,
    /// An earlier branch, which only a run decides, may lead past it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    maybe: bool,
    /// The approvals that bind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    gates: Vec<StepId>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "does", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Outlook {
    /// Sends exactly this request, secrets as references. `undo` is what would take it back, stored before.
    Sends {
        request: Box<RenderedRequest>,
        #[serde(skip_serializing_if = "Option::is_none")]
        undo: Option<Box<RenderedRequest>>,
        /// For how long it would then wait for the receiver to call back.
        #[serde(skip_serializing_if = "Option::is_none")]
        callback_timeout_seconds: Option<u64>,
    },
    /// Executes a runbook.
    Starts {
        #[schema(value_type = String)]
        runbook: RunbookId,
        parameters: Map<String, Value>,
    },
    /// Asks people, who decide about these steps; `demanded` whatever the risk is.
    Asks {
        #[schema(value_type = Vec<String>)]
        covers: Vec<StepId>,
        demanded: bool,
    },
    Waits {
        seconds: u64,
    },
    /// Judges a rule or a condition, with this answer.
    Judges {
        holds: bool,
    },
    /// Leads on to a step, a phase or the end.
    Branches {
        to: String,
    },
    /// Nothing: its rule does not hold.
    Skipped {
        rule: String,
    },
    /// Nothing: a branch leads past it.
    PassedBy {
        #[schema(value_type = String)]
        branch: StepId,
    },
    /// Only the results of earlier steps decide; this is what is missing.
    Undecidable {
        because: String,
    },
    Fails {
        error: String,
    },
}

impl DryRun {
    pub(crate) fn of(forecast: Forecast) -> Self {
        let steps = forecast.steps.into_iter().map(PlannedStep::from).collect();
        let limits = forecast.limits.map(LimitsOutlook::from);
        Self {
            dry_run: Planned {
                steps,
                risk: forecast.risk.map(Risk::from),
                limits,
                freeze: forecast.freeze.map(Frozen::from),
            },
        }
    }
}

impl From<domain::Foreseen> for PlannedStep {
    fn from(foreseen: domain::Foreseen) -> Self {
        let domain::Foreseen { step, outlook, maybe, gates } = foreseen;
        Self { step, outlook: outlook.into(), maybe, gates }
    }
}

impl From<domain::Outlook> for Outlook {
    fn from(outlook: domain::Outlook) -> Self {
        use domain::Outlook as Foreseen;
        match outlook {
            Foreseen::Sends { request, undo, callback } => Self::Sends {
                request: Box::new((*request).into()),
                undo: undo.map(|undo| Box::new((*undo).into())),
                callback_timeout_seconds: callback,
            },
            Foreseen::Starts { runbook, parameters } => Self::Starts { runbook, parameters },
            Foreseen::Asks { covers, demanded } => Self::Asks { covers, demanded },
            Foreseen::Waits { seconds } => Self::Waits { seconds },
            Foreseen::Judges { holds } => Self::Judges { holds },
            Foreseen::Branches { to } => Self::Branches { to },
            Foreseen::Skipped { rule } => Self::Skipped { rule },
            Foreseen::PassedBy { branch } => Self::PassedBy { branch },
            Foreseen::Undecidable { because } => Self::Undecidable { because },
            Foreseen::Fails { error } => Self::Fails { error },
        }
    }
}
