//! Notifications of failures (C9): owed in the commit of the failure, sent at least once to each of those concerned, and never
//! in the way of the execution.

use std::sync::Arc;
use std::time::Duration;

use muster_app::job::Job;
use muster_app::metrics::Counter;
use muster_app::table::Key;
use muster_domain::ids::{IncidentId, UserId, WorkflowId};
use muster_domain::incident::IncidentPatch;
use muster_domain::notification::{Addressees, Failure, Notification, Occasion, RecipientState};
use rstest::rstest;

use super::crash_points::{Breaking, CrashPoint, survive};
use super::workflows::{begun, call, incident, saved, workflow};
use super::*;
use crate::support::receiver::{Received, Reply};
use crate::support::world::SHIFT;

/// Longer than any grace of these tests.
const LATER: Duration = Duration::from_secs(60);

/// Team `ops` has a channel of Microsoft Teams, whose URL is a secret, and a notifier; its people are named by addresses.
pub(crate) async fn set_up(world: &World, change: Value) {
    let secrets = format!("teams={}\nslack={}\n", world.receiver.url("/teams"), world.receiver.url("/slack"));
    keep_secrets(world, &secrets);
    let mut settings = json!({
        "people": {"ann": {"email": "ann@example.com"}, "bo": {"email": "bo@example.com"}},
        "teams": {"webhookUrl": {"$secret": "teams"}},
        "notifier": {"url": world.receiver.url("/notify")},
    });
    for (name, value) in change.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    let settings = serde_json::from_value(settings).unwrap();
    world.app.set_team_settings(&ann(), &"ops".parse().unwrap(), settings, None).await.unwrap();
}

fn keep_secrets(world: &World, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = world.directory.path().join("secrets");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A workflow of one call, written by ann.
async fn calling(world: &World) -> WorkflowId {
    saved(world, workflow(json!([call(world, "call")]), &[("start", "call", None)])).await
}

/// An incident that bo looks after.
async fn assigned(world: &World) -> IncidentId {
    let id = incident(world, json!({"service": "web"})).await;
    let assignee: UserId = "bo".parse().unwrap();
    let patch = IncidentPatch { assignee: Some(Some(assignee)), ..IncidentPatch::default() };
    world.app.change_incident(&ann(), &id, patch, None).await.unwrap();
    id
}

/// An execution that is about to fail, with a call that is answered 404.
async fn failing(world: &World) -> ExecutionId {
    let id = calling(world).await;
    let incident = assigned(world).await;
    world.drain().await;
    world.receiver.will([Reply::Status(404)]);
    begun(world, &id, Some(incident)).await
}

/// The failure that a notification is about.
fn failed(notification: &Notification) -> &Failure {
    match &notification.occasion {
        Occasion::Failure(failure) => failure,
        Occasion::Asking(_) | Occasion::Trouble(_) | Occasion::Reply(_) => panic!("no failure"),
    }
}

pub(crate) async fn owed(world: &World, execution: &ExecutionId) -> Vec<Notification> {
    world.app.notifications_of_execution(&bob(), execution).await.unwrap()
}

/// Where messages arrived, sorted: `/teams`, and `/notify` with the address.
fn told(world: &World) -> Vec<String> {
    let mut told: Vec<String> = messages(world).iter().map(place_of).collect();
    told.sort();
    told
}

fn messages(world: &World) -> Vec<Received> {
    let received = world.receiver.received().into_iter();
    received.filter(|one| ["/teams", "/notify"].contains(&one.uri.path())).collect()
}

fn place_of(message: &Received) -> String {
    let body: Value = serde_json::from_str(&message.body).unwrap();
    match body["to"].as_str() {
        Some(to) => format!("{} {to}", message.uri.path()),
        None => message.uri.path().to_owned(),
    }
}

const EVERYBODY: [&str; 3] = ["/notify ann@example.com", "/notify bo@example.com", "/teams"];

/// What the audit log has of an execution.
async fn actions(world: &World, execution: &ExecutionId) -> Vec<String> {
    let export = world.app.audit_export(&bob(), &execution.as_str().parse().unwrap()).await.unwrap();
    export.verify().unwrap();
    export.entries.into_iter().map(|entry| entry.action).collect()
}

async fn is_quiet(world: &World) {
    let before = world.receiver.received().len();
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(3_600));
        assert_eq!(world.app.sweep().await.unwrap().due, 0, "nothing is owed");
        world.drain().await;
    }
    assert_eq!(world.receiver.received().len(), before, "nothing more is sent");
}

#[rstest]
#[tokio::test]
async fn c9_assignee_creator_and_channel_are_told_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({})).await;
    let run = failing(&world).await;
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Failed).await;
    assert_eq!(told(&world), EVERYBODY);
    let mail = messages(&world).into_iter().find(|one| one.uri.path() == "/notify").unwrap();
    let body: Value = serde_json::from_str(&mail.body).unwrap();
    assert_eq!(body["subject"], "Workflow Restart on alarm failed");
    assert_eq!(body["execution"]["id"], json!(run));
    assert_eq!(body["execution"]["node"], "call");
    assert_eq!(body["incident"]["title"], "Down");
    let key = mail.header("idempotency-key");
    assert!(key.starts_with(&format!("{run}-notification-1-")), "{key}");
    let [notification] = owed(&world, &run).await.try_into().unwrap();
    assert!(
        notification.recipients().iter().all(|one| matches!(one.state, RecipientState::Delivered { .. }))
    );
    assert_eq!(world.app.metrics().value(Counter::NotificationsSent), 3);
    assert_eq!(actions(&world, &run).await, ["execution.accepted", "execution.failed"]);
    is_quiet(&world).await;
    check_promises(&world, &run).await;
}

#[rstest]
#[tokio::test]
async fn c9_it_is_owed_in_the_commit_of_the_failure_and_a_lost_nudge_is_repaired_by_the_sweeper(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({})).await;
    let run = failing(&world).await;
    for job in world.queue.take_due() {
        world.handle(&job).await.unwrap();
    }
    world.queue.lose_all();
    check_status(&world, &run, ExecutionStatus::Failed).await;
    let [notification] = owed(&world, &run).await.try_into().unwrap();
    assert_eq!((notification.addressees, notification.due_at.is_some()), (Addressees::Unknown, true));
    assert_eq!(told(&world), [""; 0]);
    world.clock.advance(LATER);
    let swept = world.app.sweep().await.unwrap();
    assert_eq!((swept.due, swept.nudged, swept.failed), (1, 1, 0));
    world.drain().await;
    assert_eq!(told(&world), EVERYBODY);
    is_quiet(&world).await;
}

#[rstest]
#[tokio::test]
async fn c9_nobody_is_told_twice_who_is_both(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    set_up(&world, json!({"people": {"ann": {"email": "x@example.com"}, "bo": {"email": "x@example.com"}}}))
        .await;
    failing(&world).await;
    world.drain().await;
    assert_eq!(told(&world), ["/notify x@example.com", "/teams"]);
}

#[rstest]
#[tokio::test]
async fn c9_several_deliveries_of_the_same_job_send_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({})).await;
    let run = failing(&world).await;
    while let Some(moment) = world.queue.next_due() {
        world.clock.move_to(moment);
        for job in world.queue.take_due() {
            let (first, second) = tokio::join!(world.handle(&job), world.handle(&job));
            first.and(second).unwrap();
            world.handle(&job).await.unwrap();
        }
    }
    assert_eq!(told(&world), EVERYBODY);
    world.handle(&Job::Notify { execution: run, number: 7 }).await.unwrap();
    assert_eq!(told(&world).len(), 3, "a notification that is not there is nothing to do");
}

#[rstest]
#[tokio::test]
async fn c9_a_message_is_tried_again_after_its_wait_under_the_same_key(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({"notifier": null, "people": {}})).await;
    let run = failing(&world).await;
    world.receiver.will([Reply::Status(503), Reply::Whole(429, &[("retry-after", "30")], String::new())]);
    world.drain_due().await;
    assert_eq!(messages(&world).len(), 1);
    world.clock.advance(Duration::from_millis(900));
    world.handle(&Job::Notify { execution: run.clone(), number: 1 }).await.unwrap();
    assert_eq!(messages(&world).len(), 1, "never early");
    world.clock.advance(Duration::from_millis(400));
    world.drain_due().await;
    assert_eq!(messages(&world).len(), 2);
    world.clock.advance(Duration::from_secs(29));
    world.drain_due().await;
    assert_eq!(messages(&world).len(), 2, "the receiver asked for 30 s");
    world.drain().await;
    let sent = messages(&world);
    let keys: Vec<String> = sent.iter().map(|one| one.header("idempotency-key")).collect();
    assert_eq!((sent.len(), &keys[0], &sent[0].body), (3, &keys[2], &sent[2].body));
    check_promises(&world, &run).await;
    is_quiet(&world).await;
}

/// Answers to the only message, and what becomes of it.
async fn check_failure(engine: Engine, answers: &[u16], attempts: usize) {
    let world = World::on(engine).await;
    set_up(&world, json!({"notifier": null, "people": {}})).await;
    let run = failing(&world).await;
    world.receiver.will(answers.iter().map(|status| Reply::Status(*status)));
    world.drain().await;
    assert_eq!(messages(&world).len(), attempts, "{answers:?}");
    check_status(&world, &run, ExecutionStatus::Failed).await;
    let expected = ["execution.accepted", "execution.failed", "notification.failed"];
    assert_eq!(actions(&world, &run).await, expected, "{answers:?}");
    let [notification] = owed(&world, &run).await.try_into().unwrap();
    assert!(matches!(notification.recipients()[0].state, RecipientState::Abandoned { .. }));
    assert_eq!(world.app.metrics().value(Counter::NotificationsFailed), 1);
    is_quiet(&world).await;
    assert_eq!(actions(&world, &run).await.len(), 3);
}

#[rstest]
#[tokio::test]
async fn c9_what_cannot_be_delivered_ends_in_the_audit_log_and_not_in_a_loop(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    check_failure(engine, &[404], 1).await;
    check_failure(engine, &[503; 9], 5).await;
}

#[rstest]
#[tokio::test]
async fn inv_d1_a_notifier_at_a_forbidden_address_is_not_called(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({"teams": null, "notifier": {"url": "http://169.254.169.254/latest"}})).await;
    let run = failing(&world).await;
    world.drain().await;
    let [notification] = owed(&world, &run).await.try_into().unwrap();
    for recipient in notification.recipients() {
        assert_eq!(recipient.attempts, 1);
        assert!(matches!(recipient.state, RecipientState::Abandoned { .. }), "{recipient:?}");
    }
    assert_eq!(told(&world), [""; 0]);
}

#[rstest]
#[tokio::test]
async fn c9_without_settings_or_a_way_there_is_nothing_to_send_and_that_is_said(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let because = async |run: &ExecutionId| {
        let [notification] = owed(&world, run).await.try_into().unwrap();
        assert_eq!(notification.due_at, None);
        match notification.addressees {
            Addressees::Nobody { because } => because,
            other => panic!("somebody: {other:?}"),
        }
    };
    let run = failing(&world).await;
    world.drain().await;
    assert_eq!(because(&run).await, "team ops has no settings");
    set_up(&world, json!({"teams": null, "people": {}})).await;
    world.clock.advance(LATER);
    let run = failing(&world).await;
    world.drain().await;
    let expected = "the settings of team ops have no channel and no way to the people concerned";
    assert_eq!(because(&run).await, expected);
    assert_eq!(actions(&world, &run).await, ["execution.accepted", "execution.failed"]);
    is_quiet(&world).await;
}

#[rstest]
#[tokio::test]
async fn c9_a_timeout_is_told_and_what_a_person_cancels_is_not(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({"notifier": null})).await;
    let runbook = approved(&world, json!({})).await;
    let waits = super::workflows::executes("restart", &runbook, json!({"wait": true}));
    let mut definition = workflow(json!([waits]), &[("start", "restart", None)]);
    definition["settings"] = json!({"timeout": "1min"});
    let id = saved(&world, definition).await;
    let cancelled = begun(&world, &id, None).await;
    world.clock.advance(Duration::from_secs(1));
    let timed_out = begun(&world, &id, None).await;
    for run in [&cancelled, &timed_out] {
        world.handle(&Job::Run { execution: run.clone() }).await.unwrap();
    }
    world.queue.lose_all();
    world.app.cancel_execution(&ann(), &cancelled, None).await.unwrap();
    world.clock.advance(Duration::from_secs(61));
    world.handle(&Job::Run { execution: timed_out.clone() }).await.unwrap();
    world.drain().await;
    assert!(owed(&world, &cancelled).await.is_empty());
    let [notification] = owed(&world, &timed_out).await.try_into().unwrap();
    assert_eq!(failed(&notification).status, ExecutionStatus::Cancelled);
    assert_eq!(failed(&notification).error, "Timed out after 60 s");
    assert_eq!(told(&world), ["/teams"]);
}

#[rstest]
#[tokio::test]
async fn c9_a_review_is_told_and_a_later_failure_again(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({"notifier": null})).await;
    let mut node = call(&world, "call");
    node["action"]["idempotent"] = json!(false);
    let id = saved(&world, workflow(json!([node]), &[("start", "call", None)])).await;
    world.receiver.will([Reply::Status(500), Reply::Status(200), Reply::Status(404)]);
    let run = begun(&world, &id, None).await;
    world.drain_due().await;
    check_status(&world, &run, ExecutionStatus::NeedsReview).await;
    assert_eq!(told(&world), ["/teams"]);
    let resend = muster_domain::execution::Resolution::Resend;
    world.app.resolve_execution(&ann(), &run, resend, "its log has nothing".into()).await.unwrap();
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Failed).await;
    assert_eq!(told(&world), ["/teams", "/teams"]);
    let statuses: Vec<_> =
        owed(&world, &run).await.iter().map(|one| (one.number, failed(one).status)).collect();
    assert_eq!(statuses, [(1, ExecutionStatus::NeedsReview), (2, ExecutionStatus::Failed)]);
    check_promises(&world, &run).await;
}

#[rstest]
#[tokio::test]
async fn c9_every_path_that_ends_an_execution_owes_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({"notifier": null})).await;
    let id = calling(&world).await;
    let run = begun(&world, &id, None).await;
    world.queue.lose_all();
    world.app.finalise(&run, "the job failed too often").await.unwrap();
    let [notification] = owed(&world, &run).await.try_into().unwrap();
    assert_eq!(failed(&notification).error, "the job failed too often");

    world.clock.advance(Duration::from_secs(1));
    let stopped = begun(&world, &id, None).await;
    let set = muster_app::kill_switches::SetKillSwitch { engaged: true, reason: "failover".into() };
    world.app.set_kill_switch(&bob(), &"team:ops".parse().unwrap(), &set).await.unwrap();
    world.drain().await;
    let [notification] = owed(&world, &stopped).await.try_into().unwrap();
    assert_eq!(
        (failed(&notification).step.clone(), failed(&notification).error.contains("failover")),
        (None, true)
    );
    world.clock.advance(LATER);
    world.app.sweep().await.unwrap();
    world.drain().await;
    assert_eq!(told(&world), ["/teams", "/teams"], "also of the one that nobody nudged for");
}

#[rstest]
#[tokio::test]
async fn c9_a_runbook_that_fails_on_its_own_owes_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({})).await;
    world.receiver.will([Reply::Status(404)]);
    let runbook = approved(&world, json!({})).await;
    let run = accepted(&world, &runbook).await;
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Failed).await;
    assert!(owed(&world, &run).await.is_empty());
    assert_eq!(told(&world), [""; 0]);
}

/// An execution that fails without a call, however often it is taken up again.
async fn failing_by_itself(world: &World) -> ExecutionId {
    let definition = serde_json::from_value(definition(world, json!({}))).unwrap();
    let draft = world.app.create_runbook(&ann(), definition).await.unwrap().runbook.id;
    let node = super::workflows::executes("restart", &draft, json!({}));
    let mut definition = workflow(json!([node]), &[("start", "restart", None)]);
    // Longer than the table is broken.
    definition["settings"] = json!({"timeout": "15min"});
    let id = saved(world, definition).await;
    begun(world, &id, None).await
}

/// How many writes a failing workflow and its notification make after the start, and one more.
const WRITES: usize = 6;

/// The process stops at its n-th write after an execution began that fails: how often the one message arrived.
pub(super) async fn told_through_a_crash(
    engine: Engine,
    (at, nth): (CrashPoint, usize),
    failing: impl AsyncFn(&World) -> ExecutionId,
) -> usize {
    let hook = Breaking::at(at);
    let world = World::hooked(engine, Arc::clone(&hook)).await;
    set_up(&world, json!({"notifier": null})).await;
    let run = failing(&world).await;
    hook.after(nth);
    survive(&world).await;
    // What is left may be due later than one look of the sweeper.
    world.drain().await;
    check_status(&world, &run, ExecutionStatus::Failed).await;
    let [notification] = owed(&world, &run).await.try_into().unwrap();
    let recipient = &notification.recipients()[0];
    let context = format!("{at:?} at write {nth}: {recipient:?}");
    assert!(matches!(recipient.state, RecipientState::Delivered { .. }), "{context}");
    assert_eq!(notification.due_at, None, "{context}");
    let arrived = messages(&world);
    assert!(arrived.len() <= recipient.attempts as usize, "{context}");
    let keys: std::collections::BTreeSet<String> =
        arrived.iter().map(|one| one.header("idempotency-key")).collect();
    assert_eq!(keys.len(), 1, "{context}");
    check_promises(&world, &run).await;
    arrived.len()
}

#[rstest]
#[tokio::test]
async fn inv_a6_a_crash_before_or_after_any_write_loses_no_notification(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let mut most = 0;
    for at in [CrashPoint::Before, CrashPoint::After] {
        for nth in 0..WRITES {
            let arrived = told_through_a_crash(engine, (at, nth), failing_by_itself).await;
            assert!(arrived >= 1, "{at:?} at write {nth}: nobody was told");
            most = most.max(arrived);
        }
    }
    assert_eq!(most, 2, "a crash between the sending and the storing sends again, and no other does");
}

#[rstest]
#[tokio::test]
async fn inv_g1_an_attempt_whose_worker_died_is_made_again(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    set_up(&world, json!({"notifier": null})).await;
    let run = failing(&world).await;
    for job in world.queue.take_due() {
        world.handle(&job).await.unwrap();
    }
    world.queue.lose_all();
    world.receiver.will([Reply::Silence]);
    let job = Job::Notify { execution: run.clone(), number: 1 };
    let died = tokio::time::timeout(Duration::from_millis(300), world.handle(&job)).await;
    assert!(died.is_err(), "the worker is gone while it waits for the answer");
    let stored = world.table.get(&Key::Notification(run.clone(), 1)).await.unwrap().unwrap();
    let notification: Notification = stored.typed().unwrap().value;
    assert!(matches!(notification.recipients()[0].state, RecipientState::Sending { .. }));
    world.handle(&job).await.unwrap();
    world.queue.lose_all();
    assert_eq!(messages(&world).len(), 1, "another worker leaves it alone until its time is over");
    world.app.recover_after_restart().await.unwrap();
    world.drain().await;
    assert_eq!(messages(&world).len(), 2, "after a restart it is nobody's");
    world.clock.advance(SHIFT);
    is_quiet(&world).await;
}
