//! What is known of an attempt that got no answer. The line that matters runs between "nothing left" and "perhaps".

use std::error::Error;

use muster_domain::outcome::Outcome;

use crate::dial::Dial;
use crate::refusal::Refusal;

/// Sorts the HTTP client's error. The reason names the innermost cause: the errors around it carry the URL.
pub(crate) fn classify(error: &reqwest::Error) -> Outcome {
    if let Some(refusal) = chain(error).find_map(|cause| cause.downcast_ref::<Refusal>()) {
        return Outcome::Refused { reason: refusal.to_string() };
    }
    if error.is_builder() {
        return Outcome::Refused { reason: "the HTTP client cannot express the URL".into() };
    }
    if error.is_connect() {
        return Outcome::Unsent { reason: connect_reason(error) };
    }
    Outcome::Unknown { reason: format!("the connection failed before an answer: {}", innermost(error)) }
}

/// The call's time was up before an answer.
pub(crate) fn timed_out(dial: &Dial) -> Outcome {
    if dial.is_still_connecting() {
        Outcome::Unsent { reason: "connecting timed out".into() }
    } else {
        Outcome::Unknown { reason: "no answer in time".into() }
    }
}

/// The call's time was up before its secrets were read.
pub(crate) fn secrets_timed_out() -> Outcome {
    Outcome::Unsent { reason: "reading the secrets timed out".into() }
}

/// An error and its causes as one line; for the stores' errors, which hold names and never values.
pub(crate) fn in_full(error: &(dyn Error + 'static)) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn connect_reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "connecting timed out".into()
    } else if error.is_dns() {
        format!("the host name could not be resolved: {}", innermost(error))
    } else {
        format!("connecting failed: {}", innermost(error))
    }
}

fn innermost(error: &reqwest::Error) -> String {
    chain(error).skip(1).last().map_or_else(|| "no cause given".to_owned(), ToString::to_string)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}
