//! A stand-in for AWS Secrets Manager: it holds what a test puts there, and remembers what it was asked for.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::{Value, json};

use super::aws_json::{Refused, Service, serve};

#[derive(Default)]
pub(crate) struct SecretsManager {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// As in `{"SecretString": "…"}`, by name.
    secrets: BTreeMap<String, Value>,
    asked: Vec<String>,
}

impl SecretsManager {
    pub(crate) async fn start() -> (Arc<Self>, SocketAddr) {
        let manager = Arc::<Self>::default();
        let address = serve(Arc::clone(&manager) as Arc<dyn Service>).await;
        (manager, address)
    }

    /// Holds `value` under the whole name.
    pub(crate) fn hold(&self, name: &str, value: Value) {
        self.memory.lock().unwrap().secrets.insert(name.to_owned(), value);
    }

    /// The names that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.memory.lock().unwrap().asked.clone()
    }
}

impl Service for SecretsManager {
    fn answer(&self, operation: &str, request: &Value) -> Result<Value, Refused> {
        assert_eq!(operation, "GetSecretValue");
        let name = request["SecretId"].as_str().unwrap();
        let mut memory = self.memory.lock().unwrap();
        memory.asked.push(name.to_owned());
        // A version before is held under the name with its stage.
        let staged = request["VersionStage"].as_str().filter(|stage| *stage != "AWSCURRENT");
        let held = staged.map_or_else(|| name.to_owned(), |stage| format!("{name}@{stage}"));
        let missing = Refused { status: StatusCode::BAD_REQUEST, kind: "ResourceNotFoundException" };
        let mut reply = memory.secrets.get(&held).cloned().ok_or(missing)?;
        reply["Name"] = json!(name);
        Ok(reply)
    }
}
