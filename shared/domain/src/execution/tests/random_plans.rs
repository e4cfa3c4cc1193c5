//! Every plan of units comes to an end, whatever its calls come to and whatever people decide.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::answer::Answer;
use crate::execution::decide::{Ask, GateEnd, GateVerdict};
use crate::outcome::RetryPolicy;
use crate::plan::{Branch, Gate, Group, Join, Jump, OnFailure, Unit, UrlTemplate, WebhookCall};
use crate::request::{ContentType, RenderedRequest, RequestUrl, WebhookAuth, WebhookMethod};
use crate::template::Template;

const T0: Time = Time::from_millis(1_000_000);

/// A unit as it is drawn; numbers say where its jumps lead.
#[derive(Debug, Clone)]
enum Drawn {
    Call(DrawnCall),
    Group {
        calls: Vec<DrawnCall>,
        join: Join,
        limit: usize,
        fails: Fails,
    },
    /// It covers the calls of the next unit.
    Gate {
        fails: Fails,
    },
    Branch {
        leads: usize,
    },
    Delay,
}

#[derive(Debug, Clone)]
struct DrawnCall {
    idempotent: bool,
    undo: bool,
    calls_back: bool,
    attempts: u32,
    fails: Fails,
}

/// What follows a failure; a jump leads over so many units.
#[derive(Debug, Clone, Copy)]
enum Fails {
    Stop,
    Continue,
    Unwind,
    Jump(usize),
}

fn fails() -> impl Strategy<Value = Fails> {
    prop_oneof![
        Just(Fails::Stop),
        Just(Fails::Continue),
        Just(Fails::Unwind),
        (0_usize..3).prop_map(Fails::Jump)
    ]
}

fn drawn_call() -> impl Strategy<Value = DrawnCall> {
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.2));
    (flags, 1_u32..3, fails()).prop_map(|((idempotent, undo, calls_back), attempts, fails)| DrawnCall {
        idempotent,
        undo,
        calls_back,
        attempts,
        fails,
    })
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let join = prop::sample::select(vec![Join::All, Join::NoneFailed, Join::Any]);
    let calls = prop::collection::vec(drawn_call(), 1..4);
    prop_oneof![
        3 => drawn_call().prop_map(Drawn::Call),
        3 => (calls, join, 1_usize..3, fails())
            .prop_map(|(calls, join, limit, fails)| Drawn::Group { calls, join, limit, fails }),
        2 => fails().prop_map(|fails| Drawn::Gate { fails }),
        1 => (0_usize..3).prop_map(|leads| Drawn::Branch { leads }),
        1 => Just(Drawn::Delay),
    ]
}

fn id(unit: usize, place: usize) -> StepId {
    format!("u{unit}-{place}").parse().expect("a step's id")
}

fn ids(unit: usize, drawn: &Drawn) -> Vec<StepId> {
    let many = match drawn {
        Drawn::Group { calls, .. } => calls.len(),
        Drawn::Call(_) | Drawn::Gate { .. } | Drawn::Branch { .. } | Drawn::Delay => 1,
    };
    (0..many).map(|place| id(unit, place)).collect()
}

/// A way from a unit over so many of those after it.
fn jump(units: &[Drawn], from: usize, over: usize) -> Jump {
    let passed = units.iter().enumerate().skip(from + 1).take(over);
    Jump { to: "later".into(), over: passed.flat_map(|(unit, drawn)| ids(unit, drawn)).collect() }
}

fn on_failure(units: &[Drawn], unit: usize, fails: Fails) -> OnFailure {
    match fails {
        Fails::Stop => OnFailure::Stop,
        Fails::Continue => OnFailure::Continue,
        Fails::Unwind => OnFailure::Unwind,
        Fails::Jump(over) => OnFailure::Jump(jump(units, unit, over)),
    }
}

/// The plan of these units, one after the other.
fn plan_of(units: &[Drawn], concurrency: usize) -> Plan {
    let mut plan = Plan { concurrency, ..Plan::of_steps(Vec::new()) };
    for (unit, drawn) in units.iter().enumerate() {
        let before = unit.checked_sub(1).map(|before| unit_of(&plan, &units[before], before));
        let gates = match unit.checked_sub(1).map(|before| &units[before]) {
            Some(Drawn::Gate { .. }) => vec![id(unit - 1, 0)],
            Some(Drawn::Call(_) | Drawn::Group { .. } | Drawn::Branch { .. } | Drawn::Delay) | None => {
                Vec::new()
            }
        };
        for step in steps_of(units, unit, drawn, &mut plan) {
            plan.steps.push(Step { after: before.clone(), gates: gates.clone(), ..step });
        }
    }
    plan
}

/// What the unit after it waits for. The group is the last that the plan got.
fn unit_of(plan: &Plan, drawn: &Drawn, unit: usize) -> Unit {
    match drawn {
        Drawn::Group { .. } => Unit::Group(plan.groups.len() - 1),
        Drawn::Call(_) | Drawn::Gate { .. } | Drawn::Branch { .. } | Drawn::Delay => Unit::Step(id(unit, 0)),
    }
}

fn steps_of(units: &[Drawn], unit: usize, drawn: &Drawn, plan: &mut Plan) -> Vec<Step> {
    let own = id(unit, 0);
    match drawn {
        Drawn::Call(drawn) => vec![call_of(units, (unit, 0), drawn, &mut plan.undos)],
        Drawn::Group { calls, join, limit, fails } => {
            let group = Some(plan.groups.len());
            let on_failure = on_failure(units, unit, *fails);
            let steps = ids(unit, &units[unit]);
            plan.groups.push(Group { id: own, limit: *limit, join: *join, on_failure, steps });
            let calls = calls.iter().enumerate();
            calls
                .map(|(place, drawn)| Step { group, ..call_of(units, (unit, place), drawn, &mut plan.undos) })
                .collect()
        }
        Drawn::Gate { fails } => {
            let covers = units.get(unit + 1).map(|next| ids(unit + 1, next)).unwrap_or_default();
            let kind = StepKind::Approval(Gate { spec: None, covers });
            vec![Step { on_failure: on_failure(units, unit, *fails), ..Step::new(own, kind) }]
        }
        Drawn::Branch { leads } => {
            let otherwise = jump(units, unit, *leads);
            vec![Step::new(own, StepKind::Branch(Branch { cases: Vec::new(), otherwise }))]
        }
        Drawn::Delay => vec![Step::new(own, StepKind::Delay(Duration::from_secs(10)))],
    }
}

fn call_of(units: &[Drawn], (unit, place): (usize, usize), drawn: &DrawnCall, undos: &mut Vec<Step>) -> Step {
    let step = id(unit, place);
    let retry = RetryPolicy { max_attempts: drawn.attempts, ..RetryPolicy::default() };
    if drawn.undo {
        undos.push(Step { retry, idempotent: drawn.idempotent, ..Step::new(step.undo(), webhook()) });
    }
    Step {
        retry,
        idempotent: drawn.idempotent,
        callback: drawn.calls_back.then(|| Duration::from_secs(30)),
        on_failure: on_failure(units, unit, drawn.fails),
        ..Step::new(step, webhook())
    }
}

fn webhook() -> StepKind {
    StepKind::Webhook(WebhookCall {
        method: WebhookMethod::Post,
        url: UrlTemplate::Text(Template::compile("https://ops.example/x").expect("a template")),
        headers: Vec::new(),
        auth: WebhookAuth::None,
        payload: None,
        timeout: Duration::from_secs(5),
        answer: Answer::Status,
    })
}

fn request(step: &StepId, changed: bool) -> RenderedRequest {
    RenderedRequest {
        method: WebhookMethod::Post,
        url: RequestUrl::Text(format!("https://ops.example/{step}")),
        headers: Vec::new(),
        auth: WebhookAuth::None,
        content_type: ContentType::Json,
        body: changed.to_string(),
    }
}

/// Chances, in the order in which they are taken; when they are used up, everything goes well.
struct Chances(std::vec::IntoIter<u8>);

impl Chances {
    fn one_of(&mut self, many: u8) -> u8 {
        self.0.next().map_or(0, |chance| chance % many)
    }

    fn outcome(&mut self) -> Outcome {
        match self.one_of(6) {
            0 | 1 => answered(200),
            2 => answered(404),
            3 => answered(503),
            4 => unknown(),
            _ => Outcome::Unsent { reason: "refused".into() },
        }
    }
}

/// An execution on its way to its end, driven by nothing but the due-index, workers and people.
struct Drive<'p> {
    execution: Execution,
    plan: &'p Plan,
    now: Time,
    chances: Chances,
    sent: BTreeSet<String>,
}

impl Drive<'_> {
    fn apply(&mut self, event: Event) -> Option<Vec<Effect>> {
        let Decision::Moved(moved) = decide(&self.execution, self.plan, event, self.now) else { return None };
        let before = std::mem::replace(&mut self.execution, moved.to);
        assert!(self.execution.trail.is_intact(self.execution.id.as_str()), "inv_f2");
        assert_eq!(self.execution.due_at.is_none(), self.execution.status().is_terminal(), "inv_a1");
        for effect in &moved.effects {
            let Effect::Send { step, attempt } = effect else { continue };
            self.check_send(&before, step, *attempt);
        }
        Some(moved.effects)
    }

    fn check_send(&mut self, before: &Execution, step: &StepId, attempt: usize) {
        assert!(self.sent.insert(self.execution.attempt_id(step, attempt)), "inv_b1");
        assert!(before.pause.is_none(), "inv_g3");
        assert!(before.stop.is_none() || step.is_undo(), "inv_g3");
        assert_eq!(step.is_undo(), self.execution.unwinding.is_some(), "only undos on the way back");
        let planned = self.plan.step(step).expect("planned");
        for gate in &planned.gates {
            let gate = &self.execution.steps[gate];
            let skipped = matches!(gate.state, StepState::Skipped { .. });
            assert!(gate.state == StepState::Succeeded || skipped, "inv_c4: {step}: {:?}", gate.state);
        }
    }

    /// One round: whoever is asked answers; else the due time comes and a worker follows its nudge.
    fn round(&mut self) {
        let by = || user("bob");
        let asked = match &self.execution.state {
            State::Paused => Event::Resume { by: by() },
            State::NeedsReview { .. } => {
                let resolution =
                    [Resolution::Happened, Resolution::Resend][usize::from(self.chances.one_of(2))];
                Event::Resolve { by: by(), resolution, reason: "r".into() }
            }
            State::UndoFailed { .. } => {
                let decisions = [UndoDecision::Done, UndoDecision::Skip, UndoDecision::Retry];
                let decision = decisions[usize::from(self.chances.one_of(3))];
                Event::Undo { by: by(), decision, reason: "r".into() }
            }
            State::Pending
            | State::Running { .. }
            | State::Waiting { .. }
            | State::Succeeded
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::RolledBack { .. } => return self.fall_due(),
        };
        assert!(self.apply(asked).is_some(), "{:?}", self.execution.state);
    }

    fn fall_due(&mut self) {
        self.now = self.now.max(self.execution.due_at.expect("what has not ended is owed"));
        let found = self.apply(Event::Overdue { grace: Duration::from_secs(1) }).expect("due");
        if found.iter().any(|effect| matches!(effect, Effect::Nudge { .. })) {
            self.interfere();
            self.work();
        }
    }

    fn interfere(&mut self) {
        let by = || user("bob");
        let reason = || "r".to_owned();
        let event = match self.chances.one_of(30) {
            1 | 2 => Event::Pause { by: by(), reason: reason() },
            3 => Event::Stop { by: by(), mode: StopMode::Abort, reason: reason() },
            4 => Event::Stop { by: by(), mode: StopMode::Kill, reason: reason() },
            _ => return,
        };
        self.apply(event);
    }

    /// A worker's turn. It may stop with calls in flight.
    fn work(&mut self) {
        let lease = Lease { holder: "w".into(), until: self.now.plus(LEASE) };
        let next = self.next();
        let mut moved = self.apply(Event::Claim { lease, next });
        while let Some(effects) = moved {
            for effect in effects {
                let Effect::Send { step, attempt } = effect else { continue };
                if self.chances.one_of(12) == 1 {
                    return;
                }
                let outcome = self.chances.outcome();
                self.apply(Event::Attempted { step: step.clone(), attempt, outcome });
                if self.chances.one_of(2) == 1 {
                    let error = (self.chances.one_of(3) == 1).then(|| "broke".to_owned());
                    self.apply(Event::CalledBack { step, error, result: Value::Null });
                }
            }
            self.interfere();
            let next = self.next();
            moved = self.apply(Event::Advance { epoch: self.execution.epoch, next });
        }
    }

    fn next(&mut self) -> Next {
        let changed = self.chances.one_of(5) == 1;
        let mut next = Next::nothing();
        for step in ready_steps(&self.execution, self.plan, self.now) {
            let fresh = self.execution.steps.get(&step.id).is_none_or(|run| run.state == StepState::Void);
            if fresh && let Some(prepared) = self.prepared(step, changed) {
                next.prepared.insert(step.id.clone(), prepared);
            }
        }
        let open: Vec<(StepId, u32)> =
            self.execution.open_gates().map(|(id, run)| (id.clone(), round_of(run))).collect();
        for (step, round) in open {
            let verdict = match self.chances.one_of(6) {
                0..=2 => GateVerdict::Approved,
                3 => GateVerdict::Rejected { by: user("eve"), reason: "no".into() },
                4 => GateVerdict::Expired,
                _ => GateVerdict::Void("taken back".into()),
            };
            next.gates.push(GateEnd { step, round, verdict });
        }
        next
    }

    fn prepared(&mut self, step: &Step, changed: bool) -> Option<Prepared> {
        Some(match &step.kind {
            StepKind::Webhook(_) if self.plan.step(&step.id.undo()).is_some() => Prepared::Undoable {
                request: request(&step.id, changed),
                undo: request(&step.id.undo(), changed),
            },
            StepKind::Webhook(_) => Prepared::Request(Ok(request(&step.id, changed))),
            StepKind::Branch(branch) => Prepared::Way(branch.otherwise.clone()),
            StepKind::Approval(gate) => Prepared::Ask(Box::new(self.ask(gate, changed))),
            StepKind::Condition { .. } | StepKind::Check(_) | StepKind::Delay(_) | StepKind::Runbook(_) => {
                return None;
            }
        })
    }

    fn ask(&self, gate: &Gate, changed: bool) -> Ask {
        let digest = |step: &StepId| {
            let stored = self.execution.steps.get(step).and_then(|run| run.request.as_ref());
            stored.map_or_else(|| request(step, changed).digest(), StoredRequest::digest)
        };
        Ask {
            subject: Digest::of_bytes(b"subject"),
            bindings: gate.covers.iter().map(|step| (step.clone(), digest(step))).collect(),
            expires_in: Duration::from_secs(60),
        }
    }
}

fn round_of(run: &StepRun) -> u32 {
    run.inner.as_ref().and_then(|inner| inner.gate.as_ref()).map_or(0, |gate| gate.round)
}

/// More rounds than the longest plan needs with all its chances used up.
const ROUNDS: usize = 400;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn inv_a1_every_plan_of_units_ends_under_every_outcome(
        units in prop::collection::vec(drawn(), 1..6),
        concurrency in 1_usize..3,
        chances in prop::collection::vec(any::<u8>(), 0..160),
    ) {
        let plan = plan_of(&units, concurrency);
        let chances = Chances(chances.into_iter());
        let mut drive = Drive { execution: accepted(T0), plan: &plan, now: T0, chances, sent: BTreeSet::new() };
        for _ in 0..ROUNDS {
            if drive.execution.status().is_terminal() {
                return Ok(());
            }
            drive.round();
        }
        prop_assert!(false, "it never ends: {:?} {:#?}", drive.execution.state, drive.execution.steps);
    }
}
