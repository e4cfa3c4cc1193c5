//! What the installation signs with a key of its own, so that it knows it again.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A key has at least the length of the digest (RFC 2104, 3).
pub const LEAST_KEY_BYTES: usize = 32;

/// `purpose` keeps what is signed apart from anything else that the key signs; it holds no line end. `None`: the key is too short.
pub(crate) fn mac(key: &[u8], purpose: &str, signed: &str) -> Option<Hmac<Sha256>> {
    if key.len() < LEAST_KEY_BYTES {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(purpose.as_bytes());
    mac.update(b"\n");
    mac.update(signed.as_bytes());
    Some(mac)
}
