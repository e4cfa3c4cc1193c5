//! The printed table of a gate: every state and every event.

use super::*;

/// Two of a team, then one person; who does not answer lets it end as `on_expiry` says.
fn asked(on_expiry: &str) -> Gate {
    let mut value = two_levels();
    value["onExpiry"] = json!(on_expiry);
    Gate::of(value)
}

fn played(script: &str) -> Gate {
    let mut gate = asked("deny");
    gate.play(script);
    gate
}

fn closed(state: ApprovalState) -> Gate {
    let gate = played("bob+");
    Gate { approval: gate.approval.closed(state, GRACE, after(3_600)), ..gate }
}

/// Each kind of state, and the moment at which the table looks at it.
fn states() -> Vec<(&'static str, Gate, Time)> {
    let approved = played("bob+ fay+ carol+");
    let passed = Gate { approval: approved.approval.clone().settled(), ..approved.clone() };
    let expired = |outcome| closed(ApprovalState::Expired { outcome });
    vec![
        ("open", played(""), after(2)),
        ("open, a rung is due", played("bob+"), after(600)),
        ("open, one of two agreed", played("bob+"), after(2)),
        ("open, the first level agreed", played("bob+ fay+"), after(2)),
        ("open, time is up: deny", played("bob+"), after(3_600)),
        ("open, time is up: escalate", asked("escalate"), after(3_600)),
        ("open, time is up: proceed", asked("proceed"), after(3_600)),
        ("approved", approved, after(2)),
        ("approved, the run went on", passed, after(2)),
        ("rejected", played("bob-"), after(2)),
        ("expired, denied", expired(ExpiryOutcome::Denied), after(3_601)),
        ("expired, proceeded", expired(ExpiryOutcome::Proceeded), after(3_601)),
        ("void", closed(ApprovalState::Void { reason: "drift".into() }), after(3_601)),
    ]
}

const EVENTS: [&str; 13] = [
    "ann approves",
    "carol of the second level approves",
    "bob approves",
    "the requester's alias approves",
    "a writer who is an admin approves",
    "an outsider approves",
    "ann approves what has changed",
    "ann rejects",
    "bob takes back",
    "an admin takes back bob's",
    "sweeper: escalate",
    "worker: expire",
    "worker: void",
];

fn cell(gate: &Gate, event: &str, now: Time) -> String {
    let mut gate = gate.clone();
    match event {
        "ann approves" => says(&mut gate, "ann", Verdict::Approve, now),
        "carol of the second level approves" => says(&mut gate, "carol", Verdict::Approve, now),
        "bob approves" => says(&mut gate, "bob", Verdict::Approve, now),
        "the requester's alias approves" => says(&mut gate, "dan2", Verdict::Approve, now),
        "a writer who is an admin approves" => says(&mut gate, "eve", Verdict::Approve, now),
        "an outsider approves" => says(&mut gate, "mallory", Verdict::Approve, now),
        "ann approves what has changed" => says_of_another(&mut gate, now),
        "ann rejects" => says(&mut gate, "ann", Verdict::Reject, now),
        "bob takes back" => takes_back(&mut gate, "bob", now),
        "an admin takes back bob's" => takes_back(&mut gate, "root", now),
        "sweeper: escalate" => escalate(&gate.approval, now).map_or_else(nothing, |more| asks(&more)),
        "worker: expire" => expire(&gate.approval, now).map_or_else(nothing, |expiry| ends(&expiry)),
        "worker: void" => {
            gate.approval.voided("drift".into(), now).map_or_else(nothing, |void| state_of(&void.state))
        }
        _ => unreachable!("not an event: {event}"),
    }
}

fn says(gate: &mut Gate, name: &str, verdict: Verdict, now: Time) -> String {
    said(gate.say(name, verdict, now), gate)
}

fn says_of_another(gate: &mut Gate, now: Time) -> String {
    let (principal, people) = (principal("ann"), people());
    let (verdict, reason, form, via) = (Verdict::Approve, None, None, Via::Slack);
    let digest = digest("what it was before");
    let given = Given {
        principal: &principal,
        people: &people,
        verdict,
        digest,
        reason,
        form,
        via,
        vouched_by: None,
    };
    said(gate.give(&given, now), gate)
}

fn said(said: Result<Answered, Refusal>, gate: &Gate) -> String {
    match said {
        Ok(Answered { closes: Some(state), .. }) => state_of(&state),
        Ok(Answered { closes: None, .. }) => shown(&gate.standing()),
        Err(refusal) => format!("refused: {}", refusal_word(&refusal)),
    }
}

fn takes_back(gate: &mut Gate, by: &str, now: Time) -> String {
    let taken = gate.take_back(by, "bob", now);
    taken.map_or_else(
        |refusal| format!("refused: {}", withdraw_word(&refusal)),
        |()| format!("{}, standing {}", state_of(&gate.approval.state), shown(&gate.standing())),
    )
}

fn asks(escalated: &Escalated) -> String {
    let whom: Vec<String> = escalated.notify.iter().map(ToString::to_string).collect();
    format!("open + notify {}", whom.join(", "))
}

fn ends(expiry: &Expiry) -> String {
    match expiry {
        Expiry::Closes(state) => state_of(state),
        Expiry::Extends(escalated) => format!("{}, one more period", asks(escalated)),
    }
}

fn nothing() -> String {
    "nothing".into()
}

fn state_of(state: &ApprovalState) -> String {
    match state {
        ApprovalState::Open => "open".into(),
        ApprovalState::Approved => "approved".into(),
        ApprovalState::Rejected { by, .. } => format!("rejected by {by}"),
        ApprovalState::Expired { outcome: ExpiryOutcome::Denied } => "expired, denied".into(),
        ApprovalState::Expired { outcome: ExpiryOutcome::Proceeded } => "expired, proceeded".into(),
        ApprovalState::Void { .. } => "void".into(),
    }
}

/// Markdown, as `docs/STATE-MACHINES.md` has it.
pub(crate) fn approval_table() -> String {
    let mut text = String::from("| state | event | becomes |\n|---|---|---|\n");
    for (name, gate, now) in states() {
        for event in EVENTS {
            text.push_str(&format!("| {name} | {event} | {} |\n", cell(&gate, event, now)));
        }
    }
    text
}
