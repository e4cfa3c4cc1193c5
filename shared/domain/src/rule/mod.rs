//! Rules: the one form in which a condition is written, wherever there is one.
//!
//! The grammar is a part of CEL that cannot loop without an end, allocate or call out: paths, comparisons, logic,
//! a few questions about texts and lists. What a rule reads is written in it, so a definition is checked at save.
//! `docs/RULES.md` is the guide; `docs/decisions/0019-rules-have-their-own-evaluator.md` says why it is our own.

mod ast;
mod compare;
mod eval;
mod fault;
mod lexer;
mod parser;
mod pattern;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::fault::{RuleError, RuleFault, RuleRefusal};
pub use self::pattern::{MAX_RULE_PATTERN_BYTES, PatternFault};

use self::ast::{Base, Form, Node, Path};

/// The longest text of a rule, in bytes.
pub const MAX_RULE_BYTES: usize = 1024;
/// How deep parentheses, lists, `!` and calls may be nested.
pub const MAX_RULE_DEPTH: usize = 16;
/// The most calls of `matches` in a rule.
pub const MAX_RULE_PATTERNS: usize = 4;
/// The most steps of one evaluation: one for each part of the rule that is looked at, each element of a list or an
/// object that is compared, and every 256 bytes of a text that is compared or searched.
pub const MAX_RULE_STEPS: usize = 10_000;

/// A rule, compiled at save.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    text: String,
    root: Node,
}

impl Rule {
    /// Refuses whatever is not a rule within the limits, and says where and how to mend it.
    pub fn compile(text: &str) -> Result<Self, RuleFault> {
        let root = parser::parse(text)?;
        Ok(Self { text: text.to_owned(), root })
    }

    /// Whether the rule holds for these values.
    ///
    /// # Errors
    /// A missing member is an error that names it, except under `has`; so is a comparison of different kinds, and an
    /// operand of logic that is neither true nor false. `&&`, `||`, `all` and `exists` stop at what decides them.
    pub fn holds(&self, context: &Value) -> Result<bool, RuleError> {
        eval::holds(&self.text, &self.root, context)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The members of the context that it reads, so that a definition can refuse unknown ones.
    pub fn roots(&self) -> BTreeSet<String> {
        self.context_paths().into_iter().filter_map(|path| path.segments.first().cloned()).collect()
    }

    /// The paths into the context that it reads, those under `has` included, in the order in which they stand:
    /// `steps.list.outputs.n`. One that is read twice comes twice.
    pub fn paths(&self) -> Vec<String> {
        self.context_paths().into_iter().map(Path::to_string).collect()
    }

    /// What its patterns take of memory for as long as it lives, in bytes.
    #[cfg(test)]
    fn pattern_bytes(&self) -> usize {
        let mut bytes = 0;
        self.root.visit(&mut |form| {
            if let Form::Matches { pattern, .. } = form {
                bytes += pattern.bytes();
            }
        });
        bytes
    }

    fn context_paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        self.root.visit(&mut |form| {
            if let Form::Path(path) | Form::Has(path) = form
                && path.base == Base::Context
            {
                paths.push(path);
            }
        });
        paths
    }
}

impl TryFrom<String> for Rule {
    type Error = RuleFault;

    fn try_from(text: String) -> Result<Self, RuleFault> {
        Self::compile(&text)
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.text
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
