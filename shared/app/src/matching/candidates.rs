//! The workflows that an event may start: read from one small partition a team, and kept in memory while nothing changes there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use muster_domain::ids::TeamId;
use muster_domain::workflow::{TriggerKind, Workflow};

use crate::table::{Candidate, Candidates, Expect, Key, Order, PageRequest, Query, Record, Stored, Write};
use crate::{App, Error};

/// The most workflows a process keeps, over all lists; the cache starts afresh when it is full.
const MAX_KEPT: usize = 20_000;
/// How many candidates one page holds.
const PAGE: u32 = 100;

/// Candidates in memory. A list counts only for the generation that it was read in.
#[derive(Debug, Default)]
pub(crate) struct CandidateCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    lists: HashMap<Place, List>,
    /// In all lists.
    workflows: usize,
}

type Place = (Option<TeamId>, TriggerKind);

#[derive(Debug)]
struct List {
    generation: u64,
    workflows: Arc<Vec<Arc<Workflow>>>,
}

impl CandidateCache {
    fn get(&self, place: &Place, generation: u64) -> Option<Arc<Vec<Arc<Workflow>>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let list = kept.lists.get(place).filter(|list| list.generation == generation)?;
        Some(Arc::clone(&list.workflows))
    }

    fn put(&self, place: Place, list: List) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.workflows.saturating_add(list.workflows.len()) > MAX_KEPT {
            *kept = Kept::default();
        }
        kept.workflows += list.workflows.len();
        if let Some(before) = kept.lists.insert(place, list) {
            kept.workflows -= before.workflows.len();
        }
    }
}

impl App {
    /// The global workflows, and those of the team if there is one, that wait for this kind of event.
    ///
    /// Costs one batch read of the generations, and a query for each list that has changed since it was last read.
    pub(super) async fn candidates(
        &self,
        team: Option<&TeamId>,
        kind: TriggerKind,
    ) -> Result<Vec<Arc<Vec<Arc<Workflow>>>>, Error> {
        let partitions: BTreeSet<Option<TeamId>> = [None, team.cloned()].into();
        let keys: Vec<Key> = partitions.iter().cloned().map(Key::Candidates).collect();
        let generations = self.table.batch_get(&keys).await?;
        let mut lists = Vec::new();
        for partition in partitions {
            // Where no generation was ever written, no candidate was.
            if let Some(head) = generations.get(&Key::Candidates(partition.clone())) {
                lists.push(self.list((partition, kind), head.version).await?);
            }
        }
        Ok(lists)
    }

    async fn list(&self, place: Place, generation: u64) -> Result<Arc<Vec<Arc<Workflow>>>, Error> {
        if let Some(kept) = self.candidates.get(&place, generation) {
            return Ok(kept);
        }
        let workflows = Arc::new(self.read_candidates(&place).await?);
        // A change during the reading raises the generation, so what was read half before it is read again next time.
        self.candidates.put(place, List { generation, workflows: Arc::clone(&workflows) });
        Ok(workflows)
    }

    async fn read_candidates(&self, (team, kind): &Place) -> Result<Vec<Arc<Workflow>>, Error> {
        let query = Query::Candidates { team: team.clone(), kind: *kind };
        let mut workflows = Vec::new();
        let mut after = None;
        loop {
            let request = PageRequest { limit: PAGE, order: Order::Ascending, after };
            let page = self.table.query(&query, &request).await?;
            for stored in page.records {
                workflows.push(Arc::new(stored.typed::<Candidate>()?.value.0));
            }
            after = page.next;
            if after.is_none() {
                return Ok(workflows);
            }
        }
    }

    /// The writes that keep the matcher's list true when a workflow changes, for the same commit. Whoever stores a workflow's
    /// head adds them: after its creation, every edit, enabling, disabling and deletion.
    ///
    /// `before` is the head as it was read, absent at creation. The writes are conditional on what this reads, so a commit
    /// that conflicts is decided anew, this included.
    pub async fn candidate_writes(
        &self,
        before: Option<&Workflow>,
        after: &Workflow,
    ) -> Result<Vec<Write>, Error> {
        let (old, new) = (before.filter(starts_by_itself), Some(after).filter(starts_by_itself));
        let listed = || old.iter().chain(&new).copied();
        let partitions: BTreeSet<Option<TeamId>> = listed().map(Candidate::partition).collect();
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let keys: BTreeSet<Key> =
            listed().map(Candidate::key).chain(partitions.iter().cloned().map(Key::Candidates)).collect();
        let found = self.table.batch_get(&keys.into_iter().collect::<Vec<_>>()).await?;
        let place = new.map(Candidate::key);
        let left = old.map(Candidate::key).filter(|left| place.as_ref() != Some(left));
        let mut writes: Vec<Write> = left.and_then(|left| removal(left, &found)).into_iter().collect();
        writes.extend(new.map(|workflow| put(Candidate(workflow.clone()), &found)));
        let changed_at = self.clock.now();
        writes.extend(partitions.into_iter().map(|team| put(Candidates { team, changed_at }, &found)));
        Ok(writes)
    }
}

/// Whether anything but a person may start it.
fn starts_by_itself(workflow: &&Workflow) -> bool {
    workflow.enabled && workflow.deleted_at.is_none() && workflow.trigger.kind() != TriggerKind::Manual
}

fn removal(key: Key, found: &BTreeMap<Key, Stored>) -> Option<Write> {
    let version = found.get(&key)?.version;
    Some(Write::Delete { key, expect: Expect::Version(version) })
}

/// Puts the record where it was found, or where nothing was.
fn put(record: impl Into<Record>, found: &BTreeMap<Key, Stored>) -> Write {
    let record = record.into();
    let expect = found.get(&record.key()).map_or(Expect::Absent, |stored| Expect::Version(stored.version));
    Write::Put { record, expect }
}
