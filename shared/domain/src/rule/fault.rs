//! Why a text is not a rule, and why a rule has no answer.

use std::error::Error;
use std::fmt;

use super::pattern::PatternFault;
use super::{MAX_RULE_BYTES, MAX_RULE_DEPTH, MAX_RULE_PATTERNS, MAX_RULE_STEPS};

/// Why a text is not a rule, and at which column: counted in characters, from 1.
#[derive(Debug)]
pub struct RuleFault {
    pub column: usize,
    pub refusal: RuleRefusal,
}

impl RuleFault {
    pub(super) fn at(text: &str, offset: usize, refusal: RuleRefusal) -> Self {
        let column = text.get(..offset).unwrap_or(text).chars().count() + 1;
        Self { column, refusal }
    }
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.refusal)
    }
}

impl Error for RuleFault {
    /// The refusal is part of the message, so the chain goes on with what caused it.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.refusal.cause()
    }
}

/// What a rule may not hold.
#[derive(Debug, thiserror::Error)]
pub enum RuleRefusal {
    #[error("a rule has at most {MAX_RULE_BYTES} bytes, this one has {bytes}; split it into several")]
    TooLong { bytes: usize },
    #[error("parentheses, lists, `!` and calls may be nested {MAX_RULE_DEPTH} deep; use fewer of them")]
    TooDeep,
    #[error("a rule has at most {MAX_RULE_PATTERNS} calls of `matches`; join patterns with `|`")]
    TooManyPatterns,
    #[error("the rule ends where {expected} should stand")]
    End { expected: &'static str },
    #[error("`{found}` stands where {expected} should")]
    Unexpected { found: String, expected: &'static str },
    #[error("`{found}` cannot stand here; {mending}")]
    Foreign { found: String, mending: &'static str },
    #[error("the text is not closed; it ends with the quote that began it")]
    UnclosedText,
    #[error("`\\{0}` is not an escape; write one of \\\\ \\\" \\' \\n \\r \\t \\u00e9, or r\"…\" for none")]
    Escape(char),
    #[error("`{0}` is not a number; write 5, -5, 0.5 or 5e3")]
    Number(String),
    #[error("`{0}` is too large a number to be exact; compare it as a text, in quotes")]
    LargeNumber(String),
    #[error("there is no function `{name}`; {mending}")]
    Function { name: String, mending: &'static str },
    #[error("`{function}` is written {usage}")]
    Usage { function: &'static str, usage: &'static str },
    #[error("`{quoted}` is never true or false; compare it with something")]
    NotTruth { quoted: String },
    #[error("the pattern {pattern:?} {fault}")]
    Pattern { pattern: String, fault: PatternFault },
}

impl RuleRefusal {
    fn cause(&self) -> Option<&(dyn Error + 'static)> {
        if let Self::Pattern { fault, .. } = self { fault.source() } else { None }
    }
}

/// Why a rule has no answer for these values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("there is no `{path}`; `has({path})` asks whether there is")]
    Missing { path: String },
    #[error("`{quoted}` is {kind}, not true or false")]
    NotTruth { quoted: String, kind: &'static str },
    #[error("`{quoted}` compares {left} with {right}")]
    Types { quoted: String, left: &'static str, right: &'static str },
    #[error("in `{quoted}`, {kind} stands where {needed} is needed")]
    Unfit { quoted: String, kind: &'static str, needed: &'static str },
    #[error(
        "the rule takes more than {MAX_RULE_STEPS} steps with these values; look at shorter lists and texts"
    )]
    TooMuchWork,
}
