//! How often and how patiently a call is repeated.

use std::time::Duration;

/// Calls made in all, the first included.
pub(super) const MAX_TRIES: u32 = 4;
/// The longest pause that a server's `Retry-After` is honoured for: a person waits.
const CAP: Duration = Duration::from_secs(10);

/// The pause after a number of failed tries, which begins with `base` and doubles; `None` once there were enough.
/// `spread` parts those who failed together.
pub(super) fn pause(
    base: Duration,
    tries: u32,
    retry_after: Option<Duration>,
    spread: u8,
) -> Option<Duration> {
    if tries >= MAX_TRIES {
        return None;
    }
    let doubled = base.saturating_mul(1 << tries.saturating_sub(1));
    let spread = doubled.saturating_mul(u32::from(spread)) / 1_024;
    let asked = retry_after.unwrap_or_default();
    Some(doubled.saturating_add(spread).max(asked).min(CAP))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(250);

    fn millis(tries: u32, retry_after: Option<u64>) -> Option<u128> {
        let wait = pause(BASE, tries, retry_after.map(Duration::from_secs), 0);
        wait.map(|wait| wait.as_millis())
    }

    #[test]
    fn the_pause_doubles_honours_the_server_within_a_cap_and_ends() {
        assert_eq!(millis(1, None), Some(250));
        assert_eq!(millis(2, None), Some(500));
        assert_eq!(millis(3, None), Some(1_000));
        assert_eq!(millis(4, None), None);
        assert_eq!(millis(1, Some(3)), Some(3_000));
        assert_eq!(millis(1, Some(u64::MAX)), Some(10_000));
        assert_eq!(millis(4, Some(1)), None);
    }

    #[test]
    fn the_spread_adds_at_most_a_quarter() {
        for spread in 0..=u8::MAX {
            let wait = pause(BASE, 1, None, spread).expect("the first failure is repeated");
            assert!((250..313).contains(&wait.as_millis()), "{wait:?}");
        }
    }
}
