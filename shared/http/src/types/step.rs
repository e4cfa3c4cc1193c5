//! The steps of an execution and their attempts.

use muster_app::workflows::NodeName;
use muster_domain::digest::Digest;
use muster_domain::execution as domain;
use muster_domain::ids::{ExecutionId, StepId, UserId};
use muster_domain::outcome;
use muster_domain::time::Time;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::callback::CalledBack;
use super::decision::Resolution;
use super::moment::{Moment, duration_ms};

/// A step of an execution.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    #[schema(value_type = String)]
    id: StepId,
    /// Of a workflow's node that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The step of the definition that it is made for, if no definition names it: a search comes before its step.
    #[serde(skip_serializing_if = "Option::is_none")]
    part_of: Option<String>,
    status: StepStatus,
    /// Why it is FAILED.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What a person must find out while it is NEEDS_REVIEW.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When the next attempt may start, or the delay ends, while it is WAITING.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_until: Option<Moment>,
    /// Why it is SKIPPED.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<SkipCause>,
    /// Sent with every attempt as `Idempotency-Key` and `webhook-id`; absent if the step makes no call.
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<String>,
    /// Digest of what every attempt sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    request_digest: Option<Digest>,
    /// When a step that makes no call began.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Moment>,
    /// A condition's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<bool>,
    /// Where a branch led.
    #[serde(skip_serializing_if = "Option::is_none")]
    way: Option<String>,
    /// How often an approval step asked people, and the digest of what.
    #[serde(skip_serializing_if = "Option::is_none")]
    gate: Option<Gate>,
    /// What the receiver of its call said when it called back.
    #[serde(skip_serializing_if = "Option::is_none")]
    called_back: Option<CalledBack>,
    /// What was kept of the answer.
    #[serde(skip_serializing_if = "Map::is_empty")]
    outputs: Map<String, Value>,
    /// The execution that it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    execution_id: Option<ExecutionId>,
    /// Oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt>,
}

/// What an approval step asked.
#[derive(Debug, Serialize, ToSchema)]
struct Gate {
    /// Counts from 1.
    round: u32,
    /// What an answer must name.
    #[schema(value_type = String)]
    digest: Digest,
}

impl From<&domain::GateRun> for Gate {
    fn from(gate: &domain::GateRun) -> Self {
        Self { round: gate.round, digest: gate.subject }
    }
}

/// Why a step was skipped.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "because", rename_all = "camelCase")]
enum SkipCause {
    /// The condition chose the other way.
    BranchNotTaken {
        #[schema(value_type = String)]
        condition: StepId,
    },
    /// Every step before it was skipped.
    NothingBefore,
    /// The rule of the step, or of its phase, did not hold.
    RuleNotMet { rule: String },
    /// A branch led past it.
    PassedBy {
        #[schema(value_type = String)]
        branch: StepId,
    },
    /// A step, or a group, failed, and the execution went on behind this one.
    AfterFailure {
        #[schema(value_type = String)]
        of: StepId,
    },
    /// Its group had come to its end before.
    GroupDecided {
        #[schema(value_type = String)]
        group: StepId,
    },
    /// The execution's risk demands no approval.
    NotDemanded,
    /// An undo of a step that certainly did nothing.
    NothingDone,
    /// A person let an undo be.
    LetBe {
        #[schema(value_type = String)]
        by: UserId,
        reason: String,
    },
}

impl From<&domain::SkipCause> for SkipCause {
    fn from(cause: &domain::SkipCause) -> Self {
        match cause {
            domain::SkipCause::BranchNotTaken { condition } => {
                Self::BranchNotTaken { condition: condition.clone() }
            }
            domain::SkipCause::NothingBefore => Self::NothingBefore,
            domain::SkipCause::RuleNotMet { rule } => Self::RuleNotMet { rule: rule.clone() },
            domain::SkipCause::PassedBy { branch } => Self::PassedBy { branch: branch.clone() },
            domain::SkipCause::AfterFailure { of } => Self::AfterFailure { of: of.clone() },
            domain::SkipCause::GroupDecided { group } => Self::GroupDecided { group: group.clone() },
            domain::SkipCause::NotDemanded => Self::NotDemanded,
            domain::SkipCause::NothingDone => Self::NothingDone,
            domain::SkipCause::LetBe { by, reason } => Self::LetBe { by: by.clone(), reason: reason.clone() },
        }
    }
}

impl Step {
    pub(crate) fn all_of(execution: &domain::Execution) -> Vec<Self> {
        let begun = |run: &domain::StepRun| {
            let attempt = run.attempts.first().map(|attempt| attempt.started_at);
            attempt.or_else(|| run.inner.as_ref().map(|inner| inner.started_at))
        };
        let mut steps: Vec<_> = execution.steps.iter().collect();
        // Skipped steps never began: they come last.
        steps.sort_by_key(|(_, run)| begun(run).map_or((1, Time::EPOCH), |at| (0, at)));
        steps.into_iter().map(|(id, run)| Self::of(execution, id, run)).collect()
    }

    fn of(execution: &domain::Execution, id: &StepId, run: &domain::StepRun) -> Self {
        let attempts = (1..).zip(&run.attempts);
        let inner = run.inner.as_ref();
        let step = Self {
            idempotency_key: run.request.as_ref().map(|_| execution.idempotency_key(id)),
            request_digest: run.request.as_ref().map(domain::StoredRequest::digest),
            started_at: inner.map(|inner| inner.started_at.into()),
            ended_at: inner.and_then(|inner| inner.ended_at).map(Moment::from),
            answer: inner.and_then(|inner| inner.answer),
            execution_id: inner.and_then(|inner| inner.child.clone()),
            way: inner.and_then(|inner| inner.way.clone()),
            gate: inner.and_then(|inner| inner.gate.as_ref()).map(Gate::from),
            called_back: inner.and_then(|inner| inner.called_back.as_ref()).map(CalledBack::from),
            outputs: run.outputs.clone(),
            attempts: attempts
                .map(|(number, attempt)| Attempt::of(number, execution.attempt_id(id, number), attempt))
                .collect(),
            ..Self::not_begun(id)
        };
        step.standing(&run.state)
    }

    fn not_begun(id: &StepId) -> Self {
        Self {
            id: id.clone(),
            name: None,
            part_of: (id.as_str() != id.written()).then(|| id.written().to_owned()),
            status: StepStatus::Pending,
            error: None,
            reason: None,
            waiting_until: None,
            skipped: None,
            idempotency_key: None,
            request_digest: None,
            started_at: None,
            ended_at: None,
            answer: None,
            way: None,
            gate: None,
            called_back: None,
            outputs: Map::new(),
            execution_id: None,
            attempts: Vec::new(),
        }
    }

    /// Names the steps that have begun after their nodes, and adds the nodes that have not.
    pub(crate) fn complete(steps: &mut Vec<Self>, nodes: &[NodeName]) {
        for node in nodes {
            match steps.iter_mut().find(|step| step.id == node.id) {
                Some(step) => step.name.clone_from(&node.name),
                None => steps.push(Self { name: node.name.clone(), ..Self::not_begun(&node.id) }),
            }
        }
    }

    fn standing(self, state: &domain::StepState) -> Self {
        match state {
            domain::StepState::Sending => Self { status: StepStatus::Sending, ..self },
            domain::StepState::Waiting { until } | domain::StepState::Delayed { until } => {
                Self { status: StepStatus::Waiting, waiting_until: Some((*until).into()), ..self }
            }
            domain::StepState::AwaitsChild { .. } | domain::StepState::Void => {
                Self { status: StepStatus::Waiting, ..self }
            }
            domain::StepState::AwaitsApproval { until } | domain::StepState::AwaitsCallback { until } => {
                Self { status: StepStatus::Waiting, waiting_until: Some((*until).into()), ..self }
            }
            domain::StepState::Armed => Self { status: StepStatus::Armed, ..self },
            domain::StepState::Succeeded => Self { status: StepStatus::Succeeded, ..self },
            domain::StepState::Skipped { because } => {
                Self { status: StepStatus::Skipped, skipped: Some(because.into()), ..self }
            }
            domain::StepState::Failed { error } => {
                Self { status: StepStatus::Failed, error: Some(error.clone()), ..self }
            }
            domain::StepState::NeedsReview { reason } => {
                Self { status: StepStatus::NeedsReview, reason: Some(reason.clone()), ..self }
            }
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StepStatus {
    /// It has not begun.
    Pending,
    /// Its last attempt is in flight.
    Sending,
    /// The next attempt starts later, a delay lasts, or another execution has to end first.
    Waiting,
    /// An undo, stored before its step began.
    Armed,
    Succeeded,
    /// No way led to it.
    Skipped,
    Failed,
    NeedsReview,
}

/// One attempt. Without an `outcome`, it is in flight.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Attempt {
    /// Counts from 1.
    number: usize,
    /// Sent as `muster-attempt-id`; no attempt id is sent twice.
    attempt_id: String,
    started_at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    #[serde(flatten)]
    outcome: Outcome,
    /// What became known after the attempt had been given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    late: Option<Outcome>,
    /// What a person found out about an unknown outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<Resolution>,
}

impl Attempt {
    fn of(number: usize, attempt_id: String, attempt: &domain::Attempt) -> Self {
        Self {
            number,
            attempt_id,
            started_at: attempt.started_at.into(),
            ended_at: attempt.ended_at.map(Moment::from),
            duration_ms: duration_ms(Some(attempt.started_at), attempt.ended_at),
            outcome: attempt.outcome.as_ref().map(Outcome::from).unwrap_or_default(),
            late: attempt.late.as_ref().map(Outcome::from),
            resolution: attempt.resolution.map(Resolution::from),
        }
    }
}

/// What is known about an attempt; nothing while it is in flight.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<OutcomeClass>,
    /// Why, unless the receiver answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    /// The receiver's `Retry-After`, as it asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// The start of the response's body, at most 1 KiB, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// Whether there was more than `body` shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum OutcomeClass {
    /// Nothing left this machine.
    Unsent,
    /// Muster itself declined to send.
    Refused,
    /// The receiver answered.
    Answered,
    /// The receiver may have got it, and nobody can know what it did.
    Unknown,
}

impl From<&outcome::Outcome> for Outcome {
    fn from(outcome: &outcome::Outcome) -> Self {
        match outcome {
            outcome::Outcome::Unsent { reason } => Self::unanswered(OutcomeClass::Unsent, reason),
            outcome::Outcome::Refused { reason } => Self::unanswered(OutcomeClass::Refused, reason),
            outcome::Outcome::Unknown { reason } => Self::unanswered(OutcomeClass::Unknown, reason),
            outcome::Outcome::Answered { status, retry_after_ms, body, truncated } => Self {
                outcome: Some(OutcomeClass::Answered),
                status_code: Some(*status),
                retry_after_ms: *retry_after_ms,
                body: Some(body.clone()),
                truncated: Some(*truncated),
                reason: None,
            },
        }
    }
}

impl Outcome {
    fn unanswered(class: OutcomeClass, reason: &str) -> Self {
        Self { outcome: Some(class), reason: Some(reason.to_owned()), ..Self::default() }
    }
}

/// What the receiver said last, over all steps.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastAnswer {
    /// Status code of the last attempt that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_status: Option<u16>,
    /// The start of its body, at most 1 KiB, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_body: Option<String>,
}

impl LastAnswer {
    pub(crate) fn of(execution: &domain::Execution) -> Self {
        let attempts = execution.steps.values().flat_map(|run| &run.attempts);
        let answers = attempts.filter_map(answer_of);
        answers.max_by_key(|(ended_at, _)| *ended_at).map(|(_, answer)| answer).unwrap_or_default()
    }
}

fn answer_of(attempt: &domain::Attempt) -> Option<(Option<Time>, LastAnswer)> {
    match attempt.outcome.as_ref()? {
        outcome::Outcome::Answered { status, body, .. } => {
            let answer = LastAnswer { response_status: Some(*status), response_body: Some(body.clone()) };
            Some((attempt.ended_at, answer))
        }
        outcome::Outcome::Unsent { .. }
        | outcome::Outcome::Refused { .. }
        | outcome::Outcome::Unknown { .. } => None,
    }
}

/// The body of a response as far as Muster kept it: at most 64 KiB, without secrets.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResponseBody {
    pub(crate) status_code: u16,
    pub(crate) body: String,
}
