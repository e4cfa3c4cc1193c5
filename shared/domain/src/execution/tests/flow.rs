//! Plans of units: order, groups, branches, failures, gates, and the way back.

use super::*;
use crate::execution::decide::{Ask, GateEnd, GateVerdict};
use crate::execution::prepare::{Preparation, prepare};
use crate::plan::{Gate, Group, Join, Jump, OnFailure, Unit};
use crate::rule::Rule;
use crate::runbook::RunbookDefinition;

const T0: Time = Time::from_millis(1_000_000);

fn after(seconds: u64) -> Time {
    T0.plus(Duration::from_secs(seconds))
}

pub(super) fn id(name: &str) -> StepId {
    name.parse().expect("valid")
}

/// A call to an address that names the step.
fn call(name: &str) -> Step {
    let definition = json!({"name": "n", "webhookUrl": format!("https://ops.example/{name}")});
    let definition: RunbookDefinition = serde_json::from_value(definition).expect("parses");
    let mut plan = Plan::compile(&definition).expect("compiles");
    Step { id: id(name), ..plan.steps.remove(0) }
}

/// Steps one after the other.
fn sequence(steps: Vec<Step>) -> Plan {
    let mut before = None;
    let ordered = steps.into_iter().map(|step| {
        let after = before.replace(Unit::Step(step.id.clone()));
        Step { after, ..step }
    });
    let steps = ordered.collect();
    Plan { concurrency: 16, ..Plan::of_steps(steps) }
}

/// A group of calls, and one call after it.
pub(super) fn grouped(join: Join, limit: usize, names: &[&str]) -> Plan {
    let group = Group {
        id: id("group"),
        limit,
        join,
        on_failure: OnFailure::Stop,
        steps: names.iter().map(|name| id(name)).collect(),
    };
    let members = names.iter().map(|name| Step { group: Some(0), ..call(name) });
    let last = Step { after: Some(Unit::Group(0)), ..call("last") };
    let steps = members.chain([last]).collect();
    Plan { groups: vec![group], concurrency: 16, ..Plan::of_steps(steps) }
}

/// Each step can be taken back.
fn undoable(plan: Plan) -> Plan {
    let undos = plan.steps.iter().map(|step| Step { id: step.id.undo(), ..call("undo") }).collect();
    let unwinds = |step: Step| Step { on_failure: OnFailure::Unwind, ..step };
    Plan { undos, steps: plan.steps.into_iter().map(unwinds).collect(), unwinds_out_of_time: true, ..plan }
}

fn gate(name: &str, covers: &[&str]) -> Step {
    let covers = covers.iter().map(|name| id(name)).collect();
    Step::new(id(name), StepKind::Approval(Gate { spec: None, covers }))
}

/// What a worker brings along; at gates it asks.
fn bring(execution: &Execution, plan: &Plan, now: Time) -> Next {
    let mut context = context(execution, None, &BTreeMap::new());
    let fresh = |step: &&Step| execution.steps.get(&step.id).is_none_or(|run| run.state == StepState::Void);
    let mut prepared = BTreeMap::new();
    for step in ready_steps(execution, plan, now).into_iter().filter(fresh) {
        let brought = match prepare(execution, plan, step, &mut context) {
            Preparation::Ready(ready) => *ready,
            Preparation::Nothing | Preparation::Child(_) => continue,
            Preparation::Gate(gate) => Prepared::Ask(Box::new(ask(gate, execution, plan))),
        };
        prepared.insert(step.id.clone(), brought);
    }
    Next { prepared, ..Next::nothing() }
}

/// Binds what the covered steps would send now.
fn ask(gate: &Gate, execution: &Execution, plan: &Plan) -> Ask {
    let mut context = context(execution, None, &BTreeMap::new());
    let mut bound = |covered: &StepId| {
        let Preparation::Ready(ready) = prepare(execution, plan, plan.step(covered)?, &mut context) else {
            return None;
        };
        match *ready {
            Prepared::Request(Ok(request)) | Prepared::Undoable { request, .. } => {
                Some((covered.clone(), request.digest()))
            }
            Prepared::Request(Err(_))
            | Prepared::Answer(_)
            | Prepared::Child(_)
            | Prepared::Way(_)
            | Prepared::Ask(_)
            | Prepared::NotDemanded
            | Prepared::Unwanted { .. }
            | Prepared::Impossible(_) => None,
        }
    };
    let bindings = gate.covers.iter().filter_map(&mut bound).collect();
    Ask { subject: Digest::of_bytes(b"subject"), bindings, expires_in: Duration::from_secs(600) }
}

/// A run of a plan, with the world's answers by step; what has no answer is a 200.
struct Play<'p> {
    plan: &'p Plan,
    answers: BTreeMap<&'static str, Vec<Outcome>>,
    execution: Execution,
    now: Time,
    sent: Vec<String>,
}

impl<'p> Play<'p> {
    fn of(plan: &'p Plan) -> Self {
        Self { plan, answers: BTreeMap::new(), execution: accepted(T0), now: T0, sent: Vec::new() }
    }

    fn answering(mut self, step: &'static str, outcomes: Vec<Outcome>) -> Self {
        self.answers.insert(step, outcomes);
        self
    }

    fn answer(&mut self, step: &StepId) -> Outcome {
        match self.answers.get_mut(step.as_str()) {
            Some(outcomes) if outcomes.len() > 1 => outcomes.remove(0),
            Some(outcomes) => outcomes[0].clone(),
            None => answered(200),
        }
    }

    fn apply(&mut self, event: Event) -> bool {
        let Decision::Moved(moved) = decide(&self.execution, self.plan, event, self.now) else {
            return false;
        };
        self.execution = moved.to;
        assert!(self.execution.trail.is_intact(self.execution.id.as_str()), "inv_f2");
        let sends = moved.effects.into_iter().filter_map(|effect| match effect {
            Effect::Send { step, attempt } => Some((step, attempt)),
            Effect::Nudge { .. }
            | Effect::Wake { .. }
            | Effect::Ask { .. }
            | Effect::Notify { .. }
            | Effect::Escalate { .. }
            | Effect::Audit { .. } => None,
        });
        for (step, attempt) in sends.collect::<Vec<_>>() {
            self.sent.push(step.to_string());
            let outcome = self.answer(&step);
            self.apply(Event::Attempted { step, attempt, outcome });
        }
        true
    }

    /// A worker works until it can do no more; waits for a retry or a delay are waited out.
    fn work(mut self) -> Self {
        for _ in 0..200 {
            let next = bring(&self.execution, self.plan, self.now);
            let event = match &self.execution.state {
                State::Running { .. } => Event::Advance { epoch: self.execution.epoch, next },
                State::Waiting { until, on: WaitingOn::Retry | WaitingOn::Delay | WaitingOn::Worker } => {
                    self.now = self.now.max(*until);
                    self.claiming()
                }
                State::Pending => self.claiming(),
                State::Waiting { .. }
                | State::Paused
                | State::NeedsReview { .. }
                | State::UndoFailed { .. }
                | State::Succeeded
                | State::Failed { .. }
                | State::Cancelled { .. }
                | State::RolledBack { .. } => return self,
            };
            assert!(self.apply(event), "{:?}", self.execution.state);
        }
        panic!("it never comes to rest: {:?}", self.execution.state);
    }

    fn claiming(&self) -> Event {
        let lease = Lease { holder: "w1".into(), until: self.now.plus(LEASE) };
        Event::Claim { lease, next: bring(&self.execution, self.plan, self.now) }
    }

    fn then(mut self, event: Event) -> Self {
        assert!(self.apply(event.clone()), "{event:?} moves nothing");
        self
    }

    /// People decide at a gate, and a worker goes on.
    fn decided(mut self, gate: &str, verdict: GateVerdict) -> Self {
        let step = id(gate);
        let round = self.execution.steps[&step]
            .inner
            .as_ref()
            .and_then(|inner| inner.gate.as_ref())
            .map_or(0, |gate| gate.round);
        let ended = GateEnd { step, round, verdict };
        let lease = Lease { holder: "w1".into(), until: self.now.plus(LEASE) };
        // The worker first stores the decision, then prepares what it opens.
        let next = Next { gates: vec![ended], ..Next::nothing() };
        assert!(self.apply(Event::Claim { lease, next }), "the decision moves nothing");
        self.work()
    }

    fn story(&self) -> String {
        let word = |(id, run): (&StepId, &StepRun)| match &run.state {
            StepState::Succeeded => format!("{id}"),
            StepState::Skipped { because } => format!("-{id}({})", word(because)),
            StepState::Failed { .. } => format!("!{id}"),
            StepState::Armed => format!("^{id}"),
            StepState::Sending
            | StepState::Waiting { .. }
            | StepState::Delayed { .. }
            | StepState::AwaitsChild { .. }
            | StepState::AwaitsApproval { .. }
            | StepState::Void
            | StepState::AwaitsCallback { .. }
            | StepState::NeedsReview { .. } => format!("?{id}"),
        };
        let steps: Vec<String> = self.execution.steps.iter().map(word).collect();
        format!("{}: {}", self.execution.status(), steps.join(" "))
    }

    fn sent(&self) -> String {
        self.sent.join(" ")
    }
}

fn stop(mode: StopMode) -> Event {
    Event::Stop { by: user("bob"), mode, reason: "wrong service".into() }
}

fn pause() -> Event {
    Event::Pause { by: user("bob"), reason: "look first".into() }
}

fn jump(to: &str, over: &[&str]) -> Jump {
    Jump { to: to.into(), over: over.iter().map(|name| id(name)).collect() }
}

fn failing(step: &'static str, plan: &Plan) -> String {
    Play::of(plan).answering(step, vec![answered(404)]).work().story()
}

#[test]
fn units_run_in_their_order() {
    let plan = sequence(vec![call("c"), call("a"), call("b")]);
    let played = Play::of(&plan).work();
    assert_eq!(played.sent(), "c a b");
    assert_eq!(played.story(), "SUCCESS: a b c");
}

#[test]
fn a_group_begins_no_more_at_once_than_its_limit_and_the_next_unit_waits_for_all() {
    let plan = grouped(Join::All, 2, &["a", "b", "c"]);
    let begun = moved(
        &accepted(T0),
        &plan,
        Event::Claim {
            lease: Lease { holder: "w".into(), until: after(60) },
            next: bring(&accepted(T0), &plan, T0),
        },
        T0,
    );
    let sends = begun.effects.iter().filter(|effect| matches!(effect, Effect::Send { .. })).count();
    assert_eq!(sends, 2);
    let played = Play::of(&plan).work();
    assert_eq!(played.sent(), "a b c last");
    assert_eq!(played.story(), "SUCCESS: a b c last");
}

#[test]
fn a_group_joins_as_its_policy_says() {
    let refused = |join, step: &'static str| failing(step, &grouped(join, 1, &["a", "b", "c"]));
    assert_eq!(refused(Join::All, "b"), "FAILED: a !b -c(group decided)");
    assert_eq!(refused(Join::NoneFailed, "b"), "FAILED: a !b -c(group decided)");
    assert_eq!(refused(Join::Any, "a"), "SUCCESS: !a b -c(group decided) last");
    let any = grouped(Join::Any, 3, &["a", "b"]);
    let none = Play::of(&any).answering("a", vec![answered(404)]).answering("b", vec![answered(404)]).work();
    assert_eq!(none.story(), "FAILED: !a !b");
}

#[test]
fn a_skipped_step_fails_a_group_of_all_and_no_other() {
    let skips = |join| {
        let mut plan = grouped(join, 3, &["a", "b"]);
        plan.steps[0].when = vec![Rule::compile("false").expect("compiles")];
        Play::of(&plan).work().story()
    };
    assert_eq!(skips(Join::All), "FAILED: -a(not false) -b(group decided)");
    assert_eq!(skips(Join::NoneFailed), "SUCCESS: -a(not false) b last");
}

#[test]
fn what_follows_a_failure_is_as_the_step_says() {
    let plan = |on_failure| {
        let mut plan = sequence(vec![call("a"), call("b"), call("c"), call("d")]);
        plan.steps[1].on_failure = on_failure;
        plan
    };
    assert_eq!(failing("b", &plan(OnFailure::Stop)), "FAILED: a !b");
    assert_eq!(failing("b", &plan(OnFailure::Continue)), "SUCCESS: a !b c d");
    assert_eq!(failing("b", &plan(OnFailure::Jump(jump("d", &["c"])))), "SUCCESS: a !b -c(after b) d");
}

#[test]
fn a_branch_skips_what_it_leads_past() {
    let branch = |rule: &str| crate::plan::Branch {
        cases: vec![crate::plan::Case {
            when: Rule::compile(rule).expect("compiles"),
            jump: jump("d", &["b", "c"]),
        }],
        otherwise: jump("b", &[]),
    };
    let plan = |rule: &str| {
        sequence(vec![Step::new(id("a"), StepKind::Branch(branch(rule))), call("b"), call("c"), call("d")])
    };
    assert_eq!(
        Play::of(&plan("params.service == \"web\"")).work().story(),
        "SUCCESS: a -b(past by a) -c(past by a) d"
    );
    assert_eq!(Play::of(&plan("params.service == \"db\"")).work().story(), "SUCCESS: a b c d");
    assert_eq!(Play::of(&plan("params.missing == 1")).work().story(), "FAILED: !a");
}

#[test]
fn an_undo_is_stored_before_its_step_is_sent_and_runs_in_reverse() {
    let plan = undoable(sequence(vec![call("a"), call("b"), call("c")]));
    let played = Play::of(&plan).answering("c", vec![answered(404)]).work();
    assert_eq!(played.sent(), "a b c c.undo b.undo a.undo");
    assert_eq!(played.story(), "ROLLED_BACK: a a.undo b b.undo !c c.undo");
    let trail: Vec<&TrailEvent> = played.execution.trail.entries.iter().map(|entry| &entry.event).collect();
    let place = |wanted: &dyn Fn(&TrailEvent) -> bool| trail.iter().position(|event| wanted(event));
    for name in ["a", "b", "c"] {
        let armed =
            place(&|event| matches!(event, TrailEvent::Armed { step, .. } if *step == id(name).undo()));
        let intent = place(&|event| matches!(event, TrailEvent::Intent { step, .. } if *step == id(name)));
        assert!(armed < intent && armed.is_some(), "undo before do: {name}");
    }
}

#[test]
fn a_step_that_failed_half_way_is_undone_and_one_that_certainly_did_nothing_is_not() {
    let plan = undoable(sequence(vec![call("a"), call("b")]));
    let half = Play::of(&plan).answering("b", vec![answered(503)]).work();
    assert_eq!(half.story(), "ROLLED_BACK: a a.undo !b b.undo");
    let unsent = Outcome::Unsent { reason: "no route".into() };
    let never = Play::of(&plan).answering("b", vec![unsent]).work();
    assert_eq!(never.story(), "ROLLED_BACK: a a.undo !b -b.undo(nothing done)");
    let refused = Outcome::Refused { reason: "egress".into() };
    let nothing = Play::of(&plan).answering("a", vec![refused]).work();
    assert_eq!(nothing.story(), "FAILED: !a ^a.undo");
}

#[test]
fn an_undo_that_fails_waits_for_a_person() {
    let plan = undoable(sequence(vec![call("a"), call("b"), call("c")]));
    let stuck = || {
        Play::of(&plan)
            .answering("c", vec![answered(404)])
            .answering("b.undo", vec![answered(404), answered(200)])
            .work()
    };
    assert_eq!(stuck().story(), "UNDO_FAILED: a ^a.undo b !b.undo !c c.undo");
    let by = || user("bob");
    let undo = |decision| Event::Undo { by: by(), decision, reason: "looked".into() };
    assert_eq!(
        stuck().then(undo(UndoDecision::Retry)).work().story(),
        "ROLLED_BACK: a a.undo b b.undo !c c.undo"
    );
    assert_eq!(
        stuck().then(undo(UndoDecision::Skip)).work().story(),
        "ROLLED_BACK: a a.undo b -b.undo(let be by bob) !c c.undo"
    );
    assert_eq!(
        stuck().then(undo(UndoDecision::Done)).work().story(),
        "ROLLED_BACK: a a.undo b b.undo !c c.undo"
    );
    assert_eq!(
        stuck().then(stop(StopMode::Kill)).story(),
        "CANCELLED: a ^a.undo b !b.undo !c c.undo",
        "a kill leaves what is left to undo"
    );
}

/// A run that stands in a delay after two steps that can be taken back.
fn in_delay(plan: &Plan) -> Play<'_> {
    let mut played = Play::of(plan);
    let event = played.claiming();
    played.apply(event);
    for _ in 0..10 {
        if !matches!(played.execution.state, State::Running { .. }) {
            break;
        }
        let next = bring(&played.execution, plan, played.now);
        let event = Event::Advance { epoch: played.execution.epoch, next };
        played.apply(event);
    }
    assert!(
        matches!(played.execution.state, State::Waiting { on: WaitingOn::Delay, .. }),
        "{}",
        played.story()
    );
    played
}

fn delaying() -> Plan {
    let mut plan = undoable(sequence(vec![call("a"), call("b")]));
    let delay = Step::new(id("pause"), StepKind::Delay(Duration::from_secs(30)));
    plan.steps.push(Step { after: Some(Unit::Step(id("b"))), ..delay });
    plan.timeout = Some(Duration::from_secs(60));
    plan
}

#[test]
fn an_abort_takes_back_and_a_kill_does_not() {
    let plan = delaying();
    assert_eq!(in_delay(&plan).then(stop(StopMode::Abort)).work().sent(), "a b b.undo a.undo");
    let killed = in_delay(&plan).then(stop(StopMode::Kill)).work();
    assert_eq!((killed.sent().as_str(), killed.execution.status()), ("a b", ExecutionStatus::Cancelled));
    let mut aborted = in_delay(&plan).then(stop(StopMode::Abort));
    assert_eq!(decide(&aborted.execution, &plan, stop(StopMode::Abort), aborted.now), Decision::AlreadyDone);
    // A kill overrules an abort that is under way.
    aborted = aborted.then(stop(StopMode::Kill));
    assert_eq!(aborted.story(), "CANCELLED: a ^a.undo b ^b.undo ?pause");
}

#[test]
fn a_pause_begins_nothing_and_stops_the_clock() {
    let plan = delaying();
    let mut paused = in_delay(&plan).then(pause());
    assert_eq!(paused.execution.status(), ExecutionStatus::Paused);
    assert_eq!(paused.execution.stop_latency(), Some(Duration::ZERO));
    paused.now = after(3_600);
    let claiming = paused.claiming();
    assert!(matches!(decide(&paused.execution, &plan, claiming, paused.now), Decision::Refused(_)));
    let resumed = paused.then(Event::Resume { by: user("bob") }).work();
    assert_eq!(resumed.execution.status(), ExecutionStatus::Success, "an hour's pause is no time-out");
}

#[test]
fn a_pause_while_a_step_is_in_flight_takes_effect_when_it_ends() {
    let plan = sequence(vec![call("a"), call("b")]);
    let begun = moved(&accepted(T0), &plan, Play::of(&plan).claiming(), T0).to;
    let paused = moved(&begun, &plan, pause(), after(1)).to;
    assert_eq!(paused.status(), ExecutionStatus::Running);
    let event = Event::Attempted { step: id("a"), attempt: 1, outcome: answered(200) };
    let quiet = moved(&paused, &plan, event, after(9)).to;
    assert_eq!(quiet.status(), ExecutionStatus::Paused);
    assert_eq!(quiet.stop_latency(), Some(Duration::from_secs(8)));
}

#[test]
fn what_runs_out_of_time_is_taken_back() {
    let plan = delaying();
    let mut late = in_delay(&plan);
    late.now = after(61);
    let late = late.work();
    assert_eq!(late.sent(), "a b b.undo a.undo");
    assert_eq!(late.execution.status(), ExecutionStatus::RolledBack);
}

fn gated() -> Plan {
    let covered = Step { gates: vec![id("ok")], ..call("b") };
    sequence(vec![call("a"), gate("ok", &["b"]), covered])
}

#[test]
fn inv_c4_a_gate_holds_what_it_covers_until_people_decide() {
    let plan = gated();
    let waiting = || Play::of(&plan).work();
    assert_eq!(waiting().story(), "WAITING: a ?ok");
    assert_eq!(waiting().decided("ok", GateVerdict::Approved).story(), "SUCCESS: a b ok");
    let no = GateVerdict::Rejected { by: user("bob"), reason: "not now".into() };
    let rejected = waiting().decided("ok", no);
    assert_eq!(rejected.story(), "FAILED: a !ok");
    assert_eq!(rejected.sent(), "a");
    assert_eq!(waiting().decided("ok", GateVerdict::Expired).story(), "FAILED: a !ok");
    assert_eq!(waiting().decided("ok", GateVerdict::Void("withdrawn".into())).story(), "WAITING: a ?ok");
}

#[test]
fn inv_c4_a_rejected_gate_lets_nothing_go_on_whatever_follows_its_failure() {
    let mut plan = gated();
    plan.steps[1].on_failure = OnFailure::Continue;
    let rejected = Play::of(&plan).work().decided("ok", GateVerdict::Expired);
    assert_eq!((rejected.sent().as_str(), rejected.story().as_str()), ("a", "FAILED: a !b !ok"));
}

#[test]
fn inv_c4_a_decision_about_another_round_decides_nothing() {
    let plan = gated();
    let played = Play::of(&plan).work();
    let ended = GateEnd { step: id("ok"), round: 2, verdict: GateVerdict::Approved };
    let lease = Lease { holder: "w".into(), until: after(60) };
    let event = Event::Claim { lease, next: Next { gates: vec![ended], ..Next::nothing() } };
    let after = moved(&played.execution, &plan, event, T0).to;
    assert!(matches!(after.steps[&id("ok")].state, StepState::AwaitsApproval { .. }));
}

#[test]
fn inv_c4_what_would_send_something_else_is_asked_about_again() {
    let plan = gated();
    let mut played = Play::of(&plan).work();
    let inner = played.execution.steps.get_mut(&id("ok")).and_then(|run| run.inner.as_mut());
    let gate = inner.and_then(|inner| inner.gate.as_mut()).expect("asked");
    gate.bindings.insert(id("b"), Digest::of_bytes(b"something else"));
    let again = played.decided("ok", GateVerdict::Approved);
    assert_eq!((again.sent().as_str(), again.story().as_str()), ("a", "WAITING: a ?ok"));
    let round = again.execution.steps[&id("ok")]
        .inner
        .as_ref()
        .and_then(|inner| inner.gate.as_ref())
        .map(|gate| gate.round);
    assert_eq!(round, Some(2));
    assert_eq!(again.decided("ok", GateVerdict::Approved).story(), "SUCCESS: a b ok");
}

#[test]
fn a_gate_in_each_of_two_parallel_steps_blocks_both() {
    let mut plan = grouped(Join::All, 2, &["x", "y"]);
    for (at, name) in ["x", "y"].into_iter().enumerate() {
        plan.steps[at] = Step { group: Some(0), ..gate(name, &["last"]) };
    }
    plan.steps[2].gates = vec![id("x"), id("y")];
    let asked = Play::of(&plan).work();
    assert_eq!(asked.story(), "WAITING: ?x ?y");
    let one = asked.decided("x", GateVerdict::Approved);
    assert_eq!((one.sent().as_str(), one.story().as_str()), ("", "WAITING: x ?y"));
    assert_eq!(one.decided("y", GateVerdict::Approved).story(), "SUCCESS: last x y");
}

#[test]
fn a_receiver_calls_back_once_and_may_do_so_early() {
    let plan = || {
        let patient = Step { callback: Some(Duration::from_secs(60)), ..call("a") };
        sequence(vec![patient, call("b")])
    };
    let back = |error: Option<&str>| Event::CalledBack {
        step: id("a"),
        error: error.map(str::to_owned),
        result: json!({"n": 1}),
    };
    let plan = plan();
    let waiting = || Play::of(&plan).work();
    assert_eq!(waiting().story(), "WAITING: ?a");
    assert_eq!(waiting().then(back(None)).work().story(), "SUCCESS: a b");
    assert_eq!(waiting().then(back(Some("no"))).work().story(), "FAILED: !a");
    let once = waiting().then(back(None));
    assert_eq!(decide(&once.execution, &plan, back(None), once.now), Decision::AlreadyDone);
    let mut late = waiting();
    late.now = after(61);
    let event = late.claiming();
    assert_eq!(late.then(event).story(), "FAILED: !a");
    let begun = moved(&accepted(T0), &plan, Play::of(&plan).claiming(), T0).to;
    let early = moved(&begun, &plan, back(None), after(1)).to;
    let lost = Outcome::Unknown { reason: "no answer in time".into() };
    for outcome in [answered(202), answered(503), lost] {
        let event = Event::Attempted { step: id("a"), attempt: 1, outcome };
        let taken = moved(&early, &plan, event, after(2)).to;
        assert_eq!(taken.steps[&id("a")].state, StepState::Succeeded);
    }
}

#[test]
fn an_answer_is_as_expected_or_the_step_fails_and_a_poll_asks_again() {
    let body = |text: &str| Outcome::Answered {
        status: 200,
        retry_after_ms: None,
        body: text.into(),
        truncated: false,
    };
    let expecting = |polls| {
        let expect = Rule::compile("response.body.ready == true").ok();
        let outputs = vec![("n".to_owned(), "body.n".to_owned())];
        sequence(vec![Step { expect, polls, outputs, ..call("a") }])
    };
    let (ready, not) = (body(r#"{"ready": true, "n": 7}"#), body(r#"{"ready": false}"#));
    let story = |polls, outcomes| Play::of(&expecting(polls)).answering("a", outcomes).work().story();
    assert_eq!(story(false, vec![ready.clone()]), "SUCCESS: a");
    assert_eq!(story(false, vec![not.clone(), ready.clone()]), "FAILED: !a");
    assert_eq!(story(true, vec![not.clone(), ready.clone()]), "SUCCESS: a");
    assert_eq!(story(true, vec![not]), "FAILED: !a");
    let plan = expecting(false);
    let kept = Play::of(&plan).answering("a", vec![ready]).work();
    assert_eq!(kept.execution.results(&BTreeMap::new())["a"]["outputs"], json!({"n": 7}));
}

#[test]
fn a_template_that_reads_a_skipped_step_fails_its_step_and_says_so() {
    let mut reads = call("b");
    let definition = json!({"name": "n", "webhookUrl": "https://ops.example/{{steps.a.outputs.n}}"});
    let definition: RunbookDefinition = serde_json::from_value(definition).expect("parses");
    reads.kind = Plan::compile(&definition).expect("compiles").steps.remove(0).kind;
    let mut plan = sequence(vec![call("a"), reads]);
    plan.steps[0].when = vec![Rule::compile("false").expect("compiles")];
    let played = Play::of(&plan).work();
    assert_eq!(played.story(), "FAILED: -a(not false) !b");
    let State::Failed { error } = &played.execution.state else { panic!("{:?}", played.execution.state) };
    assert!(error.contains("steps.a.outputs.n"), "{error}");
}

#[test]
fn an_abandoned_way_back_waits_for_a_person() {
    let plan = delaying();
    let mut aborted = in_delay(&plan).then(stop(StopMode::Abort));
    aborted.now = aborted.now.plus(Duration::from_secs(1));
    let abandoned = aborted.then(Event::Abandon { reason: "dead letter".into() });
    assert_eq!(abandoned.execution.status(), ExecutionStatus::UndoFailed);
}
