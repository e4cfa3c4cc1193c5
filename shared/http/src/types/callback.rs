//! What the receiver of a call says when it is done, and what it is told.

use muster_app::callbacks::{Said, Taken};
use muster_domain::execution as domain;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::moment::Moment;
use crate::problem::{InputError, Problem};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Callback {
    status: CallbackStatus,
    /// Why it failed, at most 1 KiB; of `failed` alone.
    error: Option<String>,
    /// For later steps, which read it as `steps.<step>.result`; any JSON of at most 1 KiB.
    result: Option<Value>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum CallbackStatus {
    Succeeded,
    Failed,
}

impl Callback {
    pub(crate) fn said(self) -> Result<Said, Problem> {
        let error = match (self.status, self.error) {
            (CallbackStatus::Succeeded, None) => None,
            (CallbackStatus::Succeeded, Some(_)) => {
                let message = "says why it failed, and `status` says that it succeeded";
                return Err(Problem::invalid(vec![InputError::in_body("/error".into(), message.into())]));
            }
            (CallbackStatus::Failed, error) => Some(error.unwrap_or_else(|| "it gave no reason".into())),
        };
        Ok(Said { error, result: self.result.unwrap_or(Value::Null) })
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallbackTaken {
    taken: TakenWhen,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum TakenWhen {
    Now,
    /// The very same was taken earlier.
    Before,
}

impl From<Taken> for CallbackTaken {
    fn from(taken: Taken) -> Self {
        let taken = match taken {
            Taken::Now => TakenWhen::Now,
            Taken::Before => TakenWhen::Before,
        };
        Self { taken }
    }
}

/// What the receiver of a step's call said.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CalledBack {
    at: Moment,
    /// Why it failed; absent if it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Value::is_null")]
    result: Value,
}

impl From<&domain::CalledBack> for CalledBack {
    fn from(said: &domain::CalledBack) -> Self {
        Self { at: said.at.into(), error: said.error.clone(), result: said.result.clone() }
    }
}
