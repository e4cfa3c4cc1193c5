//! The signature of Standard Webhooks (<https://www.standardwebhooks.com>), symmetric form: HMAC-SHA256 in base64 after `v1,`.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use secrecy::zeroize::Zeroizing;
use sha2::Sha256;

/// Signs `content`, which is `id.timestamp.body`. A key that starts with `whsec_` is base64 after it; any other is its own bytes.
pub(crate) fn sign(key: &str, content: &str) -> Result<String, InvalidKey> {
    let key = key_bytes(key)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| InvalidKey("is no key for HMAC"))?;
    mac.update(content.as_bytes());
    Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

/// Why a secret signs nothing, without the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidKey(pub(crate) &'static str);

fn key_bytes(key: &str) -> Result<Zeroizing<Vec<u8>>, InvalidKey> {
    let bytes = match key.strip_prefix("whsec_") {
        Some(encoded) => {
            BASE64_STANDARD.decode(encoded).map_err(|_| InvalidKey("has `whsec_` and then no base64"))?
        }
        None => key.as_bytes().to_vec(),
    };
    Some(Zeroizing::new(bytes)).filter(|bytes| !bytes.is_empty()).ok_or(InvalidKey("is an empty key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vectors_hold() {
        let content = r#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        let published = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", content).as_deref(), Ok(published));
        // RFC 4231, test case 2, whose key and content are text.
        let hmac = "v1,W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        let encoded = format!("whsec_{}", BASE64_STANDARD.encode("Jefe"));
        for key in ["Jefe", &encoded] {
            assert_eq!(sign(key, "what do ya want for nothing?").as_deref(), Ok(hmac), "{key}");
        }
    }

    #[test]
    fn keys_that_are_no_keys_are_refused() {
        for (key, why) in [
            ("", "is an empty key"),
            ("whsec_", "is an empty key"),
            ("whsec_not base64!", "has `whsec_` and then no base64"),
            ("whsec_abc", "has `whsec_` and then no base64"),
        ] {
            assert_eq!(sign(key, "x"), Err(InvalidKey(why)), "{key:?}");
        }
    }
}
