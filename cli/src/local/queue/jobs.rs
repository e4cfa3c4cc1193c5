//! Where every job of the process is: ready, not yet due, or in a worker's hands. Pure: the time is given.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use muster_app::job::Job;
use muster_app::ports::QueueStats;
use muster_domain::ids::TeamId;
use tokio::time::Instant;

use super::turns::Turns;

/// Every job in memory, once: two nudges for the same work are one.
#[derive(Debug)]
pub(super) struct Jobs {
    capacity: usize,
    entries: HashMap<Job, Entry>,
    ready: Turns,
    delayed: BTreeSet<(Instant, Job)>,
    given_up: u64,
}

#[derive(Debug)]
struct Entry {
    /// Whose it is.
    team: Option<TeamId>,
    place: Place,
    tries: Tries,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Ready,
    Delayed(Instant),
    /// In a worker's hands. A nudge that comes meanwhile may be about something the worker has read already, so the job
    /// runs again afterwards, at this moment.
    Active {
        again: Option<Instant>,
    },
}

/// How often a job came back without its effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tries {
    /// For whatever reason: the wait before the next delivery grows with it.
    pub(super) all: u32,
    /// Because of the job itself: enough of these and it is given up.
    pub(super) failed: u32,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Deliver { job: Job, tries: Tries },
    NotBefore(Instant),
    Nothing,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// Its effect is stored or no longer wanted.
    Done,
    /// It failed, and trying again may not help.
    Failed,
    /// What it needs is not there now, as when the disk is full: no fault of the job.
    Postponed,
    /// It failed too often, and what it was for was ended without it.
    GivenUp,
}

/// There is no room for another job.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it holds {capacity} jobs already")]
pub(super) struct Full {
    capacity: usize,
}

/// The wait before the first redelivery; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

impl Jobs {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: HashMap::new(),
            ready: Turns::default(),
            delayed: BTreeSet::new(),
            given_up: 0,
        }
    }

    /// Delivers the job at `at` or, if it is to be delivered earlier anyway, then: the receiver of an early job asks again.
    pub(super) fn nudge(
        &mut self,
        job: &Job,
        team: Option<&TeamId>,
        at: Instant,
        now: Instant,
    ) -> Result<(), Full> {
        match self.entries.get_mut(job).map(|entry| &mut entry.place) {
            Some(Place::Ready) => {}
            Some(Place::Delayed(due)) if *due <= at => {}
            Some(Place::Delayed(due)) => {
                let earlier = (*due, job.clone());
                self.delayed.remove(&earlier);
                self.place(job, at, now);
            }
            Some(Place::Active { again }) => *again = Some(again.map_or(at, |before| before.min(at))),
            None => {
                self.admit(job, team)?;
                self.place(job, at, now);
            }
        }
        Ok(())
    }

    fn admit(&mut self, job: &Job, team: Option<&TeamId>) -> Result<(), Full> {
        if self.entries.len() >= self.capacity {
            return Err(Full { capacity: self.capacity });
        }
        let entry = Entry { team: team.cloned(), place: Place::Ready, tries: Tries::default() };
        self.entries.insert(job.clone(), entry);
        Ok(())
    }

    /// Hands out the job that has been ready longest, of the team whose turn it is.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        self.promote(now);
        while let Some(job) = self.ready.take() {
            if let Some(entry) = self.entries.get_mut(&job) {
                entry.place = Place::Active { again: None };
                return Next::Deliver { job, tries: entry.tries };
            }
        }
        self.delayed.first().map_or(Next::Nothing, |(due, _)| Next::NotBefore(*due))
    }

    pub(super) fn settle(&mut self, job: &Job, settled: Settled, now: Instant) {
        let Some(entry) = self.entries.get_mut(job) else {
            return;
        };
        let Place::Active { again } = entry.place else {
            return;
        };
        self.given_up += u64::from(settled == Settled::GivenUp);
        match settled {
            Settled::Done | Settled::GivenUp => {
                entry.tries = Tries::default();
                self.repeat(job, again, now);
            }
            Settled::Failed | Settled::Postponed => {
                entry.tries.all = entry.tries.all.saturating_add(1);
                entry.tries.failed += u32::from(settled == Settled::Failed);
                let at = now + wait_before(entry.tries.all);
                self.place(job, at, now);
            }
        }
    }

    pub(super) fn holds(&self, job: &Job) -> bool {
        self.entries.contains_key(job)
    }

    pub(super) fn stats(&self, now: Instant) -> QueueStats {
        let due = self.delayed.iter().take_while(|(at, _)| *at <= now).count();
        let waiting = self.ready.len() + due;
        let delayed = self.delayed.len() - due;
        let active = self.entries.len() - waiting - delayed;
        QueueStats {
            waiting: waiting as u64,
            active: active as u64,
            delayed: delayed as u64,
            failed: self.given_up,
        }
    }

    fn repeat(&mut self, job: &Job, again: Option<Instant>, now: Instant) {
        match again {
            Some(at) => self.place(job, at, now),
            None => drop(self.entries.remove(job)),
        }
    }

    fn place(&mut self, job: &Job, at: Instant, now: Instant) {
        let Some(entry) = self.entries.get_mut(job) else {
            return;
        };
        if at <= now {
            entry.place = Place::Ready;
            self.ready.add(entry.team.as_ref(), job.clone());
        } else {
            entry.place = Place::Delayed(at);
            self.delayed.insert((at, job.clone()));
        }
    }

    fn promote(&mut self, now: Instant) {
        while self.delayed.first().is_some_and(|(due, _)| *due <= now) {
            let Some((due, job)) = self.delayed.pop_first() else {
                return;
            };
            self.place(&job, due, now);
        }
    }
}

fn wait_before(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(10);
    (FIRST_WAIT * (1 << doublings)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use muster_domain::ids::ExecutionId;
    use muster_domain::time::Time;

    use super::*;

    /// A queue for three jobs, and a clock that only the test moves.
    struct World {
        jobs: Jobs,
        start: Instant,
        now: Instant,
    }

    impl World {
        fn new() -> Self {
            let now = Instant::now();
            Self { jobs: Jobs::new(3), start: now, now }
        }

        /// Runs a script, and says what each of its words did.
        fn run(&mut self, script: &str) -> String {
            let words: Vec<String> = script.split_whitespace().map(|word| self.word(word)).collect();
            words.join(" ")
        }

        fn word(&mut self, word: &str) -> String {
            let (verb, rest) = word.split_at(1);
            match verb {
                "n" => self.nudge(rest),
                ">" => self.next(),
                "+" => {
                    self.now += seconds(rest);
                    word.to_owned()
                }
                "?" => format!("{word}{}", u8::from(self.jobs.holds(&id(rest)))),
                verb => {
                    self.settle(verb, rest);
                    word.to_owned()
                }
            }
        }

        /// `na` nudges a at once, `na5` in 5 s.
        fn nudge(&mut self, rest: &str) -> String {
            let (name, after) = rest.split_at(1);
            let at = self.now + seconds(after);
            match self.jobs.nudge(&id(name), None, at, self.now) {
                Ok(()) => format!("n{rest}"),
                Err(full) => full.to_string(),
            }
        }

        fn next(&mut self) -> String {
            match self.jobs.next(self.now) {
                Next::Deliver { job, tries } => format!(">{}{}", name(&job), tries.failed),
                Next::NotBefore(at) => format!(">@{}", (at - self.start).as_secs()),
                Next::Nothing => ">-".into(),
            }
        }

        fn settle(&mut self, verb: &str, rest: &str) {
            let settled = match verb {
                "d" => Settled::Done,
                "f" => Settled::Failed,
                "p" => Settled::Postponed,
                "g" => Settled::GivenUp,
                other => panic!("unknown word {other}"),
            };
            self.jobs.settle(&id(rest), settled, self.now);
        }
    }

    fn seconds(text: &str) -> Duration {
        Duration::from_secs(if text.is_empty() { 0 } else { text.parse().unwrap() })
    }

    fn id(name: &str) -> Job {
        let byte = name.bytes().next().unwrap();
        Job::Run { execution: ExecutionId::new(Time::EPOCH, u128::from(byte - b'a')) }
    }

    fn name(job: &Job) -> char {
        ('a'..='f').find(|name| id(&name.to_string()) == *job).unwrap()
    }

    #[track_caller]
    fn check(script: &str, expected: &str) {
        assert_eq!(World::new().run(script), expected, "{script}");
    }

    #[test]
    fn jobs_come_in_order_and_once() {
        check(">", ">-");
        check("na nb > > >", "na nb >a0 >b0 >-");
        check("na na > >", "na na >a0 >-");
        check("na > da > ?a", "na >a0 da >- ?a0");
    }

    #[test]
    fn a_nudge_while_a_job_runs_runs_it_again_afterwards() {
        check("na > na > da >", "na >a0 na >- da >a0");
        check("na > na5 na2 da >", "na >a0 na5 na2 da >@2");
        check("na > na da > da >", "na >a0 na da >a0 da >-");
    }

    #[test]
    fn a_delayed_job_is_never_early_and_an_earlier_nudge_wins() {
        check("na5 > +4 > +1 >", "na5 >@5 +4 >@5 +1 >a0");
        check("na5 na2 > +2 > da >", "na5 na2 >@2 +2 >a0 da >-");
        check("na2 na5 >", "na2 na5 >@2");
        check("na5 na > da +5 >", "na5 na >a0 da +5 >-");
        check("na na5 > da +5 >", "na na5 >a0 da +5 >-");
        check("na2 nb1 +3 > >", "na2 nb1 +3 >b0 >a0");
    }

    #[test]
    fn a_failed_job_comes_back_later_each_time_and_its_tries_are_counted() {
        check("na > fa > +1 > fa > +2 >", "na >a0 fa >@1 +1 >a1 fa >@3 +2 >a2");
        check("na > pa +1 > pa +2 >", "na >a0 pa +1 >a0 pa +2 >a0");
        check("na > fa +1 > da na >", "na >a0 fa +1 >a1 da na >a0");
        check("na > na fa >", "na >a0 na fa >@1");
    }

    #[test]
    fn the_wait_doubles_up_to_half_a_minute() {
        let waits: Vec<u64> = (1..8).map(|tries| wait_before(tries).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(wait_before(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn the_queue_holds_what_waits_is_delayed_or_runs() {
        check("?a na ?a > ?a da ?a", "?a0 na ?a1 >a0 ?a1 da ?a0");
        check("na9 ?a", "na9 ?a1");
        check("na > fa ?a", "na >a0 fa ?a1");
    }

    #[test]
    fn a_full_queue_takes_known_jobs_only() {
        check("na nb nc nd na ?d", "na nb nc it holds 3 jobs already na ?d0");
        check("na nb nc > da nd", "na nb nc >a0 da nd");
    }

    #[test]
    fn settling_what_is_not_in_hand_changes_nothing() {
        check("da fa na da >", "da fa na da >a0");
    }

    #[test]
    fn stats_count_each_job_once() {
        let mut world = World::new();
        world.run("na nb nc9 >");
        let stats = |waiting, active, delayed, failed| QueueStats { waiting, active, delayed, failed };
        assert_eq!(world.jobs.stats(world.now), stats(1, 1, 1, 0));
        world.run("+9");
        assert_eq!(world.jobs.stats(world.now), stats(2, 1, 0, 0));
        world.run("ga > >");
        assert_eq!(world.jobs.stats(world.now), stats(0, 2, 0, 1));
    }
}
