//! The signals that end a server: the first one asks, the second one insists.

use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// SIGINT and SIGTERM, from the moment this is made.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Ends the process at the next one. The table survives that at any moment.
    #[expect(clippy::disallowed_methods, reason = "whoever asks a second time wants no tidying up")]
    pub(crate) async fn end_at_next(mut self) {
        self.next().await;
        process::exit(i32::from(Exit::Failure.code()));
    }
}
