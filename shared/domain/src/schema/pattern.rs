//! Which regular expressions a schema may hold: those that match in time linear in the text, with a small factor.
//!
//! The engine is linear for all of them, but the factor of `1[01]{400}x` is a microsecond a byte. A pattern whose
//! automaton is small is matched by table, so the automaton is built here, within limits, and thrown away.

use std::collections::BTreeSet;
use std::error::Error;

use regex_automata::dfa::{StartKind, dense};
use regex_automata::nfa::thompson;

/// The most different patterns of a schema.
pub const MAX_PATTERNS: usize = 16;
/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 256;
/// The most classes such as `\d` in a pattern: translating `n` of them takes time in the cube of `n`.
pub const MAX_PATTERN_CLASSES: usize = 12;

/// The most memory that the automata of one pattern, and of all patterns of a schema, may take, in bytes.
const AUTOMATON_BYTES: Limit = Limit { each: 512 * 1024, all: 1024 * 1024 };
/// The same for what they are made from.
const NFA_BYTES: Limit = Limit { each: 64 * 1024, all: 128 * 1024 };
/// The most memory that making one automaton may take, in bytes: it decides how long that takes, a few milliseconds.
const DETERMINIZE_BYTES: usize = 64 * 1024;

struct Limit {
    each: usize,
    all: usize,
}

/// Why a pattern is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum PatternFault {
    #[error("a schema has at most {MAX_PATTERNS} different patterns")]
    TooMany,
    #[error("a pattern has at most {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    #[error("a pattern has at most {MAX_PATTERN_CLASSES} classes such as \\d; [0-9] does not count")]
    TooManyClasses,
    #[error("is not a regular expression of ECMA-262")]
    NotARegex,
    #[error("back-references, look-around and \\b are not supported: they cannot be matched in linear time")]
    NotLinear(#[source] Box<dyn Error + Send + Sync>),
    #[error("is too complex; write fewer repetitions of overlapping or Unicode classes, or use `maxLength`")]
    TooComplex(#[source] Box<dyn Error + Send + Sync>),
}

/// The patterns of one schema, as they are met.
#[derive(Debug)]
pub(super) struct Patterns<'s> {
    seen: BTreeSet<&'s str>,
    /// One was too complex, which took as long as it may for all of them: the others wait until it is mended.
    exhausted: bool,
    automaton_bytes_left: usize,
    nfa_bytes_left: usize,
}

impl<'s> Patterns<'s> {
    pub(super) fn new() -> Self {
        Self {
            seen: BTreeSet::new(),
            exhausted: false,
            automaton_bytes_left: AUTOMATON_BYTES.all,
            nfa_bytes_left: NFA_BYTES.all,
        }
    }

    /// Checks a pattern the first time it is met.
    pub(super) fn add(&mut self, pattern: &'s str) -> Result<(), PatternFault> {
        if self.exhausted || !self.seen.insert(pattern) {
            return Ok(());
        }
        if self.seen.len() > MAX_PATTERNS {
            return Err(PatternFault::TooMany);
        }
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(PatternFault::TooLong);
        }
        if count_classes(pattern) > MAX_PATTERN_CLASSES {
            return Err(PatternFault::TooManyClasses);
        }
        // The translation that the validator makes: the automaton is that of the regex that will run.
        let translated = jsonschema_regex::to_rust_regex(pattern).map_err(|()| PatternFault::NotARegex)?;
        let nfa = self.build_nfa(&translated)?;
        self.build_automaton(&nfa)
    }

    fn build_nfa(&mut self, pattern: &str) -> Result<thompson::NFA, PatternFault> {
        let limits = thompson::Config::new()
            .which_captures(thompson::WhichCaptures::None)
            .nfa_size_limit(Some(NFA_BYTES.each.min(self.nfa_bytes_left)));
        let nfa = thompson::Compiler::new().configure(limits).build(pattern).map_err(|error| {
            if error.size_limit().is_some() {
                PatternFault::TooComplex(error.into())
            } else {
                PatternFault::NotLinear(error.into())
            }
        })?;
        self.nfa_bytes_left = self.nfa_bytes_left.saturating_sub(nfa.memory_usage());
        Ok(nfa)
    }

    fn build_automaton(&mut self, nfa: &thompson::NFA) -> Result<(), PatternFault> {
        let limits = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .dfa_size_limit(Some(AUTOMATON_BYTES.each.min(self.automaton_bytes_left)))
            .determinize_size_limit(Some(DETERMINIZE_BYTES));
        let automaton = dense::Builder::new().configure(limits).build_from_nfa(nfa).map_err(|error| {
            if error.is_size_limit_exceeded() {
                self.exhausted = true;
                PatternFault::TooComplex(error.into())
            } else {
                PatternFault::NotLinear(error.into())
            }
        })?;
        self.automaton_bytes_left = self.automaton_bytes_left.saturating_sub(automaton.memory_usage());
        Ok(())
    }
}

fn count_classes(pattern: &str) -> usize {
    pattern.split('\\').skip(1).filter(|rest| rest.starts_with(['d', 'D', 's', 'S', 'w', 'W'])).count()
}
