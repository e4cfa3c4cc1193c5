//! Takes the secrets of a call out of what the call brings back. A receiver may echo what it was sent.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use muster_domain::outcome::Outcome;
use muster_domain::request::{RenderedRequest, WebhookAuth};
use secrecy::zeroize::Zeroizing;
use url::Url;

use crate::answer::MOST_BODY;
use crate::credentials::Credentials;
use crate::headers;

const REDACTED: &str = "[redacted]";

/// Knows the forms in which a secret of this call may come back: as it is, in base64 alone or within the token of basic auth,
/// and escaped as JSON, URLs, forms and HTML do.
pub(crate) struct Redactor {
    forms: Vec<Zeroizing<String>>,
}

impl Redactor {
    pub(crate) fn new(request: &RenderedRequest, credentials: &Credentials) -> Self {
        let mut forms: Vec<_> = credentials.exposed().flat_map(forms_of).collect();
        if let Some(pair) = basic_pair(request, credentials) {
            forms.extend(forms_of(&pair));
        }
        if let Some(url) = request.url.secret().and_then(|url| credentials.expose(url).ok()) {
            forms.extend(parts_of_url(url).iter().flat_map(|part| forms_of(part)));
        }
        Self::of(forms)
    }

    /// The same, for a secret more: the token that the call takes along.
    pub(crate) fn and(self, secret: Option<&str>) -> Self {
        Self::of(self.forms.into_iter().chain(secret.into_iter().flat_map(forms_of)).collect())
    }

    fn of(mut forms: Vec<Zeroizing<String>>) -> Self {
        forms.retain(|form| !form.is_empty());
        // Most secrets need no escaping and have few distinct forms.
        forms.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        forms.dedup_by(|one, other| one.as_str() == other.as_str());
        Self { forms }
    }

    /// The only way out for an outcome: every text in it passes here.
    pub(crate) fn outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Unsent { reason } => Outcome::Unsent { reason: self.whole(&reason) },
            Outcome::Refused { reason } => Outcome::Refused { reason: self.whole(&reason) },
            Outcome::Unknown { reason } => Outcome::Unknown { reason: self.whole(&reason) },
            Outcome::Answered { status, retry_after_ms, body, truncated } => {
                let secrets = if truncated { self.spans_in_beginning(&body) } else { self.spans(&body) };
                let body = without(&body, &merged(secrets));
                let (body, capped) = cap(body);
                Outcome::Answered { status, retry_after_ms, body, truncated: truncated || capped }
            }
        }
    }

    fn whole(&self, text: &str) -> String {
        without(text, &merged(self.spans(text)))
    }

    fn spans(&self, text: &str) -> Vec<Span> {
        let forms = self.forms.iter();
        forms.flat_map(|form| occurrences(text, form)).collect()
    }

    /// A text that was cut may also end in the start of a secret.
    fn spans_in_beginning(&self, text: &str) -> Vec<Span> {
        let mut spans = self.spans(text);
        let starts = self.forms.iter().filter_map(|form| longest_start(text, form));
        spans.extend(starts.max().map(|length| (text.len() - length, text.len())));
        spans
    }
}

/// Where something starts and where it has ended, in bytes.
type Span = (usize, usize);

/// Spans in order. Those that overlap become one: taking out the first must not leave the end of the second.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for (start, end) in spans {
        match merged.last_mut() {
            Some((_, last_end)) if start < *last_end => *last_end = end.max(*last_end),
            Some(_) | None => merged.push((start, end)),
        }
    }
    merged
}

fn without(text: &str, secrets: &[Span]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = 0;
    for (start, end) in secrets {
        clean.push_str(text.get(rest..*start).unwrap_or_default());
        clean.push_str(REDACTED);
        rest = *end;
    }
    clean.push_str(text.get(rest..).unwrap_or_default());
    clean
}

fn basic_pair(request: &RenderedRequest, credentials: &Credentials) -> Option<Zeroizing<String>> {
    match &request.auth {
        WebhookAuth::Basic { username, password } => {
            let password = credentials.expose(password).ok()?;
            headers::basic_pair(username, password).ok()
        }
        WebhookAuth::None
        | WebhookAuth::Bearer { .. }
        | WebhookAuth::ApiKey { .. }
        | WebhookAuth::Hmac { .. } => None,
    }
}

fn forms_of(secret: &str) -> [Zeroizing<String>; 10] {
    let json = in_json(secret);
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    [
        secret.to_owned(),
        secret.strip_prefix("whsec_").unwrap_or_default().to_owned(),
        // Padding is left out: whether it follows does not matter.
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        form.replace('+', "%20"),
        form,
        json.replace('/', "\\/"),
        json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"),
        json,
        in_html(secret),
    ]
    .map(Zeroizing::new)
}

/// What an answer or an error may name of a URL that is a secret: its host, its path and query, and each part of these that is
/// long enough to be one.
fn parts_of_url(text: &str) -> Vec<Zeroizing<String>> {
    let Ok(url) = Url::parse(text) else { return Vec::new() };
    let target = text.splitn(4, '/').nth(3).map(|path| format!("/{path}"));
    let segments = url.path_segments().into_iter().flatten().map(str::to_owned);
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    let long = segments.chain(values).filter(|part| part.len() >= SHORTEST_PART);
    let host = url.host_str().map(str::to_owned);
    let whole = target.into_iter().chain([url.path().to_owned()]).filter(|path| path.len() > SHORTEST_PART);
    host.into_iter().chain(whole).chain(long).map(Zeroizing::new).collect()
}

/// Shorter parts of a URL, as `v1` or `services`, are words that an answer may hold for other reasons.
const SHORTEST_PART: usize = 9;

fn in_json(secret: &str) -> String {
    let quoted = serde_json::Value::from(secret).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

fn in_html(secret: &str) -> String {
    let plain = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    plain.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Every place of `form`, those that overlap with themselves included.
fn occurrences(text: &str, form: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(form)) {
        let start = from + at;
        found.push((start, start + form.len()));
        from = start + text.get(start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
    }
    found
}

/// The length of the longest end of `text` with which `form` starts.
fn longest_start(text: &str, form: &str) -> Option<usize> {
    let starts = form.char_indices().map(|(at, _)| at).rev();
    starts
        .filter(|length| *length > 0)
        .find(|length| form.get(..*length).is_some_and(|start| text.ends_with(start)))
}

/// Replacing what cannot be shown may lengthen a text beyond the bound it was read with.
fn cap(mut text: String) -> (String, bool) {
    let capped = text.len() > MOST_BODY;
    text.truncate(text.floor_char_boundary(MOST_BODY));
    (text, capped)
}

#[cfg(test)]
mod tests {
    use muster_domain::request::{ContentType, RequestUrl, WebhookMethod};
    use muster_domain::secret::SecretRef;

    use super::*;

    fn redactor(values: &[&str], auth: WebhookAuth) -> Redactor {
        redactor_to(String::new().into(), values, auth)
    }

    fn redactor_to(url: RequestUrl, values: &[&str], auth: WebhookAuth) -> Redactor {
        let names = ["a", "b"];
        let pairs = [0, 1].map(|n| (names[n], values.get(n).copied().unwrap_or("unused-secret")));
        let request = RenderedRequest {
            method: WebhookMethod::Post,
            url,
            headers: vec![],
            auth,
            content_type: ContentType::Json,
            body: String::new(),
        };
        Redactor::new(&request, &Credentials::from(pairs))
    }

    fn body(redactor: &Redactor, body: &str, truncated: bool) -> String {
        let answered = Outcome::Answered { status: 200, retry_after_ms: None, body: body.into(), truncated };
        let outcome = redactor.outcome(answered);
        let Outcome::Answered { body, .. } = outcome else { panic!("{outcome:?}") };
        body
    }

    #[test]
    fn inv_f3_a_secret_is_taken_out_in_every_form_in_which_it_may_be_echoed() {
        let secret = r#"p/4"<&w+ x?~>"#;
        let redactor = redactor(&[secret], WebhookAuth::None);
        for echo in [
            r#"p/4"<&w+ x?~>"#,
            r#"p/4\"<&w+ x?~>"#,
            r#"p\/4\"<&w+ x?~>"#,
            r#"p/4\"\u003c\u0026w+ x?~\u003e"#,
            "p/4&quot;&lt;&amp;w+ x?~&gt;",
            "cC80IjwmdysgeD9+Pg",
            "cC80IjwmdysgeD9-Pg",
            "p%2F4%22%3C%26w%2B+x%3F%7E%3E",
            "p%2F4%22%3C%26w%2B%20x%3F%7E%3E",
        ] {
            assert_eq!(body(&redactor, &format!("you sent {echo}!"), false), "you sent [redacted]!");
        }
    }

    #[test]
    fn inv_f3_the_token_of_basic_auth_and_the_key_after_its_prefix_are_taken_out() {
        let password = SecretRef { name: "a".parse().unwrap() };
        let basic = redactor(&["hunter22"], WebhookAuth::Basic { username: "ops".into(), password });
        assert_eq!(body(&basic, "Basic b3BzOmh1bnRlcjIy", false), "Basic [redacted]");
        let hmac = redactor(&["whsec_MfKQ9r8GKYqr"], WebhookAuth::None);
        assert_eq!(body(&hmac, "MfKQ9r8GKYqr whsec_MfKQ9r8GKYqr", false), "[redacted] [redacted]");
    }

    #[test]
    fn inv_f3_no_part_of_a_url_that_is_a_secret_is_named() {
        let name = SecretRef { name: "a".parse().unwrap() };
        let url = "https://hooks.example.com/services/T0000AAAA/canary-7/x?sig=canary-signature&v=1";
        let redactor = redactor_to(RequestUrl::Secret(name), &[url], WebhookAuth::None);
        for (said, kept) in [
            (url, "[redacted]"),
            ("POST /services/T0000AAAA/canary-7/x?sig=canary-signature&v=1 failed", "POST [redacted] failed"),
            ("no route /services/T0000AAAA/canary-7/x", "no route [redacted]"),
            ("the host hooks.example.com is unknown", "the host [redacted] is unknown"),
            ("T0000AAAA, canary-signature", "[redacted], [redacted]"),
            ("services v=1 x", "services v=1 x"),
        ] {
            assert_eq!(body(&redactor, said, false), kept);
        }
    }

    #[test]
    fn inv_f3_overlapping_secrets_leave_nothing_of_either() {
        let redactor = redactor(&["abcd", "cdef"], WebhookAuth::None);
        assert_eq!(body(&redactor, "<abcdef>", false), "<[redacted]>");
        assert_eq!(body(&redactor, "<cdefabcdabcd>", false), "<[redacted][redacted][redacted]>");
    }

    #[test]
    fn inv_f3_a_cut_body_does_not_end_in_the_start_of_a_secret() {
        let redactor = redactor(&["canary-canary-x", "abXab"], WebhookAuth::None);
        for (cut, kept) in [
            ("so canary-canary-", "so [redacted]"),
            ("so canary-", "so [redacted]"),
            ("so c", "so [redacted]"),
            ("so canary-canary-x", "so [redacted]"),
            ("so canary-canary-canary-", "so canary-[redacted]"),
            ("so x", "so x"),
            // The end of a whole secret that is also the start of a further one.
            ("so abXab", "so [redacted]"),
            ("so abXabXa", "so [redacted]"),
        ] {
            assert_eq!(body(&redactor, cut, true), kept, "{cut}");
        }
        assert_eq!(body(&redactor, "so c", false), "so c");
    }

    #[test]
    fn inv_f3_reasons_are_redacted_too() {
        let redactor = redactor(&["canary"], WebhookAuth::None);
        let said = || "it said canary".to_owned();
        for outcome in [
            Outcome::Unsent { reason: said() },
            Outcome::Refused { reason: said() },
            Outcome::Unknown { reason: said() },
        ] {
            let shown = format!("{:?}", redactor.outcome(outcome));
            assert!(shown.contains("it said [redacted]"), "{shown}");
        }
    }

    #[test]
    fn inv_d5_redaction_cannot_lengthen_a_body_beyond_the_bound() {
        let redactor = redactor(&["é"], WebhookAuth::None);
        let answered = Outcome::Answered {
            status: 200,
            retry_after_ms: None,
            body: "é".repeat(MOST_BODY / 2),
            truncated: false,
        };
        let outcome = redactor.outcome(answered);
        let Outcome::Answered { body, truncated, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!((body.len(), truncated), (MOST_BODY, true))
    }
}
