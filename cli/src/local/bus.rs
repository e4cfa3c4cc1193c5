//! The bus of local mode: an event is handed to the matcher of this process, which has taken it in when this returns.

use std::sync::Weak;

use async_trait::async_trait;
use muster_app::App;
use muster_app::ports::{Bus, BusError, BusErrorKind};

/// Hands events to the use cases that publish them. It must not keep them alive, or the process would never end.
pub(crate) struct LocalBus {
    app: Weak<App>,
}

impl LocalBus {
    pub(crate) fn new(app: Weak<App>) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, event: &[u8]) -> Result<(), BusError> {
        let app = self.app.upgrade().ok_or_else(|| failed(BusErrorKind::Unavailable, Ending))?;
        match app.receive_event(event).await {
            Ok(_) => Ok(()),
            Err(error) if error.retryable() => Err(failed(BusErrorKind::Unavailable, error)),
            Err(error) => Err(failed(BusErrorKind::Refused, error)),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the process is ending")]
struct Ending;

fn failed(kind: BusErrorKind, error: impl std::error::Error + Send + Sync + 'static) -> BusError {
    BusError { doing: "handing an event to the matcher of this process", kind, source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_event_that_comes_after_the_end_is_not_taken() {
        let error = LocalBus::new(Weak::new()).publish(b"{}").await.unwrap_err();
        assert_eq!(error.kind, BusErrorKind::Unavailable);
        let told = muster_app::error::chain(&error);
        assert_eq!(told, "handing an event to the matcher of this process: the process is ending");
    }
}
