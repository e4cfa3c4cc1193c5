//! What a definition may not ask for.

use super::*;

#[track_caller]
fn check(change: Value, expected: &[&str]) {
    let mut value = json!({"levels": [{"of": ["team:ops:responder"]}]});
    for (name, member) in change.as_object().into_iter().flatten() {
        value[name] = member.clone();
    }
    let faults = spec(value).faults("/approval", false);
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, expected, "{change}: {faults:?}");
}

fn rung(after: u64) -> Value {
    json!({"afterSeconds": after, "to": ["platform-admin"]})
}

fn users(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("user:u{number}")).collect()
}

fn levels(count: usize, needed: u32) -> Value {
    json!({"levels": vec![json!({"of": ["platform-admin"], "needed": needed}); count]})
}

#[test]
fn every_fault_of_a_gate_has_its_place() {
    check(json!({}), &[]);
    check(levels(0, 1), &["/approval/levels"]);
    check(levels(5, 1), &[]);
    check(levels(6, 1), &["/approval/levels"]);
    check(levels(1, 0), &["/approval/levels/0/needed"]);
    check(levels(1, 20), &[]);
    check(levels(1, 21), &["/approval/levels/0/needed"]);
    check(levels(2, 16), &[]);
    check(levels(2, 17), &["/approval/levels"]);
    check(json!({"levels": [{"of": []}]}), &["/approval/levels/0/of"]);
    check(json!({"levels": [{"of": users(20)}]}), &[]);
    check(json!({"levels": [{"of": users(21)}]}), &["/approval/levels/0/of"]);
    check(json!({"expiresInSeconds": 0}), &["/approval/expiresInSeconds"]);
    check(json!({"expiresInSeconds": 604_800}), &[]);
    check(json!({"expiresInSeconds": 604_801}), &["/approval/expiresInSeconds"]);
    check(json!({"form": {"type": "string"}}), &["/approval/form/type"]);
}

#[test]
fn a_gate_that_nobody_could_pass_is_refused() {
    check(json!({"levels": [{"of": users(2), "needed": 2}]}), &[]);
    check(json!({"levels": [{"of": ["user:u0", "user:u0"], "needed": 2}]}), &["/approval/levels/0/needed"]);
    check(json!({"levels": [{"of": ["user:u0", "platform-admin"], "needed": 3}]}), &[]);
    check(json!({"levels": [{"of": ["user:u0"]}, {"of": ["user:u0"]}]}), &["/approval/levels"]);
    check(
        json!({"levels": [{"of": ["user:u0"], "needed": 2}], "escalation": [{"afterSeconds": 1, "to": ["user:u1"]}]}),
        &[],
    );
}

#[test]
fn rungs_ascend_and_come_before_the_end() {
    check(json!({"escalation": [rung(1), rung(600), rung(3_599)]}), &[]);
    check(json!({"escalation": [rung(0)]}), &["/approval/escalation/0/afterSeconds"]);
    check(json!({"escalation": [rung(600), rung(600)]}), &["/approval/escalation/1/afterSeconds"]);
    check(json!({"escalation": [rung(3_600)]}), &["/approval/escalation/0/afterSeconds"]);
    check(json!({"escalation": [{"afterSeconds": 1, "to": []}]}), &["/approval/escalation/0/to"]);
    check(
        json!({"escalation": [rung(1), rung(2), rung(3), rung(4), rung(5), rung(6)]}),
        &["/approval/escalation"],
    );
    check(json!({"onExpiry": "escalate"}), &["/approval/onExpiry"]);
    check(json!({"onExpiry": "escalate", "escalation": [rung(600)]}), &[]);
}

#[test]
fn a_gate_opens_by_itself_only_before_steps_of_low_risk() {
    check(json!({"onExpiry": "proceed"}), &["/approval/onExpiry"]);
    let proceeds = spec(json!({"levels": [{"of": ["platform-admin"]}], "onExpiry": "proceed"}));
    assert_eq!(proceeds.faults("", true), []);
}

#[test]
fn an_approver_parses_what_it_prints_and_nothing_else() {
    for text in [
        "team:ops:viewer",
        "team:ops:responder",
        "team:ops:admin",
        "platform-admin",
        "user:carol@example.com",
    ] {
        assert_eq!(text.parse::<Approver>().map(String::from), Ok(text.to_owned()));
    }
    for text in [
        "",
        "carol",
        "team:ops",
        "team:ops:root",
        "team::admin",
        "team:ops:admin:x",
        "user:",
        "user:a b",
        "auditor",
        "platform-admin:x",
    ] {
        assert!(text.parse::<Approver>().is_err(), "{text:?}");
    }
}

#[test]
fn an_approver_admits_the_role_or_a_greater_one() {
    for (approver, name, admits) in [
        ("team:ops:responder", "ann", true),
        ("team:ops:responder", "bob", true),
        ("team:ops:responder", "vic", false),
        ("team:ops:admin", "ann", false),
        ("team:web:viewer", "ann", false),
        ("team:web:viewer", "root", false),
        ("platform-admin", "root", true),
        ("platform-admin", "bob", false),
        ("user:carol", "carol", true),
        ("user:carol", "root", false),
    ] {
        let approver: Approver = approver.parse().expect("valid");
        assert_eq!(approver.admits(&principal(name)), admits, "{approver} {name}");
    }
}

#[test]
fn unknown_members_are_refused() {
    for value in [
        json!({"levels": [], "expires": 1}),
        json!({"levels": [{"of": [], "count": 1}]}),
        json!({"levels": [], "escalation": [{"afterSeconds": 1, "to": [], "x": 1}]}),
        json!({"levels": [{"of": ["team:ops"]}]}),
        json!({"levels": [], "onExpiry": "approve"}),
    ] {
        assert!(serde_json::from_value::<GateSpec>(value.clone()).is_err(), "{value}");
    }
}
