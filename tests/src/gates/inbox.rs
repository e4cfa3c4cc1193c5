//! What waits for whom.

use rstest::rstest;
use serde_json::json;

use super::*;

async fn inbox(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/api/approvals{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|approval| text(&approval["step"])).collect()
}

#[rstest]
#[tokio::test]
async fn whoever_may_decide_finds_it_in_their_inbox_and_nobody_else(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let approval = json!({
        "levels": [{"of": ["team:ops:responder"]}, {"of": ["user:gus"]}], "expiresInSeconds": 600,
    });
    let gated = Gated::on(engine, approval).await;
    let mine = "?waitingFor=me";
    let gus = gated.world.client("gus", &[]);
    assert_eq!(inbox(&gated.client(CARL), mine).await, ["ask"]);
    // Who asked for the run, whose level has not come, and who is not asked.
    assert!(inbox(&gated.client("dan"), mine).await.is_empty());
    assert!(inbox(&gus, mine).await.is_empty());
    assert!(inbox(&bob(&gated.world), mine).await.is_empty());
    // Without the filter it is for everybody who may read the execution.
    assert_eq!(inbox(&bob(&gated.world), "").await, ["ask"]);
    assert_eq!(inbox(&gated.client("dan"), "?teamId=ops").await, ["ask"]);
    assert!(inbox(&gated.world.client("wes", &["team:web:admin"]), "").await.is_empty());
    gated.says(CARL, "approve").await.expect(200);
    assert!(inbox(&gated.client(CARL), mine).await.is_empty());
    assert_eq!(inbox(&gus, mine).await, ["ask"]);
    gated.world.clock.advance(Duration::from_secs(600));
    assert!(inbox(&gus, mine).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn what_ends_first_comes_first(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let ask = |id: &str, seconds: u64| {
        let approval = super::with(one_of_ops(), "expiresInSeconds", json!(seconds));
        json!({"id": id, "type": "approval", "approval": super::with(approval, "covers", json!(["fix"]))})
    };
    let action = json!({"type": "webhook", "url": world.receiver.url("/fix")});
    let fix = json!({"id": "fix", "type": "diagnostic", "action": action});
    let group =
        json!({"parallel": {"id": "all", "steps": [ask("late", 900), ask("soon", 60), ask("then", 600)]}});
    let phases = json!([{"id": "decide", "steps": [group]}, {"id": "act", "steps": [fix]}]);
    let definition = json!({"name": "Three", "teamId": "ops", "phases": phases});
    let gated = Gated::running(world, definition).await;
    assert_eq!(inbox(&gated.client(CARL), "?waitingFor=me").await, ["soon", "then", "late"]);
    let page = gated.client(CARL).get("/api/approvals?waitingFor=me&limit=2").await.expect(200);
    let next = format!("?waitingFor=me&limit=2&cursor={}", text(&page["nextCursor"]));
    assert_eq!(inbox(&gated.client(CARL), &next).await, ["late"]);
    let other = format!("/api/approvals?cursor={}", text(&page["nextCursor"]));
    gated.client(CARL).get(&other).await.expect_problem(400, "invalid-cursor");
}
