//! The printed table of the machine; the test that holds it against `docs/STATE-MACHINES.md` is the execution's.

use super::*;

fn moved(notification: &Notification, event: Event, now: Time) -> Moved {
    match decide(notification, event.clone(), now) {
        Decision::Moved(moved) => *moved,
        other @ (Decision::AlreadyDone | Decision::Refused(_)) => panic!("{event:?}: {other:?}"),
    }
}

fn claim(now: Time) -> Event {
    Event::Claim { until: now.plus(Duration::from_secs(22)) }
}

fn attempted(notification: &Notification, outcome: Outcome) -> Event {
    let attempt = notification.recipients().first().map_or(1, |recipient| recipient.attempts);
    Event::Attempted { place: 0, attempt, outcome }
}

/// One channel.
fn one() -> Notification {
    to(&[], json!({"teams": {"webhookUrl": {"$secret": "teams/url"}}}))
}

/// Sending for the last time, and the moment at which that began.
fn at_last_attempt() -> (Notification, Time) {
    let mut now = T0;
    let mut sending = moved(&one(), claim(now), now).to;
    for wait in WAITS {
        let owed = moved(&sending, attempted(&sending, answered(503)), now).to;
        now = now.plus(wait).plus(Duration::from_secs(1));
        sending = moved(&owed, claim(now), now).to;
    }
    (sending, now)
}

/// Each kind of state, reached by events, and the moment at which the table looks at it.
fn states() -> Vec<(&'static str, Notification, Time)> {
    let sending = moved(&one(), claim(T0), T0).to;
    let owed = moved(&sending, attempted(&sending, answered(503)), T0).to;
    let delivered = moved(&sending, attempted(&sending, answered(200)), T0).to;
    let abandoned = moved(&sending, attempted(&sending, answered(404)), T0).to;
    let (last, began) = at_last_attempt();
    let nobody = Addressees::Nobody { because: "team ops has no settings".into() };
    vec![
        ("nobody knows whom it concerns", unaddressed(), after(3)),
        ("it concerns nobody", unaddressed().addressed(nobody), after(3)),
        ("owed, due", one(), T0),
        ("owed, not due", owed, T0),
        ("sending", sending.clone(), after(1)),
        ("sending, lapsed", sending, after(23)),
        ("sending for the last time", last.clone(), began),
        ("sending for the last time, lapsed", last, began.plus(Duration::from_secs(23))),
        ("delivered", delivered, after(1)),
        ("abandoned", abandoned, after(1)),
    ]
}

fn events(notification: &Notification, now: Time) -> Vec<(&'static str, Event)> {
    let unknown = Outcome::Unknown { reason: "connection reset".into() };
    let refused = Outcome::Refused { reason: "the address is private".into() };
    vec![
        ("claim", claim(now)),
        ("answered 200", attempted(notification, answered(200))),
        ("answered 404", attempted(notification, answered(404))),
        ("answered 503", attempted(notification, answered(503))),
        ("outcome unknown", attempted(notification, unknown)),
        ("refused by the egress policy", attempted(notification, refused)),
        ("overdue", Event::Overdue { grace: Duration::from_secs(2) }),
        ("orphaned", Event::Orphaned),
    ]
}

fn cell(decision: &Decision) -> String {
    match decision {
        Decision::AlreadyDone => "already done".into(),
        Decision::Refused(Refusal::NotDue(_)) => "refused: not due".into(),
        Decision::Refused(Refusal::Unaddressed) => "refused: unaddressed".into(),
        Decision::Refused(Refusal::UnknownAttempt) => "refused: no such attempt".into(),
        Decision::Moved(moved) => {
            let effects = moved.effects.iter().map(effect_name);
            [vec![standing(&moved.to)], effects.collect()].concat().join(" + ")
        }
    }
}

fn standing(notification: &Notification) -> String {
    let Some(recipient) = notification.recipients().first() else { return "unaddressed".into() };
    match recipient.state {
        RecipientState::Owed { .. } => "owed".into(),
        RecipientState::Sending { .. } => "sending".into(),
        RecipientState::Delivered { .. } => "delivered".into(),
        RecipientState::Abandoned { .. } => "abandoned".into(),
    }
}

fn effect_name(effect: &Effect) -> String {
    match effect {
        Effect::Send { attempt, .. } => format!("send {attempt}"),
        Effect::Nudge { .. } => "nudge".into(),
        Effect::AuditFailure { .. } => "audit notification.failed".into(),
    }
}

pub(crate) fn notification_table() -> String {
    let mut text = String::from("| state | event | becomes |\n|---|---|---|\n");
    for (name, notification, now) in states() {
        for (event_name, event) in events(&notification, now) {
            let becomes = cell(&decide(&notification, event, now));
            text.push_str(&format!("| {name} | {event_name} | {becomes} |\n"));
        }
    }
    text
}

#[test]
fn every_state_but_the_settled_ones_is_in_the_due_index() {
    for (name, notification, _) in states() {
        let settled = ["it concerns nobody", "delivered", "abandoned"].contains(&name);
        assert_eq!(notification.due_at.is_none(), settled, "{name}");
    }
}

#[test]
fn attempts_wait_as_named_and_retry_after_is_honoured_within_its_cap() {
    let (mut now, mut sending) = (T0, moved(&one(), claim(T0), T0).to);
    for wait in WAITS {
        let owed = moved(&sending, attempted(&sending, answered(503)), now).to;
        let RecipientState::Owed { due } = owed.recipients()[0].state else { panic!("{owed:?}") };
        let seen = due.since(now);
        assert!(seen >= wait && seen < wait + Duration::from_millis(250), "{seen:?}");
        now = due;
        sending = moved(&owed, claim(now), now).to;
    }
    let first = moved(&one(), claim(T0), T0).to;
    for (asked, expected) in [(7_000, 7), (9_999_999, 300)] {
        let outcome = Outcome::Answered {
            status: 429,
            retry_after_ms: Some(asked),
            body: String::new(),
            truncated: false,
        };
        let owed = moved(&first, attempted(&first, outcome), T0).to;
        assert_eq!(owed.recipients()[0].state, RecipientState::Owed { due: after(expected) });
    }
}

#[test]
fn a_late_success_of_an_attempt_that_was_given_up_keeps_the_message_from_being_sent_again() {
    let sending = moved(&one(), claim(T0), T0).to;
    let again = moved(&sending, claim(after(23)), after(23)).to;
    assert_eq!(again.recipients()[0].attempts, 2);
    let late = |outcome| Event::Attempted { place: 0, attempt: 1, outcome };
    assert_eq!(decide(&again, late(answered(503)), after(24)), Decision::AlreadyDone);
    let delivered = moved(&again, late(answered(200)), after(24)).to;
    assert_eq!((delivered.recipients()[0].settled(), delivered.due_at), (true, None));
    let second = Event::Attempted { place: 0, attempt: 2, outcome: answered(503) };
    assert_eq!(decide(&delivered, second, after(25)), Decision::AlreadyDone);
}

#[test]
fn recipients_go_their_own_ways() {
    let notification = to(&["bob"], everything());
    let sending = moved(&notification, claim(T0), T0);
    assert_eq!(sending.effects.len(), 3, "{:?}", sending.effects);
    let outcome = |place, status| Event::Attempted { place, attempt: 1, outcome: answered(status) };
    let first = moved(&sending.to, outcome(1, 200), T0).to;
    let second = moved(&first, outcome(2, 404), T0);
    let [Effect::AuditFailure { place: 2, .. }] = &second.effects[..] else { panic!("{:?}", second.effects) };
    let third = moved(&second.to, outcome(0, 503), T0);
    assert_eq!(
        third.effects,
        [Effect::Nudge { at: third.to.due_at.expect("due").minus(Duration::from_secs(1)) }]
    );
    let again = moved(&third.to, claim(after(2)), after(2));
    assert_eq!(again.effects, [Effect::Send { place: 0, attempt: 2 }], "and nothing else is sent");
}
