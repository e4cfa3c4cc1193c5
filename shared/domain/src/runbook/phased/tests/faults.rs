//! What each mistake is told, and where.

use serde_json::{Value, json};

use super::{changed, parsed, runbook};
use crate::fault::Fault;
use crate::plan::Plan;

/// Changes one place, and compares where the faults are.
fn check(pointer: &str, value: Value, expected: &[&str]) {
    let faults = parsed(&changed(pointer, value.clone())).faults();
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, expected, "{pointer}: {value}: {faults:?}");
}

/// Adds members to one object.
fn check_with(pointer: &str, members: Value, expected: &[&str]) {
    let mut object = runbook().pointer(pointer).expect("is there").clone();
    for (name, member) in members.as_object().expect("members") {
        object[name] = member.clone();
    }
    check(pointer, object, expected);
}

const LIST: &str = "/phases/0/steps/0";
const BOTH: &str = "/phases/0/steps/1/parallel";
const A: &str = "/phases/0/steps/1/parallel/steps/0";
const FORK: &str = "/phases/0/steps/2";
const ASK: &str = "/phases/1/steps/0";
const FIX: &str = "/phases/1/steps/1";
const WAIT: &str = "/phases/1/steps/2";
const SANE: &str = "/phases/1/steps/3";

fn at(step: &str, member: &str) -> String {
    format!("{step}/{member}")
}

fn call() -> Value {
    json!({"type": "webhook", "url": "https://ops.example/do"})
}

#[test]
fn the_runbook_of_these_tests_is_valid_and_compiles() {
    check("/name", json!("Restart"), &[]);
    Plan::compile(&parsed(&runbook())).expect("compiles");
}

#[test]
fn ids_are_unique_over_the_runbook_and_not_reserved() {
    check(
        &at(LIST, "id"),
        json!("detect"),
        &[
            "/phases/0/steps/0/id",
            "/phases/0/steps/2/branches/0/when",
            "/phases/1/steps/3/rule",
            "/phases/1/steps/4/action/text",
        ],
    );
    check(&at(A, "id"), json!("b"), &["/phases/0/steps/1/parallel/steps/1/id"]);
    check(&at(BOTH, "id"), json!("list"), &["/phases/0/steps/1/parallel/id"]);
    check("/prerequisites", json!([{"id": "fix", "rule": "true"}]), &["/phases/1/steps/1/id"]);
    for reserved in ["end", "risk", "baseline", "verification"] {
        check(&at(WAIT, "id"), json!(reserved), &["/phases/1/steps/2/id"]);
    }
    check(&at(WAIT, "id"), json!("fix.undo"), &["/phases/1/steps/2/id"]);
    check(&at(WAIT, "id"), json!("x.search"), &["/phases/1/steps/2/id"]);
}

#[test]
fn a_step_has_the_fields_of_its_type_and_no_others() {
    check(LIST, json!({"id": "list", "type": "diagnostic", "outputs": {"n": "body.n"}}), &[LIST]);
    check_with(LIST, json!({"seconds": 5, "undo": call()}), &[&at(LIST, "undo"), &at(LIST, "seconds")]);
    check_with(FIX, json!({"irreversible": {"reason": "x"}}), &[FIX]);
    check(FIX, json!({"id": "fix", "type": "remediation", "action": call()}), &[FIX]);
    check(
        FIX,
        json!({"id": "fix", "type": "remediation", "action": call(), "irreversible": {"reason": ""}}),
        &[&at(FIX, "irreversible/reason")],
    );
    check(WAIT, json!({"id": "wait", "type": "delay"}), &[WAIT]);
    check_with(WAIT, json!({"action": call(), "retry": {}}), &[&at(WAIT, "action"), &at(WAIT, "retry")]);
    check(ASK, json!({"id": "ask", "type": "approval"}), &[ASK]);
    check_with(ASK, json!({"timeoutSeconds": 5}), &[&at(ASK, "timeoutSeconds")]);
    check(FORK, json!({"id": "fork", "type": "branch"}), &[FORK, FORK]);
    check_with(SANE, json!({"action": call(), "expect": "true"}), &[SANE]);
    check(SANE, json!({"id": "sane", "type": "check"}), &[SANE]);
    check(SANE, json!({"id": "sane", "type": "check", "action": call()}), &[SANE]);
    check_with(SANE, json!({"expect": "true", "retry": {}}), &[&at(SANE, "expect"), &at(SANE, "retry")]);
    check_with("/phases/1/steps/4", json!({"expect": "true"}), &["/phases/1/steps/4/expect"]);
}

#[test]
fn only_a_step_of_type_runbook_executes_one() {
    let run = json!({"type": "runbook", "runbookId": "rb_00000000000000000000000000", "wait": true});
    check(&at(LIST, "action"), run.clone(), &[&at(LIST, "action/type")]);
    check(WAIT, json!({"id": "wait", "type": "runbook", "action": run}), &[]);
    check(WAIT, json!({"id": "wait", "type": "runbook", "action": call()}), &[&at(WAIT, "action/type")]);
    check(&at(FIX, "undo"), run, &[&at(FIX, "undo/type")]);
}

#[test]
fn numbers_stay_in_their_ranges() {
    for seconds in [0, 3_601] {
        check(&at(WAIT, "seconds"), json!(seconds), &[&at(WAIT, "seconds")]);
    }
    check(&at(LIST, "timeoutSeconds"), json!(21), &[&at(LIST, "timeoutSeconds")]);
    check(&at(LIST, "expectedDurationSeconds"), json!(0), &[&at(LIST, "expectedDurationSeconds")]);
    check(&at(LIST, "callback"), json!({"timeoutSeconds": 3_601}), &[&at(LIST, "callback/timeoutSeconds")]);
    check(
        &at(LIST, "retry"),
        json!({"maxAttempts": 0, "baseDelayMs": 99}),
        &[&at(LIST, "retry/maxAttempts"), &at(LIST, "retry/baseDelayMs")],
    );
    check(
        &at(LIST, "retry"),
        json!({"maxAttempts": 11, "baseDelayMs": 60_001}),
        &[&at(LIST, "retry/maxAttempts"), &at(LIST, "retry/baseDelayMs")],
    );
    for concurrency in [0, 17] {
        check(&at(BOTH, "concurrency"), json!(concurrency), &[&at(BOTH, "concurrency")]);
    }
}

#[test]
fn what_a_step_and_its_action_both_say_is_said_once() {
    let action =
        json!({"type": "webhook", "url": "https://ops.example/do", "timeoutSeconds": 5, "idempotent": true});
    check(&at(LIST, "action"), action.clone(), &[]);
    check_with(
        LIST,
        json!({"action": action, "timeoutSeconds": 6, "idempotent": false}),
        &[&at(LIST, "timeoutSeconds"), &at(LIST, "idempotent")],
    );
}

#[test]
fn rules_compile_and_read_only_what_is_known_there() {
    check(&at(SANE, "rule"), json!("params.a ="), &[&at(SANE, "rule")]);
    check(&at(SANE, "rule"), json!("env.HOME == 'x'"), &[&at(SANE, "rule")]);
    check(&at(SANE, "rule"), json!("response.statusCode == 200"), &[&at(SANE, "rule")]);
    check(&at(LIST, "expect"), json!("response.statusCode == 200 && params.a == 1"), &[]);
    for known in ["incident.priority", "team.id", "workflow.id", "runbook.name", "params.a", "steps.a.status"]
    {
        check(&at(SANE, "when"), json!(format!("{known} == 'x'")), &[]);
    }
    check("/phases/0/when", json!("steps.list.outputs.n == 1"), &["/phases/0/when"]);
    check("/phases/1/when", json!("steps.list.outputs.n == 1"), &[]);
}

#[test]
fn only_results_of_earlier_units_are_read() {
    check(&at(SANE, "rule"), json!("steps.sane.status == 'x'"), &[&at(SANE, "rule")]);
    check(&at(LIST, "when"), json!("steps.fix.status == 'x'"), &[&at(LIST, "when")]);
    check(&at(A, "when"), json!("steps.b.status == 'x'"), &[&at(A, "when")]);
    check(&at(A, "when"), json!("steps.list.status == 'x'"), &[]);
    check(&at(SANE, "rule"), json!("steps.gone.status == 'x'"), &[&at(SANE, "rule")]);
    check(&at(SANE, "rule"), json!("size(steps) == 1"), &[&at(SANE, "rule")]);
    let url = |id: &str| json!({"type": "webhook", "url": format!("https://ops.example/{{{{steps.{id}.outputs.n}}}}")});
    check(&at(FIX, "action"), url("list"), &[]);
    check(&at(FIX, "action"), url("fix"), &[&at(FIX, "action/url")]);
    check(&at(FIX, "undo"), url("fix"), &[&at(FIX, "undo/url")]);
    check(&at(A, "action"), url("b"), &[&at(A, "action/url")]);
}

#[test]
fn templates_compile_and_name_what_is_there() {
    let with =
        |payload: Value| json!({"type": "webhook", "url": "https://ops.example/do", "payload": payload});
    let payload = |rest: &str| at(FIX, &format!("action/payload{rest}"));
    check(&at(FIX, "action"), with(json!({"key": "{{step.key}}"})), &[]);
    check(&at(FIX, "action"), with(json!({"a/b": ["{{#if x}}"]})), &[&payload("/a~1b/0")]);
    check(&at(FIX, "action"), with(json!({"a/b": ["{{secrets.x}}"]})), &[&payload("/a~1b/0")]);
    check(&at(FIX, "action"), with(json!({"a": {"$secret": "x"}})), &[&payload("/a")]);
    let url = json!({"type": "webhook", "url": "https://{{params.host}}/"});
    check(&at(FIX, "action"), url.clone(), &[&at(FIX, "action/url")]);
    check(&at(FIX, "undo"), url, &[&at(FIX, "undo/url")]);
}

#[test]
fn outputs_have_names_and_paths_into_the_answer() {
    let outputs = at(LIST, "outputs");
    check(&outputs, json!({"n": "statusCode", "m_1": "body.a-b.0"}), &[]);
    for path in ["", "body..x", "headers.x", "n", "body.", &format!("body.{}", "x".repeat(260))] {
        check(&outputs, json!({"n": path}), &[&at(LIST, "outputs/n")]);
    }
    check(&outputs, json!({"n": "body", "a-b": "body"}), &[&at(LIST, "outputs/a-b")]);
    let nine: serde_json::Map<_, _> = (0..9).map(|n| (format!("o{n}"), json!("body"))).collect();
    check(&outputs, Value::Object(nine), &[&outputs]);
}

#[test]
fn jumps_lead_forward_and_never_into_a_group() {
    for good in ["act", "ask", "fix", "end"] {
        check(&at(FORK, "otherwise"), json!(good), &[]);
        check(&at(LIST, "onFailure"), json!({"goto": good}), &[]);
    }
    for bad in ["list", "detect", "fork", "both", "a", "nowhere"] {
        check(&at(FORK, "otherwise"), json!(bad), &[&at(FORK, "otherwise")]);
        check(&at(FORK, "branches/0/goto"), json!(bad), &[&at(FORK, "branches/0/goto")]);
    }
    check(&at(LIST, "onFailure"), json!({"goto": "both"}), &[]);
    check(&at(LIST, "onFailure"), json!({"goto": "a"}), &[&at(LIST, "onFailure/goto")]);
    check(&at(BOTH, "onFailure"), json!({"goto": "both"}), &[&at(BOTH, "onFailure/goto")]);
    check(&at(BOTH, "onFailure"), json!({"goto": "fix"}), &[]);
    check(
        &at(FORK, "branches"),
        json!(vec![json!({"when": "true", "goto": "end"}); 17]),
        &[&at(FORK, "branches")],
    );
}

#[test]
fn in_a_group_are_steps_that_act_or_ask() {
    check(
        A,
        json!({"id": "a", "type": "branch", "branches": [{"when": "true", "goto": "act"}], "otherwise": "act"}),
        &[&at(A, "type")],
    );
    check(A, json!({"id": "a", "type": "delay", "seconds": 1}), &[&at(A, "type")]);
    let approval = json!({"levels": [{"of": ["platform-admin"], "needed": 1}], "expiresInSeconds": 60});
    check(A, json!({"id": "a", "type": "approval", "approval": approval}), &[]);
    check(&at(A, "onFailure"), json!("continue"), &[]);
    check(&at(A, "onFailure"), json!("rollback"), &[&at(A, "onFailure")]);
    check(&at(A, "onFailure"), json!({"goto": "act"}), &[&at(A, "onFailure")]);
    check(&at(BOTH, "steps"), json!([]), &[&at(BOTH, "steps")]);
}

#[test]
fn an_approval_covers_later_calls() {
    let covers = at(ASK, "approval/covers");
    check(&covers, json!(["fix", "tell"]), &[]);
    check(&covers, json!([]), &[&covers]);
    check(
        &covers,
        json!(["fix", "list", "ask", "gone", "wait", "fix"]),
        &["/0", "/1", "/2", "/3", "/4", "/5"]
            .map(|place| format!("{covers}{place}"))
            .iter()
            .skip(1)
            .map(String::as_str)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn an_approval_proceeds_unasked_only_for_low_risk() {
    let expiry = at(ASK, "approval/onExpiry");
    check(&expiry, json!("proceed"), &[&expiry]);
    check_with(&at(ASK, "approval"), json!({"onExpiry": "proceed", "covers": ["tell"]}), &[]);
}

#[test]
fn what_stands_beside_the_phases_is_checked() {
    check("/category", json!(""), &["/category"]);
    check(
        "/environments",
        json!({"name": "{{incident.metadata.env}}", "allowed": ["a"], "production": ["a"]}),
        &[],
    );
    check(
        "/environments",
        json!({"name": "{{steps.list.x}}", "allowed": [], "production": ["b"]}),
        &["/environments/name", "/environments/allowed", "/environments/production/0"],
    );
    check(
        "/environments",
        json!({"name": "{{#x}}", "allowed": ["a", "a"]}),
        &["/environments/name", "/environments/allowed/1"],
    );
    check("/applicability", json!([{"when": "incident.title == 'x'", "weight": 100, "reason": "x"}]), &[]);
    check(
        "/applicability",
        json!([{"when": "params.a == 1", "weight": 0, "reason": ""}]),
        &["/applicability/0/when", "/applicability/0/weight", "/applicability/0/reason"],
    );
    check("/metrics", json!(["mttr", "mttr", ""]), &["/metrics/1", "/metrics/2"]);
    check("/parameters", json!({"type": "array"}), &["/parameters/type"]);
    check("/escalation", json!([{"on": [], "to": []}]), &["/escalation/0/on", "/escalation/0/to"]);
    check("/rollback", json!({"windowSeconds": 59}), &["/rollback/windowSeconds"]);
    check("/rollback", json!({"windowSeconds": 2_592_001}), &["/rollback/windowSeconds"]);
}

#[test]
fn limits_are_in_range_and_those_of_a_target_name_one() {
    for (name, good, bad) in [
        ("maxDurationSeconds", 2_592_000, 2_592_001),
        ("executionsPerHour", 1_000, 1_001),
        ("ineffectiveRuns", 20, 21),
    ] {
        check("/limits", json!({name: good}), &[]);
        check("/limits", json!({name: bad}), &[&at("/limits", name)]);
    }
    for (name, bad) in
        [("concurrencyPerTarget", 101), ("cooldownSeconds", 604_801), ("ratePerTargetPerHour", 1_001)]
    {
        check("/limits", json!({"target": "{{params.x}}", name: 1}), &[]);
        check("/limits", json!({"target": "{{params.x}}", name: bad}), &[&at("/limits", name)]);
        check("/limits", json!({name: 1}), &[&at("/limits", name)]);
    }
    check("/limits", json!({"target": "{{steps.list.outputs.n}}"}), &["/limits/target"]);
    check("/limits", json!({"maxDurationSeconds": 30}), &[&at(WAIT, "seconds")]);
}

#[test]
fn prerequisites_and_verification_check_one_thing_each() {
    let probe = json!({"url": "https://ops.example/", "expect": "response.statusCode == 200"});
    check("/prerequisites", json!([{"id": "p", "probe": probe}, {"id": "q", "rule": "params.a == 1"}]), &[]);
    check(
        "/prerequisites",
        json!([{"id": "p"}, {"id": "q", "rule": "true", "probe": probe}]),
        &["/prerequisites/0", "/prerequisites/1"],
    );
    check("/prerequisites", json!([{"id": "p", "targetFree": true, "rule": "true"}]), &["/prerequisites/0"]);
    check("/prerequisites", json!([{"id": "calm", "noFreeze": true}]), &[]);
    for more in [json!({"rule": "true"}), json!({"probe": probe}), json!({"targetFree": true})] {
        let mut both = json!({"id": "calm", "noFreeze": true});
        both.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        check("/prerequisites", json!([both]), &["/prerequisites/0"]);
    }
    check(
        "/prerequisites",
        json!([{"id": "p", "rule": "steps.list.status == 'x'"}]),
        &["/prerequisites/0/rule"],
    );
    let bad = json!({"url": "ftp://ops.example/", "expect": "x ="});
    check(
        "/prerequisites",
        json!([{"id": "p", "probe": bad}]),
        &["/prerequisites/0/probe/url", "/prerequisites/0/probe/expect"],
    );
    check("/verification", json!({"probe": probe, "settleSeconds": 0}), &[]);
    check("/verification", json!({"incidentStatus": "RESOLVED", "settleSeconds": 3_600}), &[]);
    check(
        "/verification",
        json!({"incidentStatus": "RESOLVED", "settleSeconds": 3_601}),
        &["/verification/settleSeconds"],
    );
    check("/verification", json!({}), &["/verification"]);
    check("/verification", json!({"probe": probe, "incidentStatus": "RESOLVED"}), &["/verification"]);
    check("/verification", json!({"probe": bad}), &["/verification/probe/url", "/verification/probe/expect"]);
}

#[test]
fn a_phase_has_a_step_and_a_runbook_a_phase() {
    check(
        "/phases/0/steps",
        json!([]),
        &["/phases/0/steps", "/phases/1/steps/3/rule", "/phases/1/steps/4/action/text"],
    );
    check("/phases", json!([]), &["/phases"]);
}

#[test]
fn a_thousand_steps_are_refused_at_once_and_in_one_sentence() {
    let steps: Vec<Value> =
        (0..1_000).map(|n| json!({"id": format!("s{n}"), "type": "delay", "seconds": 0})).collect();
    let faults = parsed(&changed("/phases/0/steps", json!(steps))).faults();
    let message = "has 1005 steps; at most 200. Move a part into a runbook of its own";
    assert_eq!(faults, [Fault::new("/phases", message)]);
    let phases: Vec<Value> = (0..51).map(|n| json!({"id": format!("p{n}"), "steps": []})).collect();
    check("/phases", json!(phases), &["/phases"]);
    check("/description", json!("x".repeat(300_000)), &[""]);
}

#[test]
fn patterns_are_counted_over_the_whole_runbook_before_one_is_compiled() {
    let cases = |count: usize| {
        let case = json!({"when": "incident.title.matches(\"(unclosed\")", "goto": "end"});
        json!(vec![case; count])
    };
    let count =
        |faults: Vec<Fault>| faults.into_iter().filter(|fault| fault.message.starts_with("says")).count();
    let forked = |cases: Value| parsed(&changed(&at(FORK, "branches"), cases)).faults();
    assert_eq!(count(forked(cases(100))), 0);
    let faults = forked(cases(101));
    assert_eq!((faults.len(), count(faults)), (1, 1));
}

#[test]
fn two_hundred_steps_are_allowed() {
    let steps: Vec<Value> =
        (0..200).map(|n| json!({"id": format!("s{n}"), "type": "delay", "seconds": 1})).collect();
    check("/phases", json!([{"id": "p", "steps": steps}]), &[]);
}
