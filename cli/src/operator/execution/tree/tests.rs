//! Trees of one run at different moments.

use serde_json::json;

use super::*;

const EXECUTION: &str = "ex_01JNF0Q2M0000000000000000B";

fn definition() -> Value {
    let call = |id: &str, name: &str, kind: &str| json!({"id": id, "name": name, "type": kind, "action": {"type": "webhook"}});
    json!({
        "name": "Drain a node",
        "prerequisites": [
            {"id": "serious", "name": "It is serious", "rule": "true"},
            {"id": "calm", "noFreeze": true},
        ],
        "phases": [
            {"id": "diagnose", "name": "Diagnose", "steps": [
                {"parallel": {"id": "gather", "name": "Look", "steps": [
                    call("usage", "Memory by pod", "diagnostic"), call("killed", "Killed pods", "diagnostic"),
                ]}},
            ]},
            {"id": "decide", "steps": [{"id": "drain-ok", "name": "May it be drained?", "type": "approval"}]},
            {"id": "act", "name": "Act", "steps": [
                call("cordon", "Keep pods away", "remediation"),
                {"id": "settle", "type": "delay", "seconds": 60},
                with(call("drain", "Move the pods", "remediation"), "callback", json!({"timeoutSeconds": 900})),
            ]},
        ],
        "verification": {"probe": {"url": "https://a.example/", "expect": "true"}, "settleSeconds": 30},
    })
}

fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

fn at(second: u32) -> String {
    format!("2026-03-01T12:{:02}:{:02}.000Z", second / 60, second % 60)
}

fn called(id: &str, status: &str, attempts: &[(u32, Option<u16>)]) -> Value {
    let attempts = attempts.iter().zip(1..).map(|((began, answered), number)| match answered {
        Some(answered) => json!({
            "number": number, "startedAt": at(*began), "endedAt": at(began + 1), "statusCode": answered, "outcome": "answered",
        }),
        None => json!({"number": number, "startedAt": at(*began)}),
    });
    json!({"id": id, "status": status, "attempts": attempts.collect::<Vec<_>>()})
}

/// A run of the definition with these steps.
fn execution(status: &str, mut steps: Vec<Value>, more: Value) -> Value {
    let mut begun = vec![
        json!({"id": "serious.prerequisite", "status": "SUCCEEDED", "startedAt": at(0), "endedAt": at(0)}),
        called("baseline.probe", "SUCCEEDED", &[(0, Some(200))]),
        json!({"id": "risk.gate", "status": "SKIPPED", "skipped": {"because": "notDemanded"}}),
    ];
    begun.append(&mut steps);
    let mut execution = json!({
        "id": EXECUTION, "status": status, "requestedBy": "ann", "steps": begun, "createdAt": at(0),
        "runbook": {"id": "rb_1", "name": "Drain a node", "version": 3},
        "risk": {"score": 30, "factors": [{"points": 30, "name": "riskLevel", "why": "drain is high"}]},
    });
    execution.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    execution
}

fn looked() -> Vec<Value> {
    vec![
        called("usage", "SUCCEEDED", &[(1, Some(503)), (3, Some(200))]),
        json!({"id": "killed", "status": "SKIPPED", "skipped": {"because": "ruleNotMet", "rule": "params.full == true"}}),
    ]
}

fn drawn(execution: &Value, approvals: &Value) -> String {
    let definition = definition();
    let now = at(60).parse().unwrap();
    draw(Sight { execution, definition: &definition, approvals, now }, Paint::Plain).join("\n")
}

#[test]
fn a_group_in_flight() {
    let steps = vec![
        called("usage", "SENDING", &[(1, Some(503)), (3, None)]),
        with(called("killed", "WAITING", &[(1, Some(503))]), "waitingUntil", json!(at(62))),
    ];
    insta::assert_snapshot!(drawn(&execution("RUNNING", steps, json!({})), &Value::Null));
}

/// Whoever looks learns who is asked, until when, and what to type.
#[test]
fn people_are_asked() {
    let gate = json!({
        "id": "drain-ok", "status": "WAITING", "startedAt": at(5), "waitingUntil": at(1_805),
        "gate": {"round": 2, "digest": "ab12"},
    });
    let asking = |round: u32, status: &str| {
        json!({
            "executionId": EXECUTION, "step": "drain-ok", "round": round, "status": status, "digest": "ab12",
            "levels": [{"of": ["team:ops:responder"], "needed": 2}, {"of": ["platform-admin"], "needed": 1}],
            "escalation": [{"afterSeconds": 600, "to": ["team:sre:admin"], "asked": false}],
            "askedAt": at(5), "until": at(1_805),
            "decisions": [{"by": "carl", "verdict": "APPROVE"}, {"by": "dan", "verdict": "APPROVE", "withdrawn": {"by": "dan"}}],
        })
    };
    let approvals = json!({"items": [asking(1, "VOID"), asking(2, "OPEN")]});
    let steps = [looked(), vec![gate]].concat();
    let waiting = execution("WAITING", steps, json!({"waitingOn": "approval", "waitingUntil": at(1_805)}));
    insta::assert_snapshot!("people_are_asked", drawn(&waiting, &approvals));
    let unknown = drawn(&waiting, &Value::Null);
    let gate = unknown.lines().find(|line| line.contains("drain-ok")).unwrap_or_default();
    insta::assert_snapshot!("people_are_asked_and_nobody_may_know", gate);
}

#[test]
fn a_delay_a_pause_and_a_call_back() {
    let cordon = called("cordon", "SUCCEEDED", &[(10, Some(200))]);
    let undo = json!({"id": "cordon.undo", "status": "ARMED"});
    let delay = json!({"id": "settle", "status": "WAITING", "startedAt": at(11), "waitingUntil": at(71)});
    let pause = json!({"pause": {"by": "bo", "reason": "look first", "latencyMs": 12}});
    let paused = execution("PAUSED", vec![cordon.clone(), undo.clone(), delay], pause);
    insta::assert_snapshot!("a_delay_and_a_pause", drawn(&paused, &Value::Null));
    let drain = with(called("drain", "WAITING", &[(12, Some(202))]), "waitingUntil", json!(at(912)));
    let waiting = execution("WAITING", vec![cordon, undo, drain], json!({"waitingOn": "callback"}));
    insta::assert_snapshot!("a_call_back", drawn(&waiting, &Value::Null));
}

#[test]
fn what_was_taken_back_by_hand_says_by_whom() {
    let undo = called("cordon.undo", "SUCCEEDED", &[(14, Some(500)), (15, Some(500))]);
    let trail = json!([
        {"event": "undoDecided", "by": "cy", "step": "cordon", "decision": "retry", "reason": "once more"},
        {"event": "undoDecided", "by": "bo", "step": "cordon", "decision": "done", "reason": "uncordoned by hand"},
    ]);
    let unwinding = json!({"unwinding": {"reason": "no"}, "trail": trail});
    let steps = vec![called("cordon", "SUCCEEDED", &[(10, Some(200))]), undo];
    let tree = drawn(&execution("ROLLED_BACK", steps, unwinding), &Value::Null);
    let line = tree.lines().find(|line| line.contains("cordon.undo")).unwrap_or_default();
    assert!(line.ends_with("SUCCEEDED, bo took it back by hand: uncordoned by hand"), "{tree}");
}

#[test]
fn nothing_of_an_ended_run_waits() {
    let steps = vec![with(called("cordon", "WAITING", &[(1, Some(503))]), "waitingUntil", json!(at(62)))];
    let killed = execution("CANCELLED", steps, json!({"endedAt": at(3), "reason": "enough"}));
    let tree = drawn(&killed, &Value::Null);
    assert!(!tree.contains("WAITING"), "{tree}");
    assert!(tree.lines().any(|line| line.contains("cordon (") && line.ends_with("not finished")), "{tree}");
}

#[test]
fn an_answer_that_came_while_the_run_is_paused_is_shown() {
    let gate =
        json!({"id": "drain-ok", "status": "WAITING", "waitingUntil": at(1_805), "gate": {"round": 1}});
    let approvals = json!({"items": [{"step": "drain-ok", "round": 1, "status": "APPROVED"}]});
    let tree = drawn(&execution("PAUSED", vec![gate], json!({})), &approvals);
    assert!(tree.contains("WAITING to go on; people have answered: APPROVED"), "{tree}");
}

#[test]
fn a_turn_at_the_target() {
    let waiting = execution("WAITING", Vec::new(), json!({"waitingOn": "lease", "waitingUntil": at(90)}));
    let lines = drawn(&waiting, &Value::Null);
    let status = lines.lines().nth(1).unwrap_or_default();
    insta::assert_snapshot!(status);
}

#[test]
fn what_was_done_is_taken_back_the_last_first() {
    let steps = vec![
        called("cordon", "SUCCEEDED", &[(10, Some(200))]),
        with(called("drain", "FAILED", &[(12, Some(500))]), "error", json!("the receiver answered 500")),
        called("drain.undo", "SUCCEEDED", &[(14, Some(200))]),
        called("cordon.undo", "SENDING", &[(15, Some(503)), (16, None)]),
    ];
    let unwinding = json!({"unwinding": {"reason": "the receiver answered 500", "since": at(13)}});
    insta::assert_snapshot!(drawn(
        &execution("RUNNING", [looked(), steps].concat(), unwinding),
        &Value::Null
    ));
}

#[test]
fn a_run_that_helped() {
    let steps = vec![
        called("cordon", "SUCCEEDED", &[(10, Some(200))]),
        json!({"id": "cordon.undo", "status": "ARMED"}),
        called("verification.probe", "SUCCEEDED", &[(50, Some(200))]),
    ];
    let ended = json!({
        "endedAt": at(51), "durationMs": 51_000, "undoneBy": {"executionId": "ex_2", "status": "UNDO_FAILED"}, "verdict": {"is": "resolved", "because": "the verification holds"},
    });
    insta::assert_snapshot!(drawn(&execution("SUCCESS", [looked(), steps].concat(), ended), &Value::Null));
}

/// A rollback on request, a workflow, a single call: what stands in the execution is the tree.
#[test]
fn what_has_no_phases() {
    let back = json!({
        "id": EXECUTION, "status": "RUNNING", "requestedBy": "bo", "undoes": "ex_1",
        "runbook": {"name": "Drain a node", "version": 3},
        "steps": [called("drain.undo", "SUCCEEDED", &[(14, Some(200))]), called("cordon.undo", "SENDING", &[(15, None)])],
    });
    insta::assert_snapshot!("a_rollback", drawn(&back, &Value::Null));
    let simple = json!({
        "id": EXECUTION, "status": "FAILED", "requestedBy": "bo", "error": "the receiver answered 404",
        "endedAt": at(2), "runbook": {"name": "Restart\u{1b}[2J", "version": 1},
        "steps": [with(called("webhook", "FAILED", &[(1, Some(404))]), "error", json!("the receiver answered 404"))],
    });
    let sight = Sight {
        execution: &simple,
        definition: &Value::Null,
        approvals: &Value::Null,
        now: Timestamp::UNIX_EPOCH,
    };
    insta::assert_snapshot!("a_single_call", draw(sight, Paint::Plain).join("\n"));
}

#[test]
fn what_has_no_room_leaves_out_what_is_quiet() {
    let definition = definition();
    let steps = vec![called("usage", "SENDING", &[(1, None)]), called("killed", "SENDING", &[(1, None)])];
    let running = execution("RUNNING", steps, json!({}));
    let sight = Sight {
        execution: &running,
        definition: &definition,
        approvals: &Value::Null,
        now: Timestamp::UNIX_EPOCH,
    };
    assert_eq!(draw_within(sight, Paint::Plain, 99), draw(sight, Paint::Plain));
    insta::assert_snapshot!(draw_within(sight, Paint::Plain, 10).join("\n"));
}

#[test]
fn colours_add_to_the_words_and_take_none_away() {
    let running = execution("RUNNING", looked(), json!({}));
    let definition = definition();
    let sight = Sight {
        execution: &running,
        definition: &definition,
        approvals: &Value::Null,
        now: Timestamp::UNIX_EPOCH,
    };
    let (plain, coloured) = (draw(sight, Paint::Plain).join("\n"), draw(sight, Paint::Colour).join("\n"));
    assert_ne!(plain, coloured);
    let without: String = ["32", "31", "33", "36", "1", "0"]
        .iter()
        .fold(coloured, |text, code| text.replace(&format!("\u{1b}[{code}m"), ""));
    assert_eq!(without, plain);
}
