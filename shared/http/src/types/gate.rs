//! Gates as the API shows them, and what people say to them.

use muster_app::gates::GateDetail;
use muster_domain::approval as domain;
use muster_domain::digest::Digest;
use muster_domain::ids::{ExecutionId, RunbookId, StepId, TeamId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::moment::Moment;
use super::page::Limit;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AnswerGate {
    /// The `digest` of what you saw: an answer to anything else does not count.
    #[schema(value_type = String)]
    digest: Digest,
    /// At most 500 characters; some approvals require it.
    #[serde(default)]
    reason: Option<String>,
    /// What the approval's form asks for.
    #[serde(default)]
    form: Option<Value>,
}

impl AnswerGate {
    pub(crate) fn saying(self, verdict: domain::Verdict) -> muster_app::gates::GateAnswer {
        let Self { digest, reason, form } = self;
        muster_app::gates::GateAnswer {
            verdict,
            digest,
            reason,
            form,
            via: domain::Via::Api,
            vouched_by: None,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Withdraw {
    /// Whose decision it is: your own, or as a platform admin anybody's.
    #[schema(value_type = String)]
    pub(crate) of: UserId,
    /// At most 500 characters.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// Whose answer is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum WaitingFor {
    /// Only approvals that the caller may decide now.
    Me,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ApprovalQuery {
    #[param(inline)]
    pub(crate) waiting_for: Option<WaitingFor>,
    /// Only this team's.
    #[param(value_type = Option<String>)]
    pub(crate) team_id: Option<TeamId>,
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    pub(crate) limit: Option<Limit>,
    /// `nextCursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// What an execution asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Approvals {
    pub(crate) items: Vec<StepApproval>,
}

/// One asking of one approval step. If what would run changes, the step asks again as the next round.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepApproval {
    #[schema(value_type = String)]
    execution_id: ExecutionId,
    #[schema(value_type = String)]
    step: StepId,
    /// Counts from 1.
    round: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    runbook: AskedRunbook,
    #[schema(value_type = String)]
    requested_by: UserId,
    /// Those whose own work it is: they decide nothing here, by whatever name.
    #[schema(value_type = Vec<String>)]
    excluded: Vec<UserId>,
    status: ApprovalStatus,
    /// Why it was rejected or is void.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    /// The digest of all that is approved; an answer must name it.
    #[schema(value_type = String)]
    digest: Digest,
    /// Each step that it covers: its request, or why that cannot be known yet.
    #[schema(value_type = Vec<Object>)]
    shown: Vec<Value>,
    /// In order: a level is asked once those before it have agreed.
    levels: Vec<Level>,
    /// Who is asked as well, and when.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    escalation: Vec<Rung>,
    reason_required: bool,
    /// A JSON Schema of what an approver fills in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    form: Option<Value>,
    asked_at: Moment,
    /// Answers that come at this moment or later are late.
    until: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Moment>,
    /// Oldest first.
    decisions: Vec<GateDecision>,
}

#[derive(Debug, Serialize, ToSchema)]
struct AskedRunbook {
    #[schema(value_type = String)]
    id: RunbookId,
    name: String,
    version: u32,
    #[schema(value_type = String)]
    digest: Digest,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ApprovalStatus {
    Open,
    Approved,
    Rejected,
    /// Nobody decided in time, which denies it.
    Expired,
    /// Nobody decided in time, and the run goes on.
    Proceeded,
    /// It approves nothing.
    Void,
}

#[derive(Debug, Serialize, ToSchema)]
struct Level {
    /// `team:<id>:<role>`, `platform-admin` or `user:<id>`.
    #[schema(value_type = Vec<String>)]
    of: Vec<domain::Approver>,
    needed: u32,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Rung {
    /// Counted from the asking.
    after_seconds: u64,
    #[schema(value_type = Vec<String>)]
    to: Vec<domain::Approver>,
    /// Whether they are asked already.
    asked: bool,
}

/// What one person said.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GateDecision {
    #[schema(value_type = String)]
    by: UserId,
    /// Counts from 1.
    level: usize,
    /// As what the person was let answer.
    #[schema(value_type = String)]
    right: domain::Approver,
    verdict: GateVerdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    form: Option<Value>,
    at: Moment,
    via: GateVia,
    /// Of an answer by a button in Slack: the platform admin who said who the Slack user is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    vouched_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn: Option<WithdrawnDecision>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum GateVerdict {
    Approve,
    Reject,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum GateVia {
    Api,
    Slack,
}

/// Who took a decision back.
#[derive(Debug, Serialize, ToSchema)]
struct WithdrawnDecision {
    #[schema(value_type = String)]
    by: UserId,
    at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<GateDetail> for StepApproval {
    fn from(detail: GateDetail) -> Self {
        let GateDetail { approval, ledger } = detail;
        let rung = usize::try_from(approval.rung).unwrap_or(usize::MAX);
        let (status, because) = shown_state(&approval.state);
        let question = approval.question;
        let decisions = ledger.into_iter().flat_map(|ledger| ledger.decisions);
        let escalation = question.spec.escalation.into_iter().enumerate();
        Self {
            execution_id: question.execution,
            step: question.step,
            round: question.round,
            team_id: question.team,
            runbook: AskedRunbook {
                id: question.runbook.id,
                name: question.runbook.name,
                version: question.runbook.version,
                digest: question.runbook.digest,
            },
            requested_by: question.requested_by,
            excluded: question.excluded.into_iter().collect(),
            status,
            because,
            digest: question.subject,
            shown: question.shown,
            levels: question.spec.levels.into_iter().map(Level::from).collect(),
            escalation: escalation.map(|(place, one)| Rung::of(one, place < rung)).collect(),
            reason_required: question.spec.reason_required,
            form: question.spec.form,
            asked_at: approval.asked_at.into(),
            until: approval.until.into(),
            closed_at: approval.closed_at.map(Moment::from),
            decisions: decisions.map(GateDecision::from).collect(),
        }
    }
}

fn shown_state(state: &domain::ApprovalState) -> (ApprovalStatus, Option<String>) {
    match state {
        domain::ApprovalState::Open => (ApprovalStatus::Open, None),
        domain::ApprovalState::Approved => (ApprovalStatus::Approved, None),
        domain::ApprovalState::Rejected { reason, .. } => (ApprovalStatus::Rejected, reason.clone()),
        domain::ApprovalState::Expired { outcome: domain::ExpiryOutcome::Denied } => {
            (ApprovalStatus::Expired, None)
        }
        domain::ApprovalState::Expired { outcome: domain::ExpiryOutcome::Proceeded } => {
            (ApprovalStatus::Proceeded, None)
        }
        domain::ApprovalState::Void { reason } => (ApprovalStatus::Void, Some(reason.clone())),
    }
}

impl From<domain::Level> for Level {
    fn from(level: domain::Level) -> Self {
        Self { of: level.of, needed: level.needed }
    }
}

impl Rung {
    fn of(rung: domain::Rung, asked: bool) -> Self {
        Self { after_seconds: rung.after_seconds, to: rung.to, asked }
    }
}

impl From<domain::Decision> for GateDecision {
    fn from(decision: domain::Decision) -> Self {
        Self {
            by: decision.by,
            level: decision.level.saturating_add(1),
            right: decision.right,
            verdict: match decision.verdict {
                domain::Verdict::Approve => GateVerdict::Approve,
                domain::Verdict::Reject => GateVerdict::Reject,
            },
            reason: decision.reason,
            form: decision.form,
            at: decision.at.into(),
            via: match decision.via {
                domain::Via::Api => GateVia::Api,
                domain::Via::Slack => GateVia::Slack,
            },
            vouched_by: decision.vouched_by,
            withdrawn: decision.withdrawn.map(|withdrawn| WithdrawnDecision {
                by: withdrawn.by,
                at: withdrawn.at.into(),
                reason: withdrawn.reason,
            }),
        }
    }
}
