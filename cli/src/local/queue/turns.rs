//! What is ready, in turns: one job of each team that waits, then the next of each. So a team with much work does not hold up
//! the others (INVARIANTS H1).

use std::collections::{HashMap, VecDeque};

use muster_app::job::Job;
use muster_domain::ids::TeamId;

#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Who waits, the next one first; what belongs to no team waits as that of one more.
    teams: VecDeque<Option<TeamId>>,
    /// What each of them waits for, oldest first; never empty.
    jobs: HashMap<Option<TeamId>, VecDeque<Job>>,
    len: usize,
}

impl Turns {
    pub(super) fn add(&mut self, team: Option<&TeamId>, job: Job) {
        let team = team.cloned();
        let jobs = self.jobs.entry(team.clone()).or_default();
        if jobs.is_empty() {
            self.teams.push_back(team);
        }
        jobs.push_back(job);
        self.len += 1;
    }

    /// The oldest job of the team whose turn it is.
    pub(super) fn take(&mut self) -> Option<Job> {
        let team = self.teams.pop_front()?;
        let jobs = self.jobs.get_mut(&team)?;
        let job = jobs.pop_front()?;
        self.len -= 1;
        if jobs.is_empty() {
            self.jobs.remove(&team);
        } else {
            self.teams.push_back(team);
        }
        Some(job)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use muster_domain::ids::ExecutionId;
    use muster_domain::time::Time;

    use super::*;

    fn job(number: u32) -> Job {
        Job::Run { execution: ExecutionId::new(Time::EPOCH, number.into()) }
    }

    fn team(name: &str) -> Option<TeamId> {
        (name != "-").then(|| name.parse().unwrap())
    }

    /// Adds `a1` as job 1 of team a; `-` is no team. Gives the order in which they are handed out.
    #[track_caller]
    fn check(added: &str, expected: &str) {
        let mut turns = Turns::default();
        let mut names = HashMap::new();
        for (number, word) in (0..).zip(added.split(' ')) {
            turns.add(team(&word[..1]).as_ref(), job(number));
            names.insert(job(number), word);
        }
        assert_eq!(turns.len(), names.len());
        let order: Vec<&str> = std::iter::from_fn(|| turns.take()).map(|job| names[&job]).collect();
        assert_eq!((order.join(" ").as_str(), turns.len()), (expected, 0), "{added}");
    }

    #[test]
    fn teams_take_turns_and_the_jobs_of_one_keep_their_order() {
        check("a1 a2 a3", "a1 a2 a3");
        check("a1 a2 a3 b1", "a1 b1 a2 a3");
        check("a1 a2 a3 b1 b2 c1", "a1 b1 c1 a2 b2 a3");
        check("-1 -2 -3 a1", "-1 a1 -2 -3");
    }

    #[test]
    fn a_team_that_comes_back_stands_at_the_end() {
        let mut turns = Turns::default();
        let (a, b) = (team("a"), team("b"));
        turns.add(a.as_ref(), job(1));
        assert_eq!(turns.take(), Some(job(1)));
        turns.add(b.as_ref(), job(2));
        turns.add(a.as_ref(), job(3));
        assert_eq!([turns.take(), turns.take(), turns.take()], [Some(job(2)), Some(job(3)), None]);
    }

    const QUIET_TEAMS: u32 = 9;
    /// More than ten teams ask for, and a tenth of what one asks for that has a hundred times as much.
    const HANDED_OUT_A_TICK: u32 = 11;
    const TICKS: u32 = 300;

    /// The 95th percentile of how long jobs of the other teams wait, counted in hand-outs, while one team adds `load` jobs before
    /// each of theirs. `share` says whose turn a team waits for.
    fn wait_of_others(load: u32, share: fn(u32) -> Option<TeamId>) -> u32 {
        let mut turns = Turns::default();
        let mut quiet: HashMap<Job, u32> = HashMap::new();
        let mut waits = Vec::new();
        let mut jobs = (0..).map(job);
        for tick in 0..TICKS {
            let now = tick * HANDED_OUT_A_TICK;
            for one in jobs.by_ref().take(load as usize) {
                turns.add(share(0).as_ref(), one);
            }
            for (of, one) in (1..=QUIET_TEAMS).zip(jobs.by_ref()) {
                turns.add(share(of).as_ref(), one.clone());
                quiet.insert(one, now);
            }
            for handed_out in now..now + HANDED_OUT_A_TICK {
                let added = turns.take().and_then(|one| quiet.remove(&one));
                waits.extend(added.map(|added| handed_out - added));
            }
        }
        let still_wait = quiet.values().map(|added| TICKS * HANDED_OUT_A_TICK - added);
        waits.extend(still_wait);
        waits.sort_unstable();
        waits[waits.len() * 95 / 100]
    }

    #[test]
    fn inv_h1_one_team_with_a_hundred_times_the_load_at_most_doubles_the_wait_of_the_others() {
        let of_its_own = |number: u32| team(&format!("team-{number}"));
        let (usual, stormy) = (wait_of_others(1, of_its_own), wait_of_others(100, of_its_own));
        assert!(stormy <= 2 * usual, "{stormy} after {usual}");
        // In one line they would stand behind everything.
        let in_one_line = wait_of_others(100, |_| None);
        assert!(in_one_line > 100 * usual, "{in_one_line} after {usual}");
    }
}
