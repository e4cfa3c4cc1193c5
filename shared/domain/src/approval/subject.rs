//! What a gate's approval binds: a digest of all that was shown and will run (INVARIANTS C4).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::digest::Digest;
use crate::ids::{IncidentId, StepId};

/// What an approval is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound<'b> {
    /// The digest of the pinned version.
    pub version: Digest,
    pub parameters: &'b Map<String, Value>,
    pub incident: Option<&'b IncidentId>,
    /// The rendered target key of the run's limits.
    pub target: Option<&'b str>,
    /// Every covered step.
    pub steps: &'b BTreeMap<StepId, Binding>,
}

/// How one covered step is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// The digest of its rendered request, secrets as placeholders.
    Request(Digest),
    /// Its request cannot be known before other steps have ended; why.
    Undecidable(String),
}

/// The digest that people approve. Another version, parameter, incident, target, step or request has another one.
pub fn subject(bound: &Bound<'_>) -> Digest {
    let steps: Map<String, Value> =
        bound.steps.iter().map(|(step, binding)| (step.to_string(), binding.to_json())).collect();
    Digest::of_json(&json!({
        "version": bound.version,
        "parameters": bound.parameters,
        "incident": bound.incident,
        "target": bound.target,
        "steps": steps,
    }))
}

impl Bound<'_> {
    /// The steps that are bound to one request.
    pub fn bindings(&self) -> BTreeMap<StepId, Digest> {
        let request = |(step, binding): (&StepId, &Binding)| match binding {
            Binding::Request(digest) => Some((step.clone(), *digest)),
            Binding::Undecidable(_) => None,
        };
        self.steps.iter().filter_map(request).collect()
    }
}

impl Binding {
    fn to_json(&self) -> Value {
        match self {
            Self::Request(digest) => json!({"request": digest}),
            Self::Undecidable(why) => json!({"undecidable": why}),
        }
    }
}
