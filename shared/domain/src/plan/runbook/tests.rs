//! What phased definitions compile to.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ids::StepId;
use crate::plan::{Join, Jump, OnFailure, Plan, Step, StepKind, Unit};
use crate::runbook::phased::tests::random::definitions;
use crate::runbook::phased::tests::{changed, parsed, runbook};

fn compiled(definition: &Value) -> Plan {
    Plan::compile(&parsed(definition)).unwrap_or_else(|faults| panic!("{definition}: {faults:?}"))
}

fn id(text: &str) -> StepId {
    text.parse().unwrap_or_else(|_| match text {
        "risk.gate" => StepId::risk_gate(),
        _ => panic!("{text}"),
    })
}

fn step<'p>(plan: &'p Plan, name: &str) -> &'p Step {
    plan.step(&id(name)).unwrap_or_else(|| panic!("there is no {name}"))
}

fn names<'s>(steps: impl IntoIterator<Item = &'s Step>) -> Vec<&'s str> {
    steps.into_iter().map(|step| step.id.as_str()).collect()
}

#[test]
fn units_come_one_after_the_other_with_the_steps_of_a_group_beside_each_other() {
    let plan = compiled(&runbook());
    assert_eq!(
        names(&plan.steps),
        ["risk.gate", "list", "a", "b", "fork", "ask", "fix", "wait", "sane", "tell"]
    );
    let after = |name: &str| step(&plan, name).after.clone();
    assert_eq!(after("risk.gate"), None);
    assert_eq!(after("list"), Some(Unit::Step(id("risk.gate"))));
    assert_eq!((after("a"), after("b")), (Some(Unit::Step(id("list"))), Some(Unit::Step(id("list")))));
    assert_eq!(after("fork"), Some(Unit::Group(0)));
    assert_eq!(after("ask"), Some(Unit::Step(id("fork"))));
    let group = &plan.groups[0];
    assert_eq!((group.limit, group.join, &group.steps), (4, Join::All, &vec![id("a"), id("b")]));
    assert_eq!((step(&plan, "a").group, step(&plan, "list").group), (Some(0), None));
}

#[test]
fn the_whole_runs_within_its_time_and_with_sixteen_in_flight() {
    let plan = compiled(&changed("/limits", json!({"maxDurationSeconds": 90})));
    assert_eq!((plan.timeout.map(|time| time.as_secs()), plan.concurrency), (Some(90), 16));
    assert_eq!(compiled(&runbook()).timeout.map(|time| time.as_secs()), Some(3_600));
}

#[test]
fn a_failure_stops_or_unwinds_unless_the_step_says_otherwise() {
    let check = |rollback: bool, name: &str, written: Value, expected: OnFailure| {
        let mut definition = changed(name, written);
        definition["rollback"] = json!({"onFailure": rollback});
        let plan = compiled(&definition);
        assert_eq!(step(&plan, "list").on_failure, expected);
        assert_eq!(plan.unwinds_out_of_time, rollback);
        assert_eq!(step(&plan, "a").on_failure, OnFailure::Stop);
    };
    let own = "/phases/0/steps/0/onFailure";
    check(false, "/name", json!("x"), OnFailure::Stop);
    check(true, "/name", json!("x"), OnFailure::Unwind);
    check(true, own, json!("abort"), OnFailure::Stop);
    check(false, own, json!("continue"), OnFailure::Continue);
    check(false, own, json!("rollback"), OnFailure::Unwind);
    let jump = |to: &str, over: &[&str]| {
        OnFailure::Jump(Jump { to: to.to_owned(), over: over.iter().copied().map(id).collect() })
    };
    check(false, own, json!({"goto": "both"}), jump("both", &[]));
    check(false, own, json!({"goto": "fork"}), jump("fork", &["a", "b"]));
    check(false, own, json!({"goto": "act"}), jump("act", &["a", "b", "fork"]));
    let all = ["a", "b", "fork", "ask", "fix", "wait", "sane", "tell"];
    check(false, own, json!({"goto": "end"}), jump("end", &all));
}

#[test]
fn an_approval_binds_the_later_calls_and_the_risk_gate_all() {
    let plan = compiled(&runbook());
    let covers = |name: &str| {
        let StepKind::Approval(gate) = &step(&plan, name).kind else { panic!("{name} is an approval") };
        gate.covers.clone()
    };
    assert_eq!(covers("ask"), [id("fix"), id("tell")]);
    assert_eq!(covers("risk.gate"), ["list", "a", "b", "fix", "tell"].map(id));
    assert_eq!(step(&plan, "fix").gates, [id("risk.gate"), id("ask")]);
    assert_eq!(step(&plan, "list").gates, [id("risk.gate")]);
    assert_eq!(step(&plan, "wait").gates, []);
}

/// Of two approvals in one group each covers what comes after the group: both must agree to it.
#[test]
fn two_approvals_beside_each_other_both_bind_what_follows() {
    let approval = json!({"levels": [{"of": ["platform-admin"], "needed": 1}], "expiresInSeconds": 60});
    let ask = |name: &str| json!({"id": name, "type": "approval", "approval": approval});
    let definition = changed("/phases/0/steps/1/parallel/steps", json!([ask("a"), ask("b")]));
    let mut definition = definition;
    definition["phases"][1]["steps"].as_array_mut().expect("steps").remove(0);
    let plan = compiled(&definition);
    assert_eq!(step(&plan, "fix").gates, [id("risk.gate"), id("a"), id("b")]);
}

#[test]
fn an_undo_stands_apart_under_the_name_of_its_step() {
    let undo = json!({"type": "webhook", "url": "https://ops.example/undo", "idempotent": false});
    let plan = compiled(&changed("/phases/1/steps/1/undo", undo));
    assert_eq!(names(&plan.undos), ["fix.undo"]);
    assert!(!step(&plan, "fix.undo").idempotent);
    assert!(step(&compiled(&runbook()), "fix.undo").idempotent);
}

#[test]
fn what_is_checked_comes_first_and_what_is_verified_last() {
    let probe = json!({"url": "https://ops.example/up", "expect": "response.statusCode == 200"});
    let mut definition = changed(
        "/prerequisites",
        json!([{"id": "up", "probe": probe}, {"id": "calm", "noFreeze": true}, {"id": "ok", "rule": "true"}]),
    );
    definition["verification"] = json!({"probe": probe, "settleSeconds": 7});
    let plan = compiled(&definition);
    let all = names(&plan.steps);
    assert_eq!(all[..4], ["up.prerequisite", "ok.prerequisite", "baseline.probe", "risk.gate"]);
    assert_eq!(all[all.len() - 2..], ["verification.settle", "verification.probe"]);
    let failures =
        ["up.prerequisite", "baseline.probe", "verification.probe"].map(|name| &step(&plan, name).on_failure);
    assert_eq!(failures, [&OnFailure::Stop, &OnFailure::Continue, &OnFailure::Continue]);
    let StepKind::Webhook(call) = &step(&plan, "up.prerequisite").kind else { panic!("a probe is a call") };
    assert_eq!(call.method.as_str(), "GET");
    assert!(step(&plan, "verification.probe").expect.is_some());
    assert_eq!(plan.unfrozen, Some(id("calm")));
}

#[test]
fn an_incident_that_is_verified_is_looked_at_and_nothing_is_called() {
    let plan = compiled(&changed("/verification", json!({"incidentStatus": "RESOLVED", "settleSeconds": 7})));
    let all = names(&plan.steps);
    assert_eq!(all[all.len() - 2..], ["verification.settle", "verification.probe"]);
    let StepKind::Check(rule) = &step(&plan, "verification.probe").kind else { panic!("it makes no call") };
    assert_eq!(rule.text(), "incident.status == \"RESOLVED\"");
}

#[test]
fn the_rule_of_a_phase_holds_for_each_of_its_steps() {
    let mut definition = changed("/phases/1/when", json!("params.full == true"));
    definition["phases"][1]["steps"][1]["when"] = json!("params.fix == true");
    let plan = compiled(&definition);
    let when =
        |name: &str| step(&plan, name).when.iter().map(|rule| rule.text().to_owned()).collect::<Vec<_>>();
    assert_eq!(when("fix"), ["params.full == true", "params.fix == true"]);
    assert_eq!(when("tell"), ["params.full == true"]);
    assert!(when("list").is_empty());
}

#[test]
fn a_step_says_how_its_call_is_made() {
    let mut definition = runbook();
    let list = &mut definition["phases"][0]["steps"][0];
    list["timeoutSeconds"] = json!(3);
    list["retry"] = json!({"maxAttempts": 2, "baseDelayMs": 500});
    list["idempotent"] = json!(false);
    list["expect"] = json!("response.statusCode == 200");
    list["callback"] = json!({"timeoutSeconds": 40});
    let plan = compiled(&definition);
    let list = step(&plan, "list");
    let StepKind::Webhook(call) = &list.kind else { panic!("a diagnostic is a call") };
    assert_eq!(call.timeout.as_secs(), 3);
    assert_eq!((list.retry.max_attempts, list.retry.base_delay_ms), (2, 500));
    assert!(!list.idempotent && !list.polls && list.expect.is_some());
    assert_eq!(list.outputs, [("n".to_owned(), "body.n".to_owned())]);
    assert_eq!(list.callback.map(|wait| wait.as_secs()), Some(40));
}

#[test]
fn a_check_with_retry_asks_again() {
    let action = json!({"type": "webhook", "url": "https://ops.example/", "method": "GET"});
    let check =
        json!({"id": "sane", "type": "check", "action": action, "expect": "response.body.ok == true"});
    let mut again = check.clone();
    again["retry"] = json!({"maxAttempts": 5});
    let polls = |check: Value| step(&compiled(&changed("/phases/1/steps/3", check)), "sane").polls;
    assert_eq!((polls(check), polls(again)), (false, true));
}

#[test]
fn an_issue_is_searched_for_before_it_is_created_alone_and_in_a_group() {
    let jira = json!({"id": "tell", "type": "notify", "onFailure": "continue", "action": {
        "type": "jira", "site": "https://acme.atlassian.net", "email": "ops@acme.example",
        "apiToken": {"$secret": "jira"}, "project": "OPS", "summary": "s", "description": "d",
    }});
    let alone = compiled(&changed("/phases/1/steps/4", jira.clone()));
    let create = step(&alone, "tell");
    assert_eq!(create.after, Some(Unit::Step(id("tell.search"))));
    assert_eq!((&create.search, create.entry, create.needs.len()), (&Some(id("tell.search")), false, 1));
    assert_eq!(step(&alone, "tell.search").after, Some(Unit::Step(id("sane"))));
    assert_eq!(step(&alone, "tell.search").on_failure, OnFailure::Continue);

    let mut definition = changed("/phases/0/steps/1/parallel/steps/1", jira);
    definition["phases"][1]["steps"].as_array_mut().expect("steps").pop();
    let grouped = compiled(&definition);
    assert_eq!(grouped.groups[0].steps, ["a", "tell.search", "tell"].map(id));
    assert_eq!(step(&grouped, "tell.search").after, Some(Unit::Step(id("list"))));
    assert_eq!(step(&grouped, "tell").after, Some(Unit::Step(id("tell.search"))));
    assert_eq!(step(&grouped, "tell").group, Some(0));
}

/// What the engine relies on.
fn check_well_formed(plan: &Plan) {
    let place = |id: &StepId| plan.steps.iter().position(|step| step.id == *id);
    let ids: BTreeSet<&StepId> = plan.steps.iter().map(|step| &step.id).collect();
    assert_eq!(ids.len(), plan.steps.len(), "two steps have one name");
    for (here, step) in plan.steps.iter().enumerate() {
        let name = &step.id;
        let earlier = |id: &StepId| place(id).is_some_and(|there| there < here);
        match &step.after {
            None => assert_eq!(here, 0, "{name} comes after nothing"),
            Some(Unit::Step(before)) => assert!(earlier(before), "{name} after {before}"),
            Some(Unit::Group(group)) => {
                assert!(plan.groups[*group].steps.iter().all(earlier), "{name} after a group")
            }
        }
        assert!(step.needs.iter().all(|need| earlier(&need.step)), "{name} needs what comes later");
        assert!(step.search.iter().all(earlier), "{name} is searched for later");
        assert!(step.gates.iter().all(earlier), "{name} has a later gate");
        if let Some(group) = step.group {
            assert!(plan.groups[group].steps.contains(name), "{name} is not in its group");
            assert!(
                matches!(step.on_failure, OnFailure::Stop | OnFailure::Continue),
                "{name} leaves its group"
            );
        }
        jumps(step).into_iter().for_each(|jump| check_jump(plan, here, jump));
        check_gate(plan, step);
    }
    check_groups(plan);
    for undo in &plan.undos {
        assert!(ids.iter().any(|id| id.undo() == undo.id), "{} takes nothing back", undo.id);
    }
}

fn jumps(step: &Step) -> Vec<&Jump> {
    let mut jumps = Vec::new();
    if let OnFailure::Jump(jump) = &step.on_failure {
        jumps.push(jump);
    }
    if let StepKind::Branch(branch) = &step.kind {
        jumps.extend(branch.cases.iter().map(|case| &case.jump).chain([&branch.otherwise]));
    }
    jumps
}

/// A jump goes forward, and over a stretch without a gap that ends where it leads.
fn check_jump(plan: &Plan, from: usize, jump: &Jump) {
    let places: Vec<usize> = jump
        .over
        .iter()
        .map(|id| plan.steps.iter().position(|step| step.id == *id).expect("is a step"))
        .collect();
    assert!(places.iter().all(|place| *place > from), "a jump goes back: {jump:?}");
    assert!(places.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a jump leaves some out: {jump:?}");
    let next = places.last().map(|last| &plan.steps[*last]).and_then(|last| last.group);
    let landing = places.last().and_then(|last| plan.steps.get(last + 1));
    assert!(
        next.is_none() || landing.is_none_or(|step| step.group != next),
        "a jump ends in a group: {jump:?}"
    );
}

fn check_gate(plan: &Plan, step: &Step) {
    let StepKind::Approval(gate) = &step.kind else { return };
    for covered in &gate.covers {
        let covered = plan.step(covered).expect("covers a step");
        assert!(covered.gates.contains(&step.id), "{} does not know its gate {}", covered.id, step.id);
    }
}

fn check_groups(plan: &Plan) {
    for (number, group) in plan.groups.iter().enumerate() {
        assert!(group.limit >= 1 && !group.steps.is_empty());
        let members = plan.steps.iter().filter(|step| step.group == Some(number));
        assert_eq!(members.map(|step| &step.id).collect::<Vec<_>>(), group.steps.iter().collect::<Vec<_>>());
        if let OnFailure::Jump(jump) = &group.on_failure {
            let last = plan.steps.iter().rposition(|step| step.group == Some(number)).expect("has a step");
            check_jump(plan, last, jump);
        }
    }
}

#[test]
fn the_runbook_of_these_tests_compiles_to_a_well_formed_plan() {
    check_well_formed(&compiled(&runbook()));
}

proptest! {
    #[test]
    fn every_valid_definition_compiles_to_a_well_formed_plan(definition in definitions()) {
        let parsed = parsed(&definition);
        prop_assert_eq!(parsed.faults(), vec![], "{}", definition);
        check_well_formed(&compiled(&definition));
    }
}
