//! A phased runbook whose run asks people before it acts.

use rstest::rstest;
use serde_json::{Value, json};

use super::muster::execution_of;
use super::proof::proven;
use super::*;

/// Looks from two sides at once, asks a responder, then acts.
fn runbook(muster: &Muster) -> Value {
    let call = |path: &str| json!({"type": "webhook", "url": muster.url(path)});
    let look = |id: &str| json!({"id": id, "type": "diagnostic", "action": call(&format!("/{id}"))});
    let sides = json!({"parallel": {"id": "sides", "steps": [look("left"), look("right")]}});
    let levels = json!([{"of": [format!("team:{}:responder", muster.team)], "needed": 1}]);
    let asks =
        json!({"id": "ask", "type": "approval", "approval": {"levels": levels, "expiresInSeconds": 3_600}});
    let acts = json!({"id": "act", "type": "remediation", "action": call("/act"), "undo": call("/unact")});
    json!({
        "name": "Look, ask, act", "teamId": muster.team,
        "phases": [{"id": "diagnose", "steps": [sides]}, {"id": "remedy", "steps": [asks, acts]}],
    })
}

fn responder(muster: &Muster, user: &str) -> Person {
    muster.person(user, &[&format!("team:{}:responder", muster.team)])
}

/// A run that dan asked for, once it asks people; and the digest of what it asks.
async fn asking(muster: &Muster) -> (String, Value) {
    let runbook = muster.approved(runbook(muster)).await;
    let dan = responder(muster, "dan");
    let accepted = dan.post(&format!("/api/runbooks/{runbook}/execute"), json!({})).await.expect(202);
    let execution = execution_of(&accepted);
    let digest = eventually("people to be asked", async || {
        let asked = dan.get(&format!("/api/executions/{execution}/approvals")).await.expect(200);
        asked["items"][0].get("digest").cloned()
    })
    .await;
    for side in ["/left", "/right"] {
        assert_eq!(muster.received(side).len(), 1, "{side}");
    }
    (execution, digest)
}

async fn answers(person: &Person, execution: &str, verdict: &str, digest: &Value) -> u16 {
    let path = format!("/api/executions/{execution}/steps/ask/{verdict}");
    person.post(&path, json!({"digest": digest, "reason": "looked"})).await.status
}

#[rstest]
#[case::local(Target::Local)]
#[ignore = "needs the local AWS: scripts/aws-local test"]
#[case::aws(Target::Aws)]
#[tokio::test]
async fn a_second_person_lets_a_run_act_and_who_asked_for_it_may_not(#[case] target: Target) {
    let muster = Muster::start(target).await;
    let (execution, digest) = asking(&muster).await;
    // Who asked for the run, and who wrote it, are no second person, whatever they may do otherwise.
    assert_eq!(answers(&responder(&muster, "dan"), &execution, "approve", &digest).await, 403);
    assert_eq!(answers(&muster.ann(), &execution, "approve", &digest).await, 403);
    let outsider = muster.person("mallory", &["team:elsewhere:admin"]);
    assert!([403, 404].contains(&answers(&outsider, &execution, "approve", &digest).await));
    let other = json!("0".repeat(64));
    assert_eq!(answers(&responder(&muster, "carl"), &execution, "approve", &other).await, 409);
    assert!(muster.received("/act").is_empty());
    assert_eq!(answers(&responder(&muster, "carl"), &execution, "approve", &digest).await, 200);
    ends(&muster.ann(), &execution, "SUCCESS").await;
    assert_eq!(muster.received("/act").len(), 1);
    assert!(muster.received("/unact").is_empty());
    assert_eq!(answers(&responder(&muster, "fay"), &execution, "approve", &digest).await, 409);
    let actions = proven(&muster.eve(), &execution).await;
    assert_eq!(actions, ["execution.accepted", "execution.gate_ended", "execution.succeeded"]);
    let actions = proven(&muster.eve(), &format!("approval:{execution}:ask:1")).await;
    assert_eq!(actions.first().map(String::as_str), Some("approval.asked"), "{actions:?}");
}

#[rstest]
#[case::local(Target::Local)]
#[ignore = "needs the local AWS: scripts/aws-local test"]
#[case::aws(Target::Aws)]
#[tokio::test]
async fn a_run_that_is_rejected_sends_nothing(#[case] target: Target) {
    let muster = Muster::start(target).await;
    let (execution, digest) = asking(&muster).await;
    assert_eq!(answers(&responder(&muster, "carl"), &execution, "reject", &digest).await, 200);
    let ended = ends(&muster.ann(), &execution, "FAILED").await;
    assert!(text(&ended["error"]).contains("carl"), "{ended}");
    assert!(muster.received("/act").is_empty());
    assert_eq!(answers(&responder(&muster, "fay"), &execution, "approve", &digest).await, 409);
}
