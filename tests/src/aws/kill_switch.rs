//! An engaged kill switch stops what is asked for, and what goes on already.

use rstest::rstest;
use serde_json::json;

use super::muster::execution_of;
use super::*;

#[rstest]
#[case::local(Target::Local)]
#[ignore = "needs the local AWS: scripts/aws-local test"]
#[case::aws(Target::Aws)]
#[tokio::test]
async fn an_engaged_switch_sends_nothing_until_it_is_released(#[case] target: Target) {
    let muster = Muster::start(target).await;
    let (ann, bob) = (muster.ann(), muster.bob());
    let runbook = muster.approved(muster.calling("/restart")).await;
    let (execute, switch) =
        (format!("/api/runbooks/{runbook}/execute"), format!("/api/kill-switches/team:{}", muster.team));
    let set = async |engaged: bool| {
        bob.put(&switch, json!({"engaged": engaged, "reason": "database failover"})).await.expect(200);
    };
    assert_eq!(ann.put(&switch, json!({"engaged": true, "reason": "mine"})).await.status, 403);
    set(true).await;
    let refused = ann.post(&execute, json!({})).await.expect(409);
    assert_eq!(refused["type"], "/problems/kill-switch");
    assert!(muster.received("/restart").is_empty());
    set(false).await;
    let accepted = ann.post(&execute, json!({})).await.expect(202);
    ends(&ann, &execution_of(&accepted), "SUCCESS").await;
    assert_eq!(muster.received("/restart").len(), 1);
    let actions = super::proof::proven(&muster.eve(), &format!("control:team:{}", muster.team)).await;
    assert_eq!(actions.len(), 2, "{actions:?}");
}

#[rstest]
#[case::local(Target::Local)]
#[ignore = "needs the local AWS: scripts/aws-local test"]
#[case::aws(Target::Aws)]
#[tokio::test]
async fn an_execution_under_way_ends_before_its_next_call(#[case] target: Target) {
    let muster = Muster::start(target).await;
    let (ann, bob) = (muster.ann(), muster.bob());
    let graph = json!({
        "nodes": [
            {"type": "trigger", "id": "start"},
            {"type": "delay", "id": "settle", "seconds": 6},
            {"type": "action", "id": "call", "name": "Call", "action": {"type": "webhook", "url": muster.url("/call")}},
        ],
        "edges": [{"from": "start", "to": "settle"}, {"from": "settle", "to": "call"}],
    });
    let workflow = json!({"name": "Wait and call", "teamId": muster.team, "trigger": {"type": "manual"}, "definition": graph});
    let workflow = text(&ann.post("/api/workflows", workflow).await.expect(201)["id"]);
    let accepted = ann.post(&format!("/api/workflows/{workflow}/run"), json!({})).await.expect(202);
    let engaged = json!({"engaged": true, "reason": "database failover"});
    bob.put(&format!("/api/kill-switches/team:{}", muster.team), engaged).await.expect(200);
    let ended = ends(&ann, &execution_of(&accepted), "FAILED").await;
    assert!(ended["error"].as_str().unwrap().contains("database failover"), "{ended}");
    assert!(muster.received("/call").is_empty());
}
