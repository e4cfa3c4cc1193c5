//! A workflow for incidents that stay open: the schedule brings it about, and no event.

use rstest::rstest;
use serde_json::json;

use super::*;

#[rstest]
#[case::local(Target::Local)]
#[ignore = "needs the local AWS: scripts/aws-local test"]
#[case::aws(Target::Aws)]
#[tokio::test]
async fn an_incident_that_stays_open_starts_its_workflow_once(#[case] target: Target) {
    let mut muster = Muster::start(target).await;
    let incident = muster.opened(Duration::from_secs(58)).await;
    let graph = json!({
        "nodes": [
            {"type": "trigger", "id": "start"},
            {"type": "action", "id": "call", "name": "Call", "action": {"type": "webhook", "url": muster.url("/aged")}},
        ],
        "edges": [{"from": "start", "to": "call"}],
    });
    let workflow = json!({
        "name": "Call when it stays open", "teamId": muster.team, "definition": graph,
        "trigger": {"type": "age", "ageThresholdMinutes": 1},
    });
    let ann = muster.ann();
    let saved = ann.post("/api/workflows", workflow).await.expect(201);
    eventually("the call", async || (!muster.received("/aged").is_empty()).then_some(())).await;
    let started = executions(&ann, &format!("/api/workflows/{}", text(&saved["id"]))).await;
    let [execution] = started.as_slice() else { panic!("one execution, not {started:?}") };
    let ended = ends(&ann, execution, "COMPLETED").await;
    assert_eq!(ended["incident"]["id"], incident);
    assert_eq!(ended["requestedBy"], "muster|schedule");
}
