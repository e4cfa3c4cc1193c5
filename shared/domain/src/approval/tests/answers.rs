//! One case a line: what was done before, and what the last of it comes to.

use super::*;

#[track_caller]
fn check(spec: Value, script: &str, expected: &str) {
    assert_eq!(Gate::of(spec).play(script), expected, "{script}");
}

fn one_of_ops(needed: u32) -> Value {
    json!({"levels": [{"of": ["team:ops:responder"], "needed": needed}]})
}

#[test]
fn as_many_as_are_needed_and_no_fewer() {
    check(one_of_ops(1), "ann+", "approved");
    check(one_of_ops(2), "ann+", "open 0");
    check(one_of_ops(2), "ann+ bob+", "approved");
    check(one_of_ops(3), "ann+ bob+", "open 0");
    check(one_of_ops(3), "ann+ bob+ fay+", "approved");
    check(one_of_ops(2), "ann+ bob+ fay+", "closed");
}

#[test]
fn one_rejection_is_enough_at_the_level_that_is_open() {
    check(one_of_ops(2), "ann-", "rejected by ann");
    check(one_of_ops(2), "ann+ bob-", "rejected by bob");
    check(one_of_ops(2), "ann+ bob- fay+", "closed");
    check(two_levels(), "carol-", "not an approver");
    check(two_levels(), "ann+ bob+ carol-", "rejected by carol");
}

#[test]
fn levels_are_asked_in_their_order() {
    check(two_levels(), "carol+", "not an approver");
    check(two_levels(), "ann+ carol+", "not an approver");
    check(two_levels(), "ann+ bob+", "open 1");
    check(two_levels(), "ann+ bob+ fay+", "not an approver");
    check(two_levels(), "ann+ bob+ carol+", "approved");
    check(two_levels(), "ann+ bob+ root+", "approved");
    check(two_levels(), "ann+ bob+ ann!ann carol+", "not an approver");
    check(two_levels(), "ann+ bob+ ann!ann fay+ carol+", "approved");
}

#[test]
fn roles_of_other_teams_and_lesser_roles_do_not_answer_until_a_rung_names_them() {
    check(two_levels(), "vic+", "not an approver");
    check(two_levels(), "wes+", "not an approver");
    check(two_levels(), "mallory+", "not an approver");
    check(two_levels(), "^ wes+", "open 0");
    check(two_levels(), "^ wes+ ann+", "open 1");
    check(two_levels(), "^ mallory+", "not an approver");
}

#[test]
fn inv_c3_nobody_decides_about_their_own_work_by_whatever_name_or_role() {
    check(two_levels(), "dan+", "own work");
    check(two_levels(), "dan2+", "own work");
    check(two_levels(), "dan2-", "own work");
    check(two_levels(), "eve+", "own work");
    check(two_levels(), "ann+ bob+ eve+", "own work");
    check(two_levels(), "ann+ bob+ root+", "approved");
}

#[test]
fn inv_c3_an_alias_that_becomes_known_later_takes_its_approval_with_it() {
    let mut gate = Gate::of(two_levels());
    assert_eq!(gate.play("ann+ bob+ carol+"), "approved");
    let known = |id: &str, alias: &str| {
        shown(&gate.approval.standing(&People::of(&[person(id, &[alias])]), gate.ledger.as_ref()))
    };
    assert_eq!(known("ann", "bob"), "open 0");
    assert_eq!(known("carol", "bob"), "open 1");
    assert_eq!(known("dan", "ann"), "open 0");
    assert_eq!(known("eve", "carol"), "open 1");
    assert_eq!(known("ann", "vic"), "approved");
}

#[test]
fn inv_c3_one_person_counts_once_over_all_levels_and_names() {
    check(one_of_ops(2), "ann+ ann+", "again");
    check(one_of_ops(2), "ann+ ann-", "again");
    check(one_of_ops(2), "ann+ ann2+", "again");
    check(two_levels(), "root+ bob+ root+", "again");
    check(two_levels(), "root+ bob+ carol+", "approved");
}

#[test]
fn what_was_taken_back_counts_for_nothing() {
    check(one_of_ops(1), "ann+ ann!ann", "open 0");
    check(one_of_ops(2), "ann+ ann!ann bob+", "open 0");
    check(one_of_ops(2), "ann+ ann!ann ann+ bob+", "approved");
    check(one_of_ops(2), "ann+ root!ann ann+", "revoked");
    check(one_of_ops(2), "ann+ root!ann ann2+", "revoked");
    check(one_of_ops(2), "ann+ bob!ann", "not yours");
    check(one_of_ops(2), "ann+ root!bob", "nothing stands");
    check(one_of_ops(2), "root!ann", "nothing stands");
    check(one_of_ops(2), "ann+ ann!ann ann!ann", "nothing stands");
    check(one_of_ops(1), "ann- ann!ann", "closed");
}

#[test]
fn an_approver_is_revoked_between_the_approval_and_the_claim_and_not_after_it() {
    let mut gate = Gate::of(one_of_ops(1));
    assert_eq!(gate.play("ann+"), "approved");
    let mut passed = Gate { approval: gate.approval.clone().settled(), ..gate.clone() };
    assert_eq!(gate.play("root!ann"), "open 0");
    assert_eq!(gate.approval.state, ApprovalState::Approved);
    assert_eq!(passed.play("root!ann"), "passed");
}

#[test]
fn inv_c5_an_answer_at_the_end_or_after_it_is_late_whether_or_not_the_sweeper_came() {
    for (seconds, millis, late) in [(3_599, 999, false), (3_600, 0, true), (3_600, 1, true), (7_200, 0, true)]
    {
        let now = after(seconds).plus(Duration::from_millis(millis));
        let refused = Gate::of(one_of_ops(1)).say("ann", Verdict::Approve, now);
        assert_eq!(refused == Err(Refusal::Late(after(3_600))), late, "{seconds}.{millis}: {refused:?}");
        assert_eq!(expire(&gate(one_of_ops(1)), now).is_some(), late, "{seconds}.{millis}");
    }
    let mut expired = Gate::of(one_of_ops(1));
    let state = ApprovalState::Expired { outcome: ExpiryOutcome::Denied };
    expired.approval = expired.approval.closed(state.clone(), GRACE, after(3_600));
    assert_eq!(expired.say("ann", Verdict::Approve, after(3_601)), Err(Refusal::Closed(state)));
}

/// Gives ann's approval, changed.
fn given(gate: &mut Gate, change: impl FnOnce(&mut Given<'_>)) -> Result<Answered, Refusal> {
    let (principal, people) = (principal("ann"), people());
    let digest = gate.approval.question.subject;
    let verdict = Verdict::Approve;
    let mut given = Given {
        principal: &principal,
        people: &people,
        verdict,
        digest,
        reason: None,
        form: None,
        via: Via::Slack,
        vouched_by: None,
    };
    change(&mut given);
    gate.give(&given, after(1))
}

#[test]
fn inv_c3_nobody_answers_their_own_work_as_somebody_whom_they_vouch_for() {
    let mut gate = Gate::of(one_of_ops(1));
    for own in gate.approval.question.excluded.clone() {
        let refused = given(&mut gate, |given| given.vouched_by = Some(own.clone()));
        assert_eq!(refused, Err(Refusal::OwnWord { by: own }));
    }
    let answered = given(&mut gate, |given| given.vouched_by = Some(user("root"))).expect("counts");
    assert_eq!(answered.ledger.decisions[0].vouched_by, Some(user("root")));
    assert_eq!(gate.standing(), Standing::Approved);
    gate.approval.question.excluded.insert(user("root"));
    assert_eq!(gate.standing(), Standing::Open { level: 0 });
}

#[test]
fn inv_c4_what_was_seen_must_be_what_would_run() {
    let mut gate = Gate::of(one_of_ops(1));
    let refused = given(&mut gate, |given| given.digest = digest("another"));
    assert_eq!(refused, Err(Refusal::OtherDigest(digest("subject"))));

    assert_eq!(gate.play("ann+"), "approved");
    let question = &gate.approval.question;
    let drifted =
        standing(&question.spec, 0, &question.excluded, &people(), gate.ledger.as_ref(), &digest("new"));
    assert_eq!(drifted, Standing::Open { level: 0 });
    gate.approval.state = ApprovalState::Open;
    gate.approval.question.subject = digest("new");
    assert_eq!(gate.play("bob+"), "other digest");
}

#[test]
fn inv_c4_a_covered_step_sends_only_what_was_bound() {
    let approval = gate(one_of_ops(1));
    let covers = |step: &str, request: &str| approval.covers(&step.parse().expect("valid"), &digest(request));
    assert!(covers("cordon", "cordon"));
    assert!(!covers("cordon", "cordon everything"));
    assert!(covers("drain", "could not be rendered then"));
}

#[test]
fn inv_c4_every_part_of_the_subject_changes_its_digest() {
    let steps = BTreeMap::from([
        ("a".parse().expect("valid"), Binding::Request(digest("a"))),
        ("b".parse().expect("valid"), Binding::Undecidable("reads steps.a.outputs".into())),
    ]);
    let mut others = steps.clone();
    others.insert("a".parse().expect("valid"), Binding::Request(digest("c")));
    let fewer = BTreeMap::from([("a".parse().expect("valid"), Binding::Request(digest("a")))]);
    let (parameters, incident) = (serde_json::Map::new(), crate::ids::IncidentId::new(T0, 1));
    let more = serde_json::Map::from_iter([("node".to_owned(), json!("n1"))]);
    let base =
        Bound { version: digest("v"), parameters: &parameters, incident: None, target: None, steps: &steps };
    let digests = BTreeSet::from([
        subject(&base),
        subject(&Bound { version: digest("w"), ..base.clone() }),
        subject(&Bound { parameters: &more, ..base.clone() }),
        subject(&Bound { incident: Some(&incident), ..base.clone() }),
        subject(&Bound { target: Some("payments"), ..base.clone() }),
        subject(&Bound { steps: &others, ..base.clone() }),
        subject(&Bound { steps: &fewer, ..base.clone() }),
    ]);
    assert_eq!(digests.len(), 7);
    assert_eq!(base.bindings(), BTreeMap::from([("a".parse().expect("valid"), digest("a"))]));
}

#[test]
fn a_reason_is_asked_for_and_has_an_end() {
    let mut spec = one_of_ops(2);
    spec["reasonRequired"] = json!(true);
    let with = |reason: &str| given(&mut Gate::of(spec.clone()), |given| given.reason = Some(reason.into()));
    assert_eq!(given(&mut Gate::of(spec.clone()), |_| {}), Err(Refusal::ReasonMissing));
    assert_eq!(with(" \n "), Err(Refusal::ReasonMissing));
    assert!(with("checked the graphs").is_ok());
    assert!(with(&"x".repeat(500)).is_ok());
    assert!(matches!(with(&"x".repeat(501)), Err(Refusal::FormFault(_))));
    assert!(matches!(with("a\u{0}b"), Err(Refusal::FormFault(_))));
}

#[test]
fn a_form_is_checked_and_stored_with_its_defaults() {
    let mut spec = one_of_ops(2);
    spec["form"] = json!({
        "required": ["ticket"], "additionalProperties": false,
        "properties": {"ticket": {"type": "string"}, "sure": {"type": "boolean", "default": true}},
    });
    let with = |form: Option<Value>| given(&mut Gate::of(spec.clone()), |given| given.form = form);
    let faults_of = |refused: Result<Answered, Refusal>| match refused {
        Err(Refusal::FormFault(faults)) => faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(faults_of(with(None)), ["/form"]);
    assert_eq!(faults_of(with(Some(json!({"ticket": 1})))), ["/form/ticket"]);
    assert_eq!(faults_of(with(Some(json!({"ticket": "x".repeat(1_024)})))), ["/form"]);
    assert_eq!(faults_of(with(Some(json!([])))), ["/form"]);
    let stored = with(Some(json!({"ticket": "OPS-1"}))).expect("fits").ledger.decisions.remove(0);
    assert_eq!(stored.form, Some(json!({"ticket": "OPS-1", "sure": true})));

    assert_eq!(
        faults_of(given(&mut Gate::of(one_of_ops(1)), |given| given.form = Some(json!({})))),
        ["/form"]
    );
    let rejected = given(&mut Gate::of(spec.clone()), |given| given.verdict = Verdict::Reject);
    assert!(rejected.is_ok(), "{rejected:?}");
}

#[test]
fn a_ledger_is_finite() {
    let mut gate = Gate::of(one_of_ops(2));
    for _ in 0..answer::MAX_DECISIONS {
        assert_eq!(gate.play("ann+ ann!ann"), "open 0");
    }
    assert_eq!(gate.play("ann+"), "full");
}

#[test]
fn a_gate_without_levels_is_passed_by_nobody() {
    check(json!({"levels": []}), "ann+", "not an approver");
    let nobody = Gate::of(json!({"levels": [{"of": ["platform-admin"], "needed": 0}]}));
    assert_eq!(nobody.standing(), Standing::Open { level: 0 });
    assert_eq!(Gate::of(json!({"levels": []})).standing(), Standing::Open { level: 0 });
}

#[test]
fn a_refusal_says_who_may_and_why_not() {
    let said = |name: &str| {
        let mut gate = Gate::of(two_levels());
        gate.say(name, Verdict::Approve, after(1)).expect_err("is refused").to_string()
    };
    assert_eq!(said("vic"), "needs one of these: team:ops:responder");
    assert_eq!(said("dan2"), "dan2 asked for or wrote this and may not decide about it; another person must");
}

#[test]
fn links_between_names_hold_both_ways_and_over_any_number_of_steps() {
    let people = People::of(&[person("a", &["b"]), person("c", &["b", "d"]), person("x", &["y"])]);
    for (one, other, same) in [
        ("a", "a", true),
        ("a", "d", true),
        ("d", "a", true),
        ("b", "c", true),
        ("a", "x", false),
        ("q", "q", true),
    ] {
        assert_eq!(people.same_person(&user(one), &user(other)), same, "{one} {other}");
    }
    let set = |aliases: &[&str]| SetPerson { aliases: aliases.iter().map(|alias| user(alias)).collect() };
    assert_eq!(set(&["b"]).faults(&user("a")), []);
    assert_eq!(set(&["a"]).faults(&user("a")).len(), 1);
}
