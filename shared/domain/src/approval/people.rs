//! Who is whom: one person may be known by several names, and counts once.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::audit::ChainHead;
use crate::fault::Fault;
use crate::ids::UserId;
use crate::time::Time;

/// Names that stand for one person, as far as they are known. A name that nobody linked is a person of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct People(BTreeMap<UserId, BTreeSet<UserId>>);

impl People {
    /// Links hold both ways and over any number of steps.
    pub fn of<'p>(persons: impl IntoIterator<Item = &'p Person>) -> Self {
        let mut people = Self::default();
        for person in persons {
            for alias in &person.aliases {
                people.link(&person.id, alias);
            }
        }
        people
    }

    fn link(&mut self, one: &UserId, other: &UserId) {
        self.0.entry(one.clone()).or_default().insert(other.clone());
        self.0.entry(other.clone()).or_default().insert(one.clone());
    }

    pub fn same_person(&self, one: &UserId, other: &UserId) -> bool {
        one == other || self.names_of(one).contains(other)
    }

    /// Every name of this person, this one included.
    pub fn names_of<'p>(&'p self, user: &'p UserId) -> BTreeSet<&'p UserId> {
        let mut names = BTreeSet::from([user]);
        let mut pending = vec![user];
        while let Some(name) = pending.pop() {
            let linked = self.0.get(name).into_iter().flatten();
            pending.extend(linked.filter(|linked| names.insert(linked)));
        }
        names
    }

    /// Whether this person is one of these, by whatever name.
    pub fn is_one_of(&self, user: &UserId, others: &BTreeSet<UserId>) -> bool {
        self.names_of(user).into_iter().any(|name| others.contains(name))
    }
}

/// What a platform admin said of a person: the other names of the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub id: UserId,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub aliases: BTreeSet<UserId>,
    pub set_by: UserId,
    pub created_at: Time,
    pub updated_at: Time,
    pub audit: ChainHead,
}

/// What a platform admin says of a person; no aliases: this is their only name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPerson {
    pub aliases: BTreeSet<UserId>,
}

pub const MAX_ALIASES: usize = 20;

impl SetPerson {
    pub fn faults(&self, id: &UserId) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.aliases.len() > MAX_ALIASES {
            let message = format!("has {} names; at most {MAX_ALIASES} are allowed", self.aliases.len());
            faults.push(Fault::new("/aliases", message));
        }
        if self.aliases.contains(id) {
            faults.push(Fault::new("/aliases", format!("holds {id} itself; name the others alone")));
        }
        faults
    }
}
