//! The body of a request: a JSON value whose strings are templates, or one text.
//!
//! A payload is compiled to the exact bytes between its leaves and the leaves themselves. Rendering fills the leaves
//! in and cannot touch the bytes between them, which is why no value changes the shape of a payload.

use std::borrow::Cow;

use serde_json::Value;

use super::output::Output;
use super::path::ValuePath;
use super::{MAX_SOURCE_BYTES, RenderFault, Template};
use crate::fault::{Fault, pointer_to};
use crate::request::ContentType;
use crate::schema::bounds;

/// A compiled payload. Members come in the order of their names, so that one definition gives the same bytes however
/// it was stored.
#[derive(Debug, Clone)]
pub struct PayloadTemplate {
    body: Body,
}

/// The body of a request and its media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedPayload {
    pub content_type: ContentType,
    pub body: String,
}

#[derive(Debug, Clone)]
enum Body {
    Text(Template),
    Json(Vec<Piece>),
}

#[derive(Debug, Clone)]
enum Piece {
    /// JSON as it is sent.
    Fixed(String),
    /// A string, by a template.
    Text { pointer: String, template: Template },
    /// A string, number, boolean or null, as the value at the path is.
    Scalar { pointer: String, path: ValuePath },
}

impl PayloadTemplate {
    /// A string that is JSON itself stands for that JSON; any other string is a body of plain text.
    pub fn compile(payload: &Value) -> Result<Self, Vec<Fault>> {
        if let Value::String(text) = payload { Self::compile_text(text) } else { Self::compile_json(payload) }
    }

    /// Reports every leaf that cannot be rendered, not only the first.
    pub fn render(&self, context: &Value) -> Result<RenderedPayload, Vec<Fault>> {
        match &self.body {
            Body::Text(template) => {
                let body =
                    template.render(context).map_err(|fault| vec![Fault::new("", fault.to_string())])?;
                Ok(RenderedPayload { content_type: ContentType::Text, body })
            }
            Body::Json(pieces) => {
                Ok(RenderedPayload { content_type: ContentType::Json, body: render_json(pieces, context)? })
            }
        }
    }

    /// The paths it reads, in the order of the body.
    pub fn paths(&self) -> Vec<&ValuePath> {
        match &self.body {
            Body::Text(template) => template.paths().collect(),
            Body::Json(pieces) => pieces.iter().flat_map(Piece::paths).collect(),
        }
    }

    fn compile_text(text: &str) -> Result<Self, Vec<Fault>> {
        let fault = |message: String| vec![Fault::new("", message)];
        if text.len() > MAX_SOURCE_BYTES {
            return Err(fault(format!("has {} bytes; at most {MAX_SOURCE_BYTES} are allowed", text.len())));
        }
        match serde_json::from_str::<Value>(text) {
            Ok(json @ (Value::Object(_) | Value::Array(_))) => Self::compile_json(&json),
            Err(error) if begins_an_object(text) => Err(fault(format!(
                "begins as JSON but is not JSON ({error}); a template stands inside a string, \
                 as in {{\"count\": \"{{{{json params.count}}}}\"}}"
            ))),
            Ok(_) | Err(_) => {
                let template = Template::compile(text).map_err(|error| fault(error.to_string()))?;
                Ok(Self { body: Body::Text(template) })
            }
        }
    }

    fn compile_json(payload: &Value) -> Result<Self, Vec<Fault>> {
        bounds::check(payload).map_err(|fault| vec![fault])?;
        let mut compiler = Compiler::default();
        compiler.add(payload, "");
        if compiler.faults.is_empty() {
            Ok(Self { body: Body::Json(compiler.pieces) })
        } else {
            Err(bounds::capped(compiler.faults, 0))
        }
    }
}

impl Piece {
    fn render(&self, context: &Value) -> Result<Cow<'_, str>, RenderFault> {
        match self {
            Self::Fixed(json) => Ok(Cow::Borrowed(json)),
            Self::Text { template, .. } => Ok(quoted(template.render(context)?).into()),
            Self::Scalar { path, .. } => Ok(leaf(path, context)?.to_string().into()),
        }
    }

    fn pointer(&self) -> &str {
        match self {
            Self::Fixed(_) => "",
            Self::Text { pointer, .. } | Self::Scalar { pointer, .. } => pointer,
        }
    }

    fn paths(&self) -> Vec<&ValuePath> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::Text { template, .. } => template.paths().collect(),
            Self::Scalar { path, .. } => vec![path],
        }
    }
}

/// An object, or an array of objects, with a member: a text that only looks so is a mistake, not a message.
fn begins_an_object(text: &str) -> bool {
    let inside = text.trim_start_matches(|c: char| c == '[' || c.is_whitespace()).strip_prefix('{');
    inside.is_some_and(|members| members.trim_start().starts_with('"'))
}

/// Walks a payload, of bounded depth, and gathers its pieces.
#[derive(Default)]
struct Compiler {
    pieces: Vec<Piece>,
    faults: Vec<Fault>,
}

impl Compiler {
    fn add(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => self.fix(&value.to_string()),
            Value::String(source) => self.add_leaf(source, pointer),
            Value::Array(elements) => {
                self.fix("[");
                for (position, element) in elements.iter().enumerate() {
                    self.fix(if position > 0 { "," } else { "" });
                    self.add(element, &format!("{pointer}/{position}"));
                }
                self.fix("]");
            }
            Value::Object(members) => {
                let mut members: Vec<(&String, &Value)> = members.iter().collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                self.fix("{");
                for (position, (name, member)) in members.into_iter().enumerate() {
                    self.fix(if position > 0 { "," } else { "" });
                    self.add_member(name, member, &pointer_to(pointer, name));
                }
                self.fix("}");
            }
        }
    }

    fn add_member(&mut self, name: &str, member: &Value, pointer: &str) {
        if name.contains("{{") {
            self.faults
                .push(Fault::new(pointer, "a name is sent as it stands; `{{` may stand only in values"));
        }
        self.fix(&quoted(name.to_owned()));
        self.fix(":");
        self.add(member, pointer);
    }

    fn add_leaf(&mut self, source: &str, pointer: &str) {
        match Template::compile(source) {
            Err(fault) => self.faults.push(Fault::new(pointer, fault.to_string())),
            Ok(template) => self.add_template(template, pointer.to_owned()),
        }
    }

    fn add_template(&mut self, template: Template, pointer: String) {
        if let Some(path) = template.sole_json_path() {
            self.pieces.push(Piece::Scalar { pointer, path: path.clone() });
        } else if template.is_constant() {
            match template.render(&Value::Null) {
                Ok(text) => self.fix(&quoted(text)),
                Err(fault) => self.faults.push(Fault::new(pointer, fault.to_string())),
            }
        } else {
            self.pieces.push(Piece::Text { pointer, template });
        }
    }

    fn fix(&mut self, json: &str) {
        if let Some(Piece::Fixed(before)) = self.pieces.last_mut() {
            before.push_str(json);
        } else {
            self.pieces.push(Piece::Fixed(json.to_owned()));
        }
    }
}

fn render_json(pieces: &[Piece], context: &Value) -> Result<String, Vec<Fault>> {
    let mut out = Output::default();
    let mut faults = Vec::new();
    for piece in pieces {
        let pushed = piece.render(context).and_then(|json| out.push(&json));
        match pushed {
            Ok(()) => {}
            // Whatever follows would only be longer still.
            Err(fault @ RenderFault::TooLong) => {
                faults.push(Fault::new(piece.pointer(), fault.to_string()));
                break;
            }
            Err(fault) => faults.push(Fault::new(piece.pointer(), fault.to_string())),
        }
    }
    if faults.is_empty() { Ok(out.into_text()) } else { Err(bounds::capped(faults, 0)) }
}

/// The value at a path, which must be a leaf itself.
fn leaf<'v>(path: &ValuePath, context: &'v Value) -> Result<&'v Value, RenderFault> {
    let path_name = || path.to_string();
    match path.find(context) {
        None => Err(RenderFault::Missing { path: path_name() }),
        Some(Value::Array(_)) => Err(RenderFault::NotALeaf { path: path_name(), kind: "an array" }),
        Some(Value::Object(_)) => Err(RenderFault::NotALeaf { path: path_name(), kind: "an object" }),
        Some(value) => Ok(value),
    }
}

/// A text as a JSON string.
fn quoted(text: String) -> String {
    Value::String(text).to_string()
}

#[cfg(test)]
mod tests;
