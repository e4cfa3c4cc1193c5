//! Receivers that say later that they are done: once, by the token that their call brought, and what comes of it.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use muster_app::App;
use muster_app::callbacks::Callbacks;
use muster_app::ports::Queue;
use muster_app::signing_keys::{FixedKeys, SigningKey};
use muster_app::table::{Order, PageRequest, Query};
use muster_http::{HttpSettings, router};
use rstest::rstest;

use super::*;
use crate::support::client::Answer;
use crate::support::receiver::{Received, Reply};
use crate::support::world::{Engine, callbacks, settings};

/// A call that waits for its receiver, and one after it that tells what the receiver said.
fn runbook(world: &World) -> Value {
    let call = |path: &str, payload: Value| json!({"type": "webhook", "url": world.receiver.url(path), "payload": payload});
    let steps = json!([
        {
            "id": "drain", "type": "diagnostic", "action": call("/drain", json!({})),
            "callback": {"timeoutSeconds": 600}, "retry": {"maxAttempts": 3, "baseDelayMs": 1_000},
        },
        {"id": "tell", "type": "notify", "action": call("/tell", json!({"moved": "{{steps.drain.result.moved}}"}))},
    ]);
    json!({"name": "Drain", "teamId": "ops", "phases": [{"id": "act", "name": "Act", "steps": steps}]})
}

/// An execution of it that nobody has begun.
async fn accepted(world: &World) -> String {
    let runbook = text(&ann(world).post("/api/runbooks", runbook(world)).await.expect(201)["id"]);
    bob(world).post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
    executed(world, &runbook, json!({})).await
}

/// An execution that waits for its receiver to call back, and the token that the call brought.
pub(crate) async fn waiting(world: &World) -> (String, String) {
    let execution = accepted(world).await;
    world.drain_due().await;
    assert_eq!(read(world, &execution).await["waitingOn"], "callback");
    let calls = world.receiver.received();
    let call = calls.iter().rfind(|call| call.uri.path() == "/drain").unwrap();
    (execution, call.header("muster-callback-token"))
}

fn last_call(world: &World) -> Received {
    world.receiver.received().pop().unwrap()
}

async fn read(world: &World, execution: &str) -> Value {
    ann(world).get(&format!("/api/executions/{execution}")).await.expect(200)
}

fn path(execution: &str) -> String {
    format!("/api/executions/{execution}/steps/drain/callback")
}

async fn say(world: &World, execution: &str, token: &str, body: &Value) -> Answer {
    world.stranger().with("muster-callback-token", token).post(&path(execution), body.clone()).await
}

fn done() -> Value {
    json!({"status": "succeeded", "result": {"moved": 12}})
}

fn is_before(answer: Answer) -> bool {
    answer.expect(200)["taken"] == "before"
}

#[rstest]
#[tokio::test]
async fn a_receiver_calls_back_and_later_steps_read_what_it_said(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (execution, token) = waiting(&world).await;
    assert_eq!(
        last_call(&world).header("muster-callback-url"),
        format!("https://muster.test{}", path(&execution))
    );
    let bearer = world.stranger().with("authorization", format!("Bearer {token}"));
    assert!(!is_before(bearer.post(&path(&execution), done()).await));
    world.drain_due().await;
    let ended = read(&world, &execution).await;
    assert_eq!(ended["status"], "SUCCESS");
    let said = ended["steps"].as_array().unwrap().iter().find(|step| step["id"] == "drain").unwrap();
    assert_eq!(said["calledBack"]["result"], json!({"moved": 12}));
    let told = last_call(&world);
    assert_eq!((told.uri.path(), told.body.as_str()), ("/tell", r#"{"moved":"12"}"#));
    assert_eq!(told.header("muster-callback-token"), "", "that call waits for nobody");
    let audit = bob(&world).get(&format!("/api/audit/{execution}")).await.expect(200);
    let entries = audit["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["action"] == "execution.called_back").unwrap();
    assert_eq!(entry["detail"]["reason"], "drain: done");
}

#[rstest]
#[tokio::test]
async fn a_receiver_that_failed_fails_its_step(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let (execution, token) = waiting(&world).await;
    let failed = json!({"status": "failed", "error": "two pods are stuck"});
    say(&world, &execution, &token, &failed).await.expect(200);
    world.drain_due().await;
    let ended = read(&world, &execution).await;
    assert_eq!(ended["status"], "FAILED");
    assert!(text(&ended["error"]).contains("two pods are stuck"), "{ended}");
}

#[rstest]
#[tokio::test]
async fn inv_b7_a_receiver_says_it_once_and_the_same_again_changes_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (execution, token) = waiting(&world).await;
    say(&world, &execution, &token, &done()).await.expect(200);
    let other = json!({"status": "failed"});
    let before = read(&world, &execution).await;
    assert!(is_before(say(&world, &execution, &token, &done()).await));
    say(&world, &execution, &token, &other).await.expect_problem(409, "wrong-status");
    assert_eq!(read(&world, &execution).await, before);
    world.drain_due().await;
    let ended = read(&world, &execution).await;
    assert!(is_before(say(&world, &execution, &token, &done()).await));
    say(&world, &execution, &token, &other).await.expect_problem(409, "wrong-status");
    assert_eq!(read(&world, &execution).await, ended);
}

#[rstest]
#[tokio::test]
async fn a_receiver_that_is_late_is_told_so(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let (execution, token) = waiting(&world).await;
    world.clock.advance(Duration::from_secs(660));
    world.app.sweep().await.unwrap();
    world.drain_due().await;
    let ended = read(&world, &execution).await;
    assert_eq!(
        (&ended["status"], &ended["error"]),
        (&json!("FAILED"), &json!("the receiver did not call back in time"))
    );
    let late = say(&world, &execution, &token, &done()).await.expect_problem(409, "wrong-status");
    assert_eq!(late["currentStatus"], "FAILED");
}

#[rstest]
#[tokio::test]
async fn a_receiver_may_call_back_before_it_answers(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world).await;
    let (held, early) = (Duration::from_millis(300), done());
    world.receiver.will_at("/drain", [Reply::Late(held, 503)]);
    let calls_back = async {
        while world.receiver.received().is_empty() {
            tokio::task::yield_now().await;
        }
        let token = last_call(&world).header("muster-callback-token");
        say(&world, &execution, &token, &early).await.expect(200);
    };
    tokio::join!(world.drain_due(), calls_back);
    world.drain_due().await;
    assert_eq!(read(&world, &execution).await["status"], "SUCCESS");
    let called = world.receiver.received();
    assert_eq!(called.len(), 2, "who has said that it is done is not asked again");
}

#[rstest]
#[tokio::test]
async fn every_attempt_of_a_step_brings_the_same_token(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let execution = accepted(&world).await;
    world.receiver.will_at("/drain", [Reply::Status(503), Reply::Status(503)]);
    world.drain_due().await;
    for _ in 0..2 {
        world.clock.move_to(world.queue.next_due().unwrap());
        world.drain_due().await;
    }
    let calls = world.receiver.received();
    let tokens: Vec<String> = calls.iter().map(|call| call.header("muster-callback-token")).collect();
    assert_eq!(tokens.len(), 3);
    assert!(tokens[0].starts_with("mcb_") && tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    assert!(calls.iter().all(|call| !call.header("muster-callback-url").is_empty()));
    say(&world, &execution, &tokens[0], &done()).await.expect(200);
}

/// The answer without what is of this request alone.
fn same(answer: Answer) -> (u16, String, String) {
    (answer.status, answer.header("www-authenticate").to_owned(), answer.text)
}

#[rstest]
#[tokio::test]
async fn inv_c1_a_wrong_token_is_told_nothing_of_what_is_there(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (execution, token) = waiting(&world).await;
    let (_, of_other) = waiting(&world).await;
    let before = read(&world, &execution).await;
    let refused = same(say(&world, &execution, &of_other, &done()).await);
    assert_eq!(refused.0, 401);
    let nowhere = "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0";
    for (execution, token) in
        [(&*execution, "mcb_guess"), (&*execution, ""), (nowhere, &*token), (nowhere, "x")]
    {
        assert_eq!(same(say(&world, execution, token, &done()).await), refused, "{execution} {token}");
    }
    let of_other_step = format!("/api/executions/{execution}/steps/tell/callback");
    let stranger = world.stranger();
    let with_token = stranger.with("muster-callback-token", &*token);
    assert_eq!(same(with_token.post(&of_other_step, done()).await), refused);
    assert_eq!(same(stranger.post(&path(&execution), done()).await), refused);
    assert_eq!(same(stranger.post(&path(&execution), json!({"status": "no such"})).await), refused);
    assert_eq!(same(bob(&world).post(&path(&execution), done()).await), refused, "no account counts");
    assert_eq!(read(&world, &execution).await, before);
}

#[rstest]
#[tokio::test]
async fn inv_e4_what_no_receiver_should_say_is_refused_and_can_be_mended(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (execution, token) = waiting(&world).await;
    let client = world.stranger().with("muster-callback-token", &*token);
    let send =
        async |body: &str| client.send(Method::POST, &path(&execution), body.as_bytes().to_vec()).await;
    for (body, kind) in [
        ("done", "malformed"),
        ("", "invalid"),
        ("[]", "invalid"),
        (r#"{"status": "ok"}"#, "invalid"),
        (r#"{"status": "succeeded", "more": 1}"#, "invalid"),
        (r#"{"status": "succeeded", "error": "x"}"#, "invalid"),
    ] {
        send(body).await.expect_problem(400, kind);
    }
    let long = json!({"status": "failed", "error": "e".repeat(1_025), "result": "r".repeat(1_023)});
    let faults = send(&long.to_string()).await.expect_problem(400, "invalid");
    assert_eq!(faults["errors"].as_array().unwrap().len(), 2, "{faults}");
    let huge = json!({"status": "succeeded", "result": "r".repeat(17_000)});
    send(&huge.to_string()).await.expect_problem(413, "too-large");
    let as_form = client.with("content-type", "application/x-www-form-urlencoded");
    let body = done().to_string().into_bytes();
    as_form.send(Method::POST, &path(&execution), body).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn what_was_killed_meanwhile_takes_no_callback(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (execution, token) = waiting(&world).await;
    ann(&world).post(&format!("/api/executions/{execution}/cancel"), json!({})).await.expect(200);
    let late = say(&world, &execution, &token, &done()).await.expect_problem(409, "wrong-status");
    assert_eq!(late["currentStatus"], "CANCELLED");
}

#[rstest]
#[tokio::test]
async fn what_is_paused_keeps_a_callback_until_it_is_resumed(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (execution, token) = waiting(&world).await;
    let path = |verb: &str| format!("/api/executions/{execution}/{verb}");
    ann(&world).post(&path("pause"), json!({"reason": "a drill"})).await.expect(200);
    say(&world, &execution, &token, &done()).await.expect(200);
    world.drain_due().await;
    assert_eq!(read(&world, &execution).await["status"], "PAUSED");
    assert_eq!(world.receiver.received().len(), 1, "nothing is called meanwhile");
    ann(&world).post(&path("resume"), json!({})).await.expect(200);
    world.drain_due().await;
    assert_eq!(read(&world, &execution).await["status"], "SUCCESS");
}

#[rstest]
#[tokio::test]
async fn the_key_before_is_taken_and_the_one_before_that_is_not(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (execution, token) = waiting(&world).await;
    let key = |byte: u8| SigningKey::new(vec![byte; 32].into());
    let with = |keys: FixedKeys| {
        let queue = Arc::clone(&world.queue) as Arc<dyn Queue>;
        let app = App::new(Arc::clone(&world.table), queue, Arc::clone(&world.clock) as _, settings());
        let app = app.with_callbacks(Callbacks { keys: Arc::new(keys), ..callbacks() });
        Client::new(router(Arc::new(app), HttpSettings::default()), None)
            .with("muster-callback-token", &*token)
    };
    let gone = with(FixedKeys { current: key(8), previous: Some(key(9)) });
    gone.post(&path(&execution), done()).await.expect_problem(401, "unauthenticated");
    let before = with(FixedKeys { current: key(9), previous: Some(key(7)) });
    before.post(&path(&execution), done()).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn inv_f3_the_token_is_kept_nowhere(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let execution = accepted(&world).await;
    let (runbook, key) = (read(&world, &execution).await["runbook"]["id"].clone(), [7; 32]);
    let parsed = (execution.parse().unwrap(), "drain".parse().unwrap());
    let token = muster_domain::callback::token(&key, &parsed.0, &parsed.1).unwrap();
    // A receiver that echoes what it was sent.
    world.receiver.will_at("/drain", [Reply::Whole(202, &[], format!("{{\"token\": \"{token}\"}}"))]);
    world.drain_due().await;
    assert_eq!(last_call(&world).header("muster-callback-token"), token);
    let answer = say(&world, &execution, &token, &done()).await;
    let refused = say(&world, &execution, &token, &json!({"status": "failed"})).await;
    world.drain_due().await;
    assert_eq!(read(&world, &execution).await["status"], "SUCCESS");
    let get = async |path: String| bob(&world).get(&path).await.text;
    let mut shown = vec![answer.text, refused.text, get(format!("/api/audit/{execution}")).await];
    for read in ["", "/steps/drain/request", "/steps/drain/attempts/1/response"] {
        shown.push(get(format!("/api/executions/{execution}{read}")).await);
    }
    assert!(shown.iter().any(|text| text.contains("[redacted]")), "the answer itself is kept: {shown:?}");
    let request = PageRequest { limit: 100, order: Order::Ascending, after: None };
    let query = Query::ExecutionsOfRunbook { runbook: text(&runbook).parse().unwrap() };
    let records = world.table.query(&query, &request).await.unwrap().records;
    assert_eq!(records.len(), 1);
    shown.extend(records.iter().map(|stored| format!("{stored:?}")));
    for text in shown {
        assert!(!text.contains(&token), "{text}");
    }
    for file in std::fs::read_dir(world.directory.path()).unwrap().flatten() {
        let bytes = std::fs::read(file.path()).unwrap();
        let found = bytes.windows(token.len()).any(|window| window == token.as_bytes());
        assert!(!found, "{}", file.path().display());
    }
}

#[rstest]
#[tokio::test]
async fn inv_d8_a_dry_run_shows_that_it_would_wait(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let created = ann(&world).post("/api/runbooks", runbook(&world)).await.expect(201);
    let id = text(&created["id"]);
    bob(&world).post(&format!("/api/runbooks/{id}/approve"), json!({})).await.expect(200);
    let execute = format!("/api/runbooks/{id}/execute");
    let planned = ann(&world).post(&execute, json!({"dryRun": true})).await.expect(200);
    let steps = planned["dryRun"]["steps"].as_array().unwrap();
    let drain = steps.iter().find(|step| step["step"] == "drain").unwrap();
    assert_eq!(drain["callbackTimeoutSeconds"], 600);
    assert!(!drain.to_string().contains("mcb_"), "{drain}");
    assert!(world.receiver.received().is_empty());
}
