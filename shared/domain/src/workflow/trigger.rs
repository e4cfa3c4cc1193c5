//! What starts a workflow (C3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Condition;
use super::condition::{check_field, check_value};
use crate::fault::Fault;
use crate::incident::{IncidentEventKind, IncidentFacts, IncidentStatus};

/// When a workflow starts; all conditions must hold as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Trigger {
    IncidentCreated {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conditions: Vec<Condition>,
    },
    StateChanged {
        state_transition: StateTransition,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conditions: Vec<Condition>,
    },
    Escalation {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conditions: Vec<Condition>,
    },
    /// Only a person starts it, so there is nothing to ask of an incident.
    Manual {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conditions: Vec<Condition>,
    },
    /// An incident is still open this long after its creation (C10).
    Age {
        /// 1 minute to 30 days.
        age_threshold_minutes: u32,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        conditions: Vec<Condition>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateTransition {
    pub to: IncidentStatus,
    /// Absent: from any status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IncidentStatus>,
}

/// The kind of a trigger, by which candidates are indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    IncidentCreated,
    StateChanged,
    Escalation,
    Manual,
    Age,
}

const MAX_CONDITIONS: usize = 20;
const MAX_AGE_MINUTES: u32 = 30 * 24 * 60;

impl Trigger {
    pub const fn kind(&self) -> TriggerKind {
        match self {
            Self::IncidentCreated { .. } => TriggerKind::IncidentCreated,
            Self::StateChanged { .. } => TriggerKind::StateChanged,
            Self::Escalation { .. } => TriggerKind::Escalation,
            Self::Manual { .. } => TriggerKind::Manual,
            Self::Age { .. } => TriggerKind::Age,
        }
    }

    pub fn conditions(&self) -> &[Condition] {
        match self {
            Self::IncidentCreated { conditions }
            | Self::StateChanged { conditions, .. }
            | Self::Escalation { conditions }
            | Self::Manual { conditions }
            | Self::Age { conditions, .. } => conditions,
        }
    }

    pub(super) fn faults(&self, at: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.check_kind(at, &mut faults);
        let at = format!("{at}/conditions");
        let conditions = self.conditions();
        if conditions.len() > MAX_CONDITIONS {
            let message = format!("has {} conditions; at most {MAX_CONDITIONS}", conditions.len());
            faults.push(Fault::new(&at, message));
        }
        for (position, condition) in conditions.iter().enumerate().take(MAX_CONDITIONS) {
            check_field(
                &format!("{at}/{position}/field"),
                &condition.field,
                &IncidentFacts::NAMES,
                &mut faults,
            );
            check_value(&format!("{at}/{position}/value"), &condition.value, &mut faults);
        }
        faults
    }

    fn check_kind(&self, at: &str, faults: &mut Vec<Fault>) {
        match self {
            Self::StateChanged { state_transition, .. } => {
                if state_transition.from == Some(state_transition.to) {
                    let message = "is the same as `to`, which is no change";
                    faults.push(Fault::new(format!("{at}/stateTransition/from"), message));
                }
            }
            Self::Manual { conditions } => {
                if !conditions.is_empty() {
                    let message = "a manual trigger asks for no conditions; remove them";
                    faults.push(Fault::new(format!("{at}/conditions"), message));
                }
            }
            Self::Age { age_threshold_minutes, .. } => {
                if !(1..=MAX_AGE_MINUTES).contains(age_threshold_minutes) {
                    let message = format!("must be 1 to {MAX_AGE_MINUTES}");
                    faults.push(Fault::new(format!("{at}/ageThresholdMinutes"), message));
                }
            }
            Self::IncidentCreated { .. } | Self::Escalation { .. } => {}
        }
    }
}

impl TriggerKind {
    pub const ALL: [Self; 5] =
        [Self::IncidentCreated, Self::StateChanged, Self::Escalation, Self::Manual, Self::Age];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IncidentCreated => "incident_created",
            Self::StateChanged => "state_changed",
            Self::Escalation => "escalation",
            Self::Manual => "manual",
            Self::Age => "age",
        }
    }

    /// The kind of trigger that an event can set off; `None` if no trigger waits for it.
    pub const fn of_event(kind: &IncidentEventKind) -> Option<Self> {
        match kind {
            IncidentEventKind::Created => Some(Self::IncidentCreated),
            IncidentEventKind::StateChanged { .. } => Some(Self::StateChanged),
            IncidentEventKind::Escalated { .. } => Some(Self::Escalation),
            IncidentEventKind::Updated { .. } => None,
        }
    }
}

impl fmt::Display for TriggerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
