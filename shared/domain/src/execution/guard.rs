//! What must hold before every intent: the approval still stands and no kill switch is engaged.

use super::{Execution, Pinned, PinnedRunbook};
use crate::control::{Control, Scope};
use crate::freeze::FreezeStanding;
use crate::runbook::{Runbook, VersionDecision, VersionStatus};
use crate::workflow::Workflow;

/// What the guard reads of the table, with one consistent read.
#[derive(Debug, Clone, Default)]
pub struct GuardView {
    pub runbook: Option<Runbook>,
    pub decision: Option<VersionDecision>,
    pub workflow: Option<Workflow>,
    /// What is set for the execution's scopes.
    pub controls: Vec<Control>,
    /// What change freezes say to it.
    pub freeze: FreezeStanding,
}

impl Execution {
    /// The scopes whose kill switches stop this execution: that of a runbook also stops what its executions started.
    pub fn scopes(&self) -> Vec<Scope> {
        let team = self.team.clone().map(Scope::Team);
        let started_by = self.parent.iter().flat_map(|parent| &parent.runbooks);
        let runbooks = started_by.chain(self.pinned.runbook().map(|runbook| &runbook.id));
        [Some(Scope::Global), team]
            .into_iter()
            .flatten()
            .chain(runbooks.cloned().map(Scope::Runbook))
            .collect()
    }

    /// Whether the execution may begin another call; `Err` says why not, as it is shown to people (B2).
    ///
    /// What was approved when it ran may be taken back although the approval was withdrawn since; a kill switch stops that too.
    pub fn clearance(&self, view: &GuardView) -> Result<(), String> {
        if let Some((scope, switch)) = view.controls.iter().find_map(Control::engaged) {
            return Err(format!("Stopped by the kill switch {scope}: {}", switch.reason));
        }
        if self.unwinding.is_some() {
            return Ok(());
        }
        match &self.pinned {
            Pinned::Runbook(runbook) => still_approved(runbook, view)?,
            Pinned::Workflow(_) => still_there(view)?,
        }
        view.freeze.clearance().map(drop)
    }
}

fn still_approved(runbook: &PinnedRunbook, view: &GuardView) -> Result<(), String> {
    if view.runbook.as_ref().is_none_or(|runbook| runbook.deleted_at.is_some()) {
        return Err("Runbook is deleted".into());
    }
    let status = view.decision.as_ref().map_or(VersionStatus::Draft, VersionDecision::status);
    if status != VersionStatus::Approved {
        return Err(format!("Runbook is {status}, not APPROVED"));
    }
    let approved = view.decision.as_ref().map(|decision| &decision.digest);
    if approved == Some(&runbook.digest) {
        Ok(())
    } else {
        Err("Runbook version is not the one that was approved".into())
    }
}

/// A workflow that was disabled starts nothing new; what runs goes on.
fn still_there(view: &GuardView) -> Result<(), String> {
    let deleted = view.workflow.as_ref().is_none_or(|workflow| workflow.deleted_at.is_some());
    if deleted { Err("Workflow is deleted".into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::audit::ChainHead;
    use crate::control::KillSwitch;
    use crate::digest::Digest;
    use crate::execution::tests::{accepted, user};
    use crate::freeze::Frozen;
    use crate::ids::{BreakGlassId, FreezeId};
    use crate::runbook::Deprecation;
    use crate::time::Time;

    const NOW: Time = Time::from_millis(1_000_000);

    fn view(execution: &Execution) -> GuardView {
        let pinned = execution.pinned.runbook().expect("a runbook's execution");
        let runbook = Runbook {
            id: pinned.id.clone(),
            team: None,
            name: "Restart".into(),
            tags: Vec::new(),
            version: 1,
            approved: BTreeSet::from([1]),
            deprecated: BTreeSet::new(),
            created_by: user("ann"),
            created_at: NOW,
            updated_at: NOW,
            deleted_at: None,
            audit: ChainHead::default(),
        };
        let decision = VersionDecision {
            runbook: runbook.id.clone(),
            version: 1,
            digest: pinned.digest,
            approved_by: user("bob"),
            approved_at: NOW,
            self_approved: false,
            deprecated: None,
        };
        GuardView { runbook: Some(runbook), decision: Some(decision), ..GuardView::default() }
    }

    fn switched(engaged: bool) -> Control {
        let (set_by, audit) = (user("bob"), ChainHead::default());
        let switch = KillSwitch { engaged, reason: "failover".into(), set_by, set_at: NOW, audit };
        Control { switch: Some(switch), ..Control::unset(Scope::Global) }
    }

    fn check(change: impl FnOnce(&mut GuardView), expected: Result<(), &str>) {
        let execution = accepted(NOW);
        let mut view = view(&execution);
        change(&mut view);
        assert_eq!(execution.clearance(&view), expected.map_err(str::to_owned));
    }

    #[test]
    fn inv_c2_nothing_runs_that_is_not_approved_at_dispatch() {
        check(|_| (), Ok(()));
        check(|view| view.decision = None, Err("Runbook is DRAFT, not APPROVED"));
        check(
            |view| {
                let deprecation = Deprecation { by: user("bob"), at: NOW, reason: None };
                view.decision.as_mut().expect("there").deprecated = Some(deprecation);
            },
            Err("Runbook is DEPRECATED, not APPROVED"),
        );
        check(|view| view.runbook = None, Err("Runbook is deleted"));
        check(|view| view.runbook.as_mut().expect("there").deleted_at = Some(NOW), Err("Runbook is deleted"));
    }

    #[test]
    fn inv_c4_an_approval_of_another_digest_approves_nothing() {
        let other = Digest::of_bytes(b"other");
        check(
            |view| view.decision.as_mut().expect("there").digest = other,
            Err("Runbook version is not the one that was approved"),
        );
    }

    fn frozen() -> Frozen {
        Frozen {
            window: FreezeId::new(NOW, 1),
            name: "Sale".into(),
            scope: Scope::Global,
            until: NOW,
            reason: "sale".into(),
            prerequisite: None,
        }
    }

    #[test]
    fn a_freeze_stops_it_but_by_a_broken_glass_and_a_kill_switch_wins() {
        let text =
            "Stopped: the change freeze \"Sale\" (global) is in force until 1970-01-01T00:16:40.000Z: sale";
        check(|view| view.freeze = FreezeStanding::Frozen(frozen()), Err(text));
        let passed = || FreezeStanding::Passed { frozen: frozen(), glass: BreakGlassId::new(NOW, 1) };
        check(|view| view.freeze = passed(), Ok(()));
        let killed = |view: &mut GuardView| {
            view.freeze = passed();
            view.controls = vec![switched(true)];
        };
        check(killed, Err("Stopped by the kill switch global: failover"));
    }

    #[test]
    fn inv_g3_an_engaged_kill_switch_stops_and_a_released_one_does_not() {
        check(
            |view| view.controls = vec![switched(true)],
            Err("Stopped by the kill switch global: failover"),
        );
        check(|view| view.controls = vec![switched(false)], Ok(()));
    }
}
