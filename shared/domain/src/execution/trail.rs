//! The trail of an execution: every transition in order, hash-chained, in the same item as the state.

use serde::{Deserialize, Serialize};

use super::{ExecutionStatus, Resolution, UndoDecision};
use crate::digest::{Digest, canonical};
use crate::ids::{BreakGlassId, ExecutionId, StepId, UserId};
use crate::time::Time;

/// The transitions of an execution and the running hash over them.
///
/// The hash of an empty trail is the digest of the execution's id, so that a trail cannot move to another execution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trail {
    pub head: Digest,
    pub entries: Vec<TrailEntry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrailEntry {
    pub at: Time,
    #[serde(flatten)]
    pub event: TrailEvent,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase")]
pub enum TrailEvent {
    Accepted {
        by: UserId,
    },
    /// A worker took the execution, or took it over.
    Claimed {
        epoch: u32,
        by: String,
    },
    /// An attempt is about to be sent; `request` is the digest of exactly what.
    Intent {
        step: StepId,
        attempt: usize,
        request: Digest,
    },
    /// What became of an attempt: a status, or a class of outcome.
    Outcome {
        step: StepId,
        attempt: usize,
        outcome: String,
    },
    /// An outcome that came after the attempt had been given up.
    Late {
        step: StepId,
        attempt: usize,
        outcome: String,
    },
    Waiting {
        until: Time,
    },
    /// A condition was answered.
    Answered {
        step: StepId,
        answer: bool,
    },
    /// A step will not run: no way leads to it any more.
    Skipped {
        step: StepId,
    },
    /// A delay began.
    Delayed {
        step: StepId,
        until: Time,
    },
    /// A delay ended.
    Resumed {
        step: StepId,
    },
    /// A search found that an earlier attempt of the step took effect.
    Found {
        step: StepId,
    },
    /// A step started another execution.
    Started {
        step: StepId,
        execution: ExecutionId,
    },
    /// The execution that a step waited for ended.
    ChildEnded {
        step: StepId,
        execution: ExecutionId,
        status: ExecutionStatus,
    },
    /// A branch led on.
    Branched {
        step: StepId,
        to: String,
    },
    /// People are asked: `subject` is the digest of exactly what.
    Asked {
        step: StepId,
        round: u32,
        subject: Digest,
        until: Time,
    },
    /// People decided, or their time was up.
    Decided {
        step: StepId,
        round: u32,
        verdict: String,
    },
    /// What would run is no longer what was decided about.
    Voided {
        step: StepId,
        round: u32,
        because: String,
    },
    /// The receiver of a call said that it is done.
    CalledBack {
        step: StepId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// What takes a step back; it is stored with the step's intent, and `request` is the digest of exactly what.
    Armed {
        step: StepId,
        request: Digest,
    },
    /// From here on only undos begin.
    Unwinding {
        reason: String,
    },
    UndoFailed {
        step: StepId,
    },
    UndoDecided {
        by: UserId,
        step: StepId,
        decision: UndoDecision,
        reason: String,
    },
    /// A step that makes no call could not be done.
    StepFailed {
        step: StepId,
        error: String,
    },
    NeedsReview {
        step: StepId,
    },
    Resolved {
        by: UserId,
        step: StepId,
        resolution: Resolution,
        reason: String,
    },
    StopRequested {
        by: UserId,
        reason: String,
    },
    PauseRequested {
        by: UserId,
        reason: String,
    },
    /// Nothing is in flight any more.
    Quiesced,
    Unpaused {
        by: UserId,
    },
    /// A change freeze was in force, and this break-glass let it begin.
    FreezePassed {
        glass: BreakGlassId,
    },
    /// Its runbook has given up on the incident.
    GaveUp {
        because: String,
    },
    /// It behaves unlike the runbook's history.
    Anomaly {
        because: String,
    },
    Ended {
        status: ExecutionStatus,
    },
}

impl Trail {
    pub fn new(execution: &str) -> Self {
        Self { head: Digest::of_bytes(execution.as_bytes()), entries: Vec::new() }
    }

    pub fn push(&mut self, event: TrailEvent, at: Time) {
        let entry = TrailEntry { at, event };
        self.head = link(&self.head, &entry);
        self.entries.push(entry);
    }

    /// Whether the entries are exactly those that the head was made of.
    pub fn is_intact(&self, execution: &str) -> bool {
        self.heads(execution).last() == Some(self.head)
    }

    /// The heads that the trail had, computed anew: before its first entry, and after each.
    pub fn heads(&self, execution: &str) -> impl Iterator<Item = Digest> {
        let start = Digest::of_bytes(execution.as_bytes());
        let after = self.entries.iter().scan(start, |head, entry| {
            *head = link(head, entry);
            Some(*head)
        });
        [start].into_iter().chain(after)
    }

    /// Whether the execution has come to its end: only what is learnt too late follows.
    pub fn has_ended(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.event, TrailEvent::Ended { .. }))
    }
}

fn link(head: &Digest, entry: &TrailEntry) -> Digest {
    let entry = canonical(&serde_json::to_value(entry).unwrap_or_default());
    Digest::of_bytes(format!("{head}\n{entry}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Trail {
        let mut trail = Trail::new("ex_1");
        for attempt in 1..4 {
            let step = "webhook".parse().expect("valid");
            trail.push(TrailEvent::Outcome { step, attempt, outcome: "503".into() }, Time::from_millis(5));
        }
        trail
    }

    #[test]
    fn inv_f2_any_edit_of_a_trail_is_detected() {
        assert!(trail().is_intact("ex_1"));
        assert!(!trail().is_intact("ex_2"));
        let damages: [fn(&mut Trail); 4] = [
            |trail| trail.entries[0].at = Time::from_millis(6),
            |trail| drop(trail.entries.pop()),
            |trail| drop(trail.entries.remove(0)),
            |trail| trail.entries.swap(0, 1),
        ];
        for damage in damages {
            let mut damaged = trail();
            damage(&mut damaged);
            assert!(!damaged.is_intact("ex_1"));
        }
    }
}
