//! Runbooks: create, change, read, delete (A1, A2).

use std::collections::BTreeSet;

use muster_domain::audit::{ChainHead, Fact, Resource};
use muster_domain::fault::Fault;
use muster_domain::ids::{RunbookId, TeamId, UserId};
use muster_domain::policy::{Action, Owner};
use muster_domain::runbook::{Runbook, RunbookDefinition, RunbookVersion, VersionStatus};
use muster_domain::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::load::audit;
use crate::once::Decided;
use crate::paging::{List, Paging};
use crate::table::{Key, Query, Record, Versioned, Write};
use crate::{App, Caller, Error};

/// The most versions a runbook may have.
pub const MAX_VERSIONS: u32 = 10_000;
/// The longest note on a change, in characters.
pub const MAX_CHANGE_NOTE_CHARS: usize = 500;

/// A runbook with its newest version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunbookDetail {
    pub runbook: Runbook,
    pub version: RunbookVersion,
    /// The item's version, which `If-Match` names.
    pub revision: u64,
}

/// Which runbooks a list shows. What the caller may not read is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RunbookFilter {
    pub team: Option<TeamId>,
    /// The status of the newest version.
    pub status: Option<VersionStatus>,
    pub tag: Option<String>,
    /// A part of the name, in any case.
    pub text: Option<String>,
}

impl App {
    pub async fn create_runbook(
        &self,
        caller: &Caller,
        definition: RunbookDefinition,
    ) -> Result<RunbookDetail, Error> {
        caller.principal.may(Action::EditRunbook, &Owner::from(definition.team_id().cloned()))?;
        refuse_faults(definition.faults())?;
        let decide = async || {
            let now = self.clock.now();
            let id = RunbookId::new(now, Self::random()?);
            Ok(first_version(id, definition.clone(), &caller.principal.user, now))
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    pub async fn runbook(&self, caller: &Caller, id: &RunbookId) -> Result<RunbookDetail, Error> {
        let head = self.load_runbook(id).await?;
        caller.principal.may(Action::Read, &Owner::from(head.value.team.clone()))?;
        let version = self.load_version(id, head.value.version).await?;
        Ok(RunbookDetail { runbook: head.value, version, revision: head.version })
    }

    pub async fn runbooks(
        &self,
        caller: &Caller,
        filter: &RunbookFilter,
        paging: &Paging,
    ) -> Result<List<Runbook>, Error> {
        let query = match &filter.team {
            Some(team) => {
                caller.principal.may(Action::Read, &Owner::Team(team.clone()))?;
                Query::RunbooksOfTeam { team: team.clone() }
            }
            None => Query::Runbooks,
        };
        let shows = |record: Record| match Runbook::try_from(record) {
            Ok(runbook) if filter.matches(&runbook) && readable(caller, &runbook) => Some(runbook),
            Ok(_) | Err(_) => None,
        };
        self.filtered(&(&query, filter), &query, paging, shows).await
    }

    /// Makes a new version of the whole definition; the same definition again changes nothing.
    pub async fn update_runbook(
        &self,
        caller: &Caller,
        id: &RunbookId,
        definition: RunbookDefinition,
        note: Option<String>,
        if_match: Option<u64>,
    ) -> Result<RunbookDetail, Error> {
        refuse_faults(definition.faults())?;
        refuse_faults(note_faults(note.as_deref()))?;
        let decide = async || {
            let head = self.load_editable(caller, id, if_match).await?;
            if definition.team_id() != head.value.team.as_ref() {
                let message = "cannot be changed; create a runbook for the other team";
                return Err(Error::Invalid(vec![Fault::new("/teamId", message)]));
            }
            let newest = self.load_version(id, head.value.version).await?;
            if newest.digest == definition.digest() {
                let reply = RunbookDetail { revision: head.version, runbook: head.value, version: newest };
                return Ok(Decided { reply, writes: Vec::new() });
            }
            let content = Content { definition: definition.clone(), note: note.clone(), copied_from: None };
            next_version(&head, &newest, content, &caller.principal.user, self.clock.now())
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    /// Takes a runbook out of use for ever. Its versions, executions and audit stay readable.
    pub async fn delete_runbook(
        &self,
        caller: &Caller,
        id: &RunbookId,
        if_match: Option<u64>,
    ) -> Result<(), Error> {
        let decide = async || {
            let head = self.load_editable(caller, id, if_match).await?;
            if let Some(active) = self.active_execution_of(id).await? {
                return Err(Error::Conflict(format!(
                    "execution {active} is active; wait for it or cancel it, then delete the runbook"
                )));
            }
            let now = self.clock.now();
            let mut runbook = Runbook { deleted_at: Some(now), updated_at: now, ..head.value };
            let fact = fact("runbook.deleted", &caller.principal.user, json!({"version": runbook.version}));
            let entry = audit_runbook(&mut runbook, fact, now);
            Ok(Decided { reply: (), writes: vec![Write::replace(runbook, head.version), entry] })
        };
        self.once(caller, decide).await?;
        Ok(())
    }

    /// A runbook's head for its readers, deleted or not: its history outlives it.
    pub(crate) async fn load_readable(&self, caller: &Caller, id: &RunbookId) -> Result<Runbook, Error> {
        let stored = self.table.get(&Key::Runbook(id.clone())).await?;
        let missing = || Error::NotFound { kind: "runbook", id: id.to_string() };
        let head: Versioned<Runbook> = stored.ok_or_else(missing)?.typed()?;
        caller.principal.may(Action::Read, &Owner::from(head.value.team.clone()))?;
        Ok(head.value)
    }

    pub(crate) async fn load_editable(
        &self,
        caller: &Caller,
        id: &RunbookId,
        if_match: Option<u64>,
    ) -> Result<Versioned<Runbook>, Error> {
        let head = self.load_runbook(id).await?;
        caller.principal.may(Action::EditRunbook, &Owner::from(head.value.team.clone()))?;
        head.unchanged_since(if_match)?;
        Ok(head)
    }
}

impl RunbookFilter {
    fn matches(&self, runbook: &Runbook) -> bool {
        let text = |part: &String| runbook.name.to_lowercase().contains(&part.to_lowercase());
        self.status.is_none_or(|status| runbook.head_status() == status)
            && self.tag.as_ref().is_none_or(|tag| runbook.tags.contains(tag))
            && self.text.as_ref().is_none_or(text)
    }
}

fn readable(caller: &Caller, runbook: &Runbook) -> bool {
    caller.principal.may(Action::Read, &Owner::from(runbook.team.clone())).is_ok()
}

/// What a new version holds.
pub(crate) struct Content {
    pub definition: RunbookDefinition,
    pub note: Option<String>,
    pub copied_from: Option<u32>,
}

fn first_version(
    id: RunbookId,
    definition: RunbookDefinition,
    author: &UserId,
    now: Time,
) -> Decided<RunbookDetail> {
    let mut runbook = Runbook {
        id: id.clone(),
        team: definition.team_id().cloned(),
        name: definition.name().to_owned(),
        tags: definition.tags().to_vec(),
        version: 1,
        approved: BTreeSet::new(),
        deprecated: BTreeSet::new(),
        created_by: author.clone(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        audit: ChainHead::default(),
    };
    let version = RunbookVersion {
        runbook: id,
        version: 1,
        digest: definition.digest(),
        definition,
        author: author.clone(),
        writers: BTreeSet::from([author.clone()]),
        created_at: now,
        change_note: None,
        rolled_back_from: None,
    };
    let facts = json!({"version": 1, "digest": version.digest});
    let entry = audit_runbook(&mut runbook, fact("runbook.created", author, facts), now);
    let writes = vec![Write::create(runbook.clone()), Write::create(version.clone()), entry];
    Decided { reply: RunbookDetail { runbook, version, revision: 1 }, writes }
}

/// The next version, whose content builds on `base`.
pub(crate) fn next_version(
    head: &Versioned<Runbook>,
    base: &RunbookVersion,
    content: Content,
    author: &UserId,
    now: Time,
) -> Result<Decided<RunbookDetail>, Error> {
    let number = head.value.version.saturating_add(1);
    if number > MAX_VERSIONS {
        return Err(Error::Conflict(format!(
            "has {MAX_VERSIONS} versions, which is the most; create a new runbook"
        )));
    }
    let mut writers = match head.value.status_of(base.version) {
        // Approved work has been reviewed; what is new is the author's alone.
        Some(VersionStatus::Approved | VersionStatus::Deprecated) => BTreeSet::new(),
        Some(VersionStatus::Draft) | None => base.writers.clone(),
    };
    writers.insert(author.clone());
    let version = RunbookVersion {
        runbook: head.value.id.clone(),
        version: number,
        digest: content.definition.digest(),
        definition: content.definition,
        author: author.clone(),
        writers,
        created_at: now,
        change_note: content.note,
        rolled_back_from: content.copied_from,
    };
    let mut runbook = Runbook {
        name: version.definition.name().to_owned(),
        tags: version.definition.tags().to_vec(),
        version: number,
        updated_at: now,
        ..head.value.clone()
    };
    let facts = json!({"version": number, "digest": version.digest, "rolledBackFrom": content.copied_from});
    let action = if content.copied_from.is_some() { "runbook.rolled_back" } else { "runbook.updated" };
    let entry = audit_runbook(&mut runbook, fact(action, author, facts), now);
    let writes = vec![Write::replace(runbook.clone(), head.version), Write::create(version.clone()), entry];
    Ok(Decided {
        reply: RunbookDetail { runbook, version, revision: head.version.saturating_add(1) },
        writes,
    })
}

pub(crate) fn audit_runbook(runbook: &mut Runbook, fact: Fact, now: Time) -> Write {
    let (resource, team) = (Resource::Runbook(runbook.id.clone()), runbook.team.clone());
    audit(&mut runbook.audit, resource, team, fact, now)
}

pub(crate) fn fact(action: &'static str, actor: &UserId, detail: Value) -> Fact {
    Fact { action, actor: Some(actor.clone()), detail }
}

pub(crate) fn refuse_faults(faults: Vec<Fault>) -> Result<(), Error> {
    if faults.is_empty() { Ok(()) } else { Err(Error::Invalid(faults)) }
}

pub(crate) fn note_faults(note: Option<&str>) -> Vec<Fault> {
    let length = note.map_or(0, |note| note.chars().count());
    let too_long = length > MAX_CHANGE_NOTE_CHARS;
    let fault = || Fault::new("/changeNote", format!("is longer than {MAX_CHANGE_NOTE_CHARS} characters"));
    too_long.then(fault).into_iter().collect()
}
