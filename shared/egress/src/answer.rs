//! Reads an answer: its status, its `Retry-After` and the start of its body, never more than a bound.

use muster_domain::outcome::Outcome;
use muster_domain::time::Time;
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use crate::retry_after;

/// The most of a body that is kept, in bytes.
pub(crate) const MOST_BODY: usize = 64 * 1024;

/// Reads until the end, the bound, a broken connection or the deadline. The status has come: whatever happens to the body, the
/// receiver answered. Returning drops the rest and closes the connection.
pub(crate) async fn read(mut response: Response, deadline: Instant, now: Time) -> Outcome {
    let status = response.status().as_u16();
    let retry_after_ms = retry_after::millis(response.headers(), now);
    let mut body = Body::default();
    let truncated = body.read(&mut response, deadline).await == End::Cut;
    Outcome::Answered { status, retry_after_ms, body: body.into_text(truncated), truncated }
}

#[derive(Default)]
struct Body {
    bytes: Vec<u8>,
}

/// How the reading of a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// There was more, or may have been.
    Cut,
}

impl Body {
    async fn read(&mut self, response: &mut Response, deadline: Instant) -> End {
        loop {
            match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    if self.keep(&chunk) == End::Cut {
                        return End::Cut;
                    }
                }
                Ok(Ok(None)) => return End::Whole,
                Ok(Err(_)) | Err(_) => return End::Cut,
            }
        }
    }

    fn keep(&mut self, chunk: &[u8]) -> End {
        let room = MOST_BODY.saturating_sub(self.bytes.len());
        let fitting = chunk.get(..room).unwrap_or(chunk);
        self.bytes.extend_from_slice(fitting);
        if fitting.len() < chunk.len() { End::Cut } else { End::Whole }
    }

    /// Text that a terminal and a log can show: no control characters but line ends and tabs.
    fn into_text(mut self, truncated: bool) -> String {
        if truncated {
            self.drop_split_character();
        }
        let text = String::from_utf8_lossy(&self.bytes);
        text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
    }

    /// A cut inside a character would leave a mark that hides the start of a secret from the redaction.
    fn drop_split_character(&mut self) {
        let split = self.bytes.utf8_chunks().last().map_or(0, |last| last.invalid().len());
        self.bytes.truncate(self.bytes.len() - split);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8], truncated: bool) -> String {
        Body { bytes: bytes.to_vec() }.into_text(truncated)
    }

    #[test]
    fn inv_d5_the_bound_is_exact() {
        let mut body = Body::default();
        assert_eq!(body.keep(&vec![b'a'; MOST_BODY - 1]), End::Whole);
        assert_eq!(body.keep(b"b"), End::Whole);
        assert_eq!(body.keep(b""), End::Whole);
        assert_eq!(body.keep(b"c"), End::Cut);
        assert_eq!(body.bytes.len(), MOST_BODY);
    }

    #[test]
    fn bodies_become_plain_text() {
        for (bytes, expected) in [
            (&b"plain\n\ttext"[..], "plain\n\ttext"),
            (b"a\0b\x1b[31mc\r\n\x7f", "ab[31mc\n"),
            ("é\u{85}\u{9b}x".as_bytes(), "éx"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            (b"caf\xc3", "caf\u{fffd}"),
        ] {
            assert_eq!(text(bytes, false), expected);
        }
        assert_eq!(text(b"caf\xc3", true), "caf");
        assert_eq!(text(b"caf\xc3\xa9", true), "café");
    }
}
