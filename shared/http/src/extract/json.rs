//! JSON to a type, strictly; what does not fit is refused with its place.

use std::fmt;
use std::marker::PhantomData;

use muster_domain::fault::pointer_to;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::problem::{InputError, Kind, Problem};

/// What a body may be read as.
pub(crate) trait Body: Sized {
    fn read(body: &[u8]) -> Result<Self, Problem>;

    /// What most routes do not take.
    fn read_yaml(_body: &[u8]) -> Result<Self, Problem> {
        Err(Problem::new(Kind::UnsupportedMediaType, "Send it with `Content-Type: application/json`"))
    }
}

impl<T: DeserializeOwned> Body for T {
    fn read(body: &[u8]) -> Result<Self, Problem> {
        parse(body)
    }
}

/// Reads a body. An empty one counts as `{}`, since every member may be optional.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    refuse_other_than_object(body)?;
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = typed(&mut json).map_err(|error| match error.inner().classify() {
        Category::Data => Problem::invalid(vec![in_body(&error)]),
        Category::Io | Category::Syntax | Category::Eof => malformed(error.inner()),
    })?;
    json.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// serde would take the members of a struct from a list as well, in the order of the declaration.
fn refuse_other_than_object(body: &[u8]) -> Result<(), Problem> {
    if body.trim_ascii_start().starts_with(b"{") {
        return Ok(());
    }
    serde_json::from_slice::<IgnoredAny>(body).map_err(|error| malformed(&error))?;
    Err(Problem::invalid(vec![InputError::in_body(String::new(), "expected an object".into())]))
}

/// The same for a member whose type would take a list.
pub(crate) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Members(PhantomData))
}

/// Reads members as they come, so that an error names the place within the object.
struct Members<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Members<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }
}

/// Why a value does not fit its type, and where.
pub(crate) type Misfit = serde_path_to_error::Error<serde_json::Error>;

pub(crate) fn typed<'de, T, D>(deserializer: D) -> Result<T, Misfit>
where
    T: DeserializeOwned,
    D: Deserializer<'de, Error = serde_json::Error>,
{
    serde_path_to_error::deserialize(deserializer)
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::new(Kind::Malformed, error.to_string())
}

fn in_body(error: &Misfit) -> InputError {
    InputError::in_body(pointer(error.path()), message(error.inner()))
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        pointer = match segment {
            Segment::Seq { index } => pointer_to(&pointer, &index.to_string()),
            Segment::Map { key } => pointer_to(&pointer, key),
            // Names a variant of ours, not a place in the input.
            Segment::Enum { .. } | Segment::Unknown => pointer,
        };
    }
    pointer
}

/// What serde says, without what the client sent: that may be a secret in the wrong place.
pub(crate) fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    let names_only = ["unknown field", "missing field", "duplicate field"];
    if names_only.iter().any(|start| text.starts_with(start)) {
        return text.to_owned();
    }
    match text.rfind("expected ") {
        Some(start) => text.get(start..).unwrap_or_default().to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::types::definition::NewDefinition;
    use crate::types::incident::NewIncident;

    /// What is said about a body that cannot be read: `pointer: message`, or the detail.
    fn said<T: Body>(body: &str) -> String {
        let problem = T::read(body.as_bytes()).err().expect("refused");
        let value = problem.body();
        match value["errors"][0].as_object() {
            Some(error) => format!("{}: {}", text(&error["pointer"]), text(&error["message"])),
            None => text(&value["detail"]).to_owned(),
        }
    }

    fn text(value: &Value) -> &str {
        value.as_str().expect("a text")
    }

    fn check_incident(body: &str, expected: &str) {
        let seen = said::<NewIncident>(body);
        assert!(seen.starts_with(expected), "{body}: {seen}");
    }

    #[test]
    fn inv_e4_what_is_not_json_is_refused_with_line_and_column() {
        check_incident("{\n  \"title\": }", "expected value at line 2 column 12");
        check_incident("{", "EOF while parsing an object at line 1 column 1");
        check_incident(r#"{"title": "a", "priority": "LOW"} x"#, "trailing characters at line 1 column 35");
        check_incident("\u{feff}{}", "expected value at line 1 column 1");
        let deep = format!(r#"{{"metadata": {{"a": {}"#, "[".repeat(200));
        check_incident(&deep, "recursion limit exceeded at line 1");
        let huge = r#"{"metadata": {"a": 1e999}}"#;
        check_incident(huge, "number out of range at line 1");
    }

    #[test]
    fn inv_c7_what_does_not_fit_is_refused_with_its_place() {
        check_incident("", ": missing field `title`");
        check_incident(r#"["a", "LOW", null, null, {}]"#, ": expected an object");
        check_incident("7", ": expected an object");
        check_incident("null", ": expected an object");
        check_incident(r#"{"title": 7}"#, "/title: expected a string");
        check_incident(r#"{"title": "a", "title": "b"}"#, ": duplicate field `title`");
        check_incident(
            r#"{"title": "a", "status": "OPEN"}"#,
            "/status: unknown field `status`, expected one of",
        );
        check_incident(
            r#"{"title": "a", "priority": "URGENT"}"#,
            "/priority: expected one of `LOW`, `MEDIUM`",
        );
        check_incident(r#"{"title": "a", "teamId": "a#b"}"#, "/teamId: expected 1 to 64 letters");
    }

    #[test]
    fn inv_f3_a_secret_in_the_wrong_place_is_not_repeated() {
        let start = r#"{"name": "a", "webhookUrl": "https://a.example/", "#;
        for member in [
            r#""webhookAuth": {"type": "bearer", "token": "hunter2"}}"#,
            r#""webhookAuth": {"type": "hunter2"}}"#,
            r#""webhookAuth": "hunter2, expected hunter2"}"#,
            r#""webhookAuth": ["bearer", {"$secret": "hunter2"}]}"#,
            r#""webhookAuth": {"type": "bearer", "token": ["hunter2"]}}"#,
            r#""webhookHeaders": {"X-Key": ["hunter2"]}}"#,
            r#""webhookHeaders": {"X-Key": {"$secret": "hunter2 hunter2"}}}"#,
            r#""timeoutSeconds": "hunter2"}"#,
        ] {
            let seen = said::<NewDefinition>(&format!("{start}{member}"));
            assert!(!seen.contains("hunter2"), "{seen}");
            assert!(seen.starts_with('/') && seen.contains("expected"), "{seen}");
        }
    }
}
