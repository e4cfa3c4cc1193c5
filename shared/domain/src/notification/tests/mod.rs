//! Who is told what, and the machine: every state × every event.

mod messages;
mod owed;
mod recipients;
mod settings;
mod table;

use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use self::table::notification_table;
use super::*;
use crate::execution::ExecutionStatus;
use crate::ids::WorkflowId;
use crate::outcome::Outcome;

pub(super) const T0: Time = Time::from_millis(1_772_366_400_000);

fn after(seconds: u64) -> Time {
    T0.plus(Duration::from_secs(seconds))
}

fn user(name: &str) -> UserId {
    name.parse().expect("valid")
}

fn settings(value: Value) -> TeamSettings {
    serde_json::from_value(value).expect("parses")
}

/// A bot in a channel, a channel of Microsoft Teams, and a notifier.
fn everything() -> Value {
    json!({
        "people": {"ann": {"email": "ann@example.com", "slackUserId": "U1"}, "bob": {"email": "bob@example.com"}},
        "slack": {"token": {"$secret": "slack/bot"}, "channel": "#ops"},
        "teams": {"webhookUrl": {"$secret": "teams/url"}},
        "notifier": {"url": "https://mail.example/send", "auth": {"type": "bearer", "token": {"$secret": "mail"}}},
    })
}

fn failure() -> Failure {
    Failure {
        workflow: WorkflowId::new(T0, 5),
        workflow_name: "Restart on alarm".into(),
        status: ExecutionStatus::Failed,
        step: Some("restart".parse().expect("valid")),
        error: "the receiver answered 404".into(),
        at: T0,
    }
}

/// The failure that a notification is about.
fn failed(notification: &mut Notification) -> &mut Failure {
    match &mut notification.occasion {
        Occasion::Failure(failure) => failure,
        Occasion::Asking(_) | Occasion::Trouble(_) | Occasion::Reply(_) => panic!("no failure"),
    }
}

/// One of which nobody knows yet whom it concerns.
fn unaddressed() -> Notification {
    let concerned = (Some("ops".parse().expect("valid")), Some(IncidentId::new(T0, 4)));
    Notification::new(ExecutionId::new(T0, 2), 1, Occasion::Failure(failure()), concerned, after(2))
}

/// The same to these people by these settings.
fn to(people: &[&str], by: Value) -> Notification {
    let people: Vec<UserId> = people.iter().map(|name| user(name)).collect();
    let recipients = ways_to_reach(&people, &settings(by), T0);
    let incident = Some(IncidentWords { title: "Checkout is down".into(), priority: Priority::Critical });
    unaddressed().addressed(Addressees::Known { recipients, incident })
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered { status, retry_after_ms: None, body: String::new(), truncated: false }
}
