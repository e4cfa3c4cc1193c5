//! The same POST again, because its answer was lost (INVARIANTS B5).

use crate::support::world::Engine;
use rstest::rstest;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster_app::table::{TableError, TableErrorKind};

use super::*;
use crate::support::client::Answer;
use crate::support::hooked::{Hook, fault};
use crate::support::receiver::Reply;

/// What a repeat must have in common with the first answer.
fn answered(answer: &Answer) -> (u16, String, String, String) {
    let header = |name| answer.header(name).to_owned();
    (answer.status, answer.text.clone(), header("location"), header("etag"))
}

/// Sends it twice; the second answer must be the first. Gives back the body.
async fn check_repeated(client: &Client, path: &str, body: Value) -> Value {
    let keyed = client.with("idempotency-key", "lost-answer-1");
    let first = keyed.post(path, body.clone()).await;
    assert!(first.status < 300, "{first:?}");
    let second = keyed.post(path, body).await;
    assert_eq!(answered(&second), answered(&first), "{path}");
    let other = keyed.post(path, json!({"reason": "another body"})).await;
    assert!([400, 422].contains(&other.status), "{other:?}");
    first.json()
}

#[rstest]
#[tokio::test]
async fn inv_b5_every_post_answers_a_repeat_as_the_first_time(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (ann, bob) = (ann(&world), bob(&world));
    let created = check_repeated(&ann, "/api/runbooks", definition(&world, json!({}))).await;
    let runbook = format!("/api/runbooks/{}", text(&created["id"]));
    check_repeated(&bob, &format!("{runbook}/approve"), json!({})).await;
    let executed = check_repeated(&ann, &format!("{runbook}/execute"), json!({})).await;
    let execution = format!("/api/executions/{}", text(&executed["execution"]["id"]));
    check_repeated(&ann, &format!("{execution}/cancel"), json!({})).await;
    ann.put(&runbook, definition(&world, json!({"name": "other"}))).await.expect(200);
    check_repeated(&ann, &format!("{runbook}/rollback"), json!({"toVersion": 1})).await;
    check_repeated(&bob, &format!("{runbook}/deprecate"), json!({})).await;
    check_repeated(&bob, "/api/incidents", json!({"title": "Down", "priority": "LOW"})).await;

    let count = async |path: String| ann.get(&path).await.expect(200)["items"].as_array().unwrap().len();
    assert_eq!(count("/api/runbooks".into()).await, 1);
    assert_eq!(count("/api/incidents".into()).await, 1);
    assert_eq!(count(format!("{runbook}/executions")).await, 1);
    assert_eq!(count(format!("{runbook}/versions")).await, 3);
}

#[rstest]
#[tokio::test]
async fn inv_b5_a_resolution_answers_a_repeat_as_the_first_time(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({"idempotent": false})).await;
    let execution = executed(&world, &runbook, json!({})).await;
    world.receiver.will([Reply::Status(500)]);
    world.drain().await;
    let path = format!("/api/executions/{execution}/resolve");
    let resolved =
        check_repeated(&ann(&world), &path, json!({"outcome": "happened", "reason": "seen"})).await;
    assert_eq!(resolved["status"], "SUCCESS");
}

#[rstest]
#[tokio::test]
async fn inv_b5_the_answer_to_a_lost_answer_survives_what_happened_since(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let path = format!("/api/runbooks/{runbook}/execute");
    let keyed = ann(&world).with("idempotency-key", "k");
    let first = keyed.post(&path, json!({})).await;
    world.drain().await;
    bob(&world).post(&format!("/api/runbooks/{runbook}/deprecate"), json!({})).await.expect(200);
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(answered(&keyed.post(&path, json!({})).await), answered(&first));
    assert_eq!(world.receiver.received().len(), 1);
}

/// Loses the answer to one commit: all of it is stored, and nobody is told.
#[derive(Default)]
struct LosesOneAnswer(AtomicBool);

impl Hook for LosesOneAnswer {
    fn after_commit(&self) -> Result<(), TableError> {
        match self.0.swap(false, Ordering::SeqCst) {
            true => Err(fault(TableErrorKind::Unavailable)),
            false => Ok(()),
        }
    }
}

#[rstest]
#[tokio::test]
async fn inv_b5_a_repeat_after_a_lost_commit_does_the_work_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let hook = Arc::<LosesOneAnswer>::default();
    let world = World::hooked(engine, Arc::clone(&hook)).await;
    let runbook = approved(&world, json!({})).await;
    let path = format!("/api/runbooks/{runbook}/execute");
    let keyed = ann(&world).with("idempotency-key", "k");
    hook.0.store(true, Ordering::SeqCst);
    let lost = keyed.post(&path, json!({})).await;
    assert_eq!(lost.header("retry-after"), "1");
    lost.expect_problem(503, "unavailable");
    let accepted = keyed.post(&path, json!({})).await.expect(202);
    let executions = ann(&world).get(&format!("/api/runbooks/{runbook}/executions")).await.expect(200);
    let ids: Vec<&Value> = executions["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!(ids, [&accepted["execution"]["id"]]);
}

#[rstest]
#[tokio::test]
async fn inv_b5_the_same_key_with_another_body_is_refused_and_does_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let keyed = ann(&world).with("idempotency-key", "k");
    keyed.post("/api/runbooks", definition(&world, json!({}))).await.expect(201);
    let other = definition(&world, json!({"name": "other"}));
    keyed.post("/api/runbooks", other).await.expect_problem(422, "idempotency-mismatch");
    let list = ann(&world).get("/api/runbooks").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[rstest]
#[tokio::test]
async fn inv_b5_a_key_belongs_to_its_caller_and_its_path(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (first, second) = (approved(&world, json!({})).await, approved(&world, json!({})).await);
    let mut executions = BTreeSet::new();
    for client in [ann(&world), bob(&world)] {
        for runbook in [&first, &second] {
            let keyed = client.with("idempotency-key", "k");
            let answer = keyed.post(&format!("/api/runbooks/{runbook}/execute"), json!({})).await;
            executions.insert(text(&answer.expect(202)["execution"]["id"]));
        }
    }
    assert_eq!(executions.len(), 4);
}

#[rstest]
#[tokio::test]
async fn inv_b5_what_was_refused_may_be_mended_and_sent_under_the_same_key(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let keyed = ann(&world).with("idempotency-key", "k");
    let broken = definition(&world, json!({"timeoutSeconds": 21}));
    keyed.post("/api/runbooks", broken).await.expect_problem(400, "invalid");
    keyed.post("/api/runbooks", definition(&world, json!({}))).await.expect(201);
}

#[rstest]
#[tokio::test]
async fn inv_b5_concurrent_repeats_do_the_work_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let path = format!("/api/runbooks/{runbook}/execute");
    let mut repeats = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (client, path) = (ann(&world).with("idempotency-key", "k"), path.clone());
        repeats.spawn(async move { answered(&client.post(&path, json!({})).await) });
    }
    let answers: BTreeSet<_> = repeats.join_all().await.into_iter().collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    world.drain().await;
    assert_eq!(world.receiver.received().len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_key_that_is_not_one_is_refused(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let new = definition(&world, json!({}));
    for keyed in [
        ann(&world).with("idempotency-key", ""),
        ann(&world).with("idempotency-key", "k".repeat(256)),
        ann(&world).with("idempotency-key", "ключ"),
        ann(&world).with("idempotency-key", "a").with("idempotency-key", "a"),
    ] {
        let problem = keyed.post("/api/runbooks", new.clone()).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["header"], "Idempotency-Key");
    }
    ann(&world).with("idempotency-key", "k".repeat(255)).post("/api/runbooks", new).await.expect(201);
}
