//! What is unusual about an execution is told in its trail, and stops it if the runbook says so (D7).

use super::Progress;
use crate::anomaly::{Usual, answered_ms};
use crate::execution::TrailEvent;
use crate::ids::StepId;
use crate::runbook::phased::Anomaly;

impl Progress<'_> {
    /// Before the first step: how long each usually takes, and whether the runbook fails unusually often.
    pub(in crate::execution) fn know_usual(&mut self, usual: Option<Usual>) {
        let Some(Usual { norms, failing }) = usual else { return };
        self.execution.norms = norms;
        if let Some(because) = failing {
            self.trail(TrailEvent::Anomaly { because });
        }
    }

    /// After a call that succeeded: whether it took unusually long.
    pub(super) fn compare(&mut self, step: &StepId, attempt: usize) {
        let took = self.attempt(step, attempt).and_then(answered_ms);
        let norm = self.execution.norms.get(step);
        if let Some(because) = norm.zip(took).and_then(|(norm, took)| norm.exceeded(step, took)) {
            self.trail(TrailEvent::Anomaly { because });
        }
    }

    /// Why nothing more begins, if the runbook says that what is unusual stops.
    pub(super) fn stopping_anomaly(&self) -> Option<&str> {
        match self.plan.anomaly {
            Anomaly::Stop => self.execution.anomalies().next(),
            Anomaly::Off | Anomaly::Flag => None,
        }
    }
}
