//! The safety limits (D7): whether a run may begin now, what it then holds, and giving that back in the commit that ends it.

use std::collections::BTreeMap;
use std::time::Duration;

use muster_domain::execution::Execution;
use muster_domain::execution::decide::Hold;
use muster_domain::ids::ExecutionId;
use muster_domain::limits::{
    Admission, Answer, Applicant, Books, Granted, Target, TargetKey, TargetLease, Usage, admit,
};
use muster_domain::render::context;
use muster_domain::runbook::phased::PhasedRunbook;
use muster_domain::time::Time;
use serde::{Deserialize, Serialize};

use crate::plans::Compiled;
use crate::table::{Key, Stored, Versioned, Write};
use crate::{App, Error};

/// How often an execution looks whether its turn has come, should nobody tell it.
const TURN_CHECK: Duration = Duration::from_secs(15);
/// How many of those before it an execution names.
const MOST_BEHIND: usize = 20;

/// What the limits say to an execution now, and the books as they are once that is stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turn {
    pub hold: Option<Hold>,
    pub admission: Option<Admission>,
    target: Option<(Target, Option<u64>)>,
    usage: Option<(Usage, Option<u64>)>,
}

impl Turn {
    /// It does not begin, and takes no place.
    pub(crate) fn held(hold: Hold) -> Self {
        Self { hold: Some(hold), ..Self::default() }
    }
}

/// What the limits would say to a run that began now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitsOutlook {
    /// What it would work on.
    pub target: Option<String>,
    /// Whose end it would wait for.
    pub behind: Vec<ExecutionId>,
    /// Why it would be refused.
    pub refused: Option<String>,
}

/// An execution, its limits, and the target that they name.
struct Asking<'a> {
    execution: &'a Execution,
    phased: &'a PhasedRunbook,
    target: Option<TargetKey>,
}

/// The books with the versions that were read.
#[derive(Default)]
struct Read {
    target: Option<Versioned<Target>>,
    usage: Option<Versioned<Usage>>,
}

impl App {
    /// Whether an execution may begin, or go on, as far as its limits are concerned.
    pub(crate) async fn turn_of(&self, execution: &Execution, compiled: &Compiled) -> Result<Turn, Error> {
        if let Some(lease) = &execution.admission.lease {
            return self.turn_of_holder(lease).await;
        }
        let begins = execution.admission.at.is_none();
        let limited = compiled.phased.as_ref().filter(|phased| begins && phased.limits.binds_the_start());
        let Some(phased) = limited else { return Ok(Turn::default()) };
        match self.target_of(execution, phased).await? {
            Err(why) => Ok(Turn::held(Hold::Refused(why))),
            Ok(target) => self.ask(&Asking { execution, phased, target }).await,
        }
    }

    /// Nothing begins under a lease that is not on its target any more.
    async fn turn_of_holder(&self, lease: &TargetLease) -> Result<Turn, Error> {
        let target = self.load_target(&lease.target).await?;
        if target.is_some_and(|target| target.value.lists(lease)) {
            return Ok(Turn::default());
        }
        let (name, fence) = (&lease.target.name, lease.fence);
        let why = format!("target {name} is not held under fence {fence} any more: others may work there");
        Ok(Turn::held(Hold::Refused(why)))
    }

    /// What it works on, as it was rendered the first time; the inner error ends the execution.
    async fn target_of(
        &self,
        execution: &Execution,
        phased: &PhasedRunbook,
    ) -> Result<Result<Option<TargetKey>, String>, Error> {
        if let Some(name) = &execution.admission.target {
            return Ok(Ok(execution.target_named(name)));
        }
        if phased.limits.target.is_none() {
            return Ok(Ok(None));
        }
        let incident = match &execution.incident {
            Some(id) => Some(self.load_incident(id).await?.value),
            None => None,
        };
        let name = phased.limits.target_name(&context(execution, incident.as_ref(), &BTreeMap::new()));
        Ok(name.map(|name| name.and_then(|name| execution.target_named(&name))))
    }

    async fn ask(&self, asking: &Asking<'_>) -> Result<Turn, Error> {
        let (read, now) = (self.books(asking).await?, self.clock.now());
        let answer = asking.answer(&read, now);
        if matches!(answer, Answer::Granted(_)) {
            return Ok(asking.turn(answer, read, now));
        }
        // Nobody is kept waiting by who has ended: a restored copy may list such.
        let read = self.without_gone(asking, read, now).await?;
        Ok(asking.turn(asking.answer(&read, now), read, now))
    }

    async fn books(&self, asking: &Asking<'_>) -> Result<Read, Error> {
        let target = asking.target.as_ref().map(|key| Key::Target(key.digest()));
        let runbook = asking.execution.pinned.runbook().map(|pinned| pinned.id.clone());
        let usage = asking.phased.limits.executions_per_hour.and(runbook).map(Key::Usage);
        let keys: Vec<Key> = target.iter().chain(&usage).cloned().collect();
        let mut found = self.table.batch_get(&keys).await?;
        let target = target.and_then(|key| found.remove(&key)).map(Stored::typed).transpose()?;
        let usage = usage.and_then(|key| found.remove(&key)).map(Stored::typed).transpose()?;
        Ok(Read { target, usage })
    }

    async fn without_gone(&self, asking: &Asking<'_>, read: Read, now: Time) -> Result<Read, Error> {
        let Some(Versioned { value: mut target, version }) = read.target else { return Ok(read) };
        let others: Vec<_> = target.others(&asking.execution.id).cloned().collect();
        let keys: Vec<Key> = others.iter().map(|holder| Key::Execution(holder.execution.clone())).collect();
        let mut found = self.read_all(&keys).await?;
        for (holder, key) in others.into_iter().zip(&keys) {
            let there = found.remove(key).map(Stored::typed::<Execution>).transpose()?;
            let there = there.map(|there| there.value);
            let holds = there.as_ref().filter(|there| !there.status().is_terminal());
            if holds.and_then(Execution::own_lease).is_none_or(|lease| lease.fence != holder.fence) {
                let ended_at = there.and_then(|there| there.ended_at).unwrap_or(now);
                target = target.released(&holder.execution, ended_at);
            }
        }
        Ok(Read { target: Some(Versioned { value: target, version }), ..read })
    }

    pub(crate) async fn load_target(&self, key: &TargetKey) -> Result<Option<Versioned<Target>>, Error> {
        let stored = self.table.get(&Key::Target(key.digest())).await?;
        Ok(stored.map(Stored::typed).transpose()?)
    }

    /// The writes by which the books follow an execution: what it was granted, or that it ended and gives its lease back.
    pub(crate) async fn books_follow(
        &self,
        before: &Execution,
        after: &Execution,
        turn: &Turn,
    ) -> Result<Vec<Write>, Error> {
        if before.admission != after.admission && turn.admission.as_ref() == Some(&after.admission) {
            return Ok(turn.writes(after));
        }
        let Some(lease) = after.own_lease().filter(|_| ends(before, after)) else { return Ok(Vec::new()) };
        let held = self.load_target(&lease.target).await?.filter(|target| target.value.lists(lease));
        let released = |held: Versioned<Target>| {
            Write::replace(held.value.released(&after.id, ended_at(after)), held.version)
        };
        Ok(held.map(released).into_iter().collect())
    }

    /// Tells those who wait for the target of an execution that has ended. Should this fail, they look themselves.
    pub(crate) async fn wake_waiting(&self, ended: &Execution) {
        let Some(lease) = ended.own_lease().filter(|_| ended.status().is_terminal()) else { return };
        let waiting = match self.load_target(&lease.target).await {
            Ok(target) => target.map(|target| target.value.waiting).unwrap_or_default(),
            Err(error) => {
                tracing::warn!(execution_id = %ended.id, error = crate::error::chain(&error), "nobody is told that a target is free");
                return;
            }
        };
        for execution in waiting {
            self.nudge(&execution, ended.team.as_ref(), Duration::ZERO).await;
        }
    }

    /// Refuses, before it is stored, what its limits would refuse now. What binds is the same judgement when it begins.
    pub(crate) async fn refuse_limited(
        &self,
        execution: &Execution,
        compiled: &Compiled,
    ) -> Result<(), Error> {
        match self.turn_of(execution, compiled).await?.hold {
            Some(Hold::Refused(why)) => Err(Error::Conflict(format!("the run is refused: {why}"))),
            Some(Hold::Until(_) | Hold::GivenUp(_)) | None => Ok(()),
        }
    }

    /// What the limits would say to a run; `None` if it has none that are judged at its start.
    pub(crate) async fn limits_outlook(
        &self,
        execution: &Execution,
        compiled: &Compiled,
    ) -> Result<Option<LimitsOutlook>, Error> {
        let turn = self.turn_of(execution, compiled).await?;
        let refused = match turn.hold {
            Some(Hold::Refused(why)) => Some(why),
            Some(Hold::Until(_) | Hold::GivenUp(_)) | None => None,
        };
        if turn.admission.is_none() && refused.is_none() {
            return Ok(None);
        }
        let Admission { target, behind, .. } = turn.admission.unwrap_or_default();
        Ok(Some(LimitsOutlook { target, behind, refused }))
    }
}

impl Asking<'_> {
    fn answer(&self, read: &Read, now: Time) -> Answer {
        // Every plan of phases is a runbook's.
        let Some(runbook) = self.execution.pinned.runbook() else {
            return Answer::Granted(Granted { lease: None, books: Books::default() });
        };
        let applicant = Applicant {
            execution: &self.execution.id,
            runbook: &runbook.id,
            limits: &self.phased.limits,
            target: self.target.as_ref(),
            shares: &self.execution.admission.shares,
            resumes: !self.execution.steps.is_empty(),
            alone: self.phased.must_be_alone(),
        };
        let books = Books {
            target: read.target.as_ref().map(|target| target.value.clone()),
            usage: read.usage.as_ref().map(|usage| usage.value.clone()),
        };
        admit(&applicant, books, now)
    }

    fn turn(&self, answer: Answer, read: Read, now: Time) -> Turn {
        match answer {
            Answer::Granted(granted) => self.granted(granted, &read, now),
            Answer::Wait { holders } => self.waits(holders, read, now),
            Answer::Refused(refusal) => Turn {
                hold: Some(Hold::Refused(refusal.to_string())),
                admission: Some(self.known()),
                ..Turn::default()
            },
        }
    }

    fn granted(&self, Granted { lease, books }: Granted, read: &Read, now: Time) -> Turn {
        let of_target = read.target.as_ref().map(|target| target.version);
        let of_usage = read.usage.as_ref().map(|usage| usage.version);
        Turn {
            hold: None,
            admission: Some(Admission { at: Some(now), lease, ..self.known() }),
            target: books.target.map(|target| (target, of_target)),
            usage: books.usage.map(|usage| (usage, of_usage)),
        }
    }

    /// Whoever waits is among those that are told when somebody leaves.
    fn waits(&self, holders: Vec<ExecutionId>, read: Read, now: Time) -> Turn {
        let among = |target: Versioned<Target>| {
            Some((target.value.awaited_by(&self.execution.id)?, Some(target.version)))
        };
        let behind = holders.into_iter().take(MOST_BEHIND).collect();
        Turn {
            hold: Some(Hold::Until(now.plus(TURN_CHECK))),
            admission: Some(Admission { behind, ..self.known() }),
            target: read.target.and_then(among),
            usage: None,
        }
    }

    /// What is known of it whatever the answer is.
    fn known(&self) -> Admission {
        Admission {
            target: self.target.as_ref().map(|key| key.name.clone()),
            shares: self.execution.admission.shares.clone(),
            ..Admission::default()
        }
    }
}

impl Turn {
    /// An execution that is granted its lease and ends in the same transition gives it back in the same write.
    fn writes(&self, after: &Execution) -> Vec<Write> {
        let ended = after.status().is_terminal() && after.own_lease().is_some();
        let target = self.target.clone().map(|(target, version)| {
            let target = if ended { target.released(&after.id, ended_at(after)) } else { target };
            Write::put(target, version)
        });
        let usage = self.usage.clone().map(|(usage, version)| Write::put(usage, version));
        target.into_iter().chain(usage).collect()
    }
}

fn ends(before: &Execution, after: &Execution) -> bool {
    after.status().is_terminal() && !before.status().is_terminal()
}

fn ended_at(ended: &Execution) -> Time {
    ended.ended_at.unwrap_or(ended.created_at)
}
