//! Who may do what to whose things, route by route: the whole table, observed through the router (INVARIANTS C1).

use std::collections::BTreeSet;

use http::Method;
use muster_app::ports::Clock;
use serde_json::{Value, json};

use super::hooks::{SECRET, integration, new_integration, sample};
use super::*;
use crate::support::contract::operations;
use crate::support::receiver::Reply;
use crate::support::slack::{form, signature};
use crate::support::world::SLACK_SIGNING_SECRET;

const SLACK: &str = "/api/hooks/slack/actions";

/// The callers, in the order of the columns below.
const CALLERS: [(&str, Option<&str>); 9] = [
    ("a stranger", None),
    ("somebody without groups", Some("")),
    ("a viewer of team web", Some("team:web:viewer")),
    ("an admin of team web", Some("team:web:admin")),
    ("a viewer of team ops", Some("team:ops:viewer")),
    ("a responder of team ops", Some("team:ops:responder")),
    ("an admin of team ops", Some("team:ops:admin")),
    ("an auditor", Some("auditor")),
    ("a platform admin", Some("platform-admin")),
];

/// For things that are global, of team ops, and of a team that none of the callers is in, a letter for each caller:
/// `o` done (2xx), `x` not allowed (403), `u` not known (401). The callers, from left to right: a stranger; somebody without
/// groups; a viewer and an admin of team web; a viewer, a responder and an admin of team ops; an auditor; a platform admin.
const TABLE: &str = "
    GET    /api/runbooks                                               uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/runbooks                                               uxxxxxxxo uxxxxxoxo uxxxxxxxo
    GET    /api/runbooks/{id}                                          uoooooooo uxxxooooo uxxxxxxoo
    PUT    /api/runbooks/{id}                                          uxxxxxxxo uxxxxxoxo uxxxxxxxo
    DELETE /api/runbooks/{id}                                          uxxxxxxxo uxxxxxoxo uxxxxxxxo
    GET    /api/runbooks/{id}/versions                                 uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/runbooks/{id}/versions/{version}                       uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/runbooks/{id}/versions/{before}/diff/{after}           uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/runbooks/{id}/rollback                                 uxxxxxxxo uxxxxxoxo uxxxxxxxo
    POST   /api/runbooks/{id}/approve                                  uxxxxxxxo uxxxxxxxo uxxxxxxxo
    POST   /api/runbooks/{id}/deprecate                                uxxxxxxxo uxxxxxxxo uxxxxxxxo
    POST   /api/runbooks/{id}/execute                                  uxxoxooxo uxxxxooxo uxxxxxxxo
    GET    /api/runbooks/{id}/executions                               uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/runbooks/executions/{executionId}                      uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/executions/{id}                                        uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/executions/{id}/notifications                          uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/executions/{id}/approvals                              uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/approvals                                              uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/executions/{id}/steps/{step}/approve                   uxxxxooxo uxxxxooxo uxxxxxxxo
    POST   /api/executions/{id}/steps/{step}/reject                    uxxxxooxo uxxxxooxo uxxxxxxxo
    POST   /api/executions/{id}/steps/{step}/withdraw                  uxxxxxxxo uxxxxxxxo uxxxxxxxo
    POST   /api/executions/{id}/steps/{step}/callback                  ooooooooo ooooooooo ooooooooo
    GET    /api/people/{user}                                          uxxxxxxoo uxxxxxxoo uxxxxxxoo
    PUT    /api/people/{user}                                          uxxxxxxxo uxxxxxxxo uxxxxxxxo
    DELETE /api/people/{user}                                          uxxxxxxxo uxxxxxxxo uxxxxxxxo
    POST   /api/executions/{id}/cancel                                 uxxoxooxo uxxxxooxo uxxxxxxxo
    POST   /api/executions/{id}/abort                                  uxxoxooxo uxxxxooxo uxxxxxxxo
    POST   /api/executions/{id}/pause                                  uxxoxooxo uxxxxooxo uxxxxxxxo
    POST   /api/executions/{id}/resume                                 uxxoxooxo uxxxxooxo uxxxxxxxo
    POST   /api/executions/{id}/undo                                   uxxoxooxo uxxxxooxo uxxxxxxxo
    POST   /api/executions/{id}/rollback                               uxxoxooxo uxxxxooxo uxxxxxxxo
    POST   /api/executions/{id}/resolve                                uxxoxooxo uxxxxooxo uxxxxxxxo
    GET    /api/executions/{id}/steps/{step}/request                   uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/executions/{id}/steps/{step}/attempts/{attempt}/response uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/incidents                                              uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/incidents                                              uxxxxxxxo uxxxxooxo uxxxxxxxo
    GET    /api/incidents/{id}                                         uoooooooo uxxxooooo uxxxxxxoo
    PATCH  /api/incidents/{id}                                         uxxxxxxxo uxxxxooxo uxxxxxxxo
    POST   /api/incidents/{id}/escalate                                uxxxxxxxo uxxxxooxo uxxxxxxxo
    GET    /api/incidents/{id}/events                                  uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/incidents/{id}/runbooks                                uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/incidents/{id}/runbooks/{runbookId}/execute            uxxoxooxo uxxxxooxo uxxxxxxxo
    GET    /api/incidents/{id}/runbooks/executions                     uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/workflows                                              uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/workflows                                              uxxxxxxxo uxxxxxoxo uxxxxxxxo
    GET    /api/workflows/{id}                                         uoooooooo uxxxooooo uxxxxxxoo
    PUT    /api/workflows/{id}                                         uxxxxxxxo uxxxxxoxo uxxxxxxxo
    DELETE /api/workflows/{id}                                         uxxxxxxxo uxxxxxoxo uxxxxxxxo
    POST   /api/workflows/{id}/enable                                  uxxxxxxxo uxxxxxoxo uxxxxxxxo
    POST   /api/workflows/{id}/disable                                 uxxxxxxxo uxxxxxoxo uxxxxxxxo
    GET    /api/workflows/{id}/versions                                uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/workflows/{id}/versions/{version}                      uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/workflows/{id}/versions/{before}/diff/{after}          uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/workflows/{id}/rollback                                uxxxxxxxo uxxxxxoxo uxxxxxxxo
    POST   /api/workflows/{id}/run                                     uxxoxooxo uxxxxooxo uxxxxxxxo
    GET    /api/workflows/{id}/executions                              uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/workflows/{id}/test                                    uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/workflows/{id}/backtest                                uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/integrations                                           uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/integrations                                           uxxxxxxxo uxxxxxoxo uxxxxxxxo
    GET    /api/integrations/{id}                                      uoooooooo uxxxooooo uxxxxxxoo
    PUT    /api/integrations/{id}                                      uxxxxxxxo uxxxxxoxo uxxxxxxxo
    DELETE /api/integrations/{id}                                      uxxxxxxxo uxxxxxoxo uxxxxxxxo
    GET    /api/accounts                                               uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/accounts/{accountId}                                   uxxxxxxoo uxxxooooo uxxxxxxoo
    PUT    /api/accounts/{accountId}                                   uxxxxxxxo uxxxxxxxo uxxxxxxxo
    DELETE /api/accounts/{accountId}                                   uxxxxxxxo uxxxxxxxo uxxxxxxxo
    POST   /api/events                                                 uxxxxxxxo uxxxxxxxo uxxxxxxxo
    POST   /api/hooks/{integrationId}                                  ooooooooo ooooooooo ooooooooo
    POST   /api/hooks/slack/actions                                    ooooooooo ooooooooo ooooooooo
    GET    /api/incidents/{id}/decisions                               uoooooooo uxxxooooo uxxxxxxoo
    GET    /api/teams/{id}/settings                                    uxxxxxxoo uxxxooooo uxxxxxxoo
    PUT    /api/teams/{id}/settings                                    uxxxxxxxo uxxxxxoxo uxxxxxxxo
    GET    /api/kill-switches/{scope}                                  uoooooooo uxxxooooo uxxxxxxoo
    PUT    /api/kill-switches/{scope}                                  uxxxxxxxo uxxxxxxxo uxxxxxxxo
    GET    /api/freezes                                                uoooooooo uxxxooooo uxxxxxxoo
    POST   /api/freezes/{scope}                                        uxxxxxxxo uxxxxxoxo uxxxxxxxo
    DELETE /api/freezes/{scope}/{freezeId}                             uxxxxxxxo uxxxxxoxo uxxxxxxxo
    POST   /api/break-glass                                            uxxxxxxxo uxxxxxxxo uxxxxxxxo
    GET    /api/break-glass                                            uxxxxxxoo uxxxxxxoo uxxxxxxoo
    POST   /api/break-glass/{id}/revoke                                uxxxxxxxo uxxxxxxxo uxxxxxxxo
    POST   /api/break-glass/{id}/review                                uxxxxxxxo uxxxxxxxo uxxxxxxxo
    GET    /api/queue/stats                                            uoooooooo uoooooooo uoooooooo
    GET    /api/audit                                                  uxxxxxxoo uxxxxxooo uxxxxxxoo
    GET    /api/audit/{resource}                                       uxxxxxxoo uxxxxxooo uxxxxxxoo
    GET    /healthz                                                    ooooooooo ooooooooo ooooooooo
    GET    /readyz                                                     ooooooooo ooooooooo ooooooooo
    GET    /metrics                                                    ooooooooo ooooooooo ooooooooo
    GET    /openapi.json                                               ooooooooo ooooooooo ooooooooo
    GET    /api/schemas/runbook                                        ooooooooo ooooooooo ooooooooo
";

/// The owners, in the order of the columns.
const OWNERS: [Option<&str>; 3] = [None, Some("ops"), Some("db")];

struct Row {
    method: Method,
    path: &'static str,
    expected: [&'static str; 3],
}

fn rows() -> Vec<Row> {
    let parse = |line: &'static str| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [method, path, expected @ ..] = cells.as_slice() else { panic!("no row: {line}") };
        Row { method: method.parse().unwrap(), path, expected: expected.try_into().unwrap() }
    };
    TABLE.lines().filter(|line| !line.trim().is_empty()).map(parse).collect()
}

#[test]
fn inv_c1_every_route_has_a_row_and_every_row_a_route() {
    let rows: BTreeSet<String> = rows().iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    let routes: BTreeSet<String> = operations().keys().cloned().collect();
    assert_eq!(rows, routes);
}

#[tokio::test]
async fn inv_c1_every_caller_meets_what_the_table_says() {
    let world = World::sqlite().await;
    for (column, owner) in OWNERS.into_iter().enumerate() {
        let mut things = Things::new(&world, owner).await;
        for row in rows() {
            let expected = row.expected[column];
            assert_eq!(expected.len(), CALLERS.len(), "{}", row.path);
            for ((name, groups), letter) in CALLERS.iter().zip(expected.chars()) {
                let seen = things.asked(&row, *groups).await;
                let about = owner.unwrap_or("nobody");
                assert_eq!(seen, letter, "{} {} of {about}, asked by {name}", row.method, row.path);
                if row.method != Method::GET && seen == 'o' {
                    things = Things::new(&world, owner).await;
                }
            }
        }
    }
}

/// An execution that has asked, and the digest of what it asked. Responders of its team, or of ops if it has none, may answer.
async fn gated(world: &World, owner: Option<&str>) -> (String, Value) {
    let of = [format!("team:{}:responder", owner.unwrap_or("ops")), "platform-admin".to_owned()];
    let approval = json!({"levels": [{"of": of, "needed": 2}]});
    let action = json!({"type": "webhook", "url": world.receiver.url("/fix")});
    let steps = json!([
        {"id": "ask", "type": "approval", "approval": approval},
        {"id": "fix", "type": "diagnostic", "action": action},
    ]);
    let phases = json!([{"id": "act", "steps": steps}]);
    let definition = json!({"name": "Ask first", "teamId": owner, "phases": phases});
    let created =
        world.client("ann", &["platform-admin"]).post("/api/runbooks", definition).await.expect(201);
    let runbook = text(&created["id"]);
    bob(world).post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
    let execution = executed(world, &runbook, json!({})).await;
    world.drain().await;
    let fay = world.client("fay", &["platform-admin"]);
    let asked = fay.get(&format!("/api/executions/{execution}/approvals")).await.expect(200);
    let digest = asked["items"][0]["digest"].clone();
    let path = format!("/api/executions/{execution}/steps/ask/approve");
    fay.post(&path, json!({"digest": digest})).await.expect(200);
    (execution, digest)
}

/// A window that begins long after the test.
async fn planned_freeze(world: &World, owner: Option<&str>) -> String {
    let scope = owner.map_or("global".to_owned(), |team| format!("team:{team}"));
    let listed = bob(world).get(&format!("/api/freezes?teamId={}", owner.unwrap_or("ops"))).await.expect(200);
    // One that no caller has removed yet is as good as a new one, of which a calendar takes a hundred.
    let kept = listed["items"].as_array().unwrap().iter().find(|window| window["scope"] == json!(scope));
    match kept {
        Some(window) => text(&window["id"]),
        None => {
            text(&bob(world).post(&format!("/api/freezes/{scope}"), new_freeze()).await.expect(201)["id"])
        }
    }
}

fn new_freeze() -> Value {
    json!({"name": "Sale", "from": "2030-01-01T00:00:00Z", "until": "2030-01-02T00:00:00Z", "reason": "busy"})
}

/// Two that bob broke and nobody reviewed: one that is over, and one that is in force. Those that no caller has used up yet are as
/// good as new ones, of which only so many may wait for review.
async fn broken_glasses(world: &World) -> [String; 2] {
    let listed = bob(world).get("/api/break-glass?unreviewed=true").await.expect(200);
    let bobs = |active: &Value| {
        let mut items = listed["items"].as_array().unwrap().iter();
        items.find(|glass| glass["by"] == "bob" && glass["active"] == *active).map(|glass| text(&glass["id"]))
    };
    let over = match bobs(&json!(false)) {
        Some(over) => over,
        None => {
            let broken = broken_glass(world).await;
            bob(world).post(&format!("/api/break-glass/{broken}/revoke"), json!({})).await.expect(200);
            broken
        }
    };
    match bobs(&json!(true)) {
        Some(in_force) => [over, in_force],
        None => [over, broken_glass(world).await],
    }
}

async fn broken_glass(world: &World) -> String {
    let start = json!({"scope": "global", "reason": "drill"});
    text(&bob(world).post("/api/break-glass", start).await.expect(201)["id"])
}

/// One of each thing, all of one owner.
struct Things<'w> {
    world: &'w World,
    owner: Option<&'static str>,
    draft: String,
    /// Approved, with one execution.
    approved: String,
    /// NEEDS_REVIEW, after one attempt.
    execution: String,
    /// Waits for two people, of whom fay has agreed; and the digest of what it asks.
    gated: (String, Value),
    /// Waits for its receiver to call back; and the token for that.
    called: (String, String),
    incident: String,
    workflow: String,
    integration: String,
    account: String,
    /// A window of the owner, long before anything runs in it.
    freeze: String,
    /// One that is over and waits for review, and one that is in force.
    glasses: [String; 2],
}

impl<'w> Things<'w> {
    async fn new(world: &'w World, owner: Option<&'static str>) -> Self {
        let team = json!({"teamId": owner});
        let draft = draft(world, team.clone()).await;
        let approved = approved(world, with(team.clone(), json!({"idempotent": false}))).await;
        let incident = incident(world, team.clone()).await;
        let new = workflows::definition(world, team.clone());
        let workflow = text(&bob(world).post("/api/workflows", new).await.expect(201)["id"]);
        let integration = integration(world, team).await;
        let account = accounts::given(world, "123456789012", owner.unwrap_or("db")).await;
        // Of a global incident's execution everybody may read, so this one has no incident.
        world.drain().await;
        world.receiver.will([Reply::Status(500)]);
        let execution = executed(world, &approved, json!({})).await;
        world.drain().await;
        let gated = gated(world, owner).await;
        bob(world).put("/api/people/gus", json!({"aliases": ["gus2"]})).await.expect(200);
        let freeze = planned_freeze(world, owner).await;
        let glasses = broken_glasses(world).await;
        let called = callbacks::waiting(world).await;
        Self {
            world,
            owner,
            draft,
            approved,
            execution,
            gated,
            called,
            incident,
            workflow,
            integration,
            account,
            freeze,
            glasses,
        }
    }

    /// The letter for what a caller with these groups meets.
    async fn asked(&self, row: &Row, groups: Option<&str>) -> char {
        let client = match groups {
            None => self.world.stranger(),
            Some(groups) => self.world.client("eve", &[groups]),
        };
        // The delivery proves itself: what the caller is counts for nothing.
        let client = match row.path {
            "/api/hooks/{integrationId}" => client.with("x-key", SECRET),
            path if path.ends_with("/callback") => client.with("muster-callback-token", &*self.called.1),
            _ => client,
        };
        let body = self.body(row).map_or(Vec::new(), |body| body.to_string().into_bytes());
        let (client, body) = if row.path == SLACK { self.slack_says(&client) } else { (client, body) };
        let answer = client.send(row.method.clone(), &self.path(row), body).await;
        match answer.status {
            200..=299 => 'o',
            401 => 'u',
            403 => 'x',
            // Who may ask is told that this execution has no undo.
            409 if row.path.ends_with("/undo") || row.path == "/api/executions/{id}/rollback" => 'o',
            status => panic!("{} {}: {status} {}", row.method, row.path, answer.text),
        }
    }

    /// What Slack says of itself: something else than a button.
    fn slack_says(&self, client: &Client) -> (Client, Vec<u8>) {
        let body = form(&json!({"type": "view_closed"}).to_string());
        let now = Clock::now(self.world.clock.as_ref()).millis() / 1_000;
        let client = client.with("x-slack-request-timestamp", now.to_string());
        (client.with("x-slack-signature", signature(SLACK_SIGNING_SECRET, now, &body)), body.into_bytes())
    }

    fn path(&self, row: &Row) -> String {
        let runbook = match row.path.rsplit('/').next().unwrap() {
            "execute" | "deprecate" | "executions" => &self.approved,
            _ => &self.draft,
        };
        let team = self.owner.unwrap_or("web-2").to_owned();
        let id = match row.path.split('/').nth(2) {
            Some("executions") if self.is_of_gate(row) => &self.gated.0,
            Some("executions") if row.path.ends_with("/callback") => &self.called.0,
            Some("executions") => &self.execution,
            Some("incidents") => &self.incident,
            Some("workflows") => &self.workflow,
            Some("integrations") => &self.integration,
            Some("teams") => &team,
            Some("break-glass") if row.path.ends_with("/review") => &self.glasses[0],
            Some("break-glass") => &self.glasses[1],
            _ => runbook,
        };
        let scope = self.owner.map_or("global".to_owned(), |team| format!("team:{team}"));
        let mut path = row.path.to_owned();
        for (name, value) in [
            ("{id}", id.as_str()),
            ("{executionId}", &self.execution),
            ("{runbookId}", &self.approved),
            ("{version}", "1"),
            ("{before}", "1"),
            ("{after}", "1"),
            ("{step}", self.step(row)),
            ("{user}", "gus"),
            ("{attempt}", "1"),
            ("{scope}", &scope),
            ("{integrationId}", &self.integration),
            ("{accountId}", &self.account),
            ("{freezeId}", &self.freeze),
            ("{resource}", &self.draft),
        ] {
            path = path.replace(name, value);
        }
        path + &self.query(row)
    }

    fn step(&self, row: &Row) -> &'static str {
        match row.path {
            path if path.ends_with("/callback") => "drain",
            _ if self.is_of_gate(row) => "ask",
            _ => "webhook",
        }
    }

    fn is_of_gate(&self, row: &Row) -> bool {
        ["/approve", "/reject", "/withdraw", "/approvals"].iter().any(|end| row.path.ends_with(end))
    }

    fn query(&self, row: &Row) -> String {
        let team = self.owner.map_or(String::new(), |team| format!("teamId={team}&"));
        match (row.method.as_str(), row.path) {
            (
                "GET",
                "/api/runbooks" | "/api/incidents" | "/api/workflows" | "/api/integrations" | "/api/accounts"
                | "/api/approvals" | "/api/freezes",
            ) => format!("?{team}"),
            ("GET", "/api/audit") => format!("?{team}day=2026-03-01"),
            _ => String::new(),
        }
    }

    fn body(&self, row: &Row) -> Option<Value> {
        let team = json!({"teamId": self.owner});
        if row.method == Method::GET || row.method == Method::DELETE {
            return None;
        }
        Some(match row.path {
            "/api/runbooks" | "/api/runbooks/{id}" => definition(self.world, team),
            "/api/workflows" | "/api/workflows/{id}" => workflows::definition(self.world, team),
            "/api/workflows/{id}/test" => json!({"incidentId": self.incident}),
            "/api/workflows/{id}/backtest" => json!({"days": 1}),
            "/api/runbooks/{id}/rollback" | "/api/workflows/{id}/rollback" => json!({"toVersion": 1}),
            "/api/executions/{id}/abort" | "/api/executions/{id}/pause" | "/api/executions/{id}/rollback" => {
                json!({"reason": "drill"})
            }
            "/api/executions/{id}/undo" => json!({"decision": "done", "reason": "by hand"}),
            "/api/executions/{id}/resolve" => json!({"outcome": "happened", "reason": "seen in its log"}),
            "/api/incidents" => with(json!({"title": "Down", "priority": "LOW"}), team),
            "/api/incidents/{id}" => json!({"status": "ACKNOWLEDGED"}),
            "/api/integrations" | "/api/integrations/{id}" => new_integration(team),
            "/api/hooks/{integrationId}" => sample("generic-trigger"),
            "/api/executions/{id}/steps/{step}/approve" | "/api/executions/{id}/steps/{step}/reject" => {
                json!({"digest": self.gated.1})
            }
            "/api/executions/{id}/steps/{step}/withdraw" => json!({"of": "fay"}),
            "/api/executions/{id}/steps/{step}/callback" => json!({"status": "succeeded"}),
            "/api/people/{user}" => json!({"aliases": ["gus3"]}),
            "/api/accounts/{accountId}" => json!({"teamId": self.owner.unwrap_or("db")}),
            "/api/events" => sample("cloudwatch-event-alarm"),
            "/api/teams/{id}/settings" => json!({"people": {"ann": {"email": "ann@example.com"}}}),
            "/api/freezes/{scope}" => new_freeze(),
            "/api/break-glass" => json!({"scope": "global", "reason": "drill"}),
            "/api/break-glass/{id}/review" => json!({"note": "a drill"}),
            "/api/kill-switches/{scope}" => json!({"engaged": false, "reason": "drill"}),
            _ => json!({}),
        })
    }
}
