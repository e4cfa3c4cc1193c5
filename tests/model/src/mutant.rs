//! Ways to break the engine, one for each promise at least: a check that never fails proves nothing.

use std::collections::BTreeMap;

use muster_domain::execution::decide::{GateEnd, GateVerdict, Next};
use muster_domain::execution::{Decision, Effect, Event, Execution, GateRun, Moved, State, decide};
use muster_domain::plan::{Plan, Step};
use muster_domain::time::Time;

use crate::plans::Scenario;
use crate::promise::Promise;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Every call is sent twice.
    SendsTwice,
    /// The intent is not stored.
    ForgetsTheIntent,
    /// The worker does not look at its clock before it sends.
    SendsAfterItsLease,
    /// A commit does not look at the version.
    OverwritesNewer,
    IgnoresStop,
    IgnoresPause,
    /// A late answer changes the end.
    ReopensTheEnd,
    BringsNoUndo,
    /// The first step is taken back first.
    UndoesInOrder,
    /// What people were asked counts as approved.
    PassesGates,
    /// An approval stands whatever is sent.
    ForgetsBindings,
    /// Every step may be sent twice.
    TakesAllForIdempotent,
    /// The last entry of the trail is lost.
    CutsTheTrail,
    /// What waits is not in the due-index.
    ForgetsTheDueTime,
}

impl Mutant {
    pub(crate) const ALL: [(Self, Promise); 14] = [
        (Self::SendsTwice, Promise::OnePost),
        (Self::ForgetsTheIntent, Promise::StoredFirst),
        (Self::SendsAfterItsLease, Promise::StoredFirst),
        (Self::OverwritesNewer, Promise::NothingAfterStop),
        (Self::IgnoresStop, Promise::NothingAfterStop),
        (Self::IgnoresPause, Promise::NothingAfterStop),
        (Self::ReopensTheEnd, Promise::EndStands),
        (Self::BringsNoUndo, Promise::ArmedFirst),
        (Self::UndoesInOrder, Promise::UndosInReverse),
        (Self::PassesGates, Promise::GatesHold),
        (Self::ForgetsBindings, Promise::GatesHold),
        (Self::TakesAllForIdempotent, Promise::UnknownNotResent),
        (Self::CutsTheTrail, Promise::TrailIntact),
        (Self::ForgetsTheDueTime, Promise::NothingStuck),
    ];

    /// The plan that shows the damage soonest.
    pub(crate) fn scenario(self) -> Scenario {
        match self {
            Self::PassesGates | Self::ForgetsBindings => Scenario::gate_before_group(),
            Self::TakesAllForIdempotent => Scenario::callback_and_branch(),
            Self::SendsTwice
            | Self::ForgetsTheIntent
            | Self::SendsAfterItsLease
            | Self::OverwritesNewer
            | Self::IgnoresStop
            | Self::IgnoresPause
            | Self::ReopensTheEnd
            | Self::BringsNoUndo
            | Self::UndoesInOrder
            | Self::CutsTheTrail
            | Self::ForgetsTheDueTime => Scenario::two_steps_with_undos(),
        }
    }

    pub(crate) fn decide(
        self,
        scenario: &Scenario,
        execution: &Execution,
        event: Event,
        now: Time,
    ) -> Decision {
        let plan = &scenario.plan;
        let mut seen = execution.clone();
        let event = self.bend(&mut seen, event);
        let decision = if self == Self::TakesAllForIdempotent {
            decide(&seen, &careless(), event, now)
        } else {
            decide(&seen, plan, event, now)
        };
        match decision {
            Decision::Moved(mut moved) => {
                self.damage(execution, &mut moved);
                Decision::Moved(moved)
            }
            Decision::AlreadyDone => Decision::AlreadyDone,
            Decision::Refused(refusal) => Decision::Refused(refusal),
        }
    }

    /// What the engine sees wrong.
    fn bend(self, seen: &mut Execution, event: Event) -> Event {
        match self {
            Self::IgnoresStop => seen.stop = None,
            Self::IgnoresPause => seen.pause = None,
            Self::UndoesInOrder if seen.unwinding.is_some() => mirror_places(seen),
            Self::ForgetsBindings => {
                gates_of(seen).for_each(|gate| gate.bindings = BTreeMap::new());
            }
            Self::PassesGates => return approved(seen, event),
            Self::UndoesInOrder
            | Self::SendsTwice
            | Self::ForgetsTheIntent
            | Self::SendsAfterItsLease
            | Self::OverwritesNewer
            | Self::ReopensTheEnd
            | Self::BringsNoUndo
            | Self::TakesAllForIdempotent
            | Self::CutsTheTrail
            | Self::ForgetsTheDueTime => {}
        }
        event
    }

    /// What the engine makes wrong of what it decided.
    fn damage(self, before: &Execution, moved: &mut Moved) {
        let to = &mut moved.to;
        match self {
            Self::SendsTwice => {
                let sends = |effect: &&Effect| matches!(effect, Effect::Send { .. });
                let again: Vec<Effect> = moved.effects.iter().filter(sends).cloned().collect();
                moved.effects.extend(again);
            }
            Self::ForgetsTheIntent => {
                for run in to.steps.values_mut().filter(|run| run.in_flight()) {
                    run.attempts.pop();
                }
            }
            Self::IgnoresStop if to.stop.is_none() => to.stop.clone_from(&before.stop),
            Self::IgnoresPause if to.pause.is_none() => to.pause.clone_from(&before.pause),
            Self::ReopensTheEnd if before.status().is_terminal() => to.state = State::Succeeded,
            Self::UndoesInOrder if before.unwinding.is_some() => mirror_places(to),
            Self::ForgetsBindings => restore_bindings(before, to),
            Self::CutsTheTrail => drop(to.trail.entries.pop()),
            Self::ForgetsTheDueTime => {
                if matches!(to.state, State::Waiting { .. }) {
                    to.due_at = None;
                }
            }
            Self::IgnoresStop
            | Self::IgnoresPause
            | Self::UndoesInOrder
            | Self::ReopensTheEnd
            | Self::SendsAfterItsLease
            | Self::OverwritesNewer
            | Self::BringsNoUndo
            | Self::PassesGates
            | Self::TakesAllForIdempotent => {}
        }
    }
}

/// The same plan, with every step idempotent.
fn careless() -> Plan {
    let mut plan = Scenario::callback_and_branch().plan;
    let all = |steps: &mut Vec<Step>| steps.iter_mut().for_each(|step| step.idempotent = true);
    all(&mut plan.steps);
    all(&mut plan.undos);
    plan
}

/// More than all places of a small plan.
const PLACES: u32 = 1_000;

fn mirror_places(execution: &mut Execution) {
    for (id, run) in &mut execution.steps {
        if id.is_undo() {
            run.place = PLACES - run.place;
        }
    }
}

fn gates_of(execution: &mut Execution) -> impl Iterator<Item = &mut GateRun> {
    let inner = execution.steps.values_mut().filter_map(|run| run.inner.as_mut());
    inner.filter_map(|inner| inner.gate.as_mut())
}

fn restore_bindings(before: &Execution, to: &mut Execution) {
    for (id, run) in &mut to.steps {
        let Some(gate) = run.inner.as_mut().and_then(|inner| inner.gate.as_mut()) else { continue };
        let earlier = before.steps.get(id).and_then(|run| run.inner.as_ref()?.gate.as_ref());
        if let Some(earlier) = earlier.filter(|earlier| earlier.round == gate.round) {
            gate.bindings.clone_from(&earlier.bindings);
        }
    }
}

fn approved(seen: &Execution, event: Event) -> Event {
    let gates = seen.open_gates().filter_map(|(gate, run)| {
        let round = run.inner.as_ref()?.gate.as_ref()?.round;
        Some(GateEnd { step: gate.clone(), round, verdict: GateVerdict::Approved })
    });
    let gates: Vec<GateEnd> = gates.collect();
    let with = |next: Next| Next { gates: gates.clone(), ..next };
    match event {
        Event::Claim { lease, next } => Event::Claim { lease, next: with(next) },
        Event::Advance { epoch, next } => Event::Advance { epoch, next: with(next) },
        other => other,
    }
}
