//! What became of one attempt, and what follows from it. The retry table of the product is `judge`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Meaning};
use crate::digest::Digest;

/// What is known about one attempt after it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// Nothing left this machine: no address, no connection, no TLS session, no secret. Safe to repeat.
    Unsent { reason: String },
    /// Muster itself declined to send: the egress policy, an invalid header or URL. Repeating cannot help.
    Refused { reason: String },
    /// The receiver answered.
    Answered {
        status: u16,
        /// The receiver's `Retry-After`, in milliseconds, not yet clamped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
        /// The start of the body, capped and redacted.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        body: String,
        /// Whether the body was longer than what was kept.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        truncated: bool,
    },
    /// Bytes may have reached the receiver and nobody can know what it did: a timeout, a reset, a crash of ours.
    Unknown { reason: String },
}

/// How often and how patiently a step is attempted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// The wait before the second attempt; it doubles with each further one.
    pub base_delay_ms: u64,
    /// The longest wait a receiver may ask for with `Retry-After`.
    pub retry_after_cap_ms: u64,
}

impl Default for RetryPolicy {
    /// Three attempts, 1 s and 2 s apart, `Retry-After` up to a minute (B5).
    fn default() -> Self {
        Self { max_attempts: 3, base_delay_ms: 1_000, retry_after_cap_ms: 60_000 }
    }
}

/// What follows from an attempt's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Succeeded,
    /// Send again after this wait.
    Retry(Duration),
    Failed(String),
    /// Nobody can know whether it happened, and the step may not be sent twice: a person decides.
    Review(String),
}

/// The facts about a step that decide between repeating and stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// Attempts made so far, this one included, since the step began or a person sent it again.
    pub made: u32,
    pub idempotent: bool,
    pub policy: RetryPolicy,
    /// How an answer is read.
    pub answer: Answer,
}

/// The retry table (B5): status classes and failures to what follows.
///
/// `seed` spreads the wait of simultaneous failures; the same attempt always waits the same.
pub fn judge(outcome: &Outcome, attempts: Attempts, seed: &Digest) -> Verdict {
    match outcome {
        Outcome::Refused { reason } => Verdict::Failed(reason.clone()),
        Outcome::Unsent { reason } => retry_or_fail(attempts, None, seed, reason),
        Outcome::Unknown { reason } => repeat_if_idempotent(attempts, None, seed, reason),
        Outcome::Answered { status, retry_after_ms, body, .. } => match attempts.answer.read(*status, body) {
            Meaning::AsStatus => judge_status(*status, *retry_after_ms, attempts, seed),
            Meaning::Succeeded => Verdict::Succeeded,
            Meaning::NotTaken(said) => retry_or_fail(attempts, *retry_after_ms, seed, &said),
            Meaning::Unclear(said) => repeat_if_idempotent(attempts, *retry_after_ms, seed, &said),
            Meaning::Failed(said) => Verdict::Failed(said),
        },
    }
}

fn judge_status(status: u16, retry_after_ms: Option<u64>, attempts: Attempts, seed: &Digest) -> Verdict {
    let answer = format!("the receiver answered {status}");
    match status {
        200..=299 => Verdict::Succeeded,
        // The receiver says that it did not take the request.
        425 | 429 => retry_or_fail(attempts, retry_after_ms, seed, &answer),
        // The receiver, or a proxy before it, gave up: it may have acted all the same.
        408 | 500..=599 => repeat_if_idempotent(attempts, retry_after_ms, seed, &answer),
        300..=399 => Verdict::Failed(format!("{answer}: redirects are not followed")),
        _ => Verdict::Failed(answer),
    }
}

fn repeat_if_idempotent(
    attempts: Attempts,
    retry_after_ms: Option<u64>,
    seed: &Digest,
    reason: &str,
) -> Verdict {
    if attempts.idempotent {
        retry_or_fail(attempts, retry_after_ms, seed, reason)
    } else {
        Verdict::Review(format!("{reason}, and the step is not idempotent: whether it happened is unknown"))
    }
}

/// Another attempt if there is one left, within what the receiver asks for.
pub fn retry_or_fail(
    attempts: Attempts,
    retry_after_ms: Option<u64>,
    seed: &Digest,
    reason: &str,
) -> Verdict {
    if attempts.made >= attempts.policy.max_attempts {
        let times = if attempts.made == 1 { "attempt" } else { "attempts" };
        return Verdict::Failed(format!("{reason} after {} {times}", attempts.made));
    }
    let asked = retry_after_ms.unwrap_or(0).min(attempts.policy.retry_after_cap_ms);
    let own = backoff_ms(attempts.policy.base_delay_ms, attempts.made, seed);
    Verdict::Retry(Duration::from_millis(own.max(asked)))
}

/// The base delay doubled with each attempt made, and up to a quarter more by the seed: never shorter than promised.
fn backoff_ms(base_ms: u64, made: u32, seed: &Digest) -> u64 {
    let doubled = base_ms.saturating_mul(1_u64 << made.saturating_sub(1).min(16));
    let [first, second, ..] = *seed.as_bytes();
    let spread = u64::from(u16::from_be_bytes([first, second]));
    doubled.saturating_add(doubled.saturating_mul(spread) / (4 * 65_536))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempts(made: u32, idempotent: bool) -> Attempts {
        Attempts { made, idempotent, policy: RetryPolicy::default(), answer: Answer::Status }
    }

    fn answered(status: u16, retry_after_ms: Option<u64>) -> Outcome {
        Outcome::Answered { status, retry_after_ms, body: String::new(), truncated: false }
    }

    fn verdict(outcome: &Outcome, attempts: Attempts) -> String {
        match judge(outcome, attempts, &Digest::of_bytes(b"x")) {
            Verdict::Succeeded => "succeeded".into(),
            Verdict::Retry(wait) => format!("retry {}s", wait.as_secs()),
            Verdict::Failed(_) => "failed".into(),
            Verdict::Review(_) => "review".into(),
        }
    }

    #[test]
    fn the_retry_table() {
        for (status, first, third, not_idempotent) in [
            (200, "succeeded", "succeeded", "succeeded"),
            (204, "succeeded", "succeeded", "succeeded"),
            (301, "failed", "failed", "failed"),
            (400, "failed", "failed", "failed"),
            (404, "failed", "failed", "failed"),
            (408, "retry 1s", "failed", "review"),
            (425, "retry 1s", "failed", "retry 1s"),
            (429, "retry 1s", "failed", "retry 1s"),
            (500, "retry 1s", "failed", "review"),
            (503, "retry 1s", "failed", "review"),
        ] {
            let outcome = answered(status, None);
            let seen = [attempts(1, true), attempts(3, true), attempts(1, false)]
                .map(|made| verdict(&outcome, made));
            assert_eq!(seen, [first, third, not_idempotent], "{status}");
        }
    }

    #[test]
    fn inv_b3_only_an_unknown_outcome_of_a_step_that_is_not_idempotent_needs_a_person() {
        let unknown = Outcome::Unknown { reason: "reset".into() };
        let unsent = Outcome::Unsent { reason: "refused".into() };
        assert_eq!(verdict(&unknown, attempts(1, true)), "retry 1s");
        assert_eq!(verdict(&unknown, attempts(1, false)), "review");
        assert_eq!(verdict(&unsent, attempts(1, false)), "retry 1s");
    }

    #[test]
    fn inv_d7_retry_after_is_honoured_within_its_cap() {
        assert_eq!(verdict(&answered(429, Some(7_000)), attempts(1, true)), "retry 7s");
        assert_eq!(verdict(&answered(429, Some(u64::MAX)), attempts(1, true)), "retry 60s");
    }

    #[test]
    fn the_wait_doubles_and_is_never_shorter_than_promised() {
        for (made, least, most) in [(1, 1_000, 1_250), (2, 2_000, 2_500), (3, 4_000, 5_000)] {
            for seed in 0..100_u8 {
                let wait = backoff_ms(1_000, made, &Digest::of_bytes(&[seed]));
                assert!((least..most).contains(&wait), "{made}: {wait}");
            }
        }
    }
}
