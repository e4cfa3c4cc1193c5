//! AWS accounts: whose incidents the alarms are that an account sends by the bus.

use serde::{Deserialize, Serialize};

use crate::audit::ChainHead;
use crate::fault::{Fault, check_length};
use crate::ids::{AccountId, TeamId, UserId};
use crate::time::Time;

/// An account of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    pub id: AccountId,
    pub team: TeamId,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub set_by: UserId,
    pub created_at: Time,
    pub updated_at: Time,
    /// Of no team any more. Its audit log stays, and goes on if it is given to a team again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Time>,
    pub audit: ChainHead,
}

/// What a person says of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAccount {
    pub team: TeamId,
    /// 1 to 200 characters.
    pub name: Option<String>,
}

pub const MAX_NAME_CHARS: usize = 200;

impl SetAccount {
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(name) = &self.name {
            check_length("/name", name, 1, MAX_NAME_CHARS, &mut faults);
        }
        faults
    }
}
