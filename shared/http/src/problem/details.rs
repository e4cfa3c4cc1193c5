//! The body of a problem.

use serde::Serialize;
use utoipa::ToSchema;

use super::Kind;
use crate::types::moment::Moment;

/// Problem details (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(crate) struct Details {
    /// Names the kind of problem, as in `/problems/not-found`; `docs/API.md` lists them.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference")]
    uri: &'static str,
    /// The kind of problem, for a person.
    title: &'static str,
    /// The status of the answer.
    pub(super) status: u16,
    /// What is wrong with this request, for a person.
    detail: String,
    /// Everything that is wrong with the input, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<InputError>,
    /// Where the runbook's version or the execution stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_status: Option<&'static str>,
    /// What `If-Match` would have to say.
    #[serde(rename = "currentETag", skip_serializing_if = "Option::is_none")]
    pub(super) current_etag: Option<String>,
    /// The kill switch that is engaged, or the scope that is frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    /// When changes are not frozen any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Moment>,
}

impl Details {
    pub(super) fn new(kind: Kind, detail: String) -> Self {
        Self {
            uri: kind.uri(),
            title: kind.title(),
            status: kind.status(),
            detail,
            errors: Vec::new(),
            current_status: None,
            current_etag: None,
            scope: None,
            until: None,
        }
    }
}

/// One fault of an input, in the body, the query or a header.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InputError {
    /// JSON pointer (RFC 6901) into the body; empty for the body itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
    /// Where that stands in a YAML body; a member stands where its name does. Counts from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u64>,
    /// Counts from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<u64>,
    /// Name of a query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// Name of a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'static str>,
    /// What is wrong there and what would be right.
    message: String,
}

impl InputError {
    pub(crate) fn in_body(pointer: String, message: String) -> Self {
        Self { pointer: Some(pointer), ..Self::new(message) }
    }

    pub(crate) fn in_query(parameter: String, message: String) -> Self {
        Self { parameter: Some(parameter), ..Self::new(message) }
    }

    pub(crate) fn in_header(header: &'static str, message: &str) -> Self {
        Self { header: Some(header), ..Self::new(message.to_owned()) }
    }

    fn new(message: String) -> Self {
        Self { pointer: None, line: None, column: None, parameter: None, header: None, message }
    }
}
