//! A receiver that says later that it is done, by the token that the worker gave it.

use serde_json::{Value, json};

use super::accepting::{execution_of, phased};
use super::stage::Stage;
use crate::lambda::installation::CALLBACK_KEY;
use crate::lambda::samples::Request;

pub(super) const KEY: &str = "canary-key-0123456789abcdef0123456789abcdef";

impl Stage {
    pub(super) async fn call_back(&self) {
        self.installation.secrets.hold(CALLBACK_KEY, json!({"SecretString": KEY}));
        let drain = json!({"type": "webhook", "url": self.receiver.url("/drain")});
        let step = json!({
            "id": "drain", "type": "diagnostic", "action": drain, "callback": {"timeoutSeconds": 600},
        });
        let runbook = self.approved(&phased(&json!([step]))).await;
        let accepted = self.ask(&format!("POST /api/runbooks/{runbook}/execute"), &json!({})).await;
        let execution = execution_of(&accepted);
        self.work_off().await;
        let call = self.receiver.received().into_iter().find(|call| call.uri.path() == "/drain").unwrap();
        let path = format!("/api/executions/{execution}/steps/drain/callback");
        assert_eq!(call.header("muster-callback-url"), format!("https://api.muster.test{path}"));
        let token = call.header("muster-callback-token");
        let said = Request::sample("create-runbook").to("POST", &path).without_claims();
        let said =
            said.with_body(&json!({"status": "succeeded"})).with_header("muster-callback-token", &token);
        said.send(self.function("muster-api")).await.expect(200);
        self.asked.lock().unwrap().insert("POST /api/executions/{id}/steps/{step}/callback".into());
        self.work_off().await;
        let ended = self.ask(&format!("GET /api/executions/{execution}"), &Value::Null).await;
        assert_eq!(ended["status"], "SUCCESS", "{ended}");
    }
}
