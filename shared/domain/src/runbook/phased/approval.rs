//! Where people decide whether a runbook goes on.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::members::Without;
use crate::approval::GateSpec;
use crate::ids::StepId;

/// Who decides, and about what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    #[serde(flatten)]
    pub gate: GateSpec,
    /// The later steps whose requests the decision binds; absent: all that make a call, up to the next approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers: Option<Vec<StepId>>,
}

impl<'de> Deserialize<'de> for Approval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ApprovalVisitor)
    }
}

struct ApprovalVisitor;

impl<'de> Visitor<'de> for ApprovalVisitor {
    type Value = Approval;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an approval with its `levels`")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Approval, A::Error> {
        let mut covers = None;
        let members = Without { name: "covers", found: &mut covers, rest: members };
        let gate = GateSpec::deserialize(MapAccessDeserializer::new(members))?;
        Ok(Approval { gate, covers })
    }
}
