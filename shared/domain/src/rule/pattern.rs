//! The regular expressions of `matches`: a table made at save, which takes a fixed time for each byte of the text.

use std::error::Error;
use std::sync::Arc;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input};

/// The longest pattern, in bytes.
pub const MAX_RULE_PATTERN_BYTES: usize = 256;

/// The most memory that the table of one pattern may take, in bytes; it lives as long as the rule.
const TABLE_BYTES: usize = 64 * 1024;
/// The most memory that making it may take, in bytes: this decides how long that takes, a few milliseconds.
const DETERMINIZE_BYTES: usize = 64 * 1024;
/// The same for what the table is made from.
const NFA_BYTES: usize = 64 * 1024;

/// A compiled pattern. It finds a match anywhere in a text, as `matches` of CEL does.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    written: String,
    table: Arc<dense::DFA<Vec<u32>>>,
}

/// Why a pattern is refused; completes the sentence "the pattern …".
#[derive(Debug, thiserror::Error)]
pub enum PatternFault {
    #[error("has more than {MAX_RULE_PATTERN_BYTES} bytes; ask for less at once")]
    TooLong,
    #[error("is not a regular expression that can be matched in linear time; look-around and \\1 are none")]
    NotLinear(#[source] Box<dyn Error + Send + Sync>),
    #[error("is too complex; write fewer repetitions, and [a-z] rather than \\p{{L}}")]
    TooComplex(#[source] Box<dyn Error + Send + Sync>),
}

impl Pattern {
    pub(super) fn compile(written: &str) -> Result<Self, PatternFault> {
        if written.len() > MAX_RULE_PATTERN_BYTES {
            return Err(PatternFault::TooLong);
        }
        let table = build_table(&build_nfa(&with_ascii_classes(written))?)?;
        Ok(Self { written: written.to_owned(), table: Arc::new(table) })
    }

    /// `None` if the search gave up, which a table of these limits never does.
    pub(super) fn is_in(&self, text: &str) -> Option<bool> {
        let input = Input::new(text).anchored(Anchored::No).earliest(true);
        self.table.try_search_fwd(&input).ok().map(|found| found.is_some())
    }

    /// What the table takes of memory, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.table.memory_usage()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

/// `\d`, `\w`, `\s` and `\b` mean ASCII, as in CEL: the Unicode ones make tables of hundreds of kilobytes.
fn with_ascii_classes(written: &str) -> String {
    let mut out = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(next) = characters.next() {
        let escaped = if next == '\\' { characters.next() } else { None };
        match escaped.map(|escaped| (escaped, ascii_class(escaped))) {
            None => out.push(next),
            Some((_, Some(class))) => out.push_str(class),
            Some((escaped, None)) => out.extend([next, escaped]),
        }
    }
    out
}

/// Spaces are escaped, since an expression may begin with `(?x)`, which would drop them.
fn ascii_class(escaped: char) -> Option<&'static str> {
    match escaped {
        'd' => Some("[0-9]"),
        'D' => Some("[^0-9]"),
        'w' => Some("[0-9A-Za-z_]"),
        'W' => Some("[^0-9A-Za-z_]"),
        's' => Some(r"[\t\n\f\r\x20]"),
        'S' => Some(r"[^\t\n\f\r\x20]"),
        'b' => Some(r"(?-u:\b)"),
        _ => None,
    }
}

fn build_nfa(written: &str) -> Result<thompson::NFA, PatternFault> {
    let limits =
        thompson::Config::new().which_captures(thompson::WhichCaptures::None).nfa_size_limit(Some(NFA_BYTES));
    thompson::Compiler::new().configure(limits).build(written).map_err(|error| {
        if error.size_limit().is_some() {
            PatternFault::TooComplex(error.into())
        } else {
            PatternFault::NotLinear(error.into())
        }
    })
}

fn build_table(nfa: &thompson::NFA) -> Result<dense::DFA<Vec<u32>>, PatternFault> {
    let limits = dense::Config::new()
        .start_kind(StartKind::Unanchored)
        .dfa_size_limit(Some(TABLE_BYTES))
        .determinize_size_limit(Some(DETERMINIZE_BYTES));
    dense::Builder::new().configure(limits).build_from_nfa(nfa).map_err(|error| {
        if error.is_size_limit_exceeded() {
            PatternFault::TooComplex(error.into())
        } else {
            PatternFault::NotLinear(error.into())
        }
    })
}
