//! A button in Slack, pressed by somebody whom the asker vouched for: whoever pressed it is told that this does not count.

use muster_app::clock::SystemClock;
use muster_app::ports::Clock as _;
use muster_domain::approval::Button;
use serde_json::{Value, json};

use super::accepting::{execution_of, phased};
use super::calling_back::KEY;
use super::stage::Stage;
use crate::lambda::installation::SLACK_SIGNING_SECRET;
use crate::lambda::samples::Request;
use crate::support::slack::{pressed, signature};

const SECRET: &str = "canary-slack-8f742231b10e";

impl Stage {
    pub(super) async fn press_a_button(&self) {
        self.installation.secrets.hold(SLACK_SIGNING_SECRET, json!({"SecretString": SECRET}));
        let gate = json!({"levels": [{"of": ["platform-admin"]}]});
        let steps = json!([{"id": "ask", "type": "approval", "approval": gate}]);
        let runbook = self.approved(&phased(&steps)).await;
        let execution =
            execution_of(&self.ask(&format!("POST /api/runbooks/{runbook}/execute"), &json!({})).await);
        self.work_off().await;
        let path = format!("/api/executions/{execution}");
        let asked = self.ask(&format!("GET {path}/approvals"), &Value::Null).await;
        let digest = asked["items"][0]["digest"].as_str().unwrap();
        let button = Button {
            team: "payments".parse().unwrap(),
            execution: execution.parse().unwrap(),
            step: "ask".parse().unwrap(),
            round: 1,
            digest: digest.parse().unwrap(),
        };
        let value = button.value(KEY.as_bytes()).unwrap();
        let body = pressed("U0GUS", &json!({"action_id": "approve", "value": value}), None);
        let now = SystemClock.now().millis() / 1_000;
        let operation = "POST /api/hooks/slack/actions";
        let request =
            Request::sample("create-runbook").to("POST", "/api/hooks/slack/actions").without_claims();
        let request = request.with_bytes(body.as_bytes());
        let request = request.with_header("x-slack-request-timestamp", &now.to_string());
        let request = request.with_header("x-slack-signature", &signature(SECRET, now, &body));
        request.send(self.function("muster-approval")).await.expect(200);
        self.asked.lock().unwrap().insert(operation.into());
        let owed = self.ask(&format!("GET {path}/notifications"), &Value::Null).await;
        assert_eq!(owed["items"][1]["recipients"][0]["kind"], "slackReply", "{owed}");
        let rejected = json!({"digest": digest, "reason": "drill"});
        self.ask(&format!("POST {path}/steps/ask/reject"), &rejected).await;
        self.work_off().await;
    }
}
