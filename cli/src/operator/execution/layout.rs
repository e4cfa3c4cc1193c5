//! Executions arranged for people.

use serde_json::Value;

use crate::operator::output::{Layout, field, items, timestamp};

pub(super) fn execution(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    let mut facts = vec![
        ("ID", at("/id")),
        ("Status", at("/status")),
        pinned(body),
        ("Team", at("/teamId")),
        ("Requested by", at("/requestedBy")),
        ("Incident", at("/incident/id")),
        ("Parameters", at("/parameters")),
        ("Created", timestamp(body, "/createdAt")),
        ("Started", timestamp(body, "/startedAt")),
        ("Ended", timestamp(body, "/endedAt")),
        ("Duration", duration(body)),
        ("Why", why(body)),
    ];
    facts.extend(body.get("target").map(|target| ("Target", target_of(target))));
    facts.extend(body.get("risk").map(|risk| ("Risk", risk_of(risk))));
    facts.extend(body.get("verdict").map(|verdict| ("Verdict", verdict_of(verdict))));
    facts.extend(body.get("freezePass").map(|pass| ("Freeze", passed(pass))));
    facts.extend(body.get("pause").map(|pause| ("Paused", asked(pause, "/pauseRequestedAt"))));
    facts.extend(body.get("stop").map(|stop| ("Stop", asked(stop, "/stopRequestedAt"))));
    let steps = body.get("steps").and_then(Value::as_array);
    if body.get("workflow").is_some() {
        facts.extend(steps.into_iter().flatten().map(|step| ("Node", node(step))));
    } else if steps.is_some_and(|steps| steps.len() > 1) {
        facts.extend(steps.into_iter().flatten().map(|step| ("Step", node(step))));
    }
    facts.extend(steps.into_iter().flatten().flat_map(attempts).map(|attempt| ("Attempt", attempt)));
    Layout::facts(facts)
}

/// The version that it runs, of a runbook or of a workflow.
fn pinned(body: &Value) -> (&'static str, String) {
    let version = |pinned: &Value| {
        format!("{} {} version {}", field(pinned, "/id"), field(pinned, "/name"), field(pinned, "/version"))
    };
    match body.get("workflow") {
        Some(workflow) => ("Workflow", version(workflow)),
        None => ("Runbook", version(body.get("runbook").unwrap_or(&Value::Null))),
    }
}

/// What it works on, and by which right, or whose end it waits for.
fn target_of(target: &Value) -> String {
    let name = field(target, "/name");
    match (target.get("lease"), target.get("behind")) {
        (Some(lease), _) => {
            format!("{name}, held under fence {} by {}", field(lease, "/fence"), field(lease, "/owner"))
        }
        (None, Some(_)) => format!("{name}, behind {}", field(target, "/behind")),
        (None, None) => name,
    }
}

/// The score, and what makes it up.
pub(crate) fn risk_of(risk: &Value) -> String {
    let factors = items(risk, "factors").iter().map(|factor| {
        format!("{} {}: {}", field(factor, "/points"), field(factor, "/name"), field(factor, "/why"))
    });
    format!("{} of 100 ({})", field(risk, "/score"), factors.collect::<Vec<_>>().join("; "))
}

/// Why change freezes did not bind it.
fn passed(pass: &Value) -> String {
    match field(pass, "/by").as_str() {
        "breakGlass" => format!("passed by break-glass {}", field(pass, "/id")),
        _ => format!("bound with {}, of which it is a part", field(pass, "/execution")),
    }
}

fn verdict_of(verdict: &Value) -> String {
    format!("{}: {}", field(verdict, "/is"), field(verdict, "/because"))
}

/// Who asked for a pause or a stop, and how long it took until nothing was in flight.
fn asked(request: &Value, at: &str) -> String {
    let latency = match request.get("latencyMs").and_then(Value::as_u64) {
        Some(millis) => format!("in effect after {millis} ms"),
        None => "a call is still in flight".to_owned(),
    };
    let (by, reason) = (field(request, "/by"), field(request, "/reason"));
    format!("{} by {by}, {latency}: {reason}", timestamp(request, at))
}

/// Where one node of a workflow, or one step of a runbook, stands.
fn node(step: &Value) -> String {
    let name = field(step, "/name");
    let name = if name == "-" { String::new() } else { format!(", {name}") };
    format!("{}: {}{name}", field(step, "/id"), field(step, "/status"))
}

pub(super) fn executions(body: &Value) -> Layout {
    let head = ["ID", "STATUS", "RUNBOOK", "VERSION", "BY", "CREATED", "DURATION", "WHY"];
    Layout::rows(&head, body, |item| {
        vec![
            field(item, "/id"),
            field(item, "/status"),
            field(item, "/runbook/name"),
            field(item, "/runbook/version"),
            field(item, "/requestedBy"),
            timestamp(item, "/createdAt"),
            duration(item),
            why(item),
        ]
    })
}

/// Each failure with why there was nobody to tell, or with who was, and is still to be.
pub(super) fn notifications(body: &Value) -> Layout {
    let mut facts = Vec::new();
    for item in items(body, "items") {
        let what =
            format!("{} at {}: {}", field(item, "/status"), timestamp(item, "/at"), field(item, "/error"));
        facts.push(("Failure", what));
        facts.extend(item.get("reason").map(|_| ("Nobody told", field(item, "/reason"))));
        facts.extend(items(item, "recipients").iter().map(|recipient| ("Told", told(recipient))));
    }
    Layout::facts(facts)
}

fn told(recipient: &Value) -> String {
    let at = |pointer| field(recipient, pointer);
    let told = format!("{} {}: {}, attempts {}", at("/kind"), at("/user"), at("/state"), at("/attempts"));
    if recipient.get("lastError").is_some() { format!("{told}, {}", at("/lastError")) } else { told }
}

/// Why it stands where it does: the error, or the reason of a cancellation or review, or what it waits for.
pub(crate) fn why(execution: &Value) -> String {
    let there = ["/error", "/reason"].into_iter().find(|pointer| execution.pointer(pointer).is_some());
    there.map_or_else(|| waiting(execution), |pointer| field(execution, pointer))
}

fn waiting(execution: &Value) -> String {
    let moment = timestamp(execution, "/waitingUntil");
    match field(execution, "/waitingOn").as_str() {
        "-" => "-".to_owned(),
        "retry" => format!("waits for its next attempt, not before {moment}"),
        "worker" => "waits for a worker".to_owned(),
        "delay" => format!("waits until {moment}"),
        "child" => "waits for an execution that it started".to_owned(),
        "approval" => format!("waits for people to decide, until {moment}"),
        "callback" => format!("waits for the receiver to call back, until {moment}"),
        "lease" => format!("waits for its turn at its target, not before {moment}"),
        other => format!("waits for {other}, until {moment}"),
    }
}

pub(crate) fn duration(value: &Value) -> String {
    match value.get("durationMs").and_then(Value::as_u64) {
        Some(millis) => format!("{}.{:03} s", millis / 1_000, millis % 1_000),
        None => "-".to_owned(),
    }
}

/// The attempts of one step, a line each.
fn attempts(step: &Value) -> Vec<String> {
    let id = field(step, "/id");
    let made = step.get("attempts").and_then(Value::as_array);
    let line = |attempt: &Value| {
        let number = field(attempt, "/number");
        format!("{number} of {id}: {} in {}", what_became(attempt), duration(attempt))
    };
    made.into_iter().flatten().map(line).collect()
}

/// The receiver's status, or the class of outcome and why.
pub(super) fn what_became(attempt: &Value) -> String {
    match (field(attempt, "/statusCode").as_str(), field(attempt, "/outcome").as_str()) {
        ("-", "-") => "in flight".to_owned(),
        ("-", class) => format!("{class}, {}", field(attempt, "/reason")),
        (status, _) => status.to_owned(),
    }
}
