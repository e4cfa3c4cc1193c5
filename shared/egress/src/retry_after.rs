//! `Retry-After` (RFC 9110, 10.2.3): seconds or a date. Whatever it says is a wish; the retry policy caps it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use muster_domain::time::Time;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that is passed on: a year, which every reader of the stored number can represent.
const LONGEST_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

/// The wait from `now` in milliseconds. A date in the past is no wait; what is neither form says nothing.
pub(crate) fn millis(headers: &HeaderMap, now: Time) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let asked =
        if text.bytes().all(|byte| byte.is_ascii_digit()) { from_seconds(text) } else { until(text, now) };
    asked.map(|millis| millis.min(LONGEST_MS))
}

fn from_seconds(digits: &str) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    // Only digits: the one way to fail is to be too large.
    Some(digits.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(1_000))
}

fn until(date: &str, now: Time) -> Option<u64> {
    let date = httpdate::parse_http_date(date).ok()?;
    let now = UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(now.millis()).ok()?))?;
    Some(whole_millis(date, now))
}

fn whole_millis(date: SystemTime, now: SystemTime) -> u64 {
    let wait = date.duration_since(now).unwrap_or(Duration::ZERO);
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    /// 1994-11-06T08:49:37Z, the date of the RFC's examples.
    const NOW: Time = Time::from_millis(784_111_777_000);

    fn read(value: &[u8]) -> Option<u64> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_bytes(value).unwrap())]);
        millis(&headers, NOW)
    }

    #[test]
    fn inv_d7_both_forms_are_read_and_clamped_and_garbage_says_nothing() {
        let cases: &[(&[u8], Option<u64>)] = &[
            (b"0", Some(0)),
            (b"120", Some(120_000)),
            (b"007", Some(7_000)),
            (b"99999999999999999999999999", Some(LONGEST_MS)),
            (b"18446744073709551615", Some(LONGEST_MS)),
            (b"Sun, 06 Nov 1994 08:50:37 GMT", Some(60_000)),
            (b"Sunday, 06-Nov-94 08:50:37 GMT", Some(60_000)),
            (b"Sun Nov  6 08:50:37 1994", Some(60_000)),
            (b"Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
            (b"Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            (b"Fri, 31 Dec 9999 23:59:59 GMT", Some(LONGEST_MS)),
            (b"", None),
            (b"-1", None),
            (b"+1", None),
            (b"1.5", None),
            (b"1e3", None),
            (b"0x10", None),
            (b"soon", None),
            (b"1, 2", None),
            (b"Sun, 99 Nov 1994 08:49:37 GMT", None),
            (b"1994-11-06T08:49:37Z", None),
            (b"\xff\xfe", None),
        ];
        for (value, expected) in cases {
            assert_eq!(read(value), *expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn no_header_says_nothing() {
        assert_eq!(millis(&HeaderMap::new(), NOW), None);
    }
}
