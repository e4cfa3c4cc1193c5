//! The words of a rule.

use serde_json::{Number, Value};

use super::fault::{RuleFault, RuleRefusal};

/// A word and the bytes it stands at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) word: Word,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Name(String),
    Literal(Value),
    Symbol(&'static str),
}

/// Longer ones first: `<=` is not `<` and `=`.
const SYMBOLS: [&str; 15] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ",", "."];

/// What people write out of habit of another language, and what to write here.
const FOREIGN: [(&str, &str); 11] = [
    ("=", "write `==` to compare"),
    ("&", "write `&&` for both"),
    ("|", "write `||` for either"),
    ("-", "there is no arithmetic; write a name with odd dashes in brackets, as in steps[\"-a-\"]"),
    ("+", "there is no arithmetic"),
    ("*", "there is no arithmetic"),
    ("/", "there is no arithmetic"),
    ("%", "there is no arithmetic"),
    ("?", "write (a && b) || (!a && c)"),
    ("{", "a rule stands without braces, as in incident.priority == \"HIGH\""),
    ("`", "write a text in quotes, as in \"HIGH\""),
];

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, RuleFault> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    loop {
        lexer.skip_spaces();
        let Some(next) = lexer.rest().chars().next() else { return Ok(lexer.tokens) };
        let start = lexer.at;
        let word = lexer.word(next)?;
        lexer.tokens.push(Token { word, start, end: lexer.at });
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
}

impl<'t> Lexer<'t> {
    fn word(&mut self, next: char) -> Result<Word, RuleFault> {
        if let Some(quoted) = self.rest().strip_prefix('r').filter(|rest| rest.starts_with(['"', '\''])) {
            return self.raw_text(quoted);
        }
        match next {
            '"' | '\'' => self.text_literal(next),
            'a'..='z' | 'A'..='Z' | '_' => Ok(self.name()),
            // A step or an index of a list after a dot, as in `nodes.0`.
            '0'..='9' if self.follows_dot() => Ok(self.name()),
            '0'..='9' => self.number(),
            '-' if self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => self.number(),
            _ => self.symbol(next),
        }
    }

    /// A name may hold dashes between other characters of a name, as the ids of steps do.
    fn name(&mut self) -> Word {
        let rest = self.rest();
        let mut length = 0;
        for part in rest.split('-') {
            let part = part.len() - part.trim_start_matches(is_of_name).len();
            if part == 0 {
                break;
            }
            // The dash before this part belongs to the name as well.
            let from = if length == 0 { 0 } else { length + 1 };
            length = from + part;
            if !rest.get(length..).is_some_and(|after| after.starts_with('-')) {
                break;
            }
        }
        Word::Name(self.take(length).to_owned())
    }

    fn number(&mut self) -> Result<Word, RuleFault> {
        let start = self.at;
        let length = self.rest().find(|c: char| !is_of_number(c)).unwrap_or(self.rest().len());
        let written = self.take(length);
        let number: Number = serde_json::from_str(written)
            .map_err(|_| self.fault(start, RuleRefusal::Number(written.to_owned())))?;
        // JSON's reader makes a rounded float of an integer that is too large.
        if number.is_f64() && !written.contains(['.', 'e', 'E']) {
            return Err(self.fault(start, RuleRefusal::LargeNumber(written.to_owned())));
        }
        Ok(Word::Literal(Value::Number(number)))
    }

    fn raw_text(&mut self, quoted: &'t str) -> Result<Word, RuleFault> {
        let mut characters = quoted.chars();
        let quote = characters.next().unwrap_or('"');
        let Some((inside, _)) = characters.as_str().split_once(quote) else {
            return Err(self.fault(self.at, RuleRefusal::UnclosedText));
        };
        self.at += inside.len() + 3;
        Ok(Word::Literal(Value::from(inside)))
    }

    fn text_literal(&mut self, quote: char) -> Result<Word, RuleFault> {
        let start = self.at;
        self.take(1);
        let mut out = String::new();
        while let Some(next) = self.rest().chars().next() {
            let escape = self.at;
            self.take(next.len_utf8());
            match next {
                '\\' => out.push(self.escaped(escape)?),
                _ if next == quote => return Ok(Word::Literal(Value::String(out))),
                _ => out.push(next),
            }
        }
        Err(self.fault(start, RuleRefusal::UnclosedText))
    }

    fn escaped(&mut self, start: usize) -> Result<char, RuleFault> {
        let Some(next) = self.rest().chars().next() else {
            return Err(self.fault(start, RuleRefusal::UnclosedText));
        };
        self.take(next.len_utf8());
        match next {
            '\\' | '"' | '\'' => Ok(next),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'u' => self.code_point().ok_or_else(|| self.fault(start, RuleRefusal::Escape('u'))),
            _ => Err(self.fault(start, RuleRefusal::Escape(next))),
        }
    }

    /// Four hexadecimal digits. Half of a surrogate pair is no character: write the character itself.
    fn code_point(&mut self) -> Option<char> {
        let digits = self.rest().get(..4).filter(|digits| digits.chars().all(|c| c.is_ascii_hexdigit()))?;
        self.take(4);
        char::from_u32(u32::from_str_radix(digits, 16).ok()?)
    }

    fn symbol(&mut self, next: char) -> Result<Word, RuleFault> {
        let rest = self.rest();
        if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            self.take(symbol.len());
            return Ok(Word::Symbol(symbol));
        }
        let known = FOREIGN.into_iter().find(|(written, _)| rest.starts_with(written));
        let mending = known.map_or("write names, literals and operators only", |(_, mending)| mending);
        let found = next.escape_default().to_string();
        Err(self.fault(self.at, RuleRefusal::Foreign { found, mending }))
    }

    fn follows_dot(&self) -> bool {
        self.tokens.last().is_some_and(|token| token.word == Word::Symbol("."))
    }

    fn skip_spaces(&mut self) {
        let spaces = self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.take(spaces);
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> &'t str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.at += taken.len();
        taken
    }

    fn fault(&self, offset: usize, refusal: RuleRefusal) -> RuleFault {
        RuleFault::at(self.text, offset, refusal)
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Letters too, so that `5x` is one word that is no number rather than two words.
fn is_of_number(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '+')
}
