//! What stands between operators: literals, lists, paths and calls.

use serde_json::Value;

use super::Parser;
use crate::rule::ast::{Base, Form, Node, Path};
use crate::rule::fault::{RuleFault, RuleRefusal};
use crate::rule::lexer::Word;

const OPERAND: &str = "a path, a value or a call";

impl Parser<'_> {
    pub(super) fn operand(&mut self) -> Result<Node, RuleFault> {
        let start = self.start();
        let Some(word) = self.peek().cloned() else { return Err(self.unexpected(OPERAND)) };
        let form = match word {
            Word::Literal(literal) => self.literal(literal),
            Word::Symbol("[") => Form::Literal(self.list()?),
            Word::Symbol("(") => self.parenthesised()?,
            Word::Name(name) => self.named(name)?,
            Word::Symbol(_) => return Err(self.unexpected(OPERAND)),
        };
        // A path ends before a method's name, and a call has none: what it answers is a number or a bool.
        let subject = self.node(start, form);
        if self.eat(".") { self.method(start, subject) } else { Ok(subject) }
    }

    fn literal(&mut self, literal: Value) -> Form {
        self.at += 1;
        Form::Literal(literal)
    }

    fn parenthesised(&mut self) -> Result<Form, RuleFault> {
        self.at += 1;
        let inside = self.nested(Self::any)?;
        self.expect(")", "`)`")?;
        Ok(inside.form)
    }

    /// A list holds literals only, so that evaluating one never copies what it reads.
    fn list(&mut self) -> Result<Value, RuleFault> {
        self.at += 1;
        let mut elements = Vec::new();
        while !self.eat("]") {
            if !elements.is_empty() {
                self.expect(",", "`,` or `]`")?;
            }
            elements.push(self.nested(Self::element)?);
        }
        Ok(Value::Array(elements))
    }

    fn element(&mut self) -> Result<Value, RuleFault> {
        const EXPECTED: &str = "a value (a list holds no paths: write x == a || x == b)";
        let literal = match self.peek() {
            Some(Word::Literal(literal)) => literal.clone(),
            Some(Word::Name(name)) => constant(name).ok_or_else(|| self.unexpected(EXPECTED))?,
            Some(Word::Symbol("[")) => return self.list(),
            Some(Word::Symbol(_)) | None => return Err(self.unexpected(EXPECTED)),
        };
        self.at += 1;
        Ok(literal)
    }

    fn named(&mut self, name: String) -> Result<Form, RuleFault> {
        if let Some(constant) = constant(&name) {
            return Ok(self.literal(constant));
        }
        if name == "in" {
            return Err(self.unexpected(OPERAND));
        }
        if name == "not" {
            let mending = "write `!` for it";
            return Err(self.fault(RuleRefusal::Foreign { found: name, mending }));
        }
        if matches!(self.tokens.get(self.at + 1).map(|token| &token.word), Some(Word::Symbol("("))) {
            return self.function(&name);
        }
        self.path(name).map(Form::Path)
    }

    /// `name { "." name | "[" text "]" | "[" index "]" }`, up to the name of a method.
    pub(super) fn path(&mut self, name: String) -> Result<Path, RuleFault> {
        self.at += 1;
        let base = if self.variables.contains(&name) { Base::Variable } else { Base::Context };
        let mut segments = vec![name];
        loop {
            if self.is_next(".") && !self.is_method_next() {
                self.at += 1;
                segments.push(self.segment()?);
            } else if self.eat("[") {
                segments.push(self.index()?);
                self.expect("]", "`]`")?;
            } else {
                return Ok(Path { base, segments });
            }
        }
    }

    fn is_method_next(&self) -> bool {
        matches!(self.tokens.get(self.at + 2).map(|token| &token.word), Some(Word::Symbol("(")))
    }

    fn segment(&mut self) -> Result<String, RuleFault> {
        let Some(Word::Name(name)) = self.peek() else {
            return Err(self.unexpected("a name; others stand in brackets, as in labels[\"a b\"]"));
        };
        let name = name.clone();
        self.at += 1;
        Ok(name)
    }

    fn index(&mut self) -> Result<String, RuleFault> {
        let segment = match self.peek() {
            Some(Word::Literal(Value::String(name))) => Some(name.clone()),
            Some(Word::Literal(Value::Number(index))) => index.as_u64().map(|index| index.to_string()),
            Some(Word::Literal(_) | Word::Name(_) | Word::Symbol(_)) | None => None,
        };
        let segment =
            segment.ok_or_else(|| self.unexpected("a text or an index, such as [\"name\"] or [0]"))?;
        self.at += 1;
        Ok(segment)
    }
}

fn constant(name: &str) -> Option<Value> {
    match name {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        _ => None,
    }
}
