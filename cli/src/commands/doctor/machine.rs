//! Checks of the machine: its clock and its disk.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use muster_app::ports::Clock as _;
use muster_domain::time::Time;

use super::Finding;
use muster_app::clock::SystemClock;

/// 2026-01-01: no clock that is right shows less.
const EARLIEST: Time = Time::from_millis(1_767_225_600_000);
/// How far the table may be ahead of the clock before somebody should know.
const TOLERANCE: Duration = Duration::from_secs(60);

/// Free space below which an installation is in danger, and below which it is about to stop.
const LITTLE: u64 = 1024 * MIB;
const TOO_LITTLE: u64 = 64 * MIB;
const MIB: u64 = 1024 * 1024;

pub(super) fn check_clock(data: &Path) -> Finding {
    let last_write = fs::metadata(data.join("muster.db")).and_then(|found| found.modified()).ok();
    judge_clock(SystemClock.now(), last_write.and_then(time_of))
}

fn judge_clock(now: Time, last_write: Option<Time>) -> Finding {
    let mending = "set the clock: leases, retries and signatures depend on it";
    if now < EARLIEST {
        return Finding::broken("clock", format!("it shows {now}, which is long past"), mending);
    }
    match last_write {
        Some(written) if written.since(now) > TOLERANCE => {
            let seen = format!("it shows {now}, but the table was written at {written}");
            Finding::broken("clock", seen, mending)
        }
        Some(_) | None => Finding::fine("clock", now.to_string()),
    }
}

fn time_of(time: SystemTime) -> Option<Time> {
    let millis = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_millis();
    i64::try_from(millis).ok().map(Time::from_millis)
}

/// Free space where the data is, or will be.
pub(super) fn check_disk(data: &Path) -> Finding {
    let Some(place) = data.ancestors().find(|place| place.exists()) else {
        return Finding::doubtful("disk", "there is no directory to look at", "");
    };
    match rustix::fs::statvfs(place) {
        Ok(disk) => judge_disk(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Finding::doubtful("disk", format!("its free space is unknown: {error}"), ""),
    }
}

fn judge_disk(free: u64) -> Finding {
    let seen = format!("{} MiB free", free / MIB);
    let mending = "make room: on a full disk nothing more is accepted, and nothing is lost";
    if free < TOO_LITTLE {
        Finding::broken("disk", seen, mending)
    } else if free < LITTLE {
        Finding::doubtful("disk", seen, mending)
    } else {
        Finding::fine("disk", seen)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict::{self, Broken, Doubtful, Fine};
    use super::*;

    #[test]
    fn a_clock_behind_the_table_or_long_past_is_a_fault() {
        let now = EARLIEST.plus(Duration::from_hours(1));
        let clock = |now, written: Option<Time>| judge_clock(now, written).verdict;
        assert_eq!(clock(now, None), Fine);
        assert_eq!(clock(now, Some(now.plus(TOLERANCE))), Fine);
        assert_eq!(clock(now, Some(now.plus(TOLERANCE * 2))), Broken);
        assert_eq!(clock(Time::EPOCH, None), Broken);
    }

    #[test]
    fn a_disk_that_fills_up_is_told_before_it_is_full() {
        let disk = |mib: u64| -> Verdict { judge_disk(mib * MIB).verdict };
        assert_eq!([disk(2048), disk(1023), disk(63)], [Fine, Doubtful, Broken]);
    }

    #[test]
    fn the_disk_of_a_directory_that_is_not_there_yet_is_its_parents() {
        assert!(check_disk(Path::new("/no/such/directory")).seen.ends_with("MiB free"));
    }
}
