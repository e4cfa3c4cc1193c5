//! A bus that keeps what it is given, and is down when a test says so.

use std::sync::Mutex;

use async_trait::async_trait;
use muster_app::ports::{Bus, BusError, BusErrorKind};
use muster_domain::incident::IncidentEvent;

#[derive(Default)]
pub(crate) struct ManualBus {
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    taken: Vec<Vec<u8>>,
    down: Option<BusErrorKind>,
}

impl ManualBus {
    /// Refuses everything until it comes back.
    pub(crate) fn goes_down(&self, kind: BusErrorKind) {
        self.memory.lock().unwrap().down = Some(kind);
    }

    pub(crate) fn comes_back(&self) {
        self.memory.lock().unwrap().down = None;
    }

    /// The events it has taken, in order; each must be one that the matcher can read.
    pub(crate) fn taken(&self) -> Vec<IncidentEvent> {
        let memory = self.memory.lock().unwrap();
        memory.taken.iter().map(|bytes| IncidentEvent::try_from(bytes.as_slice()).unwrap()).collect()
    }

    /// Their names, as in `Incident Created 1`.
    pub(crate) fn names(&self) -> Vec<String> {
        self.taken().iter().map(|event| format!("{} {}", event.detail_type(), event.seq)).collect()
    }
}

#[async_trait]
impl Bus for ManualBus {
    async fn publish(&self, event: &[u8]) -> Result<(), BusError> {
        let mut memory = self.memory.lock().unwrap();
        match memory.down {
            Some(kind) => Err(BusError { doing: "publishing", kind, source: "told by a test".into() }),
            None => {
                memory.taken.push(event.to_vec());
                Ok(())
            }
        }
    }
}
