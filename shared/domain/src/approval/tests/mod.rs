//! Who may decide what, when, and what it comes to.

mod answers;
mod due;
mod faults;
mod properties;
mod shapes;
mod table;

use std::collections::BTreeSet;

use serde_json::{Value, json};

pub(crate) use self::table::approval_table;
use super::*;
use crate::ids::RunbookId;
use crate::policy::Principal;

pub(super) const T0: Time = Time::from_millis(1_772_366_400_000);
pub(super) const GRACE: Duration = Duration::from_secs(30);

pub(super) fn after(seconds: u64) -> Time {
    T0.plus(Duration::from_secs(seconds))
}

pub(super) fn user(name: &str) -> UserId {
    name.parse().expect("valid")
}

/// `dan` asked for the run, `eve` wrote it; `ann2` and `dan2` are second names.
pub(super) fn principal(name: &str) -> Principal {
    let groups: &[&str] = match name {
        "ann" | "ann2" | "dan" | "fay" => &["team:ops:responder"],
        "bob" | "dan2" => &["team:ops:admin"],
        "vic" => &["team:ops:viewer"],
        "wes" => &["team:web:admin"],
        "eve" | "root" => &["platform-admin", "team:ops:admin"],
        _ => &[],
    };
    Principal::from_groups(user(name), groups.iter().copied())
}

fn person(id: &str, aliases: &[&str]) -> Person {
    let aliases = aliases.iter().map(|alias| user(alias)).collect();
    let (set_by, audit) = (user("root"), ChainHead::default());
    Person { id: user(id), aliases, set_by, created_at: T0, updated_at: T0, audit }
}

pub(super) fn people() -> People {
    People::of(&[person("ann", &["ann2"]), person("dan", &["dan2"])])
}

/// Two of the team, then carol or a platform admin; after ten minutes the admins of another team may answer as well.
pub(super) fn two_levels() -> Value {
    json!({
        "levels": [
            {"of": ["team:ops:responder"], "needed": 2},
            {"of": ["user:carol", "platform-admin"], "needed": 1},
        ],
        "escalation": [{"afterSeconds": 600, "to": ["team:web:admin"]}],
    })
}

pub(super) fn spec(value: Value) -> GateSpec {
    serde_json::from_value(value).expect("parses")
}

pub(super) fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

pub(super) fn gate(value: Value) -> Approval {
    let runbook = PinnedRunbook {
        id: RunbookId::new(T0, 1),
        name: "Drain".into(),
        version: 3,
        digest: digest("version"),
    };
    let question = Question {
        execution: ExecutionId::new(T0, 2),
        step: "drain-ok".parse().expect("valid"),
        round: 1,
        team: Some("ops".parse().expect("valid")),
        runbook,
        requested_by: user("dan"),
        excluded: BTreeSet::from([user("eve")]),
        spec: spec(value),
        subject: digest("subject"),
        bindings: BTreeMap::from([("cordon".parse().expect("valid"), digest("cordon"))]),
        shown: vec![json!({"request": {"url": "https://k8s.example/cordon"}, "step": "cordon"})],
    };
    Approval::asked(question, T0)
}

/// An approval and its ledger, as they are stored one after the other.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    pub(super) approval: Approval,
    pub(super) ledger: Option<Ledger>,
}

impl Gate {
    pub(super) fn of(value: Value) -> Self {
        Self { approval: gate(value), ledger: None }
    }

    pub(super) fn standing(&self) -> Standing {
        self.approval.standing(&people(), self.ledger.as_ref())
    }

    /// What a person says, with a reason and what they saw.
    pub(super) fn say(&mut self, name: &str, verdict: Verdict, now: Time) -> Result<Answered, Refusal> {
        let (principal, people) = (principal(name), people());
        let (digest, reason) = (self.approval.question.subject, Some("looked".to_owned()));
        let given = Given {
            principal: &principal,
            people: &people,
            verdict,
            digest,
            reason,
            form: None,
            via: Via::Api,
            vouched_by: None,
        };
        self.give(&given, now)
    }

    pub(super) fn give(&mut self, given: &Given<'_>, now: Time) -> Result<Answered, Refusal> {
        let answered = answer(&self.approval, self.ledger.as_ref(), given, now)?;
        self.ledger = Some(answered.ledger.clone());
        if let Some(state) = &answered.closes {
            self.approval = self.approval.clone().closed(state.clone(), GRACE, now);
        }
        Ok(answered)
    }

    pub(super) fn take_back(&mut self, by: &str, of: &str, now: Time) -> Result<(), WithdrawRefusal> {
        let withdrawal = Withdrawal { by: &principal(by), of: &user(of), reason: Some("moved team".into()) };
        self.ledger = Some(withdraw(&self.approval, self.ledger.as_ref(), withdrawal, now)?);
        Ok(())
    }

    /// One act of a script: `ann+` approves, `ann-` rejects, `ann!ann` takes back, `^` lets ten minutes pass.
    fn act(&mut self, act: &str) -> String {
        let now = after(1);
        if act == "^" {
            let escalated = escalate(&self.approval, after(600));
            self.approval = escalated.map_or_else(|| self.approval.clone(), |escalated| escalated.approval);
            return shown(&self.standing());
        }
        if let Some((by, of)) = act.split_once('!') {
            let taken = self.take_back(by, of, now);
            return taken.map_or_else(|refusal| withdraw_word(&refusal).into(), |()| shown(&self.standing()));
        }
        let (name, verdict) = match act.strip_suffix('+') {
            Some(name) => (name, Verdict::Approve),
            None => (act.strip_suffix('-').expect("an act"), Verdict::Reject),
        };
        let said = self.say(name, verdict, now);
        said.map_or_else(|refusal| refusal_word(&refusal).into(), |_| shown(&self.standing()))
    }

    /// Plays a script and tells what the last act came to.
    pub(super) fn play(&mut self, script: &str) -> String {
        script.split_whitespace().map(|act| self.act(act)).last().unwrap_or_default()
    }
}

pub(super) fn shown(standing: &Standing) -> String {
    match standing {
        Standing::Open { level } => format!("open {level}"),
        Standing::Approved => "approved".into(),
        Standing::Rejected { by, .. } => format!("rejected by {by}"),
    }
}

pub(super) const fn refusal_word(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Closed(_) => "closed",
        Refusal::Late(_) => "late",
        Refusal::OtherDigest(_) => "other digest",
        Refusal::OwnWork { .. } => "own work",
        Refusal::OwnWord { .. } => "own word",
        Refusal::Again { .. } => "again",
        Refusal::Revoked { .. } => "revoked",
        Refusal::NotAnApprover { .. } => "not an approver",
        Refusal::ReasonMissing => "reason missing",
        Refusal::FormFault(_) => "form",
        Refusal::Full => "full",
    }
}

pub(super) const fn withdraw_word(refusal: &WithdrawRefusal) -> &'static str {
    match refusal {
        WithdrawRefusal::Passed => "passed",
        WithdrawRefusal::Closed(_) => "closed",
        WithdrawRefusal::NothingStands { .. } => "nothing stands",
        WithdrawRefusal::NotYours { .. } => "not yours",
    }
}
