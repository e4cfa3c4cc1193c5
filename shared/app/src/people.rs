//! Who is whom (D5): other names of one person, so that nobody decides about their own work by another name, or twice.
//!
//! A link stands at both of its ends: whoever reads one name finds the other.

use std::collections::{BTreeMap, BTreeSet};

use muster_domain::approval::{MAX_ALIASES, People, Person, SetPerson};
use muster_domain::audit::{ChainHead, Resource};
use muster_domain::ids::UserId;
use muster_domain::policy::{Action, Owner};
use muster_domain::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::load::audit;
use crate::once::Decided;
use crate::runbooks::{fact, refuse_faults};
use crate::table::{Key, Versioned, Write};
use crate::{App, Caller, Error};

/// A person with the version that `If-Match` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonDetail {
    pub person: Person,
    pub revision: u64,
}

/// The most names that one judgement looks up: more are a mistake, and nobody is let through by one.
const MOST_NAMES: usize = 1_000;

impl App {
    /// Says by which other names a person is known; the same again changes nothing. Each of those names is told of this one.
    pub async fn set_person(
        &self,
        caller: &Caller,
        id: &UserId,
        set: &SetPerson,
        if_match: Option<u64>,
    ) -> Result<PersonDetail, Error> {
        caller.principal.may(Action::EditIntegration, &Owner::Global)?;
        refuse_faults(set.faults(id))?;
        let decide = async || self.decide_person(caller, id, set, if_match).await;
        Ok(self.once(caller, decide).await?.into_reply())
    }

    /// Whoever nobody linked to another name is not found.
    pub async fn person(&self, caller: &Caller, id: &UserId) -> Result<PersonDetail, Error> {
        caller.principal.may(Action::ReadAudit, &Owner::Global)?;
        let found = self.stored_person(id).await?.filter(|person| !person.value.aliases.is_empty());
        let Versioned { value: person, version: revision } = found.ok_or_else(|| missing(id))?;
        Ok(PersonDetail { person, revision })
    }

    /// From now on every name of theirs is a person of its own.
    pub async fn unlink_person(
        &self,
        caller: &Caller,
        id: &UserId,
        if_match: Option<u64>,
    ) -> Result<(), Error> {
        caller.principal.may(Action::EditIntegration, &Owner::Global)?;
        let decide = async || {
            let found = self.stored_person(id).await?.filter(|person| !person.value.aliases.is_empty());
            found.ok_or_else(|| missing(id))?;
            self.decide_person(caller, id, &SetPerson { aliases: BTreeSet::new() }, if_match).await
        };
        self.once(caller, decide).await?;
        Ok(())
    }

    /// One commit changes the person and every name that is linked or no longer is.
    async fn decide_person(
        &self,
        caller: &Caller,
        id: &UserId,
        set: &SetPerson,
        if_match: Option<u64>,
    ) -> Result<Decided<PersonDetail>, Error> {
        let head = self.stored_person(id).await?;
        let revision = head.as_ref().map_or(0, |head| head.version);
        if if_match.is_some_and(|expected| expected != revision) {
            return Err(Error::Stale { current: revision });
        }
        let before = head.as_ref().map(|head| head.value.aliases.clone()).unwrap_or_default();
        if let Some(head) = head.as_ref().filter(|_| before == set.aliases) {
            let reply = PersonDetail { person: head.value.clone(), revision };
            return Ok(Decided { reply, writes: Vec::new() });
        }
        let now = self.clock.now();
        let (person, mut writes) =
            linked(caller, id, head, &mut |aliases| *aliases = set.aliases.clone(), now);
        for other in before.symmetric_difference(&set.aliases) {
            let stored = self.stored_person(other).await?;
            let link: &mut dyn FnMut(&mut BTreeSet<UserId>) = &mut |aliases| {
                if set.aliases.contains(other) {
                    aliases.insert(id.clone());
                } else {
                    aliases.remove(id);
                }
            };
            let (end, more) = linked(caller, other, stored, link, now);
            refuse_too_many(&end)?;
            writes.extend(more);
        }
        Ok(Decided { reply: PersonDetail { person, revision: revision.saturating_add(1) }, writes })
    }

    /// Who those are that bear these names, over any number of links.
    pub(crate) async fn people(&self, names: BTreeSet<UserId>) -> Result<People, Error> {
        let mut persons: BTreeMap<UserId, Option<Person>> = BTreeMap::new();
        let mut pending: Vec<UserId> = names.into_iter().collect();
        while !pending.is_empty() {
            if persons.len().saturating_add(pending.len()) > MOST_NAMES {
                return Err(Error::Conflict(format!(
                    "more than {MOST_NAMES} names are linked to each other"
                )));
            }
            let keys: Vec<Key> = pending.iter().cloned().map(Key::Person).collect();
            persons.extend(pending.drain(..).map(|name| (name, None)));
            for stored in self.read_all(&keys).await?.into_values() {
                let person: Person = stored.typed()?.value;
                pending.extend(person.aliases.iter().filter(|alias| !persons.contains_key(*alias)).cloned());
                persons.insert(person.id.clone(), Some(person));
            }
            pending.sort();
            pending.dedup();
        }
        Ok(People::of(persons.values().flatten()))
    }

    async fn stored_person(&self, id: &UserId) -> Result<Option<Versioned<Person>>, Error> {
        let stored = self.table.get(&Key::Person(id.clone())).await?;
        Ok(stored.map(|stored| stored.typed()).transpose()?)
    }
}

/// One end of a link as it becomes, and the writes that make it so.
fn linked(
    caller: &Caller,
    id: &UserId,
    stored: Option<Versioned<Person>>,
    change: &mut dyn FnMut(&mut BTreeSet<UserId>),
    now: Time,
) -> (Person, Vec<Write>) {
    let user = &caller.principal.user;
    let version = stored.as_ref().map(|stored| stored.version);
    let mut person = stored.map_or_else(|| unknown(id, user, now), |stored| stored.value);
    change(&mut person.aliases);
    (person.set_by, person.updated_at) = (user.clone(), now);
    let fact = fact("person.linked", user, json!({"aliases": person.aliases}));
    let entry = audit(&mut person.audit, Resource::Person(id.clone()), None, fact, now);
    let write = Write::put(person.clone(), version);
    (person, vec![write, entry])
}

fn unknown(id: &UserId, set_by: &UserId, now: Time) -> Person {
    Person {
        id: id.clone(),
        aliases: BTreeSet::new(),
        set_by: set_by.clone(),
        created_at: now,
        updated_at: now,
        audit: ChainHead::default(),
    }
}

fn refuse_too_many(end: &Person) -> Result<(), Error> {
    if end.aliases.len() > MAX_ALIASES {
        return Err(Error::Conflict(format!("{} would have more than {MAX_ALIASES} other names", end.id)));
    }
    Ok(())
}

fn missing(id: &UserId) -> Error {
    Error::NotFound { kind: "person", id: id.to_string() }
}
