//! The buttons by which people answer a gate in a message: what each stands for, signed, so that whoever may post messages in
//! Muster's name cannot make one of their own.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::Mac;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{ExecutionId, StepId, TeamId};
use crate::keyed;

/// What somebody answers who presses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Button {
    /// Whose settings say who presses it.
    pub team: TeamId,
    pub execution: ExecutionId,
    pub step: StepId,
    pub round: u32,
    /// The digest of what the message shows.
    pub digest: Digest,
}

const PURPOSE: &str = "muster button 1";

impl Button {
    /// Its value in the message: `<content>.<signature>`, both base64. `None`: the key is too short.
    pub fn value(&self, key: &[u8]) -> Option<String> {
        let content = BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).ok()?);
        let signature = keyed::mac(key, PURPOSE, &content)?.finalize().into_bytes();
        Some(format!("{content}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The button with this value, if it was made with this key.
    pub fn of_value(key: &[u8], value: &str) -> Option<Self> {
        let (content, signature) = value.split_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        keyed::mac(key, PURPOSE, content)?.verify_slice(&signature).ok()?;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(content).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

    fn button() -> Button {
        Button {
            team: "ops".parse().unwrap(),
            execution: "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0".parse().unwrap(),
            step: "ask".parse().unwrap(),
            round: 2,
            digest: Digest::of_bytes(b"what runs"),
        }
    }

    #[test]
    fn inv_c4_a_button_is_known_again_and_no_other_is() {
        let value = button().value(KEY).unwrap();
        assert!(value.len() < 2_000, "Slack takes no longer value");
        assert_eq!(Button::of_value(KEY, &value), Some(button()));
        let other = Button { round: 3, ..button() }.value(KEY).unwrap();
        let (content, signature) = (other.split_once('.').unwrap().0, value.split_once('.').unwrap().1);
        for wrong in
            [String::new(), ".".into(), content.into(), format!("{content}.{signature}"), format!("{value}A")]
        {
            assert_eq!(Button::of_value(KEY, &wrong), None, "{wrong}");
        }
        assert_eq!(Button::of_value(b"another key, as long as the other", &value), None);
        assert_eq!(button().value(b"short"), None);
    }

    #[test]
    fn a_button_is_frozen_so_that_messages_outlive_a_new_version() {
        insta::assert_snapshot!(button().value(KEY).unwrap());
    }
}
