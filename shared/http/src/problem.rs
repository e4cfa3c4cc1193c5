//! Every refusal as problem details (RFC 9457). `docs/API.md` has a row for each kind; a test compares them.

mod details;
mod kind;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use muster_app::Error;
use muster_domain::approval::{Refusal, WithdrawRefusal};
use muster_domain::fault::Fault;
use muster_domain::freeze::Frozen;

use crate::extract::if_match::etag;
use crate::yaml::Places;

pub(crate) use self::details::{Details, InputError};
pub(crate) use self::kind::Kind;

pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// How long a client should wait before it tries again what failed for a while.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// An answer that refuses. Boxed, because nearly every function here may give one.
#[derive(Debug)]
pub(crate) struct Problem {
    details: Box<Details>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let details = Box::new(Details::new(kind, detail.into()));
        Self { details, header: None }
    }

    pub(crate) fn invalid(errors: Vec<InputError>) -> Self {
        let detail = match errors.len() {
            1 => "One fault in the input".to_owned(),
            count => format!("{count} faults in the input"),
        };
        let mut problem = Self::new(Kind::Invalid, detail);
        problem.details.errors = errors;
        problem
    }

    pub(crate) fn unauthenticated(challenge: &'static str, detail: &str) -> Self {
        let challenge = HeaderValue::from_static(challenge);
        Self::new(Kind::Unauthenticated, detail).with_header(WWW_AUTHENTICATE, challenge)
    }

    /// The same, with the line of each fault of the body.
    pub(crate) fn located(mut self, places: &Places) -> Self {
        for error in &mut self.details.errors {
            let place = error.pointer.as_deref().and_then(|pointer| places.nearest(pointer));
            error.line = place.map(|place| place.line);
            error.column = place.map(|place| place.column);
        }
        self
    }

    #[cfg(test)]
    pub(crate) fn body(&self) -> serde_json::Value {
        serde_json::to_value(&self.details).expect("becomes JSON")
    }

    fn frozen(frozen: &Frozen, detail: String) -> Self {
        let mut problem = Self::new(Kind::Frozen, detail).with_scope(frozen.scope.to_string());
        problem.details.until = Some(frozen.until.into());
        problem
    }

    fn stale(current: u64, detail: String) -> Self {
        let etag = etag(current);
        let header = HeaderValue::from_str(&etag).ok().map(|value| (ETAG, value));
        let mut problem = Self::new(Kind::Stale, detail);
        problem.details.current_etag = Some(etag);
        Self { header, ..problem }
    }

    /// What the client must change is not known, or nothing: the log has the cause.
    fn of_failure(error: &Error) -> Self {
        tracing::error!(error = muster_app::error::chain(error), "a request failed");
        if error.retryable() {
            let detail = "The same request may succeed later; with an Idempotency-Key it is safe to repeat";
            return Self::new(Kind::Unavailable, detail).with_header(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        Self::new(Kind::Internal, "The request failed; the log has the cause under its correlation id")
    }

    fn with_status(mut self, current: &'static str) -> Self {
        self.details.current_status = Some(current);
        self
    }

    fn with_scope(mut self, scope: String) -> Self {
        self.details.scope = Some(scope);
        self
    }

    fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        let header = Some((name, value));
        Self { header, ..self }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound { .. } => Self::new(Kind::NotFound, detail),
            Error::Forbidden(_) => Self::new(Kind::Forbidden, detail),
            Error::Invalid(faults) => Self::invalid(faults.into_iter().map(InputError::from).collect()),
            Error::NotApproved { current } => {
                Self::new(Kind::NotApproved, detail).with_status(current.as_str())
            }
            Error::WrongLifecycle { current, .. } => {
                Self::new(Kind::WrongLifecycle, detail).with_status(current.as_str())
            }
            Error::WrongStatus { current, .. } => Self::new(Kind::WrongStatus, detail).with_status(current),
            Error::Conflict(_) => Self::new(Kind::Conflict, detail),
            Error::KillSwitch { scope, .. } => {
                Self::new(Kind::KillSwitch, detail).with_scope(scope.to_string())
            }
            Error::Frozen(frozen) => Self::frozen(&frozen, detail),
            Error::Refused(refusal) => Self::new(kind_of(&refusal), detail),
            Error::Stays(WithdrawRefusal::NotYours { .. }) => Self::new(Kind::Forbidden, detail),
            Error::Stays(
                WithdrawRefusal::Passed | WithdrawRefusal::Closed(_) | WithdrawRefusal::NothingStands { .. },
            ) => Self::new(Kind::ApprovalClosed, detail),
            Error::Stale { current } => Self::stale(current, detail),
            Error::IdempotencyMismatch => Self::new(Kind::IdempotencyMismatch, detail),
            Error::InvalidCursor => Self::new(Kind::InvalidCursor, detail),
            Error::Unverified | Error::NotFromSlack => {
                Self::unauthenticated("Signature realm=\"muster\"", &detail)
            }
            Error::Unproven => {
                Self::unauthenticated("Bearer realm=\"muster-callback\", error=\"invalid_token\"", &detail)
            }
            Error::Contention
            | Error::NoTime
            | Error::Table(_)
            | Error::Queue(_)
            | Error::Bus(_)
            | Error::Secret(_)
            | Error::SigningKey(_) => Self::of_failure(&error),
        }
    }
}

/// Who may not answer is told so; whose answer comes too late, or is not about what would run, has a conflict.
fn kind_of(refusal: &Refusal) -> Kind {
    match refusal {
        Refusal::NotAnApprover { .. }
        | Refusal::OwnWork { .. }
        | Refusal::OwnWord { .. }
        | Refusal::Revoked { .. } => Kind::Forbidden,
        Refusal::OtherDigest(_) => Kind::OtherDigest,
        Refusal::Closed(_) | Refusal::Late(_) | Refusal::Again { .. } | Refusal::Full => Kind::ApprovalClosed,
        Refusal::ReasonMissing | Refusal::FormFault(_) => Kind::Invalid,
    }
}

impl From<Fault> for InputError {
    fn from(fault: Fault) -> Self {
        Self::in_body(fault.pointer, fault.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.details.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.details)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.extend(self.header);
        response
    }
}

#[cfg(test)]
mod tests;
