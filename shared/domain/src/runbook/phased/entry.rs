//! Phases, and what stands in one: a step, or a group of steps beside each other.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::members::Begun;
use super::{FailurePolicy, Step};
use crate::ids::StepId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    pub id: StepId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A rule; if it does not hold, each step of the phase is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    pub steps: Vec<Entry>,
}

/// A step, or `{parallel: …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Entry {
    Step(Box<Step>),
    Group { parallel: Group },
}

/// Steps beside each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Group {
    pub id: StepId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many may be in flight at once, 1 to 16.
    #[serde(default = "default_concurrency", skip_serializing_if = "is_default_concurrency")]
    pub concurrency: usize,
    #[serde(default, skip_serializing_if = "GroupJoin::is_default")]
    pub join: GroupJoin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<FailurePolicy>,
    pub steps: Vec<Step>,
}

/// What a group needs to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GroupJoin {
    /// Every step succeeded.
    #[default]
    All,
    /// No step failed; skipped ones do no harm.
    NoneFailed,
    /// One step succeeded; what has not begun then is skipped.
    Any,
}

impl GroupJoin {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Entry {
    pub fn id(&self) -> &StepId {
        match self {
            Self::Step(step) => &step.id,
            Self::Group { parallel } => &parallel.id,
        }
    }

    /// The step, or the steps of the group, with the JSON pointer of each; the entry itself stands at `at`.
    pub fn steps(&self, at: &str) -> Vec<(String, &Step)> {
        match self {
            Self::Step(step) => vec![(at.to_owned(), &**step)],
            Self::Group { parallel } => {
                let steps = parallel.steps.iter().enumerate();
                steps.map(|(place, step)| (format!("{at}/{PARALLEL}/steps/{place}"), step)).collect()
            }
        }
    }

    pub fn group(&self) -> Option<&Group> {
        match self {
            Self::Group { parallel } => Some(parallel),
            Self::Step(_) => None,
        }
    }
}

const PARALLEL: &str = "parallel";
/// How many steps of a group are in flight at once if it does not say.
const DEFAULT_CONCURRENCY: usize = 4;

fn default_concurrency() -> usize {
    DEFAULT_CONCURRENCY
}

fn is_default_concurrency(concurrency: &usize) -> bool {
    *concurrency == DEFAULT_CONCURRENCY
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

/// Tells a group by its only member; whatever else begins is a step.
struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step, or a group as `parallel: {…}`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Entry, A::Error> {
        let first = members.next_key::<String>()?;
        if first.as_deref() == Some(PARALLEL) {
            let parallel = members.next_value()?;
            return match members.next_key::<String>()? {
                None => Ok(Entry::Group { parallel }),
                Some(other) => Err(A::Error::unknown_field(&other, &[PARALLEL])),
            };
        }
        let members = MapAccessDeserializer::new(Begun { name: first, rest: members });
        Step::deserialize(members).map(|step| Entry::Step(Box::new(step)))
    }
}
