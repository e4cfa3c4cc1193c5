//! Change freezes and broken glass through the API: what a freeze keeps from beginning, what it lets go on, and who may pass it.

use std::time::Duration;

use muster_app::audit::AuditExport;
use rstest::rstest;

use super::*;
use crate::support::world::Engine;

const HOUR: Duration = Duration::from_hours(1);
/// When every world's clock starts, and later moments of that day.
const NOON: &str = "2026-03-01T12:00:00Z";
const TWO: &str = "2026-03-01T14:00:00Z";

fn carol(world: &World) -> Client {
    world.client("carol", &["platform-admin"])
}

fn call(world: &World, path: &str) -> Value {
    json!({"type": "webhook", "url": world.receiver.url(path)})
}

fn act(world: &World, id: &str) -> Value {
    let undo = call(world, &format!("/un{id}"));
    json!({"id": id, "type": "remediation", "action": call(world, &format!("/{id}")), "undo": undo})
}

fn look(world: &World, id: &str) -> Value {
    json!({"id": id, "type": "diagnostic", "action": call(world, &format!("/{id}"))})
}

fn wait() -> Value {
    json!({"id": "wait", "type": "delay", "seconds": 600})
}

/// The id of an approved runbook of these steps.
async fn phased(world: &World, steps: Value) -> String {
    let change = json!({"webhookUrl": null, "phases": [{"id": "only", "name": "Only", "steps": steps}]});
    approved(world, change).await
}

/// Freezes a scope until two o'clock.
async fn freeze(world: &World, scope: &str, name: &str) -> Value {
    let window = json!({"name": name, "until": TWO, "reason": "the shop must stand"});
    bob(world).post(&format!("/api/freezes/{scope}"), window).await.expect(201)
}

async fn break_glass(world: &World, scope: &str) -> String {
    let start = json!({"scope": scope, "reason": "the database is down"});
    text(&bob(world).post("/api/break-glass", start).await.expect(201)["id"])
}

async fn read(world: &World, execution: &str) -> Value {
    ann(world).get(&format!("/api/executions/{execution}")).await.expect(200)
}

async fn execute(world: &World, runbook: &str) -> crate::support::client::Answer {
    ann(world).post(&format!("/api/runbooks/{runbook}/execute"), json!({})).await
}

/// The paths that were called, in order.
fn called(world: &World) -> Vec<String> {
    let received = world.receiver.received();
    received.iter().map(|request| request.uri.path().trim_start_matches('/').to_owned()).collect()
}

async fn actions(world: &World, resource: &str) -> Vec<String> {
    let answer = world.client("aud", &["auditor"]).get(&format!("/api/audit/{resource}")).await;
    let export: AuditExport = serde_json::from_value(answer.expect(200)).unwrap();
    assert_eq!(export.verify(), Ok(()), "{resource}");
    export.entries.into_iter().map(|entry| entry.action).collect()
}

#[rstest]
#[tokio::test]
async fn what_is_frozen_is_refused_with_the_window_that_ends_last(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let (runbook, incident) = (approved(&world, json!({})).await, incident(&world, json!({})).await);
    let one = json!({"name": "Deploy", "until": "2026-03-01T13:00:00Z", "reason": "a deploy"});
    bob(&world).post("/api/freezes/global", one).await.expect(201);
    freeze(&world, "team:ops", "Sale").await;
    let refused = execute(&world, &runbook).await.expect_problem(409, "frozen");
    assert_eq!(
        (&refused["scope"], &refused["until"]),
        (&json!("team:ops"), &json!("2026-03-01T14:00:00.000Z"))
    );
    let detail = text(&refused["detail"]);
    for word in
        ["\"Sale\"", "until 2026-03-01T14:00:00.000Z", "the shop must stand", "muster break-glass start"]
    {
        assert!(detail.contains(word), "{detail}");
    }
    let path = format!("/api/incidents/{incident}/runbooks/{runbook}/execute");
    ann(&world).post(&path, json!({})).await.expect_problem(409, "frozen");
    let dry = json!({"dryRun": true});
    let told = ann(&world).post(&format!("/api/runbooks/{runbook}/execute"), dry).await.expect(200);
    let freeze = &told["dryRun"]["freeze"];
    assert_eq!((&freeze["name"], freeze.get("breakGlass")), (&json!("Sale"), None));
    world.clock.advance(HOUR * 2);
    execute(&world, &runbook).await.expect(202);
}

#[rstest]
#[tokio::test]
async fn a_window_begins_with_its_first_moment_and_binds_its_scope_alone(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let ours = approved(&world, json!({})).await;
    let theirs = approved(&world, json!({"teamId": "web"})).await;
    let later = json!({"name": "Sale", "from": "2026-03-01T15:00:00+02:00", "until": TWO, "reason": "busy"});
    bob(&world).post("/api/freezes/team:ops", later).await.expect(201);
    world.clock.advance(HOUR - Duration::from_millis(1));
    execute(&world, &ours).await.expect(202);
    world.clock.advance(Duration::from_millis(1));
    execute(&world, &ours).await.expect_problem(409, "frozen");
    let web = world.client("wes", &["team:web:responder"]);
    web.post(&format!("/api/runbooks/{theirs}/execute"), json!({})).await.expect(202);
}

#[rstest]
#[tokio::test]
async fn what_was_accepted_before_a_window_and_not_begun_fails_without_a_call(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let execution = executed(&world, &runbook, json!({})).await;
    freeze(&world, "global", "Sale").await;
    world.drain().await;
    let ended = read(&world, &execution).await;
    let error = "Stopped: the change freeze \"Sale\" (global) is in force until 2026-03-01T14:00:00.000Z: the shop must stand";
    assert_eq!((&ended["status"], &ended["error"]), (&json!("FAILED"), &json!(error)));
    assert!(called(&world).is_empty());
}

#[rstest]
#[tokio::test]
async fn what_waits_before_its_first_change_does_not_begin_it_and_what_has_begun_one_goes_on(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for (steps, status, calls) in [
        (["look", "wait", "cordon"], "FAILED", vec!["look"]),
        (["cordon", "wait", "drain"], "SUCCESS", vec!["cordon", "drain"]),
    ] {
        let world = World::on(engine).await;
        let step = |id: &&str| match *id {
            "wait" => wait(),
            "look" => look(&world, id),
            id => act(&world, id),
        };
        let runbook = phased(&world, steps.iter().map(step).collect()).await;
        let execution = executed(&world, &runbook, json!({})).await;
        world.drain_due().await;
        freeze(&world, "global", "Sale").await;
        world.drain().await;
        assert_eq!(read(&world, &execution).await["status"], status, "{steps:?}");
        assert_eq!(called(&world), calls);
    }
}

#[rstest]
#[tokio::test]
async fn what_takes_a_change_back_is_never_frozen(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let runbook = phased(&world, json!([act(&world, "cordon")])).await;
    let execution = executed(&world, &runbook, json!({})).await;
    world.drain().await;
    freeze(&world, "global", "Sale").await;
    let path = format!("/api/executions/{execution}/rollback");
    let back = ann(&world).post(&path, json!({"reason": "it hurts"})).await.expect(202);
    world.drain().await;
    assert_eq!(read(&world, &text(&back["execution"]["id"])).await["status"], "ROLLED_BACK");
    assert_eq!(called(&world), ["cordon", "uncordon"]);
}

#[rstest]
#[tokio::test]
async fn what_only_looks_is_not_frozen(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let tell = json!({"id": "tell", "type": "notify", "action": call(&world, "/tell")});
    let runbook = phased(&world, json!([look(&world, "look"), tell])).await;
    freeze(&world, "global", "Sale").await;
    let execution = text(&execute(&world, &runbook).await.expect(202)["execution"]["id"]);
    world.drain().await;
    let ended = read(&world, &execution).await;
    assert_eq!((&ended["status"], ended.get("freezePass")), (&json!("SUCCESS"), None));
}

/// The id of an approved runbook that changes nothing and asks that nothing is frozen.
async fn calm(world: &World, steps: Value) -> String {
    let phases = json!([{"id": "only", "name": "Only", "steps": steps}]);
    let prerequisites = json!([{"id": "calm", "noFreeze": true}]);
    let change = json!({"webhookUrl": null, "phases": phases, "prerequisites": prerequisites});
    approved(world, change).await
}

#[rstest]
#[tokio::test]
async fn whoever_asks_that_nothing_is_frozen_is_refused_by_that_name_although_it_only_looks(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = calm(&world, json!([look(&world, "look")])).await;
    let early = executed(&world, &runbook, json!({})).await;
    freeze(&world, "team:web", "Elsewhere").await;
    execute(&world, &runbook).await.expect(202);
    freeze(&world, "team:ops", "Sale").await;
    let expected = "prerequisite calm: the change freeze \"Sale\" (team:ops) is in force until 2026-03-01T14:00:00.000Z: the shop must stand";
    let refused = execute(&world, &runbook).await.expect_problem(409, "frozen");
    assert!(text(&refused["detail"]).starts_with(expected), "{refused}");
    let path = format!("/api/runbooks/{runbook}/execute");
    let told = ann(&world).post(&path, json!({"dryRun": true})).await.expect(200);
    assert_eq!(told["dryRun"]["freeze"]["prerequisite"], "calm");
    world.drain().await;
    let ended = read(&world, &early).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("FAILED"), &json!(expected)));
    assert!(called(&world).is_empty());
    let glass = break_glass(&world, "team:ops").await;
    let passed = text(&execute(&world, &runbook).await.expect(202)["execution"]["id"]);
    world.drain().await;
    let ended = read(&world, &passed).await;
    assert_eq!(ended["status"], "SUCCESS");
    assert_eq!(ended["freezePass"], json!({"by": "breakGlass", "id": glass}));
    world.clock.advance(HOUR * 2);
    execute(&world, &runbook).await.expect(202);
}

#[rstest]
#[tokio::test]
async fn whoever_asked_that_nothing_is_frozen_when_it_began_goes_on_when_a_window_begins(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = calm(&world, json!([look(&world, "look"), wait(), look(&world, "again")])).await;
    let execution = executed(&world, &runbook, json!({})).await;
    world.drain_due().await;
    freeze(&world, "global", "Sale").await;
    world.drain().await;
    assert_eq!(read(&world, &execution).await["status"], "SUCCESS");
    assert_eq!(called(&world), ["look", "again"]);
}

#[rstest]
#[tokio::test]
async fn a_workflow_runs_in_a_freeze_and_its_step_that_starts_a_runbook_fails(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let start = json!({"type": "runbook", "runbookId": runbook, "wait": false});
    let nodes = json!([
        {"type": "trigger", "id": "start"},
        {"type": "action", "id": "call", "action": call(&world, "/call")},
        {"type": "action", "id": "fix", "action": start},
    ]);
    let edges = json!([{"from": "start", "to": "call"}, {"from": "call", "to": "fix"}]);
    let change = json!({"definition": {"nodes": nodes, "edges": edges}});
    let new = workflows::definition(&world, change);
    let workflow = text(&bob(&world).post("/api/workflows", new).await.expect(201)["id"]);
    freeze(&world, "team:ops", "Sale").await;
    let run = ann(&world).post(&format!("/api/workflows/{workflow}/run"), json!({})).await.expect(202);
    world.drain().await;
    let ended = read(&world, &text(&run["execution"]["id"])).await;
    assert_eq!((&ended["status"], called(&world)), (&json!("FAILED"), vec!["call".to_owned()]));
    assert!(text(&ended["error"]).contains("the change freeze \"Sale\" (team:ops)"), "{ended}");
}

#[rstest]
#[tokio::test]
async fn a_runbook_that_a_runbook_starts_is_a_part_of_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let inner = approved(&world, json!({})).await;
    let sub = json!({"id": "sub", "type": "runbook", "action": {"type": "runbook", "runbookId": inner, "wait": true}});
    let outer = phased(&world, json!([act(&world, "cordon"), wait(), sub])).await;
    let execution = executed(&world, &outer, json!({})).await;
    world.drain_due().await;
    freeze(&world, "global", "Sale").await;
    world.drain().await;
    assert_eq!(read(&world, &execution).await["status"], "SUCCESS", "it had begun to change something");
    assert_eq!(called(&world), ["cordon", "restart"]);
    let parts = ann(&world).get(&format!("/api/runbooks/{inner}/executions")).await.expect(200);
    assert_eq!(parts["items"][0]["freezePass"], json!({"by": "partOf", "execution": execution}));
    execute(&world, &outer).await.expect_problem(409, "frozen");
}

#[rstest]
#[tokio::test]
async fn a_broken_glass_lets_begin_what_is_frozen_and_the_run_says_by_which(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    freeze(&world, "global", "Sale").await;
    break_glass(&world, "team:web").await;
    execute(&world, &runbook).await.expect_problem(409, "frozen");
    let glass = break_glass(&world, &format!("runbook:{runbook}")).await;
    let dry = json!({"dryRun": true});
    let told = ann(&world).post(&format!("/api/runbooks/{runbook}/execute"), dry).await.expect(200);
    assert_eq!(told["dryRun"]["freeze"]["breakGlass"], json!(glass));
    let execution = text(&execute(&world, &runbook).await.expect(202)["execution"]["id"]);
    world.drain().await;
    let ended = read(&world, &execution).await;
    assert_eq!(ended["status"], "SUCCESS");
    assert_eq!(ended["freezePass"], json!({"by": "breakGlass", "id": glass}));
    let passed = |entry: &&Value| entry["event"] == "freezePassed" && entry["glass"] == json!(glass);
    assert_eq!(ended["trail"].as_array().unwrap().iter().filter(passed).count(), 1);
    let expected = ["execution.accepted", "execution.freeze_passed", "execution.succeeded"];
    assert_eq!(actions(&world, &execution).await, expected);
}

#[rstest]
#[tokio::test]
async fn a_broken_glass_ends_by_itself_and_at_once_when_it_is_revoked(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    freeze(&world, "global", "Sale").await;
    let glass = break_glass(&world, "global").await;
    world.clock.advance(HOUR - Duration::from_millis(1));
    let late = text(&execute(&world, &runbook).await.expect(202)["execution"]["id"]);
    world.clock.advance(Duration::from_millis(1));
    execute(&world, &runbook).await.expect_problem(409, "frozen");
    world.drain().await;
    assert_eq!(read(&world, &late).await["status"], "FAILED", "accepted in time, and not begun");
    assert!(called(&world).is_empty());
    let over = format!("/api/break-glass/{glass}/revoke");
    carol(&world).post(&over, json!({})).await.expect_problem(409, "conflict");
    let glass = break_glass(&world, "team:ops").await;
    execute(&world, &runbook).await.expect(202);
    let revoked =
        carol(&world).post(&format!("/api/break-glass/{glass}/revoke"), json!({})).await.expect(200);
    assert_eq!((&revoked["active"], &revoked["revoked"]["by"]), (&json!(false), &json!("carol")));
    execute(&world, &runbook).await.expect_problem(409, "frozen");
}

#[rstest]
#[tokio::test]
async fn a_kill_switch_wins_over_a_broken_glass(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    freeze(&world, "global", "Sale").await;
    break_glass(&world, "global").await;
    let execution = executed(&world, &runbook, json!({})).await;
    let stop = json!({"engaged": true, "reason": "no"});
    bob(&world).put("/api/kill-switches/team:ops", stop).await.expect(200);
    execute(&world, &runbook).await.expect_problem(409, "kill-switch");
    world.drain().await;
    let ended = read(&world, &execution).await;
    assert_eq!(ended["error"], "Stopped by the kill switch team:ops: no");
    assert!(called(&world).is_empty());
}

#[rstest]
#[tokio::test]
async fn a_broken_glass_is_listed_until_another_person_has_reviewed_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let keyed = bob(&world).with("idempotency-key", "once");
    let start = json!({"scope": "global", "reason": "the database is down", "durationSeconds": 60});
    let first = keyed.post("/api/break-glass", start.clone()).await.expect(201);
    assert_eq!(keyed.post("/api/break-glass", start).await.expect(201), first);
    let glass = text(&first["id"]);
    let people = json!({"aliases": ["bob.smith"]});
    carol(&world).put("/api/people/bob", people).await.expect(200);
    let review = format!("/api/break-glass/{glass}/review");
    let note = json!({"note": "it was needed"});
    carol(&world).post(&review, note.clone()).await.expect_problem(409, "conflict");
    world.clock.advance(Duration::from_mins(1));
    for own in ["bob", "bob.smith"] {
        let admin = world.client(own, &["platform-admin"]);
        admin.post(&review, note.clone()).await.expect_problem(403, "forbidden");
    }
    let auditor = world.client("aud", &["auditor"]);
    let unreviewed = "/api/break-glass?unreviewed=true";
    let listed = auditor.get(unreviewed).await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["active"]), (&json!(glass), &json!(false)));
    let reviewed = carol(&world).post(&review, note.clone()).await.expect(200);
    assert_eq!(
        (&reviewed["reviewed"]["by"], &reviewed["reviewed"]["note"]),
        (&json!("carol"), &note["note"])
    );
    assert_eq!(auditor.get(unreviewed).await.expect(200)["items"], json!([]));
    assert_eq!(auditor.get("/api/break-glass").await.expect(200)["items"][0]["id"], json!(glass));
    carol(&world).post(&review, note).await.expect_problem(409, "conflict");
    let expected = ["break_glass.started", "break_glass.reviewed"];
    assert_eq!(actions(&world, "break-glass").await, expected);
}

#[rstest]
#[tokio::test]
async fn windows_are_listed_removed_and_audited(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let (from, until) = ("2026-03-01T13:00:00Z", "2026-03-01T13:30:00Z");
    let window = json!({"name": "Sale", "from": from, "until": until, "reason": "busy"});
    let keyed = ann(&world).with("idempotency-key", "once");
    let ours = keyed.post("/api/freezes/team:ops", window.clone()).await.expect(201);
    assert_eq!(keyed.post("/api/freezes/team:ops", window.clone()).await.expect(201), ours);
    ann(&world).post("/api/freezes/global", window.clone()).await.expect_problem(403, "forbidden");
    let everybodys = freeze(&world, "global", "Deploy").await;
    let seen = |list: Value| -> Vec<(Value, Value)> {
        let items = list["items"].as_array().unwrap().clone();
        items.into_iter().map(|item| (item["name"].clone(), item["active"].clone())).collect()
    };
    let expected = vec![(json!("Sale"), json!(false)), (json!("Deploy"), json!(true))];
    assert_eq!(seen(ann(&world).get("/api/freezes").await.expect(200)), expected);
    assert_eq!(seen(bob(&world).get("/api/freezes?teamId=ops").await.expect(200)), expected);
    let web = world.client("wes", &["team:web:admin"]);
    assert_eq!(seen(web.get("/api/freezes").await.expect(200)).len(), 1);
    web.get("/api/freezes?teamId=ops").await.expect_problem(403, "forbidden");
    let path = format!("/api/freezes/team:ops/{}", text(&ours["id"]));
    web.delete(&path).await.expect_problem(403, "forbidden");
    assert_eq!(ann(&world).delete(&path).await.status, 204);
    ann(&world).delete(&path).await.expect_problem(404, "not-found");
    let wrong = format!("/api/freezes/team:ops/{}", text(&everybodys["id"]));
    ann(&world).delete(&wrong).await.expect_problem(404, "not-found");
    assert_eq!(actions(&world, "freezes:team:ops").await, ["freeze.added", "freeze.removed"]);
}

#[rstest]
#[tokio::test]
async fn inv_f1_a_kill_switch_and_a_window_set_at_once_are_both_kept_each_with_its_chain(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let set = json!({"engaged": true, "reason": "failover"});
    let client = bob(&world);
    let (switch, first, second) = tokio::join!(
        client.put("/api/kill-switches/team:ops", set),
        freeze(&world, "team:ops", "Sale"),
        freeze(&world, "team:ops", "Deploy"),
    );
    switch.expect(200);
    let path = "/api/kill-switches/team:ops";
    assert_eq!(client.get(path).await.expect(200)["engaged"], true);
    for window in [first, second] {
        let path = format!("/api/freezes/team:ops/{}", text(&window["id"]));
        assert_eq!(client.delete(&path).await.status, 204);
    }
    assert_eq!(actions(&world, "control:team:ops").await, ["kill_switch.engaged"]);
    let added = ["freeze.added", "freeze.added", "freeze.removed", "freeze.removed"];
    assert_eq!(actions(&world, "freezes:team:ops").await, added);
    assert_eq!(client.get(path).await.expect(200)["engaged"], true, "its windows do not concern it");
    let auditor = world.client("aud", &["auditor"]);
    auditor.get("/api/audit/freezes:global").await.expect_problem(404, "not-found");
    auditor.get("/api/audit/control:global").await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn what_makes_no_window_and_no_broken_glass_is_refused_with_its_place() {
    let world = World::sqlite().await;
    let window = json!({"name": "Sale", "until": TWO, "reason": "busy"});
    for (change, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"reason": " "}), "/reason"),
        (json!({"until": NOON}), "/until"),
        (json!({"until": "2026-07-01T00:00:00Z"}), "/until"),
        (json!({"until": "tomorrow"}), "/until"),
        (json!({"from": "2026-03-01T15:00:00Z"}), "/until"),
    ] {
        let answer = bob(&world).post("/api/freezes/global", with(window.clone(), change)).await;
        assert_eq!(answer.expect_problem(400, "invalid")["errors"][0]["pointer"], pointer);
    }
    let start = json!({"scope": "global", "reason": "down"});
    for (change, pointer) in [
        (json!({"reason": ""}), "/reason"),
        (json!({"durationSeconds": 59}), "/durationSeconds"),
        (json!({"durationSeconds": 14_401}), "/durationSeconds"),
        (json!({"scope": "world"}), "/scope"),
    ] {
        let answer = bob(&world).post("/api/break-glass", with(start.clone(), change)).await;
        assert_eq!(answer.expect_problem(400, "invalid")["errors"][0]["pointer"], pointer);
    }
    ann(&world).post("/api/break-glass", start).await.expect_problem(403, "forbidden");
    ann(&world).get("/api/break-glass").await.expect_problem(403, "forbidden");
    bob(&world).post("/api/freezes/runbook:rb_1", window).await.expect_problem(404, "not-found");
}
