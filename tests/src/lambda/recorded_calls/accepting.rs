//! Everything that the API offers, asked for at least once, with what comes of it worked off in between.

use std::sync::atomic::{AtomicU64, Ordering};

use http::Method;
use muster_app::clock::SystemClock;
use muster_app::ports::Clock as _;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::lambda::samples::{Request, sample};
use crate::support::contract::{operation_of, operations};
use crate::support::receiver::Reply;

/// What no function of AWS serves: there the bus brings events, and each function writes its own metrics.
const LOCAL_ONLY: [&str; 2] = ["GET /metrics", "POST /api/events"];

/// The value of every secret of this suite that is no address.
const SECRET: &str = "canary-90d1";

impl Stage {
    /// Every operation of the document, each successfully.
    pub(super) async fn accept_everything(&self) {
        self.keep_secrets();
        self.set_up_teams().await;
        let runbook = self.write_runbooks().await;
        let incident = self.handle_incidents(&runbook).await;
        self.execute(&runbook, &incident).await;
        self.look_back(&incident).await;
        self.stop_and_take_back().await;
        self.ask_people().await;
        self.call_back().await;
        self.press_a_button().await;
        self.write_workflows(&runbook, &incident).await;
        self.listen_to_monitoring().await;
        self.look_around(&runbook).await;
        let asked = self.asked.lock().unwrap().clone();
        let missing: Vec<&String> = operations().keys().filter(|name| !asked.contains(*name)).collect();
        assert_eq!(missing, LOCAL_ONLY);
    }

    fn keep_secrets(&self) {
        let teams = self.receiver.url("/teams");
        for (name, value) in [("control", SECRET), ("hooks/key", SECRET), ("teams", &teams)] {
            self.installation.secrets.hold(&format!("muster/test/{name}"), json!({"SecretString": value}));
        }
    }

    async fn set_up_teams(&self) {
        let settings = json!({
            "people": {
                "ann": {"email": "ann@example.com"},
                "gus": {"slackUserId": "U0GUS", "slackGroups": ["platform-admin"]},
            },
            "teams": {"webhookUrl": {"$secret": "teams"}},
            "notifier": {"url": self.receiver.url("/notify")},
        });
        self.ask("PUT /api/teams/payments/settings", &settings).await;
        self.ask("GET /api/teams/payments/settings", &Value::Null).await;
        self.ask("PUT /api/accounts/123456789012", &json!({"teamId": "payments"})).await;
        self.ask("PUT /api/accounts/210987654321", &json!({"teamId": "web"})).await;
        self.ask("DELETE /api/accounts/210987654321", &Value::Null).await;
        self.ask("GET /api/accounts/123456789012", &Value::Null).await;
        self.ask("GET /api/accounts", &Value::Null).await;
        self.ask("GET /api/accounts?teamId=payments", &Value::Null).await;
        for engaged in [true, false] {
            self.ask("PUT /api/kill-switches/team:web", &json!({"engaged": engaged, "reason": "a drill"}))
                .await;
        }
        self.ask("GET /api/kill-switches/team:web", &Value::Null).await;
        self.freeze_and_thaw().await;
    }

    /// A window of another team, and a broken glass that its finder does not review.
    async fn freeze_and_thaw(&self) {
        let from = SystemClock.now();
        let until = from.plus(std::time::Duration::from_hours(1)).to_string();
        let window = json!({"name": "Sale", "from": from.to_string(), "until": until, "reason": "a drill"});
        let freeze = self.created("/api/freezes/team:web", &window).await;
        self.ask("GET /api/freezes?teamId=web", &Value::Null).await;
        self.ask(&format!("DELETE /api/freezes/team:web/{freeze}"), &Value::Null).await;
        let glass = self.created("/api/break-glass", &json!({"scope": "global", "reason": "a drill"})).await;
        self.ask("GET /api/break-glass?unreviewed=true", &Value::Null).await;
        self.ask(&format!("POST /api/break-glass/{glass}/revoke"), &json!({})).await;
        self.ask(&format!("POST /api/break-glass/{glass}/review"), &json!({"note": "a drill"})).await;
    }

    /// Gives one that is approved.
    async fn write_runbooks(&self) -> String {
        let calling = self.calling("/restart");
        let runbook = self.created("/api/runbooks", &calling).await;
        let path = format!("/api/runbooks/{runbook}");
        let mut changed = calling.clone();
        changed["name"] = json!("Restart checkout at once");
        self.ask(&format!("PUT {path}"), &changed).await;
        self.ask(&format!("POST {path}/rollback"), &json!({"toVersion": 1})).await;
        for read in ["", "/versions", "/versions/1", "/versions/1/diff/2", "/executions"] {
            self.ask(&format!("GET {path}{read}"), &Value::Null).await;
        }
        self.ask(&format!("POST {path}/approve"), &json!({})).await;
        let other = self.approved(&calling).await;
        self.ask(&format!("POST /api/runbooks/{other}/deprecate"), &json!({"reason": "replaced"})).await;
        self.ask(&format!("DELETE /api/runbooks/{other}"), &Value::Null).await;
        for list in ["/api/runbooks", "/api/runbooks?teamId=payments"] {
            self.ask(&format!("GET {list}"), &Value::Null).await;
        }
        runbook
    }

    /// Gives one that is open.
    async fn handle_incidents(&self, runbook: &str) -> String {
        let incident = self.created("/api/incidents", &new_incident("search")).await;
        let path = format!("/api/incidents/{incident}");
        self.ask(&format!("PATCH {path}"), &json!({"status": "ACKNOWLEDGED"})).await;
        self.ask(&format!("POST {path}/escalate"), &json!({})).await;
        self.ask(&format!("POST {path}/runbooks/{runbook}/execute"), &json!({})).await;
        self.work_off().await;
        for read in ["", "/events", "/decisions", "/runbooks", "/runbooks/executions"] {
            self.ask(&format!("GET {path}{read}"), &Value::Null).await;
        }
        for list in ["/api/incidents", "/api/incidents?teamId=payments"] {
            self.ask(&format!("GET {list}"), &Value::Null).await;
        }
        incident
    }

    async fn execute(&self, runbook: &str, incident: &str) {
        let execute = format!("POST /api/runbooks/{runbook}/execute");
        let cancelled = execution_of(&self.ask(&execute, &json!({"incidentId": incident})).await);
        self.ask(&format!("POST /api/executions/{cancelled}/cancel"), &json!({})).await;
        let mut once = self.calling("/once");
        once["idempotent"] = json!(false);
        let once = self.approved(&once).await;
        self.receiver.will_at("/once", [Reply::Status(500)]);
        let execution =
            execution_of(&self.ask(&format!("POST /api/runbooks/{once}/execute"), &json!({})).await);
        self.work_off().await;
        let path = format!("/api/executions/{execution}");
        for read in ["", "/notifications", "/steps/webhook/request", "/steps/webhook/attempts/1/response"] {
            self.ask(&format!("GET {path}{read}"), &Value::Null).await;
        }
        self.ask(&format!("GET /api/runbooks/executions/{execution}"), &Value::Null).await;
        let happened = json!({"outcome": "happened", "reason": "it is in the receiver's log"});
        self.ask(&format!("POST {path}/resolve"), &happened).await;
    }

    /// A run that is held against earlier ones, and whose failure is told.
    async fn look_back(&self, incident: &str) {
        let look = json!({"type": "webhook", "url": self.receiver.url("/look")});
        let mut definition = phased(&json!([{"id": "look", "type": "diagnostic", "action": look}]));
        definition["limits"] = json!({"anomaly": "flag", "ineffectiveRuns": 2});
        definition["escalation"] = json!([{"on": ["failed"], "to": ["team:payments:admin"]}]);
        let runbook = self.approved(&definition).await;
        self.receiver.will_at("/look", [Reply::Status(404)]);
        self.ask(&format!("POST /api/runbooks/{runbook}/execute"), &json!({"incidentId": incident})).await;
        self.work_off().await;
    }

    /// A run that is paused and aborted, and one that is taken back after its end by an undo that fails.
    async fn stop_and_take_back(&self) {
        let undo = json!({"type": "webhook", "url": self.receiver.url("/uncordon")});
        let cordon = json!({"type": "webhook", "url": self.receiver.url("/cordon")});
        let step = json!({"id": "cordon", "type": "remediation", "action": cordon, "undo": undo});
        let runbook = self.approved(&phased(&json!([step]))).await;
        let execute = format!("POST /api/runbooks/{runbook}/execute");
        let because = json!({"reason": "a drill"});
        let paused = execution_of(&self.ask(&execute, &json!({})).await);
        self.ask(&format!("POST /api/executions/{paused}/pause"), &because).await;
        self.ask(&format!("POST /api/executions/{paused}/resume"), &json!({})).await;
        self.ask(&format!("POST /api/executions/{paused}/abort"), &because).await;
        let done = execution_of(&self.ask(&execute, &json!({})).await);
        self.work_off().await;
        self.receiver.will_at("/uncordon", [Reply::Status(404)]);
        let back = self.ask(&format!("POST /api/executions/{done}/rollback"), &because).await;
        self.work_off().await;
        let by_hand = json!({"decision": "done", "reason": "uncordoned by hand"});
        self.ask(&format!("POST /api/executions/{}/undo", execution_of(&back)), &by_hand).await;
        self.work_off().await;
    }

    /// A run that asks people: one answer is taken back, one lets it go on, and of another run one refuses.
    async fn ask_people(&self) {
        self.ask("PUT /api/people/bob", &json!({"aliases": ["bob2"]})).await;
        self.ask("GET /api/people/bob", &Value::Null).await;
        let gate = json!({"levels": [{"of": ["platform-admin"], "needed": 1}]});
        let fix = json!({"type": "webhook", "url": self.receiver.url("/fix")});
        let steps = json!([
            {"id": "ask", "type": "approval", "approval": gate},
            {"id": "fix", "type": "diagnostic", "action": fix},
        ]);
        let runbook = self.approved(&phased(&steps)).await;
        for answers in [["approve", "withdraw"], ["reject", ""]] {
            let execute = format!("POST /api/runbooks/{runbook}/execute");
            let execution = execution_of(&self.ask(&execute, &json!({})).await);
            self.work_off().await;
            let path = format!("/api/executions/{execution}");
            let asked = self.ask(&format!("GET {path}/approvals"), &Value::Null).await;
            let digest = asked["items"][0]["digest"].clone();
            for answer in answers.into_iter().filter(|answer| !answer.is_empty()) {
                let body = match answer {
                    "withdraw" => json!({"of": "bob", "reason": "too early"}),
                    _ => json!({"digest": digest, "reason": "looked"}),
                };
                self.ask(&format!("POST {path}/steps/ask/{answer}"), &body).await;
            }
            self.work_off().await;
        }
        for list in ["/api/approvals", "/api/approvals?waitingFor=me", "/api/approvals?teamId=payments"] {
            self.ask(&format!("GET {list}"), &Value::Null).await;
        }
        self.ask("DELETE /api/people/bob", &Value::Null).await;
    }

    async fn write_workflows(&self, runbook: &str, incident: &str) {
        let definition = self.workflow(runbook);
        let workflow = self.created("/api/workflows", &definition).await;
        let path = format!("/api/workflows/{workflow}");
        let mut changed = definition.clone();
        changed["name"] = json!("Restart and look again");
        self.ask(&format!("PUT {path}"), &changed).await;
        self.ask(&format!("POST {path}/rollback"), &json!({"toVersion": 1})).await;
        for verb in ["disable", "enable", "run"] {
            self.ask(&format!("POST {path}/{verb}"), &json!({})).await;
        }
        self.created("/api/incidents", &new_incident("checkout")).await;
        self.work_off().await;
        self.ask(&format!("POST {path}/test"), &json!({"incidentId": incident})).await;
        self.ask(&format!("POST {path}/backtest"), &json!({"days": 1})).await;
        for read in ["", "/versions", "/versions/1", "/versions/1/diff/2", "/executions"] {
            self.ask(&format!("GET {path}{read}"), &Value::Null).await;
        }
        let other = self.created("/api/workflows", &definition).await;
        self.ask(&format!("DELETE /api/workflows/{other}"), &Value::Null).await;
        for list in ["/api/workflows", "/api/workflows?teamId=payments"] {
            self.ask(&format!("GET {list}"), &Value::Null).await;
        }
    }

    async fn listen_to_monitoring(&self) {
        let scheme = json!({"type": "header", "name": "X-Key"});
        let generic = json!({
            "name": "Alerts", "teamId": "payments", "source": "generic", "scheme": scheme, "secrets": ["hooks/key"],
        });
        let integration = self.created("/api/integrations", &generic).await;
        let path = format!("/api/integrations/{integration}");
        let mut changed = generic.clone();
        changed["name"] = json!("All alerts");
        self.ask(&format!("PUT {path}"), &changed).await;
        self.ask(&format!("GET {path}"), &Value::Null).await;
        self.ask(&format!("POST /api/hooks/{integration}"), &sample("sources/generic-trigger")).await;
        self.work_off().await;
        self.ask(&format!("POST /api/hooks/{integration}"), &sample("sources/generic-resolve")).await;
        self.ask(&format!("DELETE {path}"), &Value::Null).await;
        for list in ["/api/integrations", "/api/integrations?teamId=payments"] {
            self.ask(&format!("GET {list}"), &Value::Null).await;
        }
    }

    async fn look_around(&self, runbook: &str) {
        let now = SystemClock.now().to_string();
        let (today, _) = now.split_once('T').unwrap();
        for path in [
            &format!("/api/audit?teamId=payments&day={today}"),
            &format!("/api/audit/{runbook}"),
            "/api/queue/stats",
            "/healthz",
            "/readyz",
            "/openapi.json",
            "/api/schemas/runbook",
        ] {
            self.ask(&format!("GET {path}"), &Value::Null).await;
        }
    }

    /// Asks the function that has this route, as somebody who may do everything; fails if it is not done.
    pub(super) async fn ask(&self, request: &str, body: &Value) -> Value {
        static KEYS: AtomicU64 = AtomicU64::new(0);
        let (method, target) = request.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (operation, _) = operation_of(&method.parse::<Method>().unwrap(), path).unwrap();
        self.asked.lock().unwrap().insert(operation.clone());
        let (user, binary) = match path.rsplit('/').next().unwrap() {
            "approve" | "deprecate" | "reject" | "withdraw" => ("bob", "muster-approval"),
            // Another person than who did what is reviewed.
            "review" => ("bob", "muster-api"),
            _ => ("ann", "muster-api"),
        };
        let name = if body.is_null() { "get-execution" } else { "create-runbook" };
        let key = format!("key-{}", KEYS.fetch_add(1, Ordering::Relaxed));
        let asked = Request::sample(name).to(method, path).query(query).by(user, "[platform-admin]");
        let asked = asked.with_header("x-key", SECRET).with_header("idempotency-key", &key);
        let asked = if body.is_null() { asked } else { asked.with_body(body) };
        let answer = asked.send(self.function(binary)).await;
        assert!((200..300).contains(&answer.status), "{request}: {answer:?}");
        answer.body
    }

    /// The id of a new thing.
    pub(super) async fn created(&self, path: &str, new: &Value) -> String {
        self.ask(&format!("POST {path}"), new).await["id"].as_str().unwrap().to_owned()
    }

    /// The id of a new runbook, which bob has approved.
    pub(super) async fn approved(&self, definition: &Value) -> String {
        let runbook = self.created("/api/runbooks", definition).await;
        self.ask(&format!("POST /api/runbooks/{runbook}/approve"), &json!({})).await;
        runbook
    }

    /// The definition of a runbook that calls an address of the receiver.
    fn calling(&self, path: &str) -> Value {
        json!({
            "name": "Restart checkout", "teamId": "payments", "webhookUrl": self.receiver.url(path),
            "webhookAuth": {"type": "bearer", "token": {"$secret": "control"}},
        })
    }

    /// Waits for a runbook, asks, lingers, and fails with a call that is refused, of which somebody is to be told.
    fn workflow(&self, runbook: &str) -> Value {
        let refused = json!({"type": "webhook", "url": self.receiver.url("/refused")});
        self.receiver.will_at("/refused", [Reply::Status(404), Reply::Status(404)]);
        let nodes = json!([
            {"type": "trigger", "id": "start"},
            {"type": "action", "id": "restart", "action": {"type": "runbook", "runbookId": runbook, "wait": true}},
            {"type": "condition", "id": "ask", "field": "steps.restart.status", "equals": "never"},
            {"type": "delay", "id": "linger", "seconds": 30},
            {"type": "action", "id": "refused", "action": refused},
        ]);
        let edges = json!([
            {"from": "start", "to": "restart"},
            {"from": "restart", "to": "ask"},
            {"from": "ask", "to": "linger", "when": "true"},
            {"from": "ask", "to": "refused", "when": "false"},
        ]);
        json!({
            "name": "Restart and look", "teamId": "payments",
            "trigger": {"type": "incident_created", "conditions": [{"field": "metadata.service", "value": "checkout"}]},
            "definition": {"nodes": nodes, "edges": edges},
        })
    }
}

/// The definition of a runbook of one phase.
pub(super) fn phased(steps: &Value) -> Value {
    json!({"name": "Take it out", "teamId": "payments", "phases": [{"id": "act", "name": "Act", "steps": steps}]})
}

fn new_incident(service: &str) -> Value {
    json!({"title": "It is slow", "priority": "HIGH", "teamId": "payments", "metadata": {"service": service}})
}

pub(super) fn execution_of(accepted: &Value) -> String {
    accepted["execution"]["id"].as_str().unwrap().to_owned()
}
