//! Which executions change freezes bind.

use super::{Execution, StepRun};
use crate::ids::StepId;
use crate::plan::{Plan, Step};

impl Execution {
    /// Whether a change freeze keeps it from going on: it asks that nothing is frozen when it begins, or means to change something
    /// and has not begun to. What takes changes back is never frozen.
    pub fn is_bound_by_freezes(&self, plan: &Plan) -> bool {
        let passes = self.unwinding.is_some() || self.freeze_pass.is_some();
        !passes && (self.must_find_no_freeze(plan).is_some() || self.has_its_changes_before_it(plan))
    }

    /// The prerequisite that nothing is frozen, until the first step has begun.
    pub fn must_find_no_freeze<'p>(&self, plan: &'p Plan) -> Option<&'p StepId> {
        plan.unfrozen.as_ref().filter(|_| self.steps.is_empty())
    }

    /// Once it has begun a change it goes on, because half a change is worse than none.
    fn has_its_changes_before_it(&self, plan: &Plan) -> bool {
        let changes = || plan.steps.iter().filter(|step| step.changes);
        let run = |step: &Step| self.steps.get(&step.id);
        changes().any(|step| run(step).is_none()) && !changes().filter_map(run).any(StepRun::has_acted)
    }
}

impl StepRun {
    /// Whether a call of it was begun, or another execution started.
    fn has_acted(&self) -> bool {
        !self.attempts.is_empty() || self.inner.as_ref().is_some_and(|inner| inner.child.is_some())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::decide::Next;
    use super::super::tests::accepted;
    use super::super::{
        Attempt, Decision, Effect, Event, Lease, SkipCause, State, StepState, TrailEvent, Unwinding, decide,
    };
    use super::*;
    use crate::freeze::FreezePass;
    use crate::ids::{BreakGlassId, ExecutionId};
    use crate::time::Time;

    const NOW: Time = Time::from_millis(1_000_000);

    fn plan(kinds: &[&str]) -> Plan {
        let call = json!({"type": "webhook", "url": "https://ops.example/x"});
        let step = |kind: &&str| match *kind {
            "remediation" => json!({"id": "fix", "type": "remediation", "action": call, "undo": call}),
            "delay" => json!({"id": "wait", "type": "delay", "seconds": 5}),
            "runbook" => {
                json!({"id": "sub", "type": "runbook", "action": {"type": "runbook", "runbookId": crate::ids::RunbookId::new(NOW, 1)}})
            }
            kind => json!({"id": kind, "type": kind, "action": call}),
        };
        let steps: Vec<Value> = kinds.iter().map(step).collect();
        let definition = json!({"name": "Fix", "phases": [{"id": "only", "steps": steps}]});
        Plan::compile(&serde_json::from_value(definition).expect("parses")).expect("compiles")
    }

    fn check(kinds: &[&str], change: impl FnOnce(&mut Execution), expected: bool) {
        let mut execution = accepted(NOW);
        change(&mut execution);
        assert_eq!(execution.is_bound_by_freezes(&plan(kinds)), expected, "{kinds:?}");
    }

    fn run(state: StepState, attempts: usize) -> StepRun {
        let attempt = Attempt {
            epoch: 1,
            started_at: NOW,
            ended_at: None,
            outcome: None,
            late: None,
            resolution: None,
        };
        StepRun { attempts: vec![attempt; attempts], ..StepRun::of_state(state) }
    }

    fn id(text: &str) -> StepId {
        text.parse().expect("valid")
    }

    #[test]
    fn only_what_changes_something_is_bound() {
        check(&["diagnostic", "notify", "delay"], |_| (), false);
        check(&["diagnostic", "remediation"], |_| (), true);
        check(&["runbook"], |_| (), true);
        let simple = json!({"name": "Restart", "webhookUrl": "https://ops.example/restart"});
        let plan = Plan::compile(&serde_json::from_value(simple).expect("parses")).expect("compiles");
        assert!(accepted(NOW).is_bound_by_freezes(&plan), "one call is a change");
    }

    #[test]
    fn whoever_asks_that_nothing_is_frozen_is_bound_until_the_first_step() {
        let asking = Plan { unfrozen: Some(id("calm")), ..plan(&["diagnostic"]) };
        let mut execution = accepted(NOW);
        assert_eq!(execution.must_find_no_freeze(&asking), Some(&id("calm")));
        assert!(execution.is_bound_by_freezes(&asking));
        let pass = FreezePass::PartOf { execution: ExecutionId::new(NOW, 9) };
        assert!(!Execution { freeze_pass: Some(pass), ..execution.clone() }.is_bound_by_freezes(&asking));
        execution.steps.insert(id("diagnostic"), run(StepState::Sending, 1));
        assert!(!execution.is_bound_by_freezes(&asking), "it has begun");
    }

    #[test]
    fn what_has_begun_to_change_something_goes_on() {
        let looked = |execution: &mut Execution| {
            execution.steps.insert(id("diagnostic"), run(StepState::Succeeded, 1));
        };
        check(&["diagnostic", "remediation"], looked, true);
        let acted = |execution: &mut Execution| {
            execution.steps.insert(id("fix"), run(StepState::Sending, 1));
        };
        check(&["remediation", "runbook"], acted, false);
        let passed_by = |execution: &mut Execution| {
            let skipped = StepState::Skipped { because: SkipCause::RuleNotMet { rule: "false".into() } };
            execution.steps.insert(id("fix"), run(skipped, 0));
        };
        check(&["remediation", "runbook"], passed_by, true);
        check(&["remediation", "notify"], passed_by, false);
    }

    #[test]
    fn the_first_break_glass_is_stored_with_the_claim_and_stays() {
        let (plan, mut execution) = (plan(&["delay", "remediation"]), accepted(NOW));
        for number in [1, 2] {
            let lease = Lease { holder: "w1".into(), until: NOW.plus(std::time::Duration::from_secs(60)) };
            let pass = Some(BreakGlassId::new(NOW, number));
            let claim = Event::Claim { lease, next: Next { pass, ..Next::nothing() } };
            let Decision::Moved(moved) = decide(&execution, &plan, claim, NOW) else { panic!("it moves") };
            let audited = |effect: &Effect| matches!(effect, Effect::Audit { action, .. } if *action == "execution.freeze_passed");
            assert_eq!(moved.effects.iter().any(audited), number == 1);
            execution = Execution { state: State::Pending, ..moved.to };
        }
        let glass = BreakGlassId::new(NOW, 1);
        assert_eq!(execution.freeze_pass, Some(FreezePass::BreakGlass { id: glass.clone() }));
        let passed: Vec<_> = execution
            .trail
            .entries
            .iter()
            .filter(|entry| entry.event == TrailEvent::FreezePassed { glass: glass.clone() })
            .collect();
        assert_eq!(passed.len(), 1);
    }

    #[test]
    fn what_takes_changes_back_or_was_let_pass_is_not_bound() {
        let unwinds = |execution: &mut Execution| {
            execution.unwinding = Some(Unwinding { reason: "it failed".into(), since: NOW });
        };
        check(&["remediation"], unwinds, false);
        let part = |execution: &mut Execution| {
            let whole = ExecutionId::new(NOW, 9);
            execution.freeze_pass = Some(FreezePass::PartOf { execution: whole });
        };
        check(&["remediation"], part, false);
    }
}
