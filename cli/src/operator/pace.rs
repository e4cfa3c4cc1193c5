//! How long a command waits: between tries of a call, and between looks at an execution.

use std::time::Duration;

/// Pauses. A test takes its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// After the first failure of a call; it doubles with each further one.
    pub(crate) retry: Duration,
    /// After a look at an execution that showed something new.
    pub(crate) look: Duration,
    /// The longest between two looks, which the pause doubles towards while nothing happens.
    pub(crate) longest_look: Duration,
}

impl Pace {
    pub(crate) const OF_PEOPLE: Self = Self {
        retry: Duration::from_millis(250),
        look: Duration::from_millis(250),
        longest_look: Duration::from_secs(2),
    };

    /// The pause between looks, after the last one of `before` and a look that showed `news` events.
    pub(crate) fn next_look(&self, before: Duration, news: usize) -> Duration {
        if news > 0 { self.look } else { before.saturating_mul(2).min(self.longest_look) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_while_nothing_happens_and_starts_anew_with_news() {
        let pace = Pace::OF_PEOPLE;
        let mut pauses = vec![pace.look];
        for _ in 0..4 {
            pauses.push(pace.next_look(pauses[pauses.len() - 1], 0));
        }
        let millis: Vec<u128> = pauses.iter().map(Duration::as_millis).collect();
        assert_eq!(millis, [250, 500, 1_000, 2_000, 2_000]);
        assert_eq!(pace.next_look(pace.longest_look, 1), pace.look);
    }
}
