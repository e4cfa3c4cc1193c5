//! Every limit at its boundary, and what no order of beginnings and ends may break.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ids::{RunbookId, StepId};

const T0: Time = Time::from_millis(1_772_366_400_000);

fn after(seconds: u64) -> Time {
    T0.plus(Duration::from_secs(seconds))
}

fn runbook(number: u128) -> RunbookId {
    RunbookId::new(T0, number)
}

fn execution(number: u128) -> ExecutionId {
    ExecutionId::new(T0, number)
}

fn limits(value: Value) -> Limits {
    serde_json::from_value(value).expect("limits")
}

fn checkout() -> TargetKey {
    TargetKey { of: Scope::Team("ops".parse().expect("valid")), name: "checkout".into() }
}

/// A runbook with these limits, and what is stored.
struct Desk {
    limits: Limits,
    books: Books,
}

impl Desk {
    fn of(value: Value) -> Self {
        Self { limits: limits(value), books: Books::default() }
    }

    fn asks(&self, change: impl FnOnce(&mut Applicant<'_>), number: u128, now: Time) -> Answer {
        let (key, execution, runbook) = (checkout(), execution(number), runbook(1));
        let mut applicant = Applicant {
            execution: &execution,
            runbook: &runbook,
            limits: &self.limits,
            target: self.limits.target.as_ref().map(|_| &key),
            shares: &[],
            resumes: false,
            alone: None,
        };
        change(&mut applicant);
        admit(&applicant, self.books.clone(), now)
    }

    fn takes(&mut self, answer: Answer) -> Option<TargetLease> {
        let Answer::Granted(Granted { lease, books }) = answer else { return None };
        self.books.target = books.target.or(self.books.target.take());
        self.books.usage = books.usage.or(self.books.usage.take());
        lease
    }

    fn begins(&mut self, number: u128, now: Time) -> TargetLease {
        let answer = self.asks(|_| (), number, now);
        self.takes(answer).expect("granted, of a target")
    }

    fn ends(&mut self, number: u128, now: Time) {
        let target = self.books.target.take().expect("a target");
        self.books.target = Some(target.released(&execution(number), now));
    }
}

/// What the next run is met with: `granted`, `waits`, or the words of the refusal.
fn check(desk: &Desk, now: Time, expected: &str) {
    let said = match desk.asks(|_| (), 99, now) {
        Answer::Granted(_) => "granted".to_owned(),
        Answer::Wait { .. } => "waits".to_owned(),
        Answer::Refused(refusal) => refusal.to_string(),
    };
    assert_eq!(said, expected);
}

#[test]
fn whoever_finds_too_many_on_the_target_waits() {
    for (limit, holders, expected) in [(1, 0, "granted"), (1, 1, "waits"), (2, 1, "granted"), (2, 2, "waits")]
    {
        let mut desk = Desk::of(json!({"target": "t", "concurrencyPerTarget": limit}));
        for number in 0..holders {
            desk.begins(number, T0);
        }
        check(&desk, after(1), expected);
        if holders > 0 {
            desk.ends(0, after(2));
            check(&desk, after(2), "granted");
        }
    }
}

#[test]
fn each_runbook_judges_all_holders_by_its_own_limit() {
    let mut desk = Desk::of(json!({"target": "t"}));
    desk.begins(1, T0);
    desk.begins(2, T0);
    check(&desk, T0, "granted");
    desk.limits = limits(json!({"target": "t", "concurrencyPerTarget": 2}));
    check(&desk, T0, "waits");
    desk.limits = limits(json!({"target": "t", "concurrencyPerTarget": 3}));
    check(&desk, T0, "granted");
}

#[test]
fn a_cooldown_lies_between_an_end_and_the_next_beginning() {
    let mut desk = Desk::of(json!({"target": "t", "concurrencyPerTarget": 1, "cooldownSeconds": 600}));
    desk.begins(1, T0);
    let one = execution(1);
    check(
        &desk,
        after(700),
        &format!(
            "the limit cooldownSeconds (600) holds for target checkout: execution {one} works there; the next run may begin 600 s after its end"
        ),
    );
    desk.ends(1, after(700));
    let refused = format!(
        "the limit cooldownSeconds (600) holds for target checkout: execution {one} ended there at {}; the next run may begin at {}",
        after(700),
        after(1_300)
    );
    check(&desk, after(700), &refused);
    check(&desk, after(1_299), &refused);
    check(&desk, after(1_300), "granted");
}

#[test]
fn a_cooldown_of_a_week_outlives_the_hour_that_starts_are_kept() {
    let mut desk = Desk::of(json!({"target": "t", "cooldownSeconds": 604_800}));
    desk.begins(1, T0);
    desk.ends(1, after(10));
    let again = Desk { limits: limits(json!({"target": "t"})), books: desk.books.clone() };
    let granted = again.asks(|applicant| applicant.resumes = true, 2, after(90_000));
    desk.takes(granted);
    desk.ends(2, after(90_001));
    assert!(matches!(desk.asks(|_| (), 3, after(604_809)), Answer::Refused(Refusal::Cooldown { .. })));
    check(&desk, after(604_810), "granted");
}

#[test]
fn a_rate_is_counted_over_an_hour_of_all_runs_on_the_target() {
    let mut desk = Desk::of(json!({"target": "t", "ratePerTargetPerHour": 2}));
    for (number, at) in [(1, 0), (2, 60)] {
        desk.begins(number, after(at));
        desk.ends(number, after(at + 1));
    }
    let refused = format!(
        "the limit ratePerTargetPerHour (2) for target checkout is reached; the next run may begin at {}",
        after(3_600)
    );
    check(&desk, after(61), &refused);
    check(&desk, after(3_599), &refused);
    check(&desk, after(3_600), "granted");
}

#[test]
fn executions_per_hour_need_no_target() {
    let mut desk = Desk::of(json!({"executionsPerHour": 2}));
    for (number, at) in [(1, 0), (2, 60)] {
        let answer = desk.asks(|_| (), number, after(at));
        assert_eq!(desk.takes(answer), None);
    }
    let refused = format!(
        "the limit executionsPerHour (2) of the runbook is reached; it may run again at {}",
        after(3_600)
    );
    check(&desk, after(3_599), &refused);
    check(&desk, after(3_600), "granted");
}

#[test]
fn what_takes_back_is_refused_by_nothing_and_waits_for_its_turn() {
    let desk = json!({"target": "t", "concurrencyPerTarget": 1, "cooldownSeconds": 60, "ratePerTargetPerHour": 1, "executionsPerHour": 1});
    let mut desk = Desk::of(desk);
    desk.begins(1, T0);
    let resumes = |applicant: &mut Applicant<'_>| applicant.resumes = true;
    assert_eq!(desk.asks(resumes, 2, after(1)), Answer::Wait { holders: vec![execution(1)] });
    desk.ends(1, after(2));
    let answer = desk.asks(resumes, 2, after(2));
    let counted = desk.books.usage.clone();
    assert_eq!(desk.takes(answer).expect("granted").fence, 2);
    assert_eq!(desk.books.usage, counted, "it is no run of the runbook");
}

#[test]
fn whoever_is_waited_for_works_where_the_waiting_one_does() {
    let mut desk = Desk::of(json!({"target": "t", "concurrencyPerTarget": 1, "cooldownSeconds": 60}));
    let lease = desk.begins(1, T0);
    let lent = [lease.clone()];
    let child = |shares: &[TargetLease]| {
        let (key, id, runbook) = (checkout(), execution(2), runbook(1));
        let applicant = Applicant {
            execution: &id,
            runbook: &runbook,
            limits: &desk.limits,
            target: Some(&key),
            shares,
            resumes: false,
            alone: None,
        };
        admit(&applicant, desk.books.clone(), after(1))
    };
    let granted = Granted { lease: Some(lease), books: Books::default() };
    assert_eq!(child(&lent), Answer::Granted(granted), "and the books stay as they are");
    assert!(matches!(child(&[]), Answer::Refused(_)));
}

#[test]
fn whoever_must_be_alone_is_refused_where_others_wait() {
    let mut desk = Desk::of(json!({"target": "t", "concurrencyPerTarget": 2}));
    desk.begins(1, T0);
    let free: StepId = "free".parse().expect("valid");
    let (key, id, runbook) = (checkout(), execution(2), runbook(1));
    let applicant = Applicant {
        execution: &id,
        runbook: &runbook,
        limits: &desk.limits,
        target: Some(&key),
        shares: &[],
        resumes: false,
        alone: Some(&free),
    };
    let Answer::Refused(refusal) = admit(&applicant, desk.books.clone(), T0) else { panic!("refused") };
    let one = execution(1);
    assert_eq!(refusal.to_string(), format!("prerequisite free: execution {one} works on target checkout"));
    assert!(matches!(admit(&applicant, Books::default(), T0), Answer::Granted(_)));
}

#[test]
fn a_clock_that_jumps_back_frees_nothing_early() {
    let mut desk = Desk::of(json!({"target": "t", "cooldownSeconds": 60, "ratePerTargetPerHour": 1}));
    desk.begins(1, after(7_200));
    desk.ends(1, after(7_201));
    assert!(matches!(desk.asks(|_| (), 2, after(3_600)), Answer::Refused(Refusal::Cooldown { .. })));
}

#[test]
fn a_target_is_named_by_the_rendered_text_without_blanks() {
    let name = |template: &str, service: Value| {
        limits(json!({"target": template})).target_name(&json!({"params": {"service": service}}))
    };
    let ok = |name: &str| Ok(Some(name.to_owned()));
    assert_eq!(name(" {{params.service}} ", json!("a b")), ok("a b"));
    assert_eq!(name("x", json!("")), ok("x"));
    assert_eq!(name("{{params.service}}", json!("é".repeat(200))), ok(&"é".repeat(200)));
    let refused = |template: &str, service: Value| name(template, service).expect_err("no target");
    assert_eq!(
        refused("{{params.service}}", json!("é".repeat(201))),
        "limits.target names no target: it has 201 characters; at most 200 are allowed"
    );
    assert_eq!(refused("{{params.service}}", json!(" ")), "limits.target names no target: it is empty");
    assert!(refused("{{params.other}}", json!("")).contains("params.other"));
    assert_eq!(Limits::default().target_name(&json!({})), Ok(None));
}

#[test]
fn the_same_name_of_another_team_is_another_target() {
    let other = TargetKey { of: Scope::Team("db".parse().expect("valid")), ..checkout() };
    assert_ne!(other.digest(), checkout().digest());
    assert_ne!(TargetKey { of: Scope::Runbook(runbook(1)), ..checkout() }.digest(), checkout().digest());
    assert_eq!(checkout().digest(), checkout().digest());
}

#[test]
fn the_record_of_a_target_stays_small() {
    let mut target = Target::unused(checkout());
    for number in 0..MOST_STARTS as u128 + 10 {
        let (target_now, _) = target.taken(&execution(number), &runbook(1), T0);
        target = target_now.counting(&execution(number), &runbook(1), T0).released(&execution(number), T0);
        target = target.awaited_by(&execution(number)).expect("new");
    }
    assert_eq!(
        (target.recent.len(), target.waiting.len(), target.holders.len()),
        (MOST_STARTS, MOST_WAITING, 0)
    );
    assert_eq!(target.awaited_by(&execution(MOST_STARTS as u128 + 9)), None, "it is there already");
    let later = target.counting(&execution(1), &runbook(1), after(3_601));
    assert!(later.recent.len() <= MOST_STARTS + 1);
    let mut unlimited = Desk::of(json!({"target": "t"}));
    for number in 100..100 + MOST_HOLDERS as u128 {
        unlimited.begins(number, T0);
    }
    check(&unlimited, T0, "waits");
}

/// What may happen at a target, in any order.
#[derive(Debug, Clone, Copy)]
enum Move {
    Asks { execution: u128, limit: u32, resumes: bool },
    Ends { execution: u128 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let asks = (0_u128..8, 1_u32..4, any::<bool>());
    let asks = asks.prop_map(|(execution, limit, resumes)| Move::Asks { execution, limit, resumes });
    let ends = (0_u128..8).prop_map(|execution| Move::Ends { execution });
    prop::collection::vec(prop_oneof![2 => asks, 1 => ends], 0..60)
}

proptest! {
    /// Whoever is let in finds fewer on the target than its own limit, every fence is greater than all before it, and
    /// exactly the newest lease of an execution stands until it ends.
    #[test]
    fn no_order_of_beginnings_and_ends_lets_too_many_in(moves in moves()) {
        let mut desk = Desk::of(json!({"target": "t"}));
        let (mut held, mut last) = (BTreeSet::new(), 0);
        for (second, one) in moves.into_iter().enumerate() {
            let now = after(second as u64);
            match one {
                Move::Asks { execution: number, limit, resumes } => {
                    desk.limits = limits(json!({"target": "t", "concurrencyPerTarget": limit}));
                    let others = held.iter().filter(|holder| **holder != number).count();
                    let answer = desk.asks(|applicant| applicant.resumes = resumes, number, now);
                    let Some(lease) = desk.takes(answer) else {
                        prop_assert!(others >= limit as usize);
                        continue;
                    };
                    prop_assert!(others < limit as usize);
                    prop_assert!(lease.fence > last);
                    last = lease.fence;
                    held.insert(number);
                    let target = desk.books.target.clone().expect("a target");
                    prop_assert!(target.lists(&lease));
                    let older = TargetLease { fence: lease.fence - 1, ..lease };
                    prop_assert!(!target.lists(&older));
                }
                Move::Ends { execution: number } => {
                    if let Some(target) = desk.books.target.take() {
                        desk.books.target = Some(target.released(&execution(number), now));
                    }
                    held.remove(&number);
                }
            }
            let listed = desk.books.target.iter().flat_map(|target| &target.holders);
            let listed: BTreeSet<ExecutionId> = listed.map(|holder| holder.execution.clone()).collect();
            let expected: BTreeSet<ExecutionId> = held.iter().map(|number| execution(*number)).collect();
            prop_assert_eq!(listed, expected);
        }
    }
}
