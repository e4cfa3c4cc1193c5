//! Which states of which executions must be told.

use crate::digest::Digest;
use crate::execution::{ExecutionStatus, Pinned, PinnedWorkflow, State, Stop, StopMode};
use crate::ids::WorkflowId;
use crate::notification::Notification;

use super::{T0, after, failed, user};

/// The status that is told, if one is.
fn check(pinned: Pinned, state: State, stop: Option<Stop>, expected: Option<ExecutionStatus>) {
    let execution = crate::execution::tests::accepted(T0);
    let execution = crate::execution::Execution { pinned, state, stop, ..execution };
    let seen = Notification::owed(&execution, 1, T0, after(2));
    assert_eq!(seen.map(|mut owed| failed(&mut owed).status), expected, "{:?}", execution.state);
}

#[test]
fn c9_failures_timeouts_and_reviews_of_workflows_are_told_and_nothing_else() {
    let workflow = || {
        let id = WorkflowId::new(T0, 2);
        Pinned::Workflow(PinnedWorkflow { id, name: "w".into(), version: 1, digest: Digest::of_bytes(b"") })
    };
    let failed = || State::Failed { error: "404".into() };
    let cancelled = || State::Cancelled { reason: "Timed out after 60 s".into() };
    let review = || State::NeedsReview { step: "call".parse().expect("valid"), reason: "who knows".into() };
    let stop = || {
        Some(Stop {
            by: user("ann"),
            at: T0,
            reason: "not needed".into(),
            mode: StopMode::Kill,
            quiesced_at: None,
        })
    };
    check(workflow(), failed(), None, Some(ExecutionStatus::Failed));
    check(workflow(), cancelled(), None, Some(ExecutionStatus::Cancelled));
    check(workflow(), review(), None, Some(ExecutionStatus::NeedsReview));
    check(workflow(), cancelled(), stop(), None);
    check(workflow(), failed(), stop(), Some(ExecutionStatus::Failed));
    check(workflow(), State::Succeeded, None, None);
    check(workflow(), State::Pending, None, None);
    let runbook = || crate::execution::tests::accepted(T0).pinned;
    check(runbook(), failed(), None, None);
    check(runbook(), review(), None, None);
}
