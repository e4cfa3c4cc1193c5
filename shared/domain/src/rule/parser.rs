//! The grammar of rules, by recursive descent within a limit of depth.
//!
//! ```text
//! any     = all { "||" all }
//! all     = compare { "&&" compare }
//! compare = prefix [ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "in") prefix ]
//! prefix  = "!" prefix | operand [ "." method "(" … ")" ]
//! operand = literal | list | path | function "(" … ")" | "(" any ")"
//! ```

mod call;
mod operand;

use super::ast::{Form, Node, Relation};
use super::fault::{RuleFault, RuleRefusal};
use super::lexer::{self, Token, Word};
use super::{MAX_RULE_BYTES, MAX_RULE_DEPTH};

/// The rule that the text is, within all limits.
pub(super) fn parse(text: &str) -> Result<Node, RuleFault> {
    if text.len() > MAX_RULE_BYTES {
        return Err(RuleFault::at(text, 0, RuleRefusal::TooLong { bytes: text.len() }));
    }
    let mut parser = Parser::new(text, lexer::tokens(text)?);
    let root = parser.any()?;
    parser.end()?;
    parser.truth(root)
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    /// The token to be read next.
    at: usize,
    depth: usize,
    /// How many calls of `matches` there were.
    patterns: usize,
    /// The names that the `all` and `exists` around this place give their elements, the outermost first.
    variables: Vec<String>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, tokens: Vec<Token>) -> Self {
        Self { text, tokens, at: 0, depth: 0, patterns: 0, variables: Vec::new() }
    }

    fn any(&mut self) -> Result<Node, RuleFault> {
        self.chain("||", Self::all, Form::Any)
    }

    fn all(&mut self) -> Result<Node, RuleFault> {
        self.chain("&&", Self::compare, Form::All)
    }

    /// `part { operator part }`; a part that stands alone is itself.
    fn chain(
        &mut self,
        operator: &'static str,
        part: fn(&mut Self) -> Result<Node, RuleFault>,
        form: fn(Vec<Node>) -> Form,
    ) -> Result<Node, RuleFault> {
        let start = self.start();
        let first = part(self)?;
        if !self.is_next(operator) {
            return Ok(first);
        }
        let mut parts = vec![self.truth(first)?];
        while self.eat(operator) {
            let next = part(self)?;
            parts.push(self.truth(next)?);
        }
        Ok(self.node(start, form(parts)))
    }

    fn compare(&mut self) -> Result<Node, RuleFault> {
        let start = self.start();
        let left = self.prefix()?;
        let Some(relation) = self.relation() else { return Ok(left) };
        self.at += 1;
        let right = Box::new(self.prefix()?);
        if self.relation().is_some() {
            return Err(self.unexpected("&& or || (a == b && b == c)"));
        }
        Ok(self.node(start, Form::Compare { left: Box::new(left), relation, right }))
    }

    fn relation(&self) -> Option<Relation> {
        match self.peek()? {
            Word::Symbol("==") => Some(Relation::Equal),
            Word::Symbol("!=") => Some(Relation::NotEqual),
            Word::Symbol("<") => Some(Relation::Less),
            Word::Symbol("<=") => Some(Relation::LessOrEqual),
            Word::Symbol(">") => Some(Relation::Greater),
            Word::Symbol(">=") => Some(Relation::GreaterOrEqual),
            Word::Name(name) if name == "in" => Some(Relation::In),
            Word::Name(_) | Word::Symbol(_) | Word::Literal(_) => None,
        }
    }

    fn prefix(&mut self) -> Result<Node, RuleFault> {
        let start = self.start();
        if !self.eat("!") {
            return self.operand();
        }
        let negated = self.nested(Self::prefix)?;
        let negated = Box::new(self.truth(negated)?);
        Ok(self.node(start, Form::Not(negated)))
    }

    /// What may be nested in itself is parsed through here: the depth of the stack is that of the text.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, RuleFault>) -> Result<T, RuleFault> {
        if self.depth == MAX_RULE_DEPTH {
            return Err(self.fault(RuleRefusal::TooDeep));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Refuses what can never be true or false where that is needed.
    fn truth(&self, node: Node) -> Result<Node, RuleFault> {
        if node.may_hold() {
            return Ok(node);
        }
        let quoted = self.text.get(node.place.clone()).unwrap_or_default().to_owned();
        Err(RuleFault::at(self.text, node.place.start, RuleRefusal::NotTruth { quoted }))
    }

    fn end(&self) -> Result<(), RuleFault> {
        match self.peek() {
            None => Ok(()),
            Some(Word::Name(name)) if name == "and" => Err(self.unexpected("`&&`")),
            Some(Word::Name(name)) if name == "or" => Err(self.unexpected("`||`")),
            Some(_) => Err(self.unexpected("an operator such as == or && or the end")),
        }
    }

    fn node(&self, start: usize, form: Form) -> Node {
        let end =
            self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(start, |token| token.end);
        Node { form, place: start..end }
    }

    fn expect(&mut self, symbol: &'static str, expected: &'static str) -> Result<(), RuleFault> {
        if self.eat(symbol) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let eaten = self.is_next(symbol);
        self.at += usize::from(eaten);
        eaten
    }

    fn is_next(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Word::Symbol(next)) if *next == symbol)
    }

    fn peek(&self) -> Option<&Word> {
        self.tokens.get(self.at).map(|token| &token.word)
    }

    /// Where the next token begins, or the text ends.
    fn start(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |token| token.start)
    }

    fn unexpected(&self, expected: &'static str) -> RuleFault {
        let found = self.tokens.get(self.at).and_then(|token| self.text.get(token.start..token.end));
        self.fault(match found {
            None => RuleRefusal::End { expected },
            Some(found) => RuleRefusal::Unexpected { found: found.to_owned(), expected },
        })
    }

    fn fault(&self, refusal: RuleRefusal) -> RuleFault {
        RuleFault::at(self.text, self.start(), refusal)
    }
}
