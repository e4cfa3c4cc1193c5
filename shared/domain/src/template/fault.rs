//! Why a text is not a template, and why a template cannot be rendered.

use std::error::Error;
use std::fmt;

use super::{MAX_EXPRESSIONS, MAX_OUTPUT_BYTES, MAX_PATH_BYTES, MAX_PATH_DEPTH, MAX_SOURCE_BYTES};

/// Why a text is not a template, and where. Lines and columns count from 1, columns in characters.
#[derive(Debug)]
pub struct TemplateFault {
    pub line: usize,
    pub column: usize,
    pub refusal: Refusal,
}

impl TemplateFault {
    pub(super) fn at(source: &str, offset: usize, refusal: Refusal) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count()) + 1;
        Self { line, column, refusal }
    }
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.refusal)
    }
}

impl Error for TemplateFault {
    /// The refusal is part of the message, so the chain goes on with what caused it.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.refusal.source()
    }
}

/// What a template may not hold.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("a template has at most {MAX_SOURCE_BYTES} bytes; this one has {bytes}")]
    TooLong { bytes: usize },
    #[error("a template has at most {MAX_EXPRESSIONS} expressions")]
    TooManyExpressions,
    #[error("`{{{{` is not closed by `}}}}`; write `\\{{{{` for two braces as text")]
    Unclosed,
    #[error("`{{{{{opener}` ({meaning}) is not supported; write {{{{path}}}} or {{{{helper path}}}}")]
    Opener { opener: char, meaning: &'static str },
    #[error("{0:?} cannot stand here; write {{{{path}}}} or {{{{helper path}}}}")]
    Character(char),
    #[error("`..` is not supported; write the whole path, as in {{{{incident.title}}}}")]
    Parent,
    #[error("an index follows a dot, as in {{{{params.hosts.0}}}} or {{{{params.hosts.[0]}}}}")]
    IndexWithoutDot,
    #[error("this is not an expression; write {{{{path}}}} or {{{{helper path}}}}")]
    Syntax(#[source] handlebars::TemplateError),
    #[error("this is more than one expression; write {{{{path}}}} or {{{{helper path}}}}")]
    NotOneExpression,
    #[error(
        "there is no helper `{name}`; there are default, upper, lower, trim, truncate, json and urlEncode"
    )]
    UnknownHelper { name: String },
    #[error("`{name}` is written {usage}")]
    Usage { name: &'static str, usage: &'static str },
    #[error("a path has at most {MAX_PATH_DEPTH} segments and {MAX_PATH_BYTES} bytes")]
    PathTooLong,
    #[error("a path names a value, as in {{{{incident.title}}}}")]
    EmptyPath,
}

/// Why a template could not be rendered with the values given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderFault {
    #[error("there is no `{path}`; {{{{default {path} \"…\"}}}} would do without it")]
    Missing { path: String },
    #[error("`{path}` is null; {{{{default {path} \"…\"}}}} would do without it")]
    Null { path: String },
    #[error("`{path}` is {kind}; {{{{json {path}}}}} inside a text prints it")]
    NotText { path: String, kind: &'static str },
    #[error("`{path}` is {kind}, and a value can only change a leaf of the payload, never its shape")]
    NotALeaf { path: String, kind: &'static str },
    #[error("the rendered text is longer than {MAX_OUTPUT_BYTES} bytes")]
    TooLong,
}
