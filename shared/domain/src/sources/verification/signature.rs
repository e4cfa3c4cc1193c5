//! HMAC-SHA256 over a prefix and the raw body.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Rejected, Verified};
use crate::digest::Digest;

/// The bytes that a sender signs.
pub(super) struct Signed<'a> {
    pub(super) prefix: &'a str,
    pub(super) body: &'a [u8],
}

/// How a signature is written in its header.
#[derive(Clone, Copy)]
pub(super) enum Writing {
    Hex,
    Base64,
}

impl Signed<'_> {
    /// Whether any of the keys made any of the tokens. A token that cannot be read is as good as a wrong one.
    pub(super) fn check<'t>(
        &self,
        keys: &[&[u8]],
        tokens: impl Iterator<Item = &'t str>,
        writing: Writing,
    ) -> Result<Verified, Rejected> {
        let given: Vec<Vec<u8>> = tokens.filter_map(|token| writing.read(token)).collect();
        let made_any = |key: &&[u8]| self.mac(key).is_some_and(|mac| matches_any(&mac, &given));
        if keys.iter().any(made_any) { Ok(self.verified()) } else { Err(Rejected::Mismatch) }
    }

    fn mac(&self, key: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
        mac.update(self.prefix.as_bytes());
        mac.update(self.body);
        Some(mac)
    }

    /// A replay repeats what was signed, so a digest of that is its key.
    fn verified(&self) -> Verified {
        let signed = [self.prefix.as_bytes(), self.body].concat();
        Verified { replay_key: format!("sha256:{}", Digest::of_bytes(&signed)) }
    }
}

fn matches_any(mac: &Hmac<Sha256>, given: &[Vec<u8>]) -> bool {
    given.iter().any(|token| mac.clone().verify_slice(token).is_ok())
}

impl Writing {
    fn read(self, token: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => bytes_of_hex(token),
            Self::Base64 => BASE64_STANDARD.decode(token).ok(),
        }
    }
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// The keys of Standard Webhooks: base64 after `whsec_`, and otherwise the bytes themselves, as we sign with them too.
///
/// A key that cannot be read is passed over while another can be.
pub(super) fn decoded_keys(secrets: &[&[u8]]) -> Result<Vec<Vec<u8>>, Rejected> {
    let keys: Vec<Vec<u8>> = secrets.iter().filter_map(|secret| decoded_key(secret)).collect();
    if keys.is_empty() { Err(Rejected::NoSecret) } else { Ok(keys) }
}

fn decoded_key(secret: &[u8]) -> Option<Vec<u8>> {
    let key = match secret.strip_prefix(b"whsec_") {
        Some(encoded) => BASE64_STANDARD.decode(encoded).ok()?,
        None => secret.to_vec(),
    };
    Some(key).filter(|key| !key.is_empty())
}
