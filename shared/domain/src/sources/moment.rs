//! The ways in which senders write a moment.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::time::Time;

/// Reads RFC 3339 (`+0000` too), RFC 2822 (AWS Health), and seconds, milliseconds, microseconds or nanoseconds since the epoch.
///
/// Nothing before the epoch or after the year 9999 is a moment: `0001-01-01T00:00:00Z` is how Go writes an absent one.
pub(super) fn parse(text: &str) -> Option<Time> {
    let millis = match text.parse::<i64>() {
        Ok(number) => millis_of(number),
        Err(_) => written(text)?.as_millisecond(),
    };
    let known = millis > 0 && Timestamp::from_millisecond(millis).is_ok();
    known.then(|| Time::from_millis(millis))
}

fn written(text: &str) -> Option<Timestamp> {
    const RFC_2822: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new();
    text.parse().ok().or_else(|| RFC_2822.parse_timestamp(text).ok())
}

/// The unit follows from the size: each holds the moments from 1973 until the year 5138.
const fn millis_of(number: i64) -> i64 {
    match number {
        i64::MIN..100_000_000_000 => number.saturating_mul(1_000),
        100_000_000_000..100_000_000_000_000 => number,
        100_000_000_000_000..100_000_000_000_000_000 => number / 1_000,
        100_000_000_000_000_000.. => number / 1_000_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form_that_senders_use() {
        let noon = Some(1_772_366_400_000);
        for (text, expected) in [
            ("2026-03-01T12:00:00Z", noon),
            ("2026-03-01T12:00:00.000+0000", noon),
            ("2026-03-01T13:00:00.000+01:00", noon),
            ("2026-03-01T12:00:00.123456789Z", Some(1_772_366_400_123)),
            ("Sun, 01 Mar 2026 12:00:00 GMT", noon),
            ("1772366400", noon),
            ("1772366400000", noon),
            ("1772366400000000", noon),
            ("1772366400000000101", noon),
            ("0001-01-01T00:00:00Z", None),
            ("1969-12-31T23:59:59Z", None),
            ("0", None),
            ("-1772366400", None),
            ("9223372036854775807", Some(9_223_372_036_854)),
            ("-9223372036854775808", None),
            ("92233720368547758070", None),
            ("2026-03-01", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(Time::millis), expected, "{text}");
        }
    }
}
