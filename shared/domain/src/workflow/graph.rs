//! The graph of a workflow: nodes, and the edges along which it goes on.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Action;
use super::wiring::Wiring;
use crate::ids::StepId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// 1 to 100.
    pub nodes: Vec<Node>,
    /// At most 200.
    #[serde(default)]
    pub edges: Vec<Edge>,
}

/// One node; its id becomes the id of a step, and other nodes read its result as `steps.<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum Node {
    /// Where the workflow starts; it has exactly one.
    Trigger {
        id: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    Action {
        id: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        action: Action,
    },
    /// Follows its `true` edge if the field equals the value, else its `false` edge.
    Condition {
        id: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// A dotted path into `incident`, `team`, `workflow`, `params` or the `steps` before.
        field: String,
        equals: Value,
    },
    Delay {
        id: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// 1 second to 30 days, and no longer than the workflow's timeout.
        seconds: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    pub from: StepId,
    pub to: StepId,
    /// Which branch of a condition this is; absent on the edges of other nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Branch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Branch {
    True,
    False,
}

impl Graph {
    /// Every node after all that lead to it; of nodes that could come next, the one that stands first in the
    /// definition. `None` if a cycle has no such order.
    pub fn topological_order(&self) -> Option<Vec<&Node>> {
        let order = Wiring::of(self).order()?;
        Some(order.into_iter().filter_map(|position| self.nodes.get(position)).collect())
    }
}

impl Node {
    pub fn id(&self) -> &StepId {
        match self {
            Self::Trigger { id, .. }
            | Self::Action { id, .. }
            | Self::Condition { id, .. }
            | Self::Delay { id, .. } => id,
        }
    }

    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Trigger { name, .. }
            | Self::Action { name, .. }
            | Self::Condition { name, .. }
            | Self::Delay { name, .. } => name.as_deref(),
        }
    }
}

impl Branch {
    pub const ALL: [Self; 2] = [Self::True, Self::False];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
        }
    }
}
