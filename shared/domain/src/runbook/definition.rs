//! The definition a person writes: one webhook, or phases of steps.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::phased::PhasedRunbook;
use super::simple::SimpleRunbook;
use crate::digest::Digest;
use crate::fault::{Fault, pointer_to};
use crate::ids::TeamId;
pub use crate::webhook::MAX_TIMEOUT_SECONDS;

/// A runbook in one of its two forms. What has `phases` is phased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RunbookDefinition {
    Simple(Box<SimpleRunbook>),
    Phased(Box<PhasedRunbook>),
}

/// What every runbook says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Common<'d> {
    pub name: &'d str,
    pub description: &'d str,
    pub team_id: Option<&'d TeamId>,
    pub tags: &'d [String],
    pub parameters: Option<&'d Value>,
}

/// The member that tells the two forms apart.
const PHASES: &str = "phases";

impl RunbookDefinition {
    /// Reads a definition of either form; what does not fit its type is told with its place.
    pub fn of_json(value: &Value) -> Result<Self, Fault> {
        if value.as_object().is_some_and(is_phased) {
            typed(value).map(|phased| Self::Phased(Box::new(phased)))
        } else {
            typed(value).map(|simple| Self::Simple(Box::new(simple)))
        }
    }

    /// All that is wrong with it; empty if it may be saved.
    pub fn faults(&self) -> Vec<Fault> {
        match self {
            Self::Simple(simple) => simple.faults(),
            Self::Phased(phased) => phased.faults(),
        }
    }

    /// The content digest that approvals and executions pin.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&serde_json::to_value(self).unwrap_or_default())
    }

    pub fn common(&self) -> Common<'_> {
        match self {
            Self::Simple(simple) => simple.common(),
            Self::Phased(phased) => phased.common(),
        }
    }

    pub fn name(&self) -> &str {
        self.common().name
    }

    pub fn description(&self) -> &str {
        self.common().description
    }

    /// The owning team; `None`: a global runbook.
    pub fn team_id(&self) -> Option<&TeamId> {
        self.common().team_id
    }

    pub fn tags(&self) -> &[String] {
        self.common().tags
    }

    /// A JSON Schema of the parameters; `None`: any parameters.
    pub fn parameters(&self) -> Option<&Value> {
        self.common().parameters
    }

    /// The simple form, if it is one.
    pub fn simple(&self) -> Option<&SimpleRunbook> {
        match self {
            Self::Simple(simple) => Some(simple),
            Self::Phased(_) => None,
        }
    }

    /// The phased form with its limits, environments, applicability, escalation and rollback, if it is one.
    pub fn phased(&self) -> Option<&PhasedRunbook> {
        match self {
            Self::Phased(phased) => Some(phased),
            Self::Simple(_) => None,
        }
    }
}

impl SimpleRunbook {
    pub fn common(&self) -> Common<'_> {
        Common {
            name: &self.name,
            description: &self.description,
            team_id: self.team_id.as_ref(),
            tags: &self.tags,
            parameters: self.parameters.as_ref(),
        }
    }
}

impl PhasedRunbook {
    pub fn common(&self) -> Common<'_> {
        Common {
            name: &self.name,
            description: &self.description,
            team_id: self.team_id.as_ref(),
            tags: &self.tags,
            parameters: self.parameters.as_ref(),
        }
    }
}

impl From<SimpleRunbook> for RunbookDefinition {
    fn from(simple: SimpleRunbook) -> Self {
        Self::Simple(Box::new(simple))
    }
}

impl From<PhasedRunbook> for RunbookDefinition {
    fn from(phased: PhasedRunbook) -> Self {
        Self::Phased(Box::new(phased))
    }
}

impl<'de> Deserialize<'de> for RunbookDefinition {
    /// The form shows in a member that may stand anywhere, so the members are read first.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::of_json(&value).map_err(|fault| match fault.pointer.as_str() {
            "" => D::Error::custom(fault.message),
            pointer => D::Error::custom(format!("{pointer}: {}", fault.message)),
        })
    }
}

/// Whether the members of a definition are those of the phased form.
pub fn is_phased(members: &serde_json::Map<String, Value>) -> bool {
    members.contains_key(PHASES)
}

fn typed<'v, T: Deserialize<'v>>(value: &'v Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Fault::new(pointer_of(error.path()), error.inner().to_string()))
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        pointer = match segment {
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Map { key } => pointer_to(&pointer, key),
            // Names a variant of ours, not a place in the input.
            Segment::Enum { .. } | Segment::Unknown => pointer,
        };
    }
    pointer
}
