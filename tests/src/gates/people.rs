//! Who is whom.

use rstest::rstest;
use serde_json::json;

use super::*;

async fn aliases(world: &World, user: &str) -> Value {
    bob(world).get(&format!("/api/people/{user}")).await.expect(200)["aliases"].clone()
}

#[rstest]
#[tokio::test]
async fn a_link_stands_at_both_ends_until_it_is_taken_away(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let admin = bob(&world);
    admin.get("/api/people/ann").await.expect_problem(404, "not-found");
    let set = admin.put("/api/people/ann", json!({"aliases": ["a@example.com", "ann2"]})).await;
    let etag = set.header("etag").to_owned();
    set.expect(200);
    assert_eq!(aliases(&world, "ann2").await, json!(["ann"]));
    admin.put("/api/people/ann", json!({"aliases": ["ann2", "ann3"]})).await.expect(200);
    admin.get("/api/people/a@example.com").await.expect_problem(404, "not-found");
    assert_eq!(aliases(&world, "ann3").await, json!(["ann"]));
    let stale = admin.with("if-match", etag).put("/api/people/ann", json!({"aliases": []})).await;
    stale.expect_problem(412, "stale");
    assert_eq!(admin.delete("/api/people/ann").await.status, 204);
    for user in ["ann", "ann2", "ann3"] {
        admin.get(&format!("/api/people/{user}")).await.expect_problem(404, "not-found");
        let auditor = crate::engine::caller("aud", &["auditor"]);
        let resource = format!("person:{user}").parse().unwrap();
        world.app.audit_export(&auditor, &resource).await.unwrap().verify().unwrap();
    }
    admin.delete("/api/people/ann").await.expect_problem(404, "not-found");
}

#[rstest]
#[tokio::test]
async fn what_is_said_of_people_is_checked(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let admin = bob(&world);
    let many: Vec<String> = (0..21).map(|number| format!("a{number}")).collect();
    for faulty in [json!(["ann"]), json!(many)] {
        admin.put("/api/people/ann", json!({"aliases": faulty})).await.expect_problem(400, "invalid");
    }
    for number in 0..20 {
        admin.put(&format!("/api/people/a{number}"), json!({"aliases": ["ann"]})).await.expect(200);
    }
    admin.put("/api/people/a20", json!({"aliases": ["ann"]})).await.expect_problem(409, "conflict");
}
