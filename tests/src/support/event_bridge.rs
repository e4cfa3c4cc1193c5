//! A stand-in for EventBridge: it takes events, remembers them, and answers what a test tells it to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::{Value, json};

use super::aws_json::{Refused, Service, serve};

#[derive(Default)]
pub(crate) struct EventBridge {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    entries: Vec<Value>,
    behaviour: Behaviour,
}

#[derive(Clone, Copy, Default)]
pub(crate) enum Behaviour {
    #[default]
    Takes,
    /// The request succeeds, its entry does not.
    LeavesOut(&'static str),
    /// The request fails.
    Refuses(StatusCode, &'static str),
}

impl EventBridge {
    pub(crate) async fn start() -> (Arc<Self>, SocketAddr) {
        let bridge = Arc::<Self>::default();
        let address = serve(Arc::clone(&bridge) as Arc<dyn Service>).await;
        (bridge, address)
    }

    pub(crate) fn will(&self, behaviour: Behaviour) {
        self.memory.lock().unwrap().behaviour = behaviour;
    }

    /// The entries that it has taken.
    pub(crate) fn taken(&self) -> Vec<Value> {
        self.memory.lock().unwrap().entries.clone()
    }
}

impl Service for EventBridge {
    fn answer(&self, operation: &str, request: &Value) -> Result<Value, Refused> {
        assert_eq!(operation, "PutEvents");
        let mut memory = self.memory.lock().unwrap();
        match memory.behaviour {
            Behaviour::Takes => {
                memory.entries.extend(request["Entries"].as_array().unwrap().iter().cloned());
                Ok(json!({"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}))
            }
            Behaviour::LeavesOut(code) => Ok(json!({
                "FailedEntryCount": 1,
                "Entries": [{"ErrorCode": code, "ErrorMessage": "told by a test"}],
            })),
            Behaviour::Refuses(status, kind) => Err(Refused { status, kind }),
        }
    }
}
