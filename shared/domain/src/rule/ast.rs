//! What a rule is compiled to. Every form is here; the evaluator and the list of paths follow it.

use std::fmt;
use std::ops::Range;

use serde_json::Value;

use super::pattern::Pattern;

/// A part of a rule and where it stands in the text, so that an error can quote it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) form: Form,
    /// In bytes of the rule's text.
    pub(super) place: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Form {
    Literal(Value),
    Path(Path),
    Not(Box<Node>),
    /// `a && b && c`: one node however many there are, so that a long chain is not a deep tree.
    All(Vec<Node>),
    Any(Vec<Node>),
    Compare {
        left: Box<Node>,
        relation: Relation,
        right: Box<Node>,
    },
    Has(Path),
    Size(Box<Node>),
    Ask {
        subject: Box<Node>,
        question: Question,
        argument: Box<Node>,
    },
    Matches {
        subject: Box<Node>,
        pattern: Pattern,
    },
    Each {
        list: Box<Node>,
        quantifier: Quantifier,
        variable: String,
        body: Box<Node>,
    },
}

/// A path: names and indexes, all of them written in the rule, so that what a rule reads is known at save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) base: Base,
    /// The first one names the variable or the member of the context.
    pub(super) segments: Vec<String>,
}

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    Context,
    /// The element that an `all` or `exists` around the path stands at.
    Variable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// What a text or a list is asked about another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Contains,
    StartsWith,
    EndsWith,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    All,
    Exists,
}

impl Node {
    /// Whether it could be true or false, as far as its form tells.
    pub(super) fn may_hold(&self) -> bool {
        match &self.form {
            Form::Literal(literal) => literal.is_boolean(),
            Form::Size(_) => false,
            Form::Path(_)
            | Form::Not(_)
            | Form::All(_)
            | Form::Any(_)
            | Form::Compare { .. }
            | Form::Has(_)
            | Form::Ask { .. }
            | Form::Matches { .. }
            | Form::Each { .. } => true,
        }
    }

    /// Gives `visit` every part, outer ones first.
    pub(super) fn visit<'n>(&'n self, visit: &mut impl FnMut(&'n Form)) {
        visit(&self.form);
        match &self.form {
            Form::Literal(_) | Form::Path(_) | Form::Has(_) => {}
            Form::Not(part) | Form::Size(part) => part.visit(visit),
            Form::Matches { subject, pattern: _ } => subject.visit(visit),
            Form::All(parts) | Form::Any(parts) => parts.iter().for_each(|part| part.visit(visit)),
            Form::Compare { left, right, .. }
            | Form::Ask { subject: left, argument: right, .. }
            | Form::Each { list: left, body: right, .. } => {
                left.visit(visit);
                right.visit(visit);
            }
        }
    }
}

impl fmt::Display for Path {
    /// Dotted, as in `steps.list-nodes.outputs.n`; a name that a dot cannot precede stands in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.segments.iter().enumerate() {
            match position {
                0 => f.write_str(segment)?,
                _ if is_plain(segment) => write!(f, ".{segment}")?,
                _ => write!(f, "[{}]", Value::from(segment.as_str()))?,
            }
        }
        Ok(())
    }
}

fn is_plain(segment: &str) -> bool {
    !segment.is_empty() && segment.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}
