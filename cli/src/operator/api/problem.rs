//! Problem details (RFC 9457) as they are shown to people.

use std::fmt;

use reqwest::StatusCode;
use serde::Deserialize;

use crate::exit::Exit;
use crate::operator::file::Places;
use crate::operator::output::clean;

/// What the server says about a request that it did not grant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// As in `/problems/other-digest`.
    #[serde(default, rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) title: String,
    /// Of the answer itself, whatever its body says.
    #[serde(skip)]
    pub(crate) status: StatusCode,
    #[serde(default)]
    pub(crate) detail: Option<String>,
    #[serde(default)]
    pub(crate) errors: Vec<InputError>,
    /// The status that stands against the request.
    #[serde(default)]
    pub(crate) current_status: Option<String>,
    /// What `If-Match` would have to say.
    #[serde(default, rename = "currentETag")]
    pub(crate) current_etag: Option<String>,
    /// What this command can say about it that the server cannot.
    #[serde(skip)]
    hint: Option<String>,
    /// Of the answer's head.
    #[serde(skip)]
    pub(crate) correlation_id: Option<String>,
}

/// One thing that is wrong with the input, and where.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct InputError {
    /// JSON pointer into the body.
    #[serde(default)]
    pointer: Option<String>,
    /// Name of a query parameter.
    #[serde(default)]
    parameter: Option<String>,
    /// Name of a header.
    #[serde(default)]
    header: Option<String>,
    message: String,
    /// Name, line and column of the file that the body came from.
    #[serde(skip)]
    place: Option<String>,
}

impl Problem {
    /// The problem with what only the answer's head says.
    pub(super) fn completed(self, status: StatusCode, correlation_id: Option<String>) -> Self {
        Self { status, correlation_id, ..self }
    }

    /// The same, its errors told with their places in the file that was sent.
    pub(crate) fn in_file(mut self, name: &str, places: &Places) -> Self {
        for error in &mut self.errors {
            let at = error.pointer.as_deref().and_then(|pointer| places.nearest(pointer));
            error.place = at.map(|at| format!("{name}:{}:{}", at.line, at.column));
        }
        self
    }

    /// The same, with what to do about it.
    pub(crate) fn hinting(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The exit code that tells a script what kind of answer it was.
    pub(crate) fn exit(&self) -> Exit {
        match self.status.as_u16() {
            // The request is valid; what is stored stands against it.
            400 if self.current_status.is_some() => Exit::Conflict,
            401 | 403 => Exit::Refused,
            404 | 410 => Exit::NotFound,
            409 | 412 | 422 => Exit::Conflict,
            408 | 425 | 429 | 502..=504 => Exit::Unavailable,
            400..=499 => Exit::Usage,
            _ => Exit::Failure,
        }
    }
}

impl std::error::Error for Problem {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.status.canonical_reason().unwrap_or("refused");
        let title = if self.title.is_empty() { reason } else { &self.title };
        write!(f, "{} ({})", clean(title), self.status.as_u16())?;
        if let Some(detail) = &self.detail {
            write!(f, ": {}", clean(detail))?;
        }
        if let Some(current) = &self.current_status {
            write!(f, "\n  current status: {}", clean(current))?;
        }
        if let Some(etag) = &self.current_etag {
            write!(f, "\n  current ETag: {}", clean(etag))?;
        }
        for error in &self.errors {
            write!(f, "\n  {error}")?;
        }
        if self.status == StatusCode::UNAUTHORIZED {
            write!(
                f,
                "\n  give a valid token with MUSTER_TOKEN or --token-file; `muster token` issues those of a local server"
            )?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        if let Some(id) = &self.correlation_id {
            write!(f, "\n  correlation id: {}", clean(id))?;
        }
        Ok(())
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        match (&self.pointer, &self.parameter, &self.header) {
            (Some(pointer), _, _) if pointer.is_empty() => {}
            (Some(pointer), _, _) => write!(f, "{}: ", clean(pointer))?,
            (None, Some(parameter), _) => write!(f, "query parameter {}: ", clean(parameter))?,
            (None, None, Some(header)) => write!(f, "header {}: ", clean(header))?,
            (None, None, None) => {}
        }
        f.write_str(&clean(&self.message))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operator::file::{Source, located};

    fn problem(status: u16, body: serde_json::Value) -> Problem {
        let mut problem: Problem = serde_json::from_value(body).expect("is a problem");
        problem.status = StatusCode::from_u16(status).expect("is a status");
        problem
    }

    #[test]
    fn a_problem_shows_title_detail_every_error_and_the_correlation_id() {
        let mut invalid = problem(
            400,
            json!({
                "type": "/problems/invalid", "title": "The input is not valid", "status": 400, "detail": "4 faults",
                "errors": [
                    {"pointer": "/parameters/service", "message": "is required"},
                    {"pointer": "", "message": "must be an object\u{1b}[31m"},
                    {"parameter": "limit", "message": "expected a number, 1 to 100"},
                    {"header": "If-Match", "message": "must be one ETag"},
                ],
            }),
        );
        invalid.correlation_id = Some("01JNF0".into());
        insta::assert_snapshot!(invalid);
        let stale =
            json!({"title": "It was changed meanwhile", "currentETag": "\"7\"", "currentStatus": "DRAFT"});
        insta::assert_snapshot!(problem(412, stale));
        insta::assert_snapshot!(problem(503, json!({})));
    }

    #[test]
    fn an_error_in_a_file_names_its_line() {
        let source = Source { name: "a.yaml".into(), text: "name: x\nteamId: ops\n".into() };
        let places = located(&source).expect("parses").places;
        let body = json!({"title": "No", "errors": [{"pointer": "/teamId", "message": "cannot be changed"}]});
        let told = problem(400, body).in_file("a.yaml", &places).to_string();
        assert_eq!(told, "No (400)\n  a.yaml:2:1: /teamId: cannot be changed");
    }

    #[test]
    fn each_status_has_its_exit_code() {
        for (status, expected) in [
            (400, Exit::Usage),
            (401, Exit::Refused),
            (403, Exit::Refused),
            (404, Exit::NotFound),
            (409, Exit::Conflict),
            (412, Exit::Conflict),
            (413, Exit::Usage),
            (415, Exit::Usage),
            (422, Exit::Conflict),
            (429, Exit::Unavailable),
            (500, Exit::Failure),
            (502, Exit::Unavailable),
            (503, Exit::Unavailable),
            (504, Exit::Unavailable),
        ] {
            assert_eq!(problem(status, json!({})).exit(), expected, "{status}");
        }
        let not_approved = problem(400, json!({"currentStatus": "DRAFT"}));
        assert_eq!(not_approved.exit(), Exit::Conflict);
    }
}
