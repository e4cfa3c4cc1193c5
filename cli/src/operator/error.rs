//! Why a command did not do what was asked.

use super::api::{ApiError, ConnectionError};
use super::audit::AuditError;
use super::config::StackError;
use super::ended::Ended;
use super::execution::WatchError;
use super::file::FileError;
use super::hook::DeliveryError;
use super::incident::IncidentWatchError;
use super::output::{OutputError, Printer};
use super::parameters::ParameterError;
use super::same_name::Ambiguous;
use crate::exit::Exit;

#[derive(Debug, thiserror::Error)]
pub(crate) enum OperatorError {
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    #[error(transparent)]
    Watch(#[from] WatchError),
    #[error(transparent)]
    IncidentWatch(#[from] IncidentWatchError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Ambiguous(#[from] Ambiguous),
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl OperatorError {
    /// Says what went wrong, with its causes, and gives the exit code for it.
    pub(crate) fn report(&self, printer: &Printer) -> Ended {
        if self.reader_left() {
            return Ended::SUCCESS;
        }
        printer.complain(&format!("error: {}", muster_app::error::chain(self)));
        Ended::As(self.exit())
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Api(error) => error.exit(),
            Self::Connection(_)
            | Self::File(_)
            | Self::Parameter(_)
            | Self::Ambiguous(_)
            | Self::Delivery(_)
            | Self::Stack(_) => Exit::Usage,
            Self::Watch(error) => error.exit(),
            Self::IncidentWatch(error) => error.exit(),
            Self::Audit(error) => error.exit(),
            Self::Output(_) => Exit::Failure,
        }
    }

    /// `muster … | head` has seen enough, which is no error.
    fn reader_left(&self) -> bool {
        matches!(self, Self::Output(error) if error.reader_left())
    }
}
