//! What time does to an open gate.

use super::*;

fn ladder(on_expiry: &str) -> Approval {
    gate(json!({
        "levels": [{"of": ["team:ops:responder"]}],
        "onExpiry": on_expiry,
        "escalation": [
            {"afterSeconds": 600, "to": ["team:web:admin", "user:carol"]},
            {"afterSeconds": 1_200, "to": ["user:carol", "platform-admin"]},
        ],
    }))
}

fn told(notify: &[Approver]) -> Vec<String> {
    notify.iter().map(ToString::to_string).collect()
}

#[test]
fn each_rung_is_climbed_when_it_is_due_and_told_once() {
    let asked = ladder("deny");
    assert_eq!(asked.due_at, Some(after(600)));
    assert_eq!(escalate(&asked, after(599)), None);
    let first = escalate(&asked, after(600)).expect("is due");
    assert_eq!((first.approval.rung, first.approval.due_at), (1, Some(after(1_200))));
    assert_eq!(told(&first.notify), ["team:web:admin", "user:carol"]);
    assert_eq!(escalate(&first.approval, after(600)), None);
    let second = escalate(&first.approval, after(1_300)).expect("is due");
    assert_eq!((second.approval.rung, second.approval.due_at), (2, Some(after(3_600))));
    assert_eq!(told(&second.notify), ["user:carol", "platform-admin"]);
    assert_eq!(escalate(&second.approval, after(3_599)), None);
}

#[test]
fn a_sweeper_that_comes_late_climbs_all_that_is_due_at_once() {
    let climbed = escalate(&ladder("deny"), after(3_000)).expect("is due");
    assert_eq!(climbed.approval.rung, 2);
    assert_eq!(told(&climbed.notify), ["team:web:admin", "user:carol", "platform-admin"]);
    assert_eq!(escalate(&ladder("deny"), after(3_600)), None);
}

#[test]
fn a_gate_whose_time_is_up_is_denied_or_proceeds() {
    for (on_expiry, outcome) in [("deny", ExpiryOutcome::Denied), ("proceed", ExpiryOutcome::Proceeded)] {
        let asked = ladder(on_expiry);
        assert_eq!(expire(&asked, after(3_599)), None);
        let closes = Expiry::Closes(ApprovalState::Expired { outcome });
        assert_eq!(expire(&asked, after(3_600)), Some(closes));
        let closed = asked.closed(ApprovalState::Approved, GRACE, after(9));
        assert_eq!((expire(&closed, after(3_600)), escalate(&closed, after(600))), (None, None));
    }
}

#[test]
fn escalation_at_the_end_gives_one_more_period_and_then_denies() {
    let Some(Expiry::Extends(extended)) = expire(&ladder("escalate"), after(4_000)) else {
        panic!("is extended");
    };
    assert_eq!(told(&extended.notify), ["team:web:admin", "user:carol", "platform-admin"]);
    let longer = extended.approval;
    assert_eq!((longer.rung, longer.until, longer.due_at), (2, after(7_600), Some(after(7_600))));
    assert_eq!(escalate(&longer, after(7_000)), None);
    let mut open = Gate { approval: longer.clone(), ledger: None };
    assert!(open.say("carol", Verdict::Approve, after(7_599)).is_ok());
    let denied = Expiry::Closes(ApprovalState::Expired { outcome: ExpiryOutcome::Denied });
    assert_eq!(expire(&longer, after(7_600)), Some(denied));
}

#[test]
fn those_who_were_told_all_before_are_told_of_the_last_rung_again() {
    let climbed = escalate(&ladder("escalate"), after(1_200)).expect("is due").approval;
    let Some(Expiry::Extends(extended)) = expire(&climbed, after(3_600)) else {
        panic!("is extended");
    };
    assert_eq!(told(&extended.notify), ["user:carol", "platform-admin"]);
}
