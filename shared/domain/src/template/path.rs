//! The path of a value within the context of a template.

use std::fmt;

use serde_json::Value;

use super::{MAX_PATH_BYTES, MAX_PATH_DEPTH, Refusal};

/// A dotted path such as `incident.metadata.service`; a number is the index of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath {
    segments: Vec<String>,
    written: String,
}

impl ValuePath {
    pub(super) fn parse(path: &handlebars::Path) -> Result<Self, Refusal> {
        let handlebars::Path::Relative((parsed, written)) = path else {
            return Err(Refusal::Character('@'));
        };
        if parsed.len() > MAX_PATH_DEPTH || written.len() > MAX_PATH_BYTES {
            return Err(Refusal::PathTooLong);
        }
        // `this` alone has no segments: it is the whole context, which no expression may print.
        if parsed.is_empty() {
            return Err(Refusal::EmptyPath);
        }
        let segments = parsed.iter().map(|segment| match segment {
            handlebars::PathSeg::Named(name) => Ok(name.clone()),
            handlebars::PathSeg::Ruled(_) | _ => Err(Refusal::Parent),
        });
        Ok(Self { segments: segments.collect::<Result<_, _>>()?, written: written.clone() })
    }

    /// The names along the path, the outermost first.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// As the template writes it.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The value at this path; `None` if the path leads nowhere.
    pub(super) fn find<'v>(&self, context: &'v Value) -> Option<&'v Value> {
        walk(context, self.segments.iter().map(String::as_str))
    }
}

/// The value at the end of a path: segments are names of members or indexes of arrays.
pub(crate) fn walk<'v, 's>(
    root: &'v Value,
    segments: impl IntoIterator<Item = &'s str>,
) -> Option<&'v Value> {
    segments.into_iter().try_fold(root, |value, segment| match value {
        Value::Object(members) => members.get(segment),
        Value::Array(elements) => elements.get(segment.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
