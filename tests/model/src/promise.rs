//! What is promised, and how a transition or a call is seen to break it.

use std::collections::BTreeMap;

use muster_domain::execution::{Execution, Moved, StepRun, StepState, StopMode};
use muster_domain::ids::StepId;
use muster_domain::outcome::Outcome;
use muster_domain::plan::Step;
use stateright::Property;

use crate::protocol::Protocol;
use crate::world::{Call, Said, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Promise {
    OnePost,
    StoredFirst,
    NothingAfterStop,
    EndStands,
    ArmedFirst,
    UndosInReverse,
    GatesHold,
    UnknownNotResent,
    TrailIntact,
    NothingStuck,
}

impl Promise {
    pub(crate) const ALL: [Self; 10] = [
        Self::OnePost,
        Self::StoredFirst,
        Self::NothingAfterStop,
        Self::EndStands,
        Self::ArmedFirst,
        Self::UndosInReverse,
        Self::GatesHold,
        Self::UnknownNotResent,
        Self::TrailIntact,
        Self::NothingStuck,
    ];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::OnePost => "at most one POST per attempt",
            Self::StoredFirst => "a stored intent of the current epoch precedes each POST",
            Self::NothingAfterStop => "no new intent after a stop, a pause or a kill switch is stored",
            Self::EndStands => "an end stands: its state and its epoch never change",
            Self::ArmedFirst => "an undo is stored before its step is first sent",
            Self::UndosInReverse => "undos begin in the reverse order of their steps",
            Self::GatesHold => "no covered step begins without an approval of what it sends",
            Self::UnknownNotResent => {
                "a step that is not idempotent is not sent again while an outcome is unknown"
            }
            Self::TrailIntact => "every transition is in the trail",
            Self::NothingStuck => "from everywhere the due-index and people can bring it to an end",
        }
    }

    pub(crate) fn properties() -> Vec<Property<Protocol>> {
        vec![
            Self::always(Self::OnePost, |_, world| !world.broken.contains(&Self::OnePost)),
            Self::always(Self::StoredFirst, |_, world| !world.broken.contains(&Self::StoredFirst)),
            Self::always(Self::NothingAfterStop, |_, world| !world.broken.contains(&Self::NothingAfterStop)),
            Self::always(Self::EndStands, |_, world| !world.broken.contains(&Self::EndStands)),
            Self::always(Self::ArmedFirst, |_, world| !world.broken.contains(&Self::ArmedFirst)),
            Self::always(Self::UndosInReverse, |_, world| !world.broken.contains(&Self::UndosInReverse)),
            Self::always(Self::GatesHold, |_, world| !world.broken.contains(&Self::GatesHold)),
            Self::always(Self::UnknownNotResent, |_, world| !world.broken.contains(&Self::UnknownNotResent)),
            Self::always(Self::TrailIntact, |_, world| !world.broken.contains(&Self::TrailIntact)),
            Self::always(Self::NothingStuck, Protocol::comes_to_an_end),
        ]
    }

    fn always(self, holds: fn(&Protocol, &World) -> bool) -> Property<Protocol> {
        Property::always(self.text(), holds)
    }
}

impl Protocol {
    /// What a commit breaks: `world` holds what was stored before.
    pub(crate) fn broken_by(&self, world: &World, moved: &Moved) -> Vec<Promise> {
        let (before, after) = (world.execution(), &moved.to);
        let begun: Vec<(&StepId, &StepRun)> = new_intents(before, after);
        let each = |breaks: fn(&Self, &World, &Execution, (&StepId, &StepRun)) -> bool| {
            begun.iter().any(|intent| breaks(self, world, after, *intent))
        };
        let ended = before.status().is_terminal();
        let found = [
            (Promise::NothingAfterStop, each(Self::begins_after_stop)),
            (Promise::UndosInReverse, each(Self::is_out_of_turn)),
            (Promise::GatesHold, each(Self::passes_a_gate)),
            (Promise::UnknownNotResent, each(Self::repeats_unknown)),
            (
                Promise::EndStands,
                ended && (before.state != after.state || before.epoch != after.epoch || !begun.is_empty()),
            ),
            (Promise::TrailIntact, !is_told(before, after)),
        ];
        found.into_iter().filter(|(_, broken)| *broken).map(|(promise, _)| promise).collect()
    }

    /// What a call breaks that reaches the receiver now.
    pub(crate) fn broken_by_post(&self, world: &World, call: &Call) -> Vec<Promise> {
        let execution = world.execution();
        let run = execution.steps.get(&call.step);
        let intent = run.and_then(|run| run.attempts.get(call.attempt.checked_sub(1)?));
        let undo = call.step.undo();
        let owes_undo = !call.step.is_undo() && self.scenario.plan.step(&undo).is_some();
        let armed = execution.steps.get(&undo).is_some_and(|run| run.request.is_some());
        let found = [
            (Promise::OnePost, world.posted.contains_key(&(call.step.clone(), call.attempt))),
            (Promise::StoredFirst, intent.is_none_or(|intent| intent.epoch != execution.epoch)),
            (Promise::ArmedFirst, owes_undo && !armed),
        ];
        found.into_iter().filter(|(_, broken)| *broken).map(|(promise, _)| promise).collect()
    }

    /// After an abort only undos begin; after a kill, in a pause and under a kill switch nothing does.
    fn begins_after_stop(&self, world: &World, _: &Execution, (step, _): (&StepId, &StepRun)) -> bool {
        let before = world.execution();
        let stopped = before.stop.as_ref().is_some_and(|stop| match stop.mode {
            StopMode::Kill => true,
            StopMode::Abort => !step.is_undo(),
        });
        stopped || before.pause.is_some() || world.halted
    }

    /// An undo begins only when those of all later steps are over.
    fn is_out_of_turn(&self, _: &World, after: &Execution, (undo, _): (&StepId, &StepRun)) -> bool {
        let place = |id: &StepId| after.steps.get(&own_step(id)).map(|run| run.place);
        let waiting: BTreeMap<&StepId, &StepRun> =
            after.steps.iter().filter(|(id, run)| id.is_undo() && *id != undo && !run.settled()).collect();
        undo.is_undo() && waiting.keys().any(|other| place(other) > place(undo))
    }

    /// The newest round of each gate must have been approved, and for what is sent.
    fn passes_a_gate(&self, world: &World, after: &Execution, (id, run): (&StepId, &StepRun)) -> bool {
        let gates = self.scenario.plan.step(id).map(|step: &Step| step.gates.as_slice()).unwrap_or_default();
        let digest = || run.request.as_ref().map(|request| request.digest());
        !gates.iter().all(|gate| {
            let stands = after.steps.get(gate).filter(|run| run.state == StepState::Succeeded);
            let asked = stands.and_then(|run| run.inner.as_ref()).and_then(|inner| inner.gate.as_ref());
            let ledger = world.asked.get(gate);
            asked.zip(ledger).is_some_and(|(asked, ledger)| {
                let approved = ledger.said == Some(Said::Approved) && ledger.round == asked.round;
                approved && asked.bindings.get(id).copied() == digest()
            })
        })
    }

    /// Only a person may have a call repeated of which nobody knows whether it happened.
    fn repeats_unknown(&self, _: &World, _: &Execution, (id, run): (&StepId, &StepRun)) -> bool {
        let idempotent = self.scenario.plan.step(id).is_some_and(|step| step.idempotent);
        // A person's decision to send an undo again raises its budget by as many attempts as the plan gives it.
        let allowed = self.scenario.plan.step(id).map_or(0, |step| run.budget - step.retry.max_attempts);
        let earlier = run.attempts.iter().rev().skip(1);
        let unknown = earlier.filter(|attempt| {
            matches!(attempt.outcome, Some(Outcome::Unknown { .. }) | None) && attempt.resolution.is_none()
        });
        !idempotent && unknown.count() > allowed as usize
    }
}

/// The steps of which an attempt began.
fn new_intents<'e>(before: &Execution, after: &'e Execution) -> Vec<(&'e StepId, &'e StepRun)> {
    let made = |id: &StepId| before.steps.get(id).map_or(0, |run| run.attempts.len());
    after.steps.iter().filter(|(id, run)| run.attempts.len() > made(id)).collect()
}

/// The trail holds what has happened since `before`, and fits its head.
fn is_told(before: &Execution, after: &Execution) -> bool {
    let silent = before.state == after.state && before.steps == after.steps && before.pause == after.pause;
    after.trail.is_intact(after.id.as_str()) && (silent || !after.trail.entries.is_empty())
}

fn own_step(undo: &StepId) -> StepId {
    undo.written().parse().expect("the name of a step")
}
