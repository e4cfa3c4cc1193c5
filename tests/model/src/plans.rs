//! The small plans that are explored, and how much may happen to each.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_domain::answer::Answer;
use muster_domain::audit::ChainHead;
use muster_domain::digest::Digest;
use muster_domain::execution::{Execution, Pinned, PinnedRunbook, State, Trail};
use muster_domain::ids::{ExecutionId, RunbookId, StepId};
use muster_domain::outcome::RetryPolicy;
use muster_domain::plan::{
    Branch, Gate, Group, Join, Jump, OnFailure, Plan, Step, StepKind, Unit, UrlTemplate, WebhookCall,
};
use muster_domain::request::{ContentType, RenderedRequest, RequestUrl, WebhookAuth, WebhookMethod};
use muster_domain::template::Template;
use muster_domain::time::Time;

use crate::disturbance::Disturbance::{
    self, Abandon, Abort, Change, Crash, Halt, Kill, LostAnswer, Oversleep, Pause, Resend, Withdraw, Yield,
};
use crate::people::person;

pub(crate) const T0: Time = Time::from_millis(1_000_000);

pub(crate) struct Scenario {
    pub name: &'static str,
    pub plan: Plan,
    /// What may come in the way, and how often in all.
    pub disturbances: (u8, &'static [Disturbance]),
}

impl Scenario {
    /// One step, and everything that may come in its way.
    pub(crate) fn one_step() -> Self {
        let step = Step { retry: attempts(2), on_failure: OnFailure::Unwind, ..call("first") };
        let plan = Plan { undos: vec![undo("first", 1)], ..Plan::of_steps(vec![step]) };
        let disturbances: &[Disturbance] =
            &[Pause, Abort, Kill, Abandon, Resend, LostAnswer, Crash, Oversleep, Yield, Halt];
        Self { name: "one step with an undo", plan, disturbances: (2, disturbances) }
    }

    /// Two steps, one after the other, each with what takes it back. A failure of the second takes the first back.
    pub(crate) fn two_steps_with_undos() -> Self {
        let first = Step { retry: attempts(2), on_failure: OnFailure::Unwind, ..call("first") };
        let second = Step {
            retry: attempts(1),
            on_failure: OnFailure::Unwind,
            after: Some(Unit::Step(id("first"))),
            ..call("second")
        };
        let undos = vec![undo("first", 1), undo("second", 1)];
        let plan = Plan { undos, ..Plan::of_steps(vec![first, second]) };
        let disturbances: &[Disturbance] = &[Pause, Abort, Resend, Crash, Oversleep];
        Self { name: "two steps with undos", plan, disturbances: (2, disturbances) }
    }

    /// An approval that binds two steps beside each other, both of which must succeed.
    pub(crate) fn gate_before_group() -> Self {
        Self::gated("a gate before a group", 2, &[Pause, Abort, Crash, Oversleep, Change, Withdraw])
    }

    /// The same with one call in flight at a time, so that one step may wait while the other begins.
    pub(crate) fn gate_before_turns() -> Self {
        Self::gated("a gate before turns", 1, &[Pause, Crash, Change, Withdraw])
    }

    fn gated(name: &'static str, concurrency: usize, disturbances: &'static [Disturbance]) -> Self {
        let covered = ["left", "right"].map(id);
        let kind = StepKind::Approval(Gate { spec: None, covers: covered.to_vec() });
        let gate = Step::new(id("gate"), kind);
        let beside = |name: &str, retry: RetryPolicy| Step {
            retry,
            after: Some(Unit::Step(id("gate"))),
            group: Some(0),
            gates: vec![id("gate")],
            ..call(name)
        };
        let patient = RetryPolicy { max_attempts: 2, ..RetryPolicy::default() };
        let group = Group {
            id: id("both"),
            limit: 2,
            join: Join::All,
            on_failure: OnFailure::Unwind,
            steps: covered.to_vec(),
        };
        let plan = Plan {
            groups: vec![group],
            undos: vec![undo("left", 1), undo("right", 1)],
            concurrency,
            ..Plan::of_steps(vec![gate, beside("left", patient), beside("right", attempts(1))])
        };
        Self { name, plan, disturbances: (1, disturbances) }
    }

    /// A call that may not be sent twice and whose receiver calls back, and a branch that may lead past the call after it.
    pub(crate) fn callback_and_branch() -> Self {
        let first = Step {
            idempotent: false,
            retry: attempts(2),
            on_failure: OnFailure::Unwind,
            callback: Some(Duration::from_secs(90)),
            ..call("first")
        };
        let past = Jump { to: "end".into(), over: vec![id("last")] };
        let branch = Step {
            after: Some(Unit::Step(id("first"))),
            ..Step::new(id("way"), StepKind::Branch(Branch { cases: Vec::new(), otherwise: past }))
        };
        let last = Step { retry: attempts(1), after: Some(Unit::Step(id("way"))), ..call("last") };
        let plan = Plan {
            undos: vec![Step { idempotent: false, ..undo("first", 1) }],
            timeout: Some(Duration::from_secs(200)),
            unwinds_out_of_time: true,
            ..Plan::of_steps(vec![first, branch, last])
        };
        let disturbances: &[Disturbance] = &[Pause, Abort, Kill, Resend, Crash, Oversleep, Change];
        Self { name: "a callback and a branch", plan, disturbances: (2, disturbances) }
    }

    /// The execution as it is stored when it is accepted.
    pub(crate) fn accepted(&self) -> Execution {
        let execution = ExecutionId::new(T0, 1);
        let runbook = PinnedRunbook {
            id: RunbookId::new(T0, 2),
            name: self.name.into(),
            version: 1,
            digest: Digest::of_bytes(b""),
        };
        Execution {
            pinned: Pinned::Runbook(runbook),
            team: None,
            requested_by: person(),
            incident: None,
            parent: None,
            chain: Vec::new(),
            cause: None,
            parameters: Default::default(),
            created_at: T0,
            started_at: None,
            ended_at: None,
            state: State::Pending,
            epoch: 0,
            steps: BTreeMap::new(),
            due_at: Some(T0),
            stop: None,
            pause: None,
            paused_ms: 0,
            unwinding: None,
            undoes: None,
            risk: None,
            verdict: None,
            admission: muster_domain::limits::Admission::default(),
            freeze_pass: None,
            norms: BTreeMap::new(),
            trail: Trail::new(execution.as_str()),
            audit: ChainHead::default(),
            id: execution,
        }
    }
}

/// What a step sends; `changed`: what its templates read has changed.
pub(crate) fn request(step: &StepId, changed: bool) -> RenderedRequest {
    RenderedRequest {
        method: WebhookMethod::Post,
        url: RequestUrl::Text(format!("https://ops.example/{step}")),
        headers: Vec::new(),
        auth: WebhookAuth::None,
        content_type: ContentType::Json,
        body: if changed { "2".into() } else { "1".into() },
    }
}

fn undo(step: &str, tried: u32) -> Step {
    Step { retry: attempts(tried), ..call_of(id(step).undo()) }
}

fn call(name: &str) -> Step {
    call_of(id(name))
}

fn call_of(id: StepId) -> Step {
    let url = Template::compile("https://ops.example/x").expect("a template");
    let call = WebhookCall {
        method: WebhookMethod::Post,
        url: UrlTemplate::Text(url),
        headers: Vec::new(),
        auth: WebhookAuth::None,
        payload: None,
        timeout: Duration::from_secs(20),
        answer: Answer::Status,
    };
    Step::new(id, StepKind::Webhook(call))
}

/// A wait of no length is a wait all the same, and keeps the moments few.
fn attempts(max_attempts: u32) -> RetryPolicy {
    RetryPolicy { max_attempts, base_delay_ms: 0, ..RetryPolicy::default() }
}

pub(crate) fn id(name: &str) -> StepId {
    name.parse().expect("a step's id")
}
