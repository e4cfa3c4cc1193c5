//! AWS accounts and their teams: whose incidents the alarms are that the bus brings.

use muster_domain::account::{Account, SetAccount};
use muster_domain::audit::{ChainHead, Resource};
use muster_domain::ids::{AccountId, TeamId};
use muster_domain::policy::{Action, Owner};
use muster_domain::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::load::audit;
use crate::once::Decided;
use crate::paging::{List, Paging};
use crate::runbooks::{fact, refuse_faults};
use crate::table::{Key, Query, Record, Versioned, Write};
use crate::{App, Caller, Error};

/// An account with the version that `If-Match` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDetail {
    pub account: Account,
    pub revision: u64,
}

impl App {
    /// Gives an account to a team, or changes what is said of it; the same again changes nothing. Incidents that are there
    /// keep their team.
    pub async fn set_account(
        &self,
        caller: &Caller,
        id: &AccountId,
        set: &SetAccount,
        if_match: Option<u64>,
    ) -> Result<AccountDetail, Error> {
        caller.principal.may(Action::EditIntegration, &Owner::Global)?;
        refuse_faults(set.faults())?;
        let decide = async || self.decide_account(caller, id, set, if_match).await;
        Ok(self.once(caller, decide).await?.into_reply())
    }

    async fn decide_account(
        &self,
        caller: &Caller,
        id: &AccountId,
        set: &SetAccount,
        if_match: Option<u64>,
    ) -> Result<Decided<AccountDetail>, Error> {
        let (stored, now) = (self.stored_account(id).await?, self.clock.now());
        let head = match stored {
            Some(head) if head.value.removed_at.is_none() => head,
            Some(_) | None if if_match.is_some() => return Err(missing(id)),
            stored => {
                let version = stored.as_ref().map(|head| head.version);
                let chain = stored.map(|head| head.value.audit).unwrap_or_default();
                return Ok(decided(caller, first(caller, id, set, chain, now), version, "account.added"));
            }
        };
        head.unchanged_since(if_match)?;
        let to = Account { team: set.team.clone(), name: set.name.clone(), ..head.value.clone() };
        if to == head.value {
            let reply = AccountDetail { account: to, revision: head.version };
            return Ok(Decided { reply, writes: Vec::new() });
        }
        let to = Account { updated_at: now, ..to };
        Ok(decided(caller, to, Some(head.version), "account.changed"))
    }

    pub async fn account(&self, caller: &Caller, id: &AccountId) -> Result<AccountDetail, Error> {
        let Versioned { value: account, version: revision } = self.load_account(id).await?;
        caller.principal.may(Action::Read, &Owner::Team(account.team.clone()))?;
        Ok(AccountDetail { account, revision })
    }

    /// Those that the caller may read, the greatest number first.
    pub async fn accounts(
        &self,
        caller: &Caller,
        team: Option<TeamId>,
        paging: &Paging,
    ) -> Result<List<Account>, Error> {
        let query = match team {
            Some(team) => {
                caller.principal.may(Action::Read, &Owner::Team(team.clone()))?;
                Query::AccountsOfTeam { team }
            }
            None => Query::Accounts,
        };
        let shows = |record: Record| {
            let account = Account::try_from(record).ok()?;
            caller.principal.may(Action::Read, &Owner::Team(account.team.clone())).ok()?;
            account.removed_at.is_none().then_some(account)
        };
        self.filtered(&query, &query, paging, shows).await
    }

    /// From now on its alarms are of no team.
    pub async fn remove_account(
        &self,
        caller: &Caller,
        id: &AccountId,
        if_match: Option<u64>,
    ) -> Result<(), Error> {
        caller.principal.may(Action::EditIntegration, &Owner::Global)?;
        let decide = async || {
            let head = self.load_account(id).await?;
            head.unchanged_since(if_match)?;
            let now = self.clock.now();
            let to = Account { removed_at: Some(now), updated_at: now, ..head.value };
            Ok(decided(caller, to, Some(head.version), "account.removed"))
        };
        self.once(caller, decide).await?;
        Ok(())
    }

    /// The team that an event of the bus is about, by the account that EventBridge, and not the event's author, says it comes
    /// from (INVARIANTS C6). A consistent read for each event, as the generation of the candidates is.
    pub(crate) async fn team_of_account(&self, account: &str) -> Result<Option<TeamId>, Error> {
        let Ok(id) = account.parse() else { return Ok(None) };
        let stored = self.stored_account(&id).await?;
        Ok(stored.filter(|head| head.value.removed_at.is_none()).map(|head| head.value.team))
    }

    async fn load_account(&self, id: &AccountId) -> Result<Versioned<Account>, Error> {
        let stored = self.stored_account(id).await?;
        stored.filter(|head| head.value.removed_at.is_none()).ok_or_else(|| missing(id))
    }

    async fn stored_account(&self, id: &AccountId) -> Result<Option<Versioned<Account>>, Error> {
        let stored = self.table.get(&Key::Account(id.clone())).await?;
        Ok(stored.map(|stored| stored.typed()).transpose()?)
    }
}

fn missing(id: &AccountId) -> Error {
    Error::NotFound { kind: "account", id: id.to_string() }
}

fn first(caller: &Caller, id: &AccountId, set: &SetAccount, audit: ChainHead, now: Time) -> Account {
    Account {
        id: id.clone(),
        team: set.team.clone(),
        name: set.name.clone(),
        set_by: caller.principal.user.clone(),
        created_at: now,
        updated_at: now,
        removed_at: None,
        audit,
    }
}

fn decided(
    caller: &Caller,
    to: Account,
    version: Option<u64>,
    action: &'static str,
) -> Decided<AccountDetail> {
    let (user, now) = (&caller.principal.user, to.updated_at);
    let mut account = Account { set_by: user.clone(), ..to };
    let fact = fact(action, user, json!({"team": account.team, "name": account.name}));
    let resource = Resource::Account(account.id.clone());
    let team = Some(account.team.clone());
    let entry = audit(&mut account.audit, resource, team, fact, now);
    let write = Write::put(account.clone(), version);
    let revision = version.unwrap_or_default().saturating_add(1);
    Decided { reply: AccountDetail { account, revision }, writes: vec![write, entry] }
}
