//! Senders that sign nothing and present the secret itself.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Headers, Rejected};

const AUTHORIZATION: &str = "authorization";

pub(super) fn bearer(secrets: &[&[u8]], headers: &Headers<'_>) -> Result<(), Rejected> {
    let token = credentials(headers, "bearer")?;
    matches_any(token.as_bytes(), secrets.iter().map(|secret| secret.to_vec()))
}

pub(super) fn basic(username: &str, secrets: &[&[u8]], headers: &Headers<'_>) -> Result<(), Rejected> {
    let encoded = credentials(headers, "basic")?;
    let malformed = |_| Rejected::Malformed { header: AUTHORIZATION.to_owned() };
    let given = BASE64_STANDARD.decode(encoded).map_err(malformed)?;
    matches_any(&given, secrets.iter().map(|secret| [username.as_bytes(), b":", secret].concat()))
}

pub(super) fn header(name: &str, secrets: &[&[u8]], headers: &Headers<'_>) -> Result<(), Rejected> {
    matches_any(headers.single(name)?.as_bytes(), secrets.iter().map(|secret| secret.to_vec()))
}

/// What follows the scheme's name in `Authorization`.
fn credentials<'a>(headers: &Headers<'a>, scheme: &str) -> Result<&'a str, Rejected> {
    let malformed = || Rejected::Malformed { header: AUTHORIZATION.to_owned() };
    let (given, credentials) = headers.single(AUTHORIZATION)?.split_once(' ').ok_or_else(malformed)?;
    if given.eq_ignore_ascii_case(scheme) { Ok(credentials.trim_start()) } else { Err(malformed()) }
}

/// Digests are compared, so that the time tells nothing about the secret's length either.
fn matches_any(given: &[u8], mut expected: impl Iterator<Item = Vec<u8>>) -> Result<(), Rejected> {
    let given = Sha256::digest(given);
    let equal = |secret: Vec<u8>| bool::from(Sha256::digest(&secret).ct_eq(&given));
    if expected.any(equal) { Ok(()) } else { Err(Rejected::Mismatch) }
}
