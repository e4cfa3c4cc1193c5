//! What steps came to, as templates and conditions of later steps see it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Execution, StepRun, StepState};
use crate::ids::StepId;
use crate::outcome::Outcome;

impl Execution {
    /// By step: `status`; of a call that was answered `statusCode` and `body`, parsed if it is JSON; of a condition `answer`;
    /// of a started execution `executionId`; of a receiver that called back `result`; and `outputs`, what was kept of an answer.
    /// What the plan added of its own is not among them. `bodies` are those that are kept beside the execution.
    pub fn results(&self, bodies: &BTreeMap<StepId, String>) -> Value {
        let result = |(id, run): (&StepId, &StepRun)| (id.to_string(), result(run, bodies.get(id)));
        let written = self.steps.iter().filter(|(id, _)| id.as_str() == id.written());
        Value::Object(written.map(result).collect())
    }
}

fn result(run: &StepRun, whole: Option<&String>) -> Value {
    let mut result = Map::from_iter([("status".to_owned(), json!(status(&run.state)))]);
    if let Some(found) = run.inner.as_ref().and_then(|inner| inner.found.as_ref()) {
        result.insert("body".to_owned(), found.clone());
    } else if let Some(Outcome::Answered { status, body, .. }) =
        run.attempts.last().and_then(|attempt| attempt.outcome.as_ref())
    {
        let body = whole.unwrap_or(body);
        let parsed = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.clone()));
        result.extend([("statusCode".to_owned(), json!(status)), ("body".to_owned(), parsed)]);
    }
    if let Some(inner) = &run.inner {
        let answer = inner.answer.map(|answer| ("answer".to_owned(), Value::Bool(answer)));
        let child = inner.child.as_ref().map(|id| ("executionId".to_owned(), json!(id)));
        let told = inner.called_back.as_ref().map(|back| ("result".to_owned(), back.result.clone()));
        result.extend(answer.into_iter().chain(child).chain(told));
    }
    if !run.outputs.is_empty() {
        result.insert("outputs".to_owned(), Value::Object(run.outputs.clone()));
    }
    Value::Object(result)
}

/// The words that the API shows for a step.
const fn status(state: &StepState) -> &'static str {
    match state {
        StepState::Sending => "SENDING",
        StepState::Waiting { .. }
        | StepState::Delayed { .. }
        | StepState::AwaitsChild { .. }
        | StepState::AwaitsApproval { .. }
        | StepState::Void
        | StepState::AwaitsCallback { .. } => "WAITING",
        StepState::Armed => "ARMED",
        StepState::Succeeded => "SUCCEEDED",
        StepState::Skipped { .. } => "SKIPPED",
        StepState::Failed { .. } => "FAILED",
        StepState::NeedsReview { .. } => "NEEDS_REVIEW",
    }
}
