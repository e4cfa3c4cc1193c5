//! What a call came to, when it did not come to a good answer.

use reqwest::StatusCode;

use super::problem::Problem;
use crate::exit::Exit;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error(transparent)]
    Problem(Box<Problem>),
    #[error("{server} gave no answer")]
    Unreachable {
        server: String,
        #[source]
        cause: reqwest::Error,
    },
    #[error("{server} answered {status}, and not as Muster does: check --url")]
    Foreign { server: String, status: StatusCode },
    #[error(
        "{server} redirects elsewhere ({status}); the token goes to no other address: give the right one with --url"
    )]
    Redirected { server: String, status: StatusCode },
    #[error("the answer of {server} cannot be read")]
    Unreadable {
        server: String,
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the list does not end: the server gave the same cursor twice")]
    EndlessList,
    #[error("making a random idempotency key")]
    NoRandomness(#[source] getrandom::Error),
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl ApiError {
    /// The same, told otherwise if it is a refusal.
    pub(crate) fn told(self, tell: impl FnOnce(Problem) -> Problem) -> Self {
        match self {
            Self::Problem(problem) => tell(*problem).into(),
            other @ (Self::Unreachable { .. }
            | Self::Foreign { .. }
            | Self::Redirected { .. }
            | Self::Unreadable { .. }
            | Self::EndlessList
            | Self::NoRandomness(_)) => other,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Problem(problem) => problem.exit(),
            Self::Unreachable { .. } => Exit::Unavailable,
            Self::Foreign { status, .. } if status.is_server_error() => Exit::Unavailable,
            Self::Foreign { .. } | Self::Redirected { .. } => Exit::Usage,
            Self::Unreadable { .. } | Self::EndlessList | Self::NoRandomness(_) => Exit::Failure,
        }
    }
}
