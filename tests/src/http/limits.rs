//! Safety limits through the API: who waits for a target, who is refused, what is held and for how long.

use std::time::Duration;

use async_trait::async_trait;
use muster_app::job::Job;
use muster_app::ports::{Call, Clock, Egress};
use muster_app::table::{Key, Write};
use muster_app::worker::Shift;
use muster_domain::control::Scope;
use muster_domain::ids::ExecutionId;
use muster_domain::limits::{Target, TargetKey};
use muster_domain::outcome::Outcome;
use rstest::rstest;

use super::*;
use crate::support::receiver::Reply;
use crate::support::world::{Engine, SHIFT};

/// Calls `/begin`, lets 50 seconds pass, and calls `/close`, with these limits beside a target of one run at a time.
fn runbook(world: &World, limits: Value) -> Value {
    let call = |id: &str| {
        let url = world.receiver.url(&format!("/{id}"));
        let call = json!({"type": "webhook", "url": url});
        json!({"id": id, "type": "remediation", "action": call, "undo": {"type": "webhook", "url": world.receiver.url(&format!("/un{id}"))}})
    };
    let steps = json!([call("begin"), {"id": "pass", "type": "delay", "seconds": 50}, call("close")]);
    let limits = with(json!({"target": "{{params.service}}", "concurrencyPerTarget": 1}), limits);
    json!({"name": "Hold", "teamId": "ops", "limits": limits, "phases": [{"id": "hold", "steps": steps}]})
}

async fn stored(world: &World, definition: Value) -> String {
    let runbook = text(&ann(world).post("/api/runbooks", definition).await.expect(201)["id"]);
    bob(world).post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
    runbook
}

fn on_checkout(more: Value) -> Value {
    with(json!({"parameters": {"service": "checkout"}}), more)
}

async fn begun(world: &World, runbook: &str) -> String {
    let execution = executed(world, runbook, on_checkout(json!({}))).await;
    world.drain_due().await;
    execution
}

async fn read(world: &World, execution: &str) -> Value {
    ann(world).get(&format!("/api/executions/{execution}")).await.expect(200)
}

async fn status(world: &World, execution: &str) -> String {
    text(&read(world, execution).await["status"])
}

async fn ask(world: &World, execution: &str, verb: &str) -> Value {
    let path = format!("/api/executions/{execution}/{verb}");
    ann(world).post(&path, json!({"reason": "a drill"})).await.expect(200)
}

async fn refused(world: &World, runbook: &str) -> String {
    let path = format!("/api/runbooks/{runbook}/execute");
    let problem = ann(world).post(&path, on_checkout(json!({}))).await.expect_problem(409, "conflict");
    let planned = ann(world).post(&path, on_checkout(json!({"dryRun": true}))).await.expect(200);
    let (detail, why) = (text(&problem["detail"]), text(&planned["dryRun"]["limits"]["refused"]));
    assert_eq!(detail, format!("the run is refused: {why}"), "a dry run says the same");
    why
}

fn calls(world: &World, path: &str) -> usize {
    world.receiver.received().iter().filter(|request| request.uri.path() == path).count()
}

fn checkout() -> TargetKey {
    TargetKey { of: Scope::Team("ops".parse().unwrap()), name: "checkout".into() }
}

async fn target(world: &World) -> (Target, u64) {
    let stored = world.table.get(&Key::Target(checkout().digest())).await.unwrap().unwrap();
    let target = stored.typed::<Target>().unwrap();
    (target.value, target.version)
}

#[rstest]
#[tokio::test]
async fn two_runbooks_of_a_team_take_turns_at_a_target(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (one, other) =
        (stored(&world, runbook(&world, json!({}))).await, stored(&world, runbook(&world, json!({}))).await);
    let first = begun(&world, &one).await;
    let planned = ann(&world)
        .post(&format!("/api/runbooks/{other}/execute"), on_checkout(json!({"dryRun": true})))
        .await
        .expect(200);
    assert_eq!(planned["dryRun"]["limits"], json!({"target": "checkout", "behind": [first]}));
    let second = begun(&world, &other).await;
    let waits = read(&world, &second).await;
    assert_eq!((&waits["status"], &waits["waitingOn"]), (&json!("WAITING"), &json!("lease")));
    assert_eq!(waits["target"], json!({"name": "checkout", "behind": [first]}));
    let elsewhere = executed(&world, &other, json!({"parameters": {"service": "search"}})).await;
    world.drain_due().await;
    assert_eq!(read(&world, &elsewhere).await["waitingOn"], "delay", "another target is another matter");
    world.drain().await;
    let (first, second) = (read(&world, &first).await, read(&world, &second).await);
    assert_eq!((&first["status"], &second["status"]), (&json!("SUCCESS"), &json!("SUCCESS")));
    assert_eq!(
        (&first["target"]["lease"]["fence"], &second["target"]["lease"]["fence"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(second["target"]["lease"]["since"], first["endedAt"], "it is told at once");
    assert!(target(&world).await.0.holders.is_empty());
}

#[rstest]
#[tokio::test]
async fn a_run_waits_for_days_without_growing(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let limits = json!({"maxDurationSeconds": 3_000});
    let runbook = stored(&world, runbook(&world, limits)).await;
    let first = begun(&world, &runbook).await;
    ask(&world, &first, "pause").await;
    let second = begun(&world, &runbook).await;
    let entries = |shown: &Value| shown["trail"].as_array().unwrap().len();
    let before = entries(&read(&world, &second).await);
    for _ in 0..100 {
        world.clock.advance(Duration::from_secs(15));
        world.drain_due().await;
    }
    let waits = read(&world, &second).await;
    assert_eq!((text(&waits["status"]), entries(&waits)), ("WAITING".to_owned(), before));
    for _ in 0..101 {
        world.clock.advance(Duration::from_secs(15));
        world.drain_due().await;
    }
    assert_eq!(status(&world, &second).await, "CANCELLED", "its own time bounds the wait");
    assert_eq!(calls(&world, "/begin"), 1);
}

#[rstest]
#[tokio::test]
async fn whoever_stops_a_run_frees_its_target(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
    #[values("cancel", "abort")] verb: &str,
) {
    let world = World::on(engine).await;
    let runbook = stored(&world, runbook(&world, json!({}))).await;
    let (first, second) = (begun(&world, &runbook).await, begun(&world, &runbook).await);
    ask(&world, &first, verb).await;
    world.drain_due().await;
    assert_eq!(read(&world, &second).await["waitingOn"], "delay");
    assert_eq!(target(&world).await.0.holders.len(), 1);
    ask(&world, &second, "cancel").await;
    assert!(target(&world).await.0.holders.is_empty());
}

#[rstest]
#[tokio::test]
async fn what_a_person_must_answer_for_keeps_its_target(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let mut definition = runbook(&world, json!({}));
    let begin = &mut definition["phases"][0]["steps"][0];
    begin["idempotent"] = json!(false);
    begin["timeoutSeconds"] = json!(1);
    let runbook = stored(&world, definition).await;
    world.receiver.will_at("/begin", [Reply::Silence]);
    let (first, second) = (begun(&world, &runbook).await, begun(&world, &runbook).await);
    world.clock.advance(Duration::from_secs(120));
    world.drain_due().await;
    assert_eq!(
        (status(&world, &first).await, status(&world, &second).await),
        ("NEEDS_REVIEW".into(), "WAITING".into())
    );
    let body = json!({"outcome": "happened", "reason": "seen in its log"});
    ann(&world).post(&format!("/api/executions/{first}/resolve"), body).await.expect(200);
    world.drain().await;
    assert_eq!(
        (status(&world, &first).await, status(&world, &second).await),
        ("SUCCESS".into(), "SUCCESS".into())
    );
}

/// A way out on which the process dies: the request leaves, the answer is never stored.
struct Dies;

#[async_trait]
impl Egress for Dies {
    async fn send(&self, _: Call<'_>) -> Outcome {
        std::future::pending().await
    }
}

/// Runs an execution until its first call is out, and no further.
async fn dies_while_sending(world: &World, execution: &str) {
    let id: ExecutionId = execution.parse().unwrap();
    let job = Job::Run { execution: id.clone() };
    let shift = Shift { egress: &Dies, holder: "worker-0", deadline: world.clock.now().plus(SHIFT) };
    let handling = world.app.handle(&job, &shift);
    tokio::pin!(handling);
    let sends = |shown: &Value| shown["steps"].as_array().unwrap().iter().any(|step| step["id"] == "begin");
    while !sends(&read(world, execution).await) {
        let step = tokio::time::timeout(Duration::from_millis(5), &mut handling).await;
        assert!(step.is_err(), "the call never ends");
    }
    world.queue.lose_all();
}

#[rstest]
#[tokio::test]
async fn inv_g1_a_crash_frees_the_target_when_the_run_has_come_to_its_end(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
    #[values(true, false)] goes_on: bool,
) {
    let world = World::on(engine).await;
    let runbook = stored(&world, runbook(&world, json!({}))).await;
    let first = executed(&world, &runbook, on_checkout(json!({}))).await;
    dies_while_sending(&world, &first).await;
    let second = begun(&world, &runbook).await;
    assert_eq!(status(&world, &second).await, "WAITING", "the dead worker's run holds it still");
    world.clock.advance(SHIFT);
    if goes_on {
        world.app.sweep().await.unwrap();
    } else {
        world.app.finalise(&first.parse().unwrap(), "it failed five times").await.unwrap();
    }
    world.drain().await;
    assert_eq!(status(&world, &first).await, if goes_on { "SUCCESS" } else { "FAILED" });
    assert_eq!(status(&world, &second).await, "SUCCESS");
    assert!(target(&world).await.0.holders.is_empty());
}

/// Two runs that were accepted before either began, and what a third is told.
#[rstest]
#[tokio::test]
async fn who_comes_too_soon_or_too_often_is_refused_by_name(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for (limits, words, seconds) in [
        (json!({"cooldownSeconds": 600}), "the limit cooldownSeconds (600)", 600),
        (json!({"ratePerTargetPerHour": 1}), "the limit ratePerTargetPerHour (1)", 3_600),
        (json!({"executionsPerHour": 1}), "the limit executionsPerHour (1)", 3_600),
    ] {
        let world = World::on(engine).await;
        let runbook = stored(&world, runbook(&world, limits)).await;
        let first = executed(&world, &runbook, on_checkout(json!({}))).await;
        let second = executed(&world, &runbook, on_checkout(json!({}))).await;
        world.drain().await;
        assert_eq!(status(&world, &first).await, "SUCCESS");
        let ended = read(&world, &second).await;
        let error = text(&ended["error"]);
        assert!(ended["status"] == "FAILED" && error.starts_with(words), "{words}: {ended}");
        let why = refused(&world, &runbook).await;
        assert!(why.starts_with(words), "{why}");
        world.clock.advance(Duration::from_secs(seconds));
        let third = executed(&world, &runbook, on_checkout(json!({}))).await;
        world.drain().await;
        assert_eq!(status(&world, &third).await, "SUCCESS");
        assert_eq!(calls(&world, "/begin"), 2);
    }
}

#[rstest]
#[tokio::test]
async fn nothing_begins_under_a_lease_that_is_gone(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let runbook = stored(&world, runbook(&world, json!({}))).await;
    let first = begun(&world, &runbook).await;
    let (held, version) = target(&world).await;
    let (stolen, _) = held.taken(&first.parse().unwrap(), &runbook.parse().unwrap(), world.clock.now());
    world.table.commit(vec![Write::replace(stolen, version)]).await.unwrap();
    world.drain().await;
    let ended = read(&world, &first).await;
    assert_eq!(
        (&ended["status"], &ended["error"]),
        (
            &json!("FAILED"),
            &json!("target checkout is not held under fence 1 any more: others may work there")
        )
    );
    assert_eq!((calls(&world, "/begin"), calls(&world, "/close")), (1, 0));
    assert_eq!(target(&world).await.0.holders.len(), 1, "the newer lease stays");
    let next = begun(&world, &runbook).await;
    assert_eq!(read(&world, &next).await["waitingOn"], "delay", "who has ended keeps nobody waiting");
}

#[rstest]
#[tokio::test]
async fn a_rollback_works_on_the_same_target_and_only_waits(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let cooling =
        stored(&world, runbook(&world, json!({"cooldownSeconds": 600, "executionsPerHour": 1}))).await;
    let other = stored(&world, runbook(&world, json!({}))).await;
    let first = begun(&world, &cooling).await;
    world.drain().await;
    let between = begun(&world, &other).await;
    let path = format!("/api/executions/{first}/rollback");
    let back = ann(&world).post(&path, json!({"reason": "a drill"})).await.expect(202);
    let back = text(&back["execution"]["id"]);
    world.drain_due().await;
    assert_eq!(read(&world, &back).await["target"], json!({"name": "checkout", "behind": [between]}));
    world.drain().await;
    assert_eq!(status(&world, &back).await, "ROLLED_BACK");
    assert!(target(&world).await.0.holders.is_empty());
}

#[rstest]
#[tokio::test]
async fn a_run_that_another_one_waits_for_shares_its_target(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let inner = stored(&world, runbook(&world, json!({}))).await;
    let call =
        json!({"type": "runbook", "runbookId": inner, "wait": true, "parameters": {"service": "checkout"}});
    let steps = json!([{"id": "inner", "type": "runbook", "action": call}]);
    let outer = json!({
        "name": "Outer", "teamId": "ops", "limits": {"target": "checkout", "concurrencyPerTarget": 1},
        "phases": [{"id": "all", "steps": steps}],
    });
    let outer = stored(&world, outer).await;
    let execution = begun(&world, &outer).await;
    assert_eq!(calls(&world, "/begin"), 1);
    assert_eq!(target(&world).await.0.holders.len(), 1);
    world.drain().await;
    assert_eq!(status(&world, &execution).await, "SUCCESS");
    assert_eq!(calls(&world, "/close"), 1);
}

#[rstest]
#[tokio::test]
async fn a_run_that_must_find_its_target_free_is_refused_where_it_would_wait(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let free = json!({"prerequisites": [{"id": "free", "targetFree": true}]});
    let runbook = stored(&world, with(runbook(&world, json!({})), free)).await;
    let first = executed(&world, &runbook, on_checkout(json!({}))).await;
    let second = begun(&world, &runbook).await;
    let expected = format!("prerequisite free: execution {first} works on target checkout");
    assert_eq!(read(&world, &second).await["error"], expected);
    assert_eq!(refused(&world, &runbook).await, expected);
}

#[rstest]
#[tokio::test]
async fn what_names_no_target_does_not_run(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let runbook = stored(&world, runbook(&world, json!({}))).await;
    let path = format!("/api/runbooks/{runbook}/execute");
    let problem = ann(&world).post(&path, json!({"parameters": {"service": " "}})).await;
    let detail = text(&problem.expect_problem(409, "conflict")["detail"]);
    assert_eq!(detail, "the run is refused: limits.target names no target: it is empty");
}
