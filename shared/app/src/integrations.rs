//! Integrations: who may report, at which address, and how a report proves where it comes from.

use muster_domain::audit::{ChainHead, Resource};
use muster_domain::fault::Fault;
use muster_domain::ids::{IntegrationId, TeamId, UserId};
use muster_domain::integration::{Integration, NewIntegration};
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

/// An integration with the version that `If-Match` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegrationDetail {
    pub integration: Integration,
    pub revision: u64,
}

impl App {
    pub async fn create_integration(
        &self,
        caller: &Caller,
        new: NewIntegration,
    ) -> Result<IntegrationDetail, Error> {
        caller.principal.may(Action::EditIntegration, &Owner::from(new.team_id.clone()))?;
        refuse_faults(new.faults())?;
        let decide = async || {
            let now = self.clock.now();
            let id = IntegrationId::new(now, Self::random()?);
            let integration = first(id, new.clone(), &caller.principal.user, now);
            let (integration, entry) = audited(integration, "integration.created", caller, now);
            let writes = vec![Write::create(integration.clone()), entry];
            Ok(Decided { reply: IntegrationDetail { integration, revision: 1 }, writes })
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    pub async fn integration(&self, caller: &Caller, id: &IntegrationId) -> Result<IntegrationDetail, Error> {
        let Versioned { value, version } = self.load_integration(id).await?;
        caller.principal.may(Action::Read, &Owner::from(value.team.clone()))?;
        Ok(IntegrationDetail { integration: value, revision: version })
    }

    /// Newest first.
    pub async fn integrations(
        &self,
        caller: &Caller,
        team: Option<TeamId>,
        paging: &Paging,
    ) -> Result<List<Integration>, Error> {
        let query = match team {
            Some(team) => {
                caller.principal.may(Action::Read, &Owner::Team(team.clone()))?;
                Query::IntegrationsOfTeam { team }
            }
            None => Query::Integrations,
        };
        let shows = |record: Record| {
            let integration = Integration::try_from(record).ok()?;
            caller.principal.may(Action::Read, &Owner::from(integration.team.clone())).ok()?;
            integration.deleted_at.is_none().then_some(integration)
        };
        self.filtered(&query, &query, paging, shows).await
    }

    /// Replaces what a person gave; the same again changes nothing.
    pub async fn update_integration(
        &self,
        caller: &Caller,
        id: &IntegrationId,
        new: NewIntegration,
        if_match: Option<u64>,
    ) -> Result<IntegrationDetail, Error> {
        refuse_faults(new.faults())?;
        let decide = async || {
            let head = self.load_editable_integration(caller, id, if_match).await?;
            if new.team_id != head.value.team {
                let message = "cannot be changed; create an integration for the other team";
                return Err(Error::Invalid(vec![Fault::new("/teamId", message)]));
            }
            let to = with(head.value.clone(), new.clone());
            if to == head.value {
                let reply = IntegrationDetail { integration: to, revision: head.version };
                return Ok(Decided { reply, writes: Vec::new() });
            }
            Ok(self.decide_integration(caller, to, head.version, "integration.updated"))
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    /// Its address answers no more. Its incidents and its audit log stay.
    pub async fn delete_integration(
        &self,
        caller: &Caller,
        id: &IntegrationId,
        if_match: Option<u64>,
    ) -> Result<(), Error> {
        let decide = async || {
            let head = self.load_editable_integration(caller, id, if_match).await?;
            let to = Integration { deleted_at: Some(self.clock.now()), ..head.value };
            Ok(self.decide_integration(caller, to, head.version, "integration.deleted"))
        };
        self.once(caller, decide).await?;
        Ok(())
    }

    fn decide_integration(
        &self,
        caller: &Caller,
        to: Integration,
        version: u64,
        action: &'static str,
    ) -> Decided<IntegrationDetail> {
        let now = self.clock.now();
        let (integration, entry) = audited(Integration { updated_at: now, ..to }, action, caller, now);
        let writes = vec![Write::replace(integration.clone(), version), entry];
        Decided { reply: IntegrationDetail { integration, revision: version.saturating_add(1) }, writes }
    }

    async fn load_editable_integration(
        &self,
        caller: &Caller,
        id: &IntegrationId,
        if_match: Option<u64>,
    ) -> Result<Versioned<Integration>, Error> {
        let head = self.load_integration(id).await?;
        caller.principal.may(Action::EditIntegration, &Owner::from(head.value.team.clone()))?;
        head.unchanged_since(if_match)?;
        Ok(head)
    }

    /// One that is not deleted.
    pub(crate) async fn load_integration(&self, id: &IntegrationId) -> Result<Versioned<Integration>, Error> {
        let missing = || Error::NotFound { kind: "integration", id: id.to_string() };
        let stored = self.table.get(&Key::Integration(id.clone())).await?.ok_or_else(missing)?;
        let head: Versioned<Integration> = stored.typed()?;
        if head.value.deleted_at.is_none() { Ok(head) } else { Err(missing()) }
    }
}

fn first(id: IntegrationId, new: NewIntegration, author: &UserId, now: Time) -> Integration {
    Integration {
        id,
        name: new.name,
        team: new.team_id,
        source: new.source,
        scheme: new.scheme,
        secrets: new.secrets,
        enabled: new.enabled,
        created_by: author.clone(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        audit: ChainHead::default(),
    }
}

fn with(integration: Integration, new: NewIntegration) -> Integration {
    let NewIntegration { name, team_id: _, source, scheme, secrets, enabled } = new;
    Integration { name, source, scheme, secrets, enabled, ..integration }
}

/// The entry says how deliveries are verified: who weakens that is to be seen. Secrets are names.
fn audited(
    mut integration: Integration,
    action: &'static str,
    caller: &Caller,
    now: Time,
) -> (Integration, Write) {
    let detail = json!({
        "source": integration.source,
        "scheme": integration.scheme,
        "secrets": integration.secrets,
        "enabled": integration.enabled,
    });
    let (resource, team) = (Resource::Integration(integration.id.clone()), integration.team.clone());
    let fact = fact(action, &caller.principal.user, detail);
    let entry = audit(&mut integration.audit, resource, team, fact, now);
    (integration, entry)
}
