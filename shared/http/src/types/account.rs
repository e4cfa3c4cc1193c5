//! AWS accounts as people set them, and as the API shows them.

use muster_app::accounts::AccountDetail;
use muster_domain::account as domain;
use muster_domain::ids::{AccountId, TeamId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moment::Moment;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SetAccount {
    /// Whose incidents the account's alarms are.
    #[schema(value_type = String)]
    team_id: TeamId,
    /// What people call it, 1 to 200 characters.
    #[serde(default)]
    name: Option<String>,
}

impl From<SetAccount> for domain::SetAccount {
    fn from(set: SetAccount) -> Self {
        Self { team: set.team_id, name: set.name }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    /// Its 12 digits.
    #[schema(value_type = String)]
    account_id: AccountId,
    #[schema(value_type = String)]
    team_id: TeamId,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[schema(value_type = String)]
    set_by: UserId,
    created_at: Moment,
    updated_at: Moment,
}

impl From<domain::Account> for Account {
    fn from(account: domain::Account) -> Self {
        Self {
            account_id: account.id,
            team_id: account.team,
            name: account.name,
            set_by: account.set_by,
            created_at: account.created_at.into(),
            updated_at: account.updated_at.into(),
        }
    }
}

impl From<AccountDetail> for Account {
    fn from(detail: AccountDetail) -> Self {
        Self::from(detail.account)
    }
}
