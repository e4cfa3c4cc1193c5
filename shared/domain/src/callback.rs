//! The token by which the receiver of a call proves that it is the one that was called: made of a key of the installation, and
//! kept nowhere, since it can be made again.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::execution::idempotency_key;
use crate::ids::{ExecutionId, StepId};
use crate::keyed;

/// So that a token that was published by mistake is known for what it is.
const PREFIX: &str = "mcb_";
const PURPOSE: &str = "muster callback 1";

/// The token of a step: the same for each of its attempts, and of no other step or execution. `None`: the key is too short.
pub fn token(key: &[u8], execution: &ExecutionId, step: &StepId) -> Option<String> {
    let made = mac(key, execution, step)?.finalize().into_bytes();
    Some(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(made)))
}

/// Whether the token was made with this key for this step. Takes the same time wherever a wrong one differs.
pub fn is_token(key: &[u8], execution: &ExecutionId, step: &StepId, presented: &str) -> bool {
    let bytes = presented.strip_prefix(PREFIX).and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
    let made = bytes.and_then(|bytes| Some(mac(key, execution, step)?.verify_slice(&bytes)));
    made.is_some_and(|verified| verified.is_ok())
}

/// No part can hold a line end, so that no two lists of parts are signed alike.
fn mac(key: &[u8], execution: &ExecutionId, step: &StepId) -> Option<Hmac<Sha256>> {
    keyed::mac(key, PURPOSE, &format!("{execution}\n{step}\n{}", idempotency_key(execution, step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

    fn execution(last: char) -> ExecutionId {
        format!("ex_01J9Z3W2B4C6D8E0F2G4H6J8K{last}").parse().expect("an id")
    }

    fn step(text: &str) -> StepId {
        text.parse().expect("an id")
    }

    #[test]
    fn a_token_is_frozen_so_that_calls_on_their_way_outlive_a_new_version() {
        let made = token(KEY, &execution('0'), &step("drain")).expect("a token");
        assert_eq!(made, "mcb_Vk7DWR6YbIvttZL3QM2XU-JnWf-36DTie3JqUAiFdoQ");
        assert!(is_token(KEY, &execution('0'), &step("drain"), &made));
    }

    #[test]
    fn a_token_is_of_one_step_of_one_execution_under_one_key() {
        let made = token(KEY, &execution('0'), &step("drain")).expect("a token");
        let taken = |key: &[u8], last, text: &str, presented: &str| {
            is_token(key, &execution(last), &step(text), presented)
        };
        assert!(taken(KEY, '0', "drain", &made));
        assert!(!taken(KEY, '1', "drain", &made));
        assert!(!taken(KEY, '0', "drain.undo", &made));
        assert!(!taken(b"another key another key another k", '0', "drain", &made));
        for wrong in
            ["", "mcb_", "mcb_AAAA", "mcb_%", &made[4..], &made[..made.len() - 1], &format!("{made}A")]
        {
            assert!(!taken(KEY, '0', "drain", wrong), "{wrong}");
        }
    }

    #[test]
    fn a_short_key_makes_and_takes_nothing() {
        assert_eq!(token(&KEY[1..], &execution('0'), &step("drain")), None);
        assert!(!is_token(b"", &execution('0'), &step("drain"), "mcb_"));
    }
}
