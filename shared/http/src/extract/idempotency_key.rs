//! The `Idempotency-Key` of a POST.

use http::HeaderMap;

use crate::problem::{InputError, Problem};

const HEADER: &str = "Idempotency-Key";
const MAX_BYTES: usize = 255;

/// The key, if there is one: 1 to 255 printable ASCII characters.
pub(crate) fn of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(HEADER).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(refused("is given more than once"));
    }
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > MAX_BYTES || key.contains('\t') {
        return Err(refused("must have 1 to 255 printable ASCII characters"));
    }
    Ok(Some(key.to_owned()))
}

fn refused(message: &str) -> Problem {
    Problem::invalid(vec![InputError::in_header(HEADER, message)])
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(keys: &[&[u8]], expected: Result<Option<&str>, ()>) {
        let mut headers = HeaderMap::new();
        for key in keys {
            headers.append(HEADER, HeaderValue::from_bytes(key).expect("a header value"));
        }
        let seen = of(&headers).map_err(|_| ());
        assert_eq!(seen.as_ref().map(Option::as_deref), expected.as_ref().map(|key| *key), "{keys:?}");
    }

    #[test]
    fn a_key_is_one_printable_text() {
        check(&[], Ok(None));
        check(&[b"a b~!"], Ok(Some("a b~!")));
        check(&["k".repeat(255).as_bytes()], Ok(Some(&"k".repeat(255))));
        check(&["k".repeat(256).as_bytes()], Err(()));
        check(&[b""], Err(()));
        check(&[b"a\tb"], Err(()));
        check(&["é".as_bytes()], Err(()));
        check(&[b"a", b"a"], Err(()));
    }
}
