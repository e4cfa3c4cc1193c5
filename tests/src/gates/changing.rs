//! What makes a decision void: it is taken back, what would run changes, the run ends.

use muster_app::job::Job;
use rstest::rstest;
use serde_json::json;

use super::*;

async fn withdraw(gated: &Gated, by: &Client, of: &str) -> crate::support::client::Answer {
    gated.answers(by, ("ask", "withdraw"), json!({"of": of, "reason": "too early"})).await
}

#[rstest]
#[tokio::test]
async fn inv_c4_an_approver_who_is_revoked_before_the_claim_lets_nothing_go_on(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    gated.says(CARL, "approve").await.expect(200);
    withdraw(&gated, &gated.client(FAY), CARL).await.expect_problem(403, "forbidden");
    withdraw(&gated, &bob(&gated.world), CARL).await.expect(200);
    gated.world.drain().await;
    gated.check("WAITING", 0).await;
    let rounds: Vec<Value> = gated.approvals().await.iter().map(|one| one["status"].clone()).collect();
    assert_eq!(rounds, ["VOID", "OPEN"]);
    gated.says(FAY, "approve").await.expect(200);
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
    withdraw(&gated, &bob(&gated.world), FAY).await.expect_problem(409, "approval-closed");
}

#[rstest]
#[tokio::test]
async fn inv_c4_what_would_run_has_changed_so_the_decision_is_void_and_people_are_asked_again(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let seen = gated.asked("ask").await["digest"].clone();
    gated.says(CARL, "approve").await.expect(200);
    let path = format!("/api/executions/{}", gated.execution);
    let incident = text(&bob(&gated.world).get(&path).await.expect(200)["incident"]["id"]);
    let acknowledged = json!({"status": "ACKNOWLEDGED"});
    bob(&gated.world).patch(&format!("/api/incidents/{incident}"), acknowledged).await.expect(200);
    gated.world.drain().await;
    gated.check("WAITING", 0).await;
    let asked = gated.asked("ask").await;
    assert_eq!((&asked["round"], &asked["status"]), (&json!(2), &json!("OPEN")));
    assert_ne!(asked["digest"], seen);
    assert_eq!(gated.approvals().await[0]["status"], "VOID");
    let old = gated.answers(&gated.client(CARL), ("ask", "approve"), json!({"digest": seen})).await;
    old.expect_problem(409, "other-digest");
    gated.says(CARL, "approve").await.expect(200);
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

/// A run of the runbook on the incident, which has asked.
async fn asking(world: &World, incident: &str, runbook: &str) -> String {
    let dan = world.client("dan", &["team:ops:responder"]);
    let path = format!("/api/incidents/{incident}/runbooks/{runbook}/execute");
    let execution = text(&dan.post(&path, json!({})).await.expect(201)["execution"]["id"]);
    world.drain().await;
    execution
}

/// What the first round of a run asked, and the target that the run works on.
async fn asked_about(world: &World, execution: &str) -> (Value, Value) {
    let path = format!("/api/executions/{execution}");
    let approvals = bob(world).get(&format!("{path}/approvals")).await.expect(200);
    let run = bob(world).get(&path).await.expect(200);
    (approvals["items"][0]["digest"].clone(), run["target"]["name"].clone())
}

#[rstest]
#[tokio::test]
async fn inv_c4_an_approval_is_about_one_target_and_the_run_stays_on_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let mut definition = runbook(&world, &one_of_ops());
    definition["limits"] = json!({"target": "{{incident.metadata.service}}"});
    let created =
        world.client("ann", &["team:ops:admin"]).post("/api/runbooks", definition).await.expect(201);
    let runbook = text(&created["id"]);
    bob(&world).post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
    let incident = incident(&world, json!({"metadata": {"service": "checkout"}})).await;
    let first = asking(&world, &incident, &runbook).await;
    let moved = json!({"metadata": {"service": "search"}});
    bob(&world).patch(&format!("/api/incidents/{incident}"), moved).await.expect(200);
    let second = asking(&world, &incident, &runbook).await;
    let third = asking(&world, &incident, &runbook).await;
    let (on_checkout, on_search) = (asked_about(&world, &first).await, asked_about(&world, &second).await);
    assert_eq!((&on_checkout.1, &on_search.1), (&json!("checkout"), &json!("search")));
    assert_eq!(asked_about(&world, &third).await, on_search, "nothing else differs");
    assert_ne!(on_checkout.0, on_search.0);
    let gated = Gated { world, execution: first };
    let other = json!({"digest": on_search.0, "reason": "looked"});
    let answered = gated.answers(&gated.client(CARL), ("ask", "approve"), other).await;
    answered.expect_problem(409, "other-digest");
    gated.says(CARL, "approve").await.expect(200);
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
    assert_eq!(
        asked_about(&gated.world, &gated.execution).await,
        on_checkout,
        "it did not move with the incident"
    );
}

#[rstest]
#[tokio::test]
async fn inv_c3_another_name_of_the_author_counts_as_the_author_even_if_it_is_learnt_late(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    // By way of a third name.
    let link = |user: &str, aliases| {
        let (path, admin) = (format!("/api/people/{user}"), bob(&gated.world));
        async move { admin.put(&path, json!({"aliases": aliases})).await.expect(200) }
    };
    link("ann", json!(["ann@example.com"])).await;
    gated.says("ann2", "approve").await.expect(200);
    link("ann2", json!(["ann@example.com"])).await;
    gated.world.drain().await;
    gated.check("WAITING", 0).await;
    assert_eq!(gated.asked("ask").await["round"], 2);
    gated.says("ann2", "approve").await.expect_problem(403, "forbidden");
    gated.says(CARL, "approve").await.expect(200);
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn a_run_that_ends_asks_nobody_any_more(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let path = format!("/api/executions/{}/cancel", gated.execution);
    bob(&gated.world).post(&path, json!({"reason": "not needed"})).await.expect(200);
    gated.check("CANCELLED", 0).await;
    assert_eq!(gated.asked("ask").await["status"], "VOID");
    gated.says(CARL, "approve").await.expect_problem(409, "approval-closed");
    gated.passes(700).await;
    gated.check("CANCELLED", 0).await;
}

#[rstest]
#[tokio::test]
async fn inv_b7_jobs_that_come_again_from_the_dead_letters_change_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let job = Job::Run { execution: gated.id() };
    gated.world.app.give_up(&job, "too many receipts").await.unwrap();
    gated.check("WAITING", 0).await;
    gated.says(CARL, "approve").await.expect(200);
    gated.world.drain().await;
    for _ in 0..2 {
        gated.world.handle(&job).await.unwrap();
        gated.world.app.give_up(&job, "too many receipts").await.unwrap();
    }
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
    assert_eq!(gated.asked("ask").await["status"], "APPROVED");
}
