//! The whole life of a runbook, from its draft to the proof of what it did.

use rstest::rstest;
use serde_json::{Value, json};

use super::muster::execution_of;
use super::proof::proven;
use super::*;
use crate::support::receiver::Reply;

#[rstest]
#[case::local(Target::Local)]
#[ignore = "needs the local AWS: scripts/aws-local test"]
#[case::aws(Target::Aws)]
#[tokio::test]
async fn a_runbook_is_written_approved_executed_and_proven(#[case] target: Target) {
    let muster = Muster::start(target).await;
    is_for_known_people_alone(&muster).await;
    let runbook = is_written(&muster).await;
    is_approved_by_another_person(&muster, &runbook).await;
    let execution = is_executed_once(&muster, &runbook).await;
    arrived_as_its_template_says(&muster);
    let actions = proven(&muster.eve(), &execution).await;
    assert_eq!(actions, ["execution.accepted", "execution.succeeded"]);
    assert_eq!(proven(&muster.eve(), &runbook).await, ["runbook.created", "runbook.approved"]);
}

async fn is_for_known_people_alone(muster: &Muster) {
    let good = muster.ann().token().to_owned();
    let (content, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = content.split_once('.').unwrap();
    for token in [
        "",
        "Bearer",
        content,
        &format!("{content}.{}", signature.to_uppercase()),
        &format!("{header}.e30.{signature}"),
    ] {
        assert_eq!(muster.stranger(token).get("/api/runbooks").await.status, 401, "{token}");
    }
    muster.stranger("").get("/healthz").await.expect(200);
    muster.stranger("").get("/readyz").await.expect(200);
}

async fn is_written(muster: &Muster) -> String {
    muster.keep_secret(&format!("{}/token", muster.team), "open-sesame").await;
    let mut definition = muster.calling("/restart");
    let more = json!({
        "parameters": {"type": "object", "properties": {"service": {"type": "string"}}, "required": ["service"]},
        "payloadTemplate": {"service": "{{params.service}}"},
        "webhookAuth": {"type": "bearer", "token": {"$secret": format!("{}/token", muster.team)}},
    });
    definition.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let viewer = muster.person("vera", &[&format!("team:{}:viewer", muster.team)]);
    assert_eq!(viewer.post("/api/runbooks", definition.clone()).await.status, 403);
    let created = muster.ann().post("/api/runbooks", definition).await.expect(201);
    assert_eq!((&created["approvalStatus"], &created["author"]), (&json!("DRAFT"), &json!("ann")));
    text(&created["id"])
}

async fn is_approved_by_another_person(muster: &Muster, runbook: &str) {
    let (path, request) = (format!("/api/runbooks/{runbook}"), asked());
    let refused = muster.ann().post(&format!("{path}/execute"), request).await.expect(400);
    assert_eq!(refused["type"], "/problems/not-approved");
    let author = muster.person("ann", &["platform-admin"]);
    assert_eq!(author.post(&format!("{path}/approve"), json!({})).await.status, 403);
    let approved = muster.bob().post(&format!("{path}/approve"), json!({})).await.expect(200);
    assert_eq!(approved["approvalStatus"], "APPROVED");
}

/// The same key twice is one execution. The receiver fails first, so there are two attempts.
async fn is_executed_once(muster: &Muster, runbook: &str) -> String {
    muster.will("/restart", [Reply::Status(503)]);
    let (path, ann) = (format!("/api/runbooks/{runbook}/execute"), muster.ann());
    let accepted = ann.post_once("the-key", &path, asked()).await.expect(202);
    let again = ann.post_once("the-key", &path, asked()).await.expect(202);
    let execution = execution_of(&accepted);
    assert_eq!(execution_of(&again), execution);
    let ended = ends(&ann, &execution, "SUCCESS").await;
    let codes: Vec<&Value> = ended["steps"][0]["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["statusCode"])
        .collect();
    assert_eq!(codes, [&json!(503), &json!(200)]);
    assert_eq!(executions(&ann, &format!("/api/runbooks/{runbook}")).await, [execution.as_str()]);
    execution
}

fn arrived_as_its_template_says(muster: &Muster) {
    let received = muster.received("/restart");
    assert_eq!(received.len(), 2, "{received:?}");
    for call in &received {
        assert_eq!(call.body, r#"{"service":"checkout"}"#);
        assert_eq!(call.header("authorization"), "Bearer open-sesame");
    }
    let attempts: Vec<String> = received.iter().map(|call| call.header("muster-attempt-id")).collect();
    assert_ne!(attempts[0], attempts[1]);
}

fn asked() -> Value {
    json!({"parameters": {"service": "checkout"}})
}
