//! Lists: pages, filters, and cursors that lead nowhere else.

use crate::support::world::Engine;
use rstest::rstest;
use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

/// Every item of a list, read page by page, as the ids of each page.
async fn pages(client: &Client, path: &str) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("{path}{cursor}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        pages.push(items.iter().map(|item| text(&item["id"])).collect());
        match page.get("nextCursor") {
            None => return pages,
            Some(next) => cursor = format!("&cursor={}", text(next)),
        }
    }
}

async fn next_cursor(client: &Client, path: &str) -> String {
    text(&client.get(path).await.expect(200)["nextCursor"])
}

#[rstest]
#[tokio::test]
async fn a_list_is_read_page_by_page_newest_first(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let mut created = Vec::new();
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(1));
        created.push(draft(&world, json!({})).await);
    }
    created.reverse();
    let read = pages(&ann(&world), "/api/runbooks?limit=2").await;
    assert_eq!(read.concat(), created);
    assert!(read.iter().all(|page| page.len() <= 2));
    let whole = ann(&world).get("/api/runbooks").await.expect(200);
    assert_eq!(whole["items"].as_array().unwrap().len(), 5);
    assert!(whole.get("nextCursor").is_none());
}

#[rstest]
#[tokio::test]
async fn filters_leave_out_what_does_not_match(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let plain = draft(&world, json!({"name": "Flush the cache"})).await;
    let tagged = draft(&world, json!({"tags": ["db", "night"]})).await;
    let ready = approved(&world, json!({})).await;
    let web = draft(&world, json!({"teamId": "web"})).await;
    let everyone = [&plain, &tagged, &ready, &web].map(Clone::clone);
    let check = async |query: &str, expected: &[&String]| {
        let found = pages(&bob(&world), &format!("/api/runbooks?{query}")).await.concat();
        let found: BTreeSet<String> = found.into_iter().collect();
        assert_eq!(found, expected.iter().map(|id| (*id).clone()).collect(), "{query}");
    };
    check("limit=1", &everyone.iter().collect::<Vec<_>>()).await;
    check("teamId=web", &[&web]).await;
    check("approvalStatus=APPROVED", &[&ready]).await;
    check("approvalStatus=DEPRECATED", &[]).await;
    check("tag=night", &[&tagged]).await;
    check("tag=nigh", &[]).await;
    check("q=fLUSH%20the", &[&plain]).await;
    check("q=restart&tag=db&teamId=ops&approvalStatus=DRAFT&limit=1", &[&tagged]).await;
}

#[rstest]
#[tokio::test]
async fn inv_c1_a_list_shows_only_what_the_caller_may_read(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let global = draft(&world, json!({"teamId": null})).await;
    let ops = draft(&world, json!({})).await;
    draft(&world, json!({"teamId": "web"})).await;
    let seen: BTreeSet<String> =
        pages(&ann(&world), "/api/runbooks?limit=1").await.concat().into_iter().collect();
    assert_eq!(seen, BTreeSet::from([global, ops]));
    let incidents = [incident(&world, json!({"teamId": null})).await, incident(&world, json!({})).await];
    incident(&world, json!({"teamId": "web"})).await;
    let seen: BTreeSet<String> =
        pages(&ann(&world), "/api/incidents?limit=1").await.concat().into_iter().collect();
    assert_eq!(seen, BTreeSet::from(incidents));
}

/// A cursor of one list in another, and one that somebody made up.
#[rstest]
#[tokio::test]
async fn inv_c1_a_cursor_opens_no_other_list(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    for team in ["ops", "ops", "web", "web"] {
        draft(&world, json!({"teamId": team})).await;
        incident(&world, json!({"teamId": team})).await;
    }
    let all = next_cursor(&bob(&world), "/api/runbooks?limit=1").await;
    let web = next_cursor(&bob(&world), "/api/runbooks?limit=1&teamId=web").await;
    let drafts = next_cursor(&bob(&world), "/api/runbooks?limit=1&approvalStatus=DRAFT").await;
    let incidents = next_cursor(&bob(&world), "/api/incidents?limit=1").await;
    for foreign in [&all, &web, &drafts, &incidents] {
        let path = format!("/api/runbooks?teamId=ops&cursor={foreign}");
        ann(&world).get(&path).await.expect_problem(400, "invalid-cursor");
    }
    let path = format!("/api/runbooks?teamId=web&cursor={web}");
    ann(&world).get(&path).await.expect_problem(403, "forbidden");
    for invented in ["", "x", "e30", "bnVsbA", "%00", &"A".repeat(5_000)] {
        let path = format!("/api/runbooks?cursor={invented}");
        ann(&world).get(&path).await.expect_problem(400, "invalid-cursor");
    }
}

#[rstest]
#[tokio::test]
async fn inv_c1_a_cursor_that_was_tampered_with_never_shows_what_another_team_owns(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    for team in ["web", "ops", "web", "ops", "web"] {
        draft(&world, json!({"teamId": team})).await;
    }
    let cursor = next_cursor(&ann(&world), "/api/runbooks?limit=1").await;
    for position in 0..cursor.len() {
        for letter in ["A", "z", "9", "_"] {
            let forged = format!("{}{letter}{}", &cursor[..position], &cursor[position + 1..]);
            let answer = ann(&world).get(&format!("/api/runbooks?cursor={forged}")).await;
            match answer.status {
                400 => drop(answer.expect_problem(400, "invalid-cursor")),
                _ => assert!(!answer.expect(200).to_string().contains("\"web\"")),
            }
        }
    }
}

#[rstest]
#[tokio::test]
async fn executions_are_listed_of_a_runbook_and_of_an_incident(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let runbook = approved(&world, json!({})).await;
    let incident = incident(&world, json!({})).await;
    let first = executed(&world, &runbook, json!({})).await;
    world.clock.advance(Duration::from_secs(1));
    let second = executed(&world, &runbook, json!({"incidentId": incident})).await;
    let of_runbook = pages(&ann(&world), &format!("/api/runbooks/{runbook}/executions?limit=1")).await;
    assert_eq!(of_runbook.concat(), [second.clone(), first]);
    let of_incident =
        ann(&world).get(&format!("/api/incidents/{incident}/runbooks/executions")).await.expect(200);
    assert_eq!(of_incident["items"].as_array().unwrap().len(), 1);
    let item = &of_incident["items"][0];
    assert_eq!((&item["id"], &item["requestedBy"]), (&json!(second), &json!("bob")));
    assert_eq!(item["incident"]["priority"], "HIGH");
    assert_eq!(item["runbook"]["name"], "Restart a service");
    assert!(item.get("trail").is_none());
}
