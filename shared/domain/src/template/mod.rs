//! Templates: text in which `{{path}}` and `{{helper path}}` stand for values.
//!
//! Of Handlebars this takes the grammar and its parser, and leaves the rest out: blocks and partials can loop, nest
//! and abort the process. An expression reads one path and prints one value, so that rendering is a walk over a list
//! that borrows from the context, and a value that holds braces is never read as a template again.

mod expression;
mod fault;
mod output;
mod path;
mod payload;
mod percent;
mod scanner;

use serde_json::Value;

pub use self::fault::{Refusal, RenderFault, TemplateFault};
pub use self::path::ValuePath;
pub(crate) use self::path::walk;
pub use self::payload::{PayloadTemplate, RenderedPayload};

use self::expression::Expression;
use self::output::Output;
use self::scanner::Piece;

/// The longest source of one template, in bytes.
pub const MAX_SOURCE_BYTES: usize = 16 * 1024;
/// The most expressions of one template.
pub const MAX_EXPRESSIONS: usize = 256;
/// The longest text that rendering makes, in bytes.
pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;
/// The most segments of a path.
pub const MAX_PATH_DEPTH: usize = 16;
/// The longest path, in bytes, so that a message can name it.
pub const MAX_PATH_BYTES: usize = 256;

/// A compiled template. Compiled once per version of a definition, rendered for every execution.
#[derive(Debug, Clone)]
pub struct Template {
    /// No text is empty, and no two texts are neighbours.
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Expression(Expression),
}

impl Template {
    /// Refuses whatever is not text, `{{path}}` or `{{helper path}}`, and says where it stands.
    pub fn compile(source: &str) -> Result<Self, TemplateFault> {
        if source.len() > MAX_SOURCE_BYTES {
            return Err(TemplateFault::at(source, 0, Refusal::TooLong { bytes: source.len() }));
        }
        let mut template = Self { parts: Vec::new() };
        for piece in scanner::scan(source)? {
            match piece {
                Piece::Text(text) => template.push_text(text),
                Piece::Expression { source: written, offset } => {
                    let expression = Expression::parse(written)
                        .map_err(|refusal| TemplateFault::at(source, offset, refusal))?;
                    template.parts.push(Part::Expression(expression));
                }
            }
        }
        Ok(template)
    }

    /// The text with the values of `context` in place of the expressions.
    ///
    /// A path that leads nowhere is a fault that names it: a payload with a hole is worse than none.
    pub fn render(&self, context: &Value) -> Result<String, RenderFault> {
        let mut out = Output::default();
        self.render_to(context, &mut out)?;
        Ok(out.into_text())
    }

    /// As [`render`](Self::render), but what the expressions print is percent-encoded, so that it stays within one
    /// component of a URL. What `urlEncode` prints is not encoded twice.
    pub fn render_for_url(&self, context: &Value) -> Result<String, RenderFault> {
        let mut out = Output::default();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push(text)?,
                Part::Expression(expression) => expression.print_for_url(context, &mut out)?,
            }
        }
        Ok(out.into_text())
    }

    /// Whether it renders to the same text whatever the context.
    pub fn is_constant(&self) -> bool {
        self.paths().next().is_none()
    }

    /// The paths it reads, in the order in which they stand; one that is read twice comes twice.
    pub fn paths(&self) -> impl Iterator<Item = &ValuePath> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Expression(expression) => Some(expression.path()),
        })
    }

    fn render_to(&self, context: &Value, out: &mut Output) -> Result<(), RenderFault> {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push(text)?,
                Part::Expression(expression) => expression.print(context, out)?,
            }
        }
        Ok(())
    }

    /// The path of a template that is one `{{json path}}` and nothing else.
    fn sole_json_path(&self) -> Option<&ValuePath> {
        match self.parts.as_slice() {
            [Part::Expression(expression)] => expression.json_path(),
            _ => None,
        }
    }

    fn push_text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(before)) => before.push_str(text),
            Some(Part::Expression(_)) | None if text.is_empty() => {}
            Some(Part::Expression(_)) | None => self.parts.push(Part::Text(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
