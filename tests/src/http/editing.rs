//! Two people edit the same runbook.

use super::*;
use crate::support::world::Engine;
use rstest::rstest;

#[rstest]
#[tokio::test]
async fn inv_c7_a_stale_edit_is_refused_and_told_what_is_current(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = draft(&world, json!({})).await;
    let path = format!("/api/runbooks/{id}");
    let etag = ann(&world).get(&path).await.header("etag").to_owned();
    let first = definition(&world, json!({"name": "first"}));
    let answer = ann(&world).with("if-match", &etag).put(&path, first).await;
    let current = answer.header("etag").to_owned();
    answer.expect(200);
    assert_ne!(current, etag);
    let second = definition(&world, json!({"name": "second"}));
    let answer = ann(&world).with("if-match", &etag).put(&path, second.clone()).await;
    assert_eq!(answer.header("etag"), current);
    assert_eq!(answer.expect_problem(412, "stale")["currentETag"], current);
    ann(&world).with("if-match", &etag).delete(&path).await.expect_problem(412, "stale");
    assert_eq!(ann(&world).get(&path).await.expect(200)["name"], "first");
    ann(&world).with("if-match", &current).put(&path, second).await.expect(200);
}

#[rstest]
#[tokio::test]
async fn inv_c7_approving_makes_an_edit_stale(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let id = draft(&world, json!({})).await;
    let path = format!("/api/runbooks/{id}");
    let etag = ann(&world).get(&path).await.header("etag").to_owned();
    let approved = bob(&world).post(&format!("{path}/approve"), json!({})).await;
    assert_eq!(approved.header("etag"), ann(&world).get(&path).await.header("etag"));
    approved.expect(200);
    let change = definition(&world, json!({"name": "other"}));
    ann(&world).with("if-match", etag).put(&path, change).await.expect_problem(412, "stale");
}

#[rstest]
#[tokio::test]
async fn if_match_may_be_absent_or_a_star_and_foreign_tags_match_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = draft(&world, json!({})).await;
    let path = format!("/api/runbooks/{id}");
    let named = |name: &str| definition(&world, json!({"name": name}));
    ann(&world).put(&path, named("a")).await.expect(200);
    ann(&world).with("if-match", "*").put(&path, named("b")).await.expect(200);
    for foreign in ["\"abc\"", "W/\"3\"", "\"0\""] {
        ann(&world).with("if-match", foreign).put(&path, named("c")).await.expect_problem(412, "stale");
    }
    for broken in ["3", "\"3\", \"4\""] {
        let problem = ann(&world).with("if-match", broken).put(&path, named("c")).await;
        assert_eq!(problem.expect_problem(400, "invalid")["errors"][0]["header"], "If-Match");
    }
}

#[rstest]
#[tokio::test]
async fn the_same_definition_again_makes_no_version(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = draft(&world, json!({})).await;
    let path = format!("/api/runbooks/{id}");
    let same = ann(&world).put(&path, definition(&world, json!({}))).await;
    assert_eq!(same.header("etag"), "\"1\"");
    assert_eq!(same.expect(200)["version"], 1);
}

#[rstest]
#[tokio::test]
async fn a_runbook_keeps_its_team(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let id = draft(&world, json!({})).await;
    let admin = world.client("ann", &["platform-admin"]);
    let moved = definition(&world, json!({"teamId": "web"}));
    let problem = admin.put(&format!("/api/runbooks/{id}"), moved).await.expect_problem(400, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/teamId");
}
