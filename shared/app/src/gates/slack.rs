//! Answering a gate with a button in Slack: proven by Slack's signature and by Muster's own on the button, judged like any other
//! answer, and answered where it was given.

use muster_domain::approval::{Approval, ApprovalState, Button, Click, Verdict, Via};
use muster_domain::digest::Digest;
use muster_domain::fault::Fault;
use muster_domain::ids::SlackUserId;
use muster_domain::notification::{Notification, Reply, Seen, SlackPerson};
use muster_domain::sources::verification::{Headers, Rejected, Scheme, Verified, verify};

use super::{GateAnswer, GateDetail};
use crate::caller::Idempotency;
use crate::notifications::job_of;
use crate::signing_keys::SigningKey;
use crate::table::{CommitError, Write};
use crate::{App, Caller, Error};

/// A request that Slack has signed.
#[derive(Debug)]
pub struct SignedBySlack<'b> {
    body: &'b [u8],
    verified: Verified,
}

impl App {
    /// Whether Slack sent these bytes, not long ago. Reads no table.
    pub async fn prove_slack<'b>(
        &self,
        headers: &Headers<'_>,
        body: &'b [u8],
    ) -> Result<SignedBySlack<'b>, Error> {
        let Some(secrets) = &self.slack else {
            tracing::warn!("something came for Slack's buttons, whose signing secret is not configured");
            return Err(Error::NotFromSlack);
        };
        let secrets = secrets.accepted().await?;
        let secrets: Vec<&[u8]> = secrets.iter().map(SigningKey::expose).collect();
        let verified = verify(&Scheme::Slack, &secrets, headers, body, self.clock.now());
        verified.map(|verified| SignedBySlack { body, verified }).map_err(|rejected: Rejected| {
            tracing::warn!(%rejected, "refused what does not prove that it comes from Slack");
            Error::NotFromSlack
        })
    }

    /// Takes what somebody did in Slack. An answer that does not count is no error: whoever gave it is told there why.
    pub async fn answer_in_slack(
        &self,
        signed: &SignedBySlack<'_>,
        correlation_id: Option<String>,
    ) -> Result<(), Error> {
        let click = Click::read(signed.body).map_err(|error| {
            let message = crate::error::chain(&error);
            Error::Invalid(vec![Fault::new("/payload", message)])
        })?;
        let Some(click) = click else { return Ok(()) };
        let button = self.button_of(&click).await?;
        let (text, seen) = match self.known_in_slack(&button, &click.by).await? {
            None => (unknown(&button, &click.by), Seen::ByPresser),
            Some(person) => {
                let caller = caller(&person, signed, correlation_id);
                let answered = self.answer_as(&caller, &button, &click, person).await?;
                told(&caller, &click, answered)
            }
        };
        let (at, to) = (self.clock.now(), (click.reply_to, seen));
        let click = Digest::of_bytes(signed.verified.replay_key.as_bytes());
        let reply = Reply { step: button.step.clone(), round: button.round, click, text, at };
        let due_at = at.plus(self.settings.nudge_grace);
        self.owe_reply(Notification::reply(&button, reply, to, due_at)).await
    }

    /// The button, if Muster made it.
    async fn button_of(&self, click: &Click) -> Result<Button, Error> {
        let keys = match &self.callbacks {
            Some(callbacks) => callbacks.keys.accepted().await?,
            None => Vec::new(),
        };
        let button = keys.iter().find_map(|key| Button::of_value(key.expose(), &click.value));
        button.ok_or_else(|| {
            tracing::warn!(slack_user = %click.by, "refused a button that is not one of Muster's");
            Error::NotFromSlack
        })
    }

    async fn known_in_slack(&self, button: &Button, id: &SlackUserId) -> Result<Option<SlackPerson>, Error> {
        let team = self.load_team(&button.team).await?;
        Ok(team.and_then(|team| team.value.settings.slack_person(id)))
    }

    /// The inner result is for whoever pressed the button; of the outer, Slack is told that it failed.
    async fn answer_as(
        &self,
        caller: &Caller,
        button: &Button,
        click: &Click,
        person: SlackPerson,
    ) -> Result<Result<GateDetail, Error>, Error> {
        let given = GateAnswer {
            verdict: click.verdict,
            digest: button.digest,
            reason: click.reason.clone(),
            form: None,
            via: Via::Slack,
            vouched_by: Some(person.vouched_by),
        };
        match self.answer_gate(caller, (&button.execution, &button.step), &given).await {
            Err(error) if error.retryable() => Err(error),
            answered => Ok(answered),
        }
    }

    /// A repeat of the same click owes the same, once.
    async fn owe_reply(&self, reply: Notification) -> Result<(), Error> {
        let (job, team) = (job_of(&reply), reply.team.clone());
        match self.table.commit(vec![Write::create(reply)]).await {
            Ok(()) => self.tell_soon(vec![(job, team)]).await,
            Err(CommitError::Conflict { .. }) => {}
            Err(CommitError::Table(error)) => return Err(error.into()),
        }
        Ok(())
    }
}

/// Slack's signature covers the time and all that was pressed, so that a replay is the same request again.
fn caller(person: &SlackPerson, signed: &SignedBySlack<'_>, correlation_id: Option<String>) -> Caller {
    let principal = person.principal.clone();
    let key = &signed.verified.replay_key;
    let idempotency = Idempotency::new(principal.user.as_str(), "slack", key, signed.body);
    Caller { principal, idempotency: Some(idempotency), correlation_id }
}

fn unknown(button: &Button, by: &SlackUserId) -> String {
    format!(
        "Your answer does not count: Muster does not know who the Slack user {by} is. A platform admin can say so, with \
         `slackUserId` and `slackGroups` in the settings of team {}",
        button.team
    )
}

/// What whoever pressed the button, or everybody, is told.
fn told(caller: &Caller, click: &Click, answered: Result<GateDetail, Error>) -> (String, Seen) {
    match answered {
        Err(error) => (format!("Your answer does not count: {}", refusal(&error)), Seen::ByPresser),
        Ok(detail) => {
            let said = counted(caller, click, &detail.approval);
            if detail.approval.state == ApprovalState::Open {
                (format!("{said}. Others are still asked"), Seen::Below)
            } else {
                (said, Seen::InPlace)
            }
        }
    }
}

fn refusal(error: &Error) -> String {
    let Error::Invalid(faults) = error else { return error.to_string() };
    let faults = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.message));
    faults.collect::<Vec<_>>().join("; ")
}

fn counted(caller: &Caller, click: &Click, approval: &Approval) -> String {
    let user = &caller.principal.user;
    let said = match click.verdict {
        Verdict::Approve => "approved",
        Verdict::Reject => "rejected",
    };
    let question = &approval.question;
    let what =
        format!("step {} of runbook {} ({})", question.step, question.runbook.name, question.execution);
    let why = click.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{user} {said} {what}{why}")
}
