//! AWS accounts and their teams: how they are set, and whose incidents what the bus brings of them becomes.

use muster_app::receive::Received;
use rstest::rstest;

use super::hooks::sample;
use super::*;
use crate::support::world::Engine;

/// The account of every sample of the bus.
const ACCOUNT: &str = "123456789012";

fn path(account: &str) -> String {
    format!("/api/accounts/{account}")
}

/// The account, which is this team's from now on.
pub(crate) async fn given(world: &World, account: &str, team: &str) -> String {
    let answer = bob(world).put(&path(account), json!({"teamId": team})).await;
    text(&answer.expect(200)["accountId"])
}

async fn actions(world: &World, account: &str) -> Vec<Value> {
    let chain = bob(world).get(&format!("/api/audit/account:{account}")).await.expect(200);
    chain["entries"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect()
}

#[rstest]
#[tokio::test]
async fn an_account_is_given_changed_and_removed(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let account = path(ACCOUNT);
    bob(&world).get(&account).await.expect_problem(404, "not-found");
    bob(&world).delete(&account).await.expect_problem(404, "not-found");
    let set = json!({"teamId": "ops", "name": "Shop"});
    bob(&world).with("if-match", "\"1\"").put(&account, set.clone()).await.expect_problem(404, "not-found");
    let first = bob(&world).put(&account, set.clone()).await;
    assert_eq!(first.header("etag"), "\"1\"");
    let body = first.expect(200);
    for (member, expected) in [("accountId", ACCOUNT), ("teamId", "ops"), ("name", "Shop"), ("setBy", "bob")]
    {
        assert_eq!(body[member], expected, "{member}");
    }
    assert_eq!(ann(&world).get(&account).await.expect(200), body);
    let same = bob(&world).put(&account, set).await;
    assert_eq!(same.header("etag"), "\"1\"", "the same again changes nothing");
    let moved = json!({"teamId": "web"});
    assert_eq!(
        bob(&world).with("if-match", "\"1\"").put(&account, moved.clone()).await.header("etag"),
        "\"2\""
    );
    bob(&world).with("if-match", "\"1\"").put(&account, moved).await.expect_problem(412, "stale");
    ann(&world).get(&account).await.expect_problem(403, "forbidden");
    bob(&world).with("if-match", "\"1\"").delete(&account).await.expect_problem(412, "stale");
    assert_eq!(bob(&world).delete(&account).await.status, 204);
    bob(&world).get(&account).await.expect_problem(404, "not-found");
    given(&world, ACCOUNT, "ops").await;
    let expected = ["account.added", "account.changed", "account.removed", "account.added"];
    assert_eq!(actions(&world, ACCOUNT).await, expected, "one chain over all its lives");
}

#[rstest]
#[tokio::test]
async fn inv_f2_the_audit_log_of_an_account_verifies(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    given(&world, ACCOUNT, "ops").await;
    assert_eq!(bob(&world).delete(&path(ACCOUNT)).await.status, 204);
    let answer = bob(&world).get(&format!("/api/audit/account:{ACCOUNT}")).await.expect(200);
    let export: muster_app::audit::AuditExport = serde_json::from_value(answer).unwrap();
    assert_eq!(export.verify(), Ok(()));
    assert_eq!(export.entries.len(), 2);
}

#[rstest]
#[tokio::test]
async fn a_list_of_accounts_holds_those_that_the_caller_may_read(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    for (account, team) in [("000000000001", "ops"), ("000000000002", "web"), ("000000000003", "ops")] {
        given(&world, account, team).await;
    }
    given(&world, "000000000004", "ops").await;
    assert_eq!(bob(&world).delete(&path("000000000004")).await.status, 204);
    let (one, two, three) = ("000000000001", "000000000002", "000000000003");
    for (groups, query, expected) in [
        ("platform-admin", "", vec![three, two, one]),
        ("auditor", "?limit=100", vec![three, two, one]),
        ("auditor", "?teamId=web", vec![two]),
        ("team:ops:viewer", "", vec![three, one]),
        ("team:ops:viewer", "?teamId=ops", vec![three, one]),
        ("team:db:admin", "", vec![]),
    ] {
        let list = world.client("eve", &[groups]).get(&format!("/api/accounts{query}")).await.expect(200);
        let seen: Vec<&str> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["accountId"].as_str().unwrap())
            .collect();
        assert_eq!(seen, expected, "{groups} {query}");
    }
    let page = bob(&world).get("/api/accounts?limit=2").await.expect(200);
    let rest =
        bob(&world).get(&format!("/api/accounts?cursor={}", text(&page["nextCursor"]))).await.expect(200);
    assert_eq!(rest["items"][0]["accountId"], one);
}

#[tokio::test]
async fn inv_c7_what_is_no_account_is_refused() {
    let world = World::sqlite().await;
    for id in ["12345678901", "1234567890123", "12345678901a", "arn:aws"] {
        bob(&world).put(&path(id), json!({"teamId": "ops"})).await.expect_problem(404, "not-found");
    }
    for (body, pointer) in [
        (json!({}), ""),
        (json!({"teamId": null}), "/teamId"),
        (json!({"teamId": "a b"}), "/teamId"),
        (json!({"teamId": "ops", "name": ""}), "/name"),
        (json!({"teamId": "ops", "name": "x".repeat(201)}), "/name"),
        (json!({"teamId": "ops", "accountId": ACCOUNT}), "/accountId"),
    ] {
        let problem = bob(&world).put(&path(ACCOUNT), body.clone()).await.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
}

/// The incident that this event opens.
async fn opened(world: &World, event: &Value) -> Value {
    let received = world.app.receive_event(event.to_string().as_bytes()).await.unwrap();
    let Received::Taken(taken) = received else { panic!("{received:?}") };
    let [outcome] = taken.outcomes.as_slice() else { panic!("{taken:?}") };
    let incident = outcome.incident.clone().unwrap();
    bob(world).get(&format!("/api/incidents/{incident}")).await.expect(200)
}

#[rstest]
#[tokio::test]
async fn an_alarm_of_the_bus_is_of_the_team_of_its_account(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for name in [
        "cloudwatch-event-alarm",
        "cloudwatch-action-alarm",
        "aws-health-event-open",
        "pagerduty-bus-triggered",
        "datadog-bus-triggered",
    ] {
        let world = World::on(engine).await;
        let event = sample(name);
        let account = event.pointer("/account").or(event.pointer("/accountId")).unwrap();
        given(&world, account.as_str().unwrap(), "ops").await;
        assert_eq!(opened(&world, &event).await["teamId"], "ops", "{name}");
    }
}

#[rstest]
#[tokio::test]
async fn a_teams_workflow_starts_for_the_alarm_of_its_account(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let trigger = json!({"trigger": {"type": "incident_created"}});
    let new = workflows::definition(&world, trigger);
    let workflow = text(&bob(&world).post("/api/workflows", new).await.expect(201)["id"]);
    given(&world, ACCOUNT, "ops").await;
    opened(&world, &sample("cloudwatch-event-alarm")).await;
    world.drain().await;
    for event in world.bus.taken() {
        world.app.receive_event(event.envelope().to_string().as_bytes()).await.unwrap();
    }
    let executions = ann(&world).get(&format!("/api/workflows/{workflow}/executions")).await.expect(200);
    assert_eq!(executions["items"].as_array().unwrap().len(), 1, "{executions}");
}

/// What it becomes follows the account as it is at that time, and what is there stays as it is.
#[rstest]
#[tokio::test]
async fn an_account_without_a_team_reports_for_nobody(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let mut alarm = sample("cloudwatch-event-alarm");
    let mut another = |name: &str| {
        alarm["id"] = json!(name);
        alarm["resources"] = json!([format!("arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:{name}")]);
        alarm.clone()
    };
    given(&world, "999999999999", "web").await;
    let unmapped = opened(&world, &another("one")).await;
    assert_eq!(unmapped.get("teamId"), None);
    given(&world, ACCOUNT, "ops").await;
    assert_eq!(opened(&world, &another("two")).await["teamId"], "ops");
    given(&world, ACCOUNT, "web").await;
    assert_eq!(opened(&world, &another("three")).await["teamId"], "web");
    assert_eq!(bob(&world).delete(&path(ACCOUNT)).await.status, 204);
    assert_eq!(opened(&world, &another("four")).await.get("teamId"), None);
    let before = bob(&world).get(&format!("/api/incidents/{}", text(&unmapped["id"]))).await.expect(200);
    assert_eq!(before.get("teamId"), None);
}

#[rstest]
#[tokio::test]
async fn inv_c6_an_event_chooses_no_team_by_what_it_says(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    given(&world, "999999999999", "web").await;
    let mut alarm = sample("cloudwatch-event-alarm");
    for (pointer, value) in [
        ("/teamId", json!("web")),
        ("/team", json!("web")),
        ("/accountId", json!("999999999999")),
        ("/detail/account", json!("999999999999")),
        ("/detail/alarmTags", json!({"team": "web", "teamId": "web", "account": "999999999999"})),
        ("/resources", json!(["arn:aws:cloudwatch:eu-west-1:999999999999:alarm:checkout errors"])),
    ] {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        alarm.pointer_mut(parent).unwrap()[member] = value;
    }
    assert_eq!(opened(&world, &alarm).await.get("teamId"), None);
}
