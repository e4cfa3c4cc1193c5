//! What may happen next, in any order.

use muster_domain::execution::{Resolution, State, StepState, StopMode, UndoDecision, ready_steps};
use muster_domain::ids::StepId;
use muster_domain::time::Time;

use crate::disturbance::Disturbance;
use crate::mutant::Mutant;
use crate::protocol::Protocol;
use crate::world::{Said, Turn, Worker, World};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// A nudge reaches a worker, be it the first, a second one, or one that comes late.
    Load {
        worker: usize,
    },
    Claim {
        worker: usize,
    },
    Advance {
        worker: usize,
    },
    Send {
        worker: usize,
        call: usize,
    },
    /// An answer, or the lack of one, is stored; `lost`: the table's own answer is not seen.
    Record {
        worker: usize,
        call: usize,
        answer: Answer,
        lost: bool,
    },
    /// The worker learns that somebody else changed the execution.
    Reload {
        worker: usize,
    },
    Yield {
        worker: usize,
    },
    Crash {
        worker: usize,
    },
    /// Time passes until the next moment that means something.
    Tick,
    Ask(Request),
    Decide {
        gate: StepId,
        said: Said,
    },
    CallBack {
        step: StepId,
        fails: bool,
    },
    /// What templates and rules read changes.
    Change,
    /// A kill switch is engaged.
    Halt,
}

/// What is asked of the execution itself: by people, or, if its job failed too often, by the dead-letter queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    Pause,
    Resume,
    Stop(StopMode),
    Abandon,
    Resolve(Resolution),
    Undo(UndoDecision),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Refused,
    Unknown,
}

impl Protocol {
    /// Whether a disturbance may come now.
    fn may(&self, world: &World, disturbance: Disturbance) -> bool {
        let (_, kinds) = self.scenario.disturbances;
        world.left > 0 && kinds.contains(&disturbance)
    }

    pub(crate) fn list_actions(&self, world: &World, actions: &mut Vec<Action>) {
        for worker in 0..world.workers.len() {
            self.list_worker(world, worker, actions);
        }
        if let Some(moment) = self.next_moment(world)
            && (oversleeps(world, moment).is_none() || self.may(world, Disturbance::Oversleep))
        {
            actions.push(Action::Tick);
        }
        if !world.execution().status().is_terminal() {
            self.list_people(world, actions);
            self.list_answers(world, actions);
            self.list_receivers(world, actions);
        }
    }

    fn list_worker(&self, world: &World, worker: usize, actions: &mut Vec<Action>) {
        match &world.workers[worker] {
            Worker::Idle if self.is_claimable(world) => actions.push(Action::Load { worker }),
            Worker::Idle => {}
            Worker::Loaded(_) => actions.push(Action::Claim { worker }),
            Worker::Holding(turn) => {
                if self.may(world, Disturbance::Crash) {
                    actions.push(Action::Crash { worker });
                }
                self.list_calls(world, (worker, turn), actions);
                self.list_turn(world, (worker, turn), actions);
            }
        }
    }

    fn list_calls(&self, world: &World, (worker, turn): (usize, &Turn), actions: &mut Vec<Action>) {
        for (call, made) in turn.calls.iter().enumerate() {
            if !made.sent {
                actions.push(Action::Send { worker, call });
            } else if self.may_commit(world, turn) {
                let answers = [Answer::Done, Answer::Refused, Answer::Unknown];
                actions.extend(answers.map(|answer| Action::Record { worker, call, answer, lost: false }));
                if self.may(world, Disturbance::LostAnswer) {
                    actions.push(Action::Record { worker, call, answer: Answer::Done, lost: true });
                }
            }
        }
    }

    fn list_turn(&self, world: &World, (worker, turn): (usize, &Turn), actions: &mut Vec<Action>) {
        if !turn.is_fresh(&world.stored) {
            actions.push(Action::Reload { worker });
        }
        if !self.may_commit(world, turn) || !turn.holds() || turn.deadline <= world.now {
            return;
        }
        let execution = &turn.seen.execution;
        let ready = ready_steps(execution, &self.scenario.plan, world.now);
        if !ready.is_empty() || execution.pause.is_some() {
            actions.push(Action::Advance { worker });
        }
        if turn.calls.is_empty() && self.may(world, Disturbance::Yield) {
            actions.push(Action::Yield { worker });
        }
    }

    /// A commit on an older version fails, and all that follows is that the worker looks again.
    fn may_commit(&self, world: &World, turn: &Turn) -> bool {
        turn.is_fresh(&world.stored) || self.mutant == Some(Mutant::OverwritesNewer)
    }

    fn list_receivers(&self, world: &World, actions: &mut Vec<Action>) {
        let called = self.scenario.plan.steps.iter().filter(|step| step.callback.is_some());
        let called = called.filter(|step| world.posted.keys().any(|(posted, _)| *posted == step.id));
        for step in called {
            let back = |fails| Action::CallBack { step: step.id.clone(), fails };
            actions.extend([false, true].map(back));
        }
    }

    fn list_people(&self, world: &World, actions: &mut Vec<Action>) {
        let execution = world.execution();
        let resend = self.may(world, Disturbance::Resend);
        let review = matches!(execution.state, State::NeedsReview { .. });
        let undo_failed = matches!(execution.state, State::UndoFailed { .. });
        let possible = [
            (self.may(world, Disturbance::Pause) && execution.pause.is_none(), Request::Pause),
            (execution.pause.is_some(), Request::Resume),
            (self.may(world, Disturbance::Abort), Request::Stop(StopMode::Abort)),
            (self.may(world, Disturbance::Kill), Request::Stop(StopMode::Kill)),
            (self.may(world, Disturbance::Abandon), Request::Abandon),
            (review, Request::Resolve(Resolution::Happened)),
            (review && resend, Request::Resolve(Resolution::Resend)),
            (undo_failed, Request::Undo(UndoDecision::Skip)),
            (undo_failed, Request::Undo(UndoDecision::Done)),
            (undo_failed && resend, Request::Undo(UndoDecision::Retry)),
        ];
        let possible = possible.into_iter().filter(|(may, _)| *may);
        actions.extend(possible.map(|(_, request)| Action::Ask(request)));
        if self.may(world, Disturbance::Halt) && !world.halted {
            actions.push(Action::Halt);
        }
        if self.may(world, Disturbance::Change) {
            actions.push(Action::Change);
        }
    }

    /// What people may say at the gates that ask them.
    fn list_answers(&self, world: &World, actions: &mut Vec<Action>) {
        for (gate, run) in world.execution().open_gates() {
            let StepState::AwaitsApproval { until } = run.state else { continue };
            let said = world.asked.get(gate).and_then(|asked| asked.said);
            let may = match said {
                None if until <= world.now => vec![Said::Expired],
                None => vec![Said::Approved, Said::Rejected],
                Some(Said::Approved) if self.may(world, Disturbance::Withdraw) => vec![Said::Withdrawn],
                Some(Said::Approved | Said::Rejected | Said::Expired | Said::Withdrawn) => Vec::new(),
            };
            actions.extend(may.into_iter().map(|said| Action::Decide { gate: gate.clone(), said }));
        }
    }
}

/// A worker whose lease would be over at that moment, with its calls in flight.
pub(crate) fn oversleeps(world: &World, moment: Time) -> Option<&Turn> {
    let turns = world.workers.iter().filter_map(|worker| match worker {
        Worker::Holding(turn) => Some(turn),
        Worker::Idle | Worker::Loaded(_) => None,
    });
    let mut asleep = turns.filter(|turn| turn.deadline > world.now && turn.deadline <= moment);
    asleep.next()
}
