//! Functions and methods: `has(path)`, `size(value)`, `subject.contains(value)` and the like.

use serde_json::Value;

use super::Parser;
use crate::rule::MAX_RULE_PATTERNS;
use crate::rule::ast::{Form, Node, Quantifier, Question};
use crate::rule::fault::{RuleFault, RuleRefusal};
use crate::rule::lexer::Word;
use crate::rule::pattern::Pattern;

const METHODS: &str =
    "a value has size(), contains(…), startsWith(…), endsWith(…), matches(…), all(x, …) and exists(x, …)";
const FUNCTIONS: &str =
    "there are has(path), exists(path) and size(value); others follow a dot, as in x.contains(y)";

impl Parser<'_> {
    /// `has(path)`, `exists(path)` and `size(value)`. The next token is the name.
    pub(super) fn function(&mut self, name: &str) -> Result<Form, RuleFault> {
        let form = match name {
            "has" | "exists" => Self::has,
            "size" => Self::size_of,
            _ => return Err(self.unknown(name, FUNCTIONS)),
        };
        self.at += 2;
        let call = self.nested(form)?;
        self.expect(")", "`)`")?;
        Ok(call)
    }

    fn has(&mut self) -> Result<Form, RuleFault> {
        let usage =
            RuleRefusal::Usage { function: "has", usage: "has(path), as in has(incident.metadata.service)" };
        match self.peek().cloned() {
            Some(Word::Name(name)) => self.path(name).map(Form::Has),
            Some(Word::Literal(_) | Word::Symbol(_)) | None => Err(self.fault(usage)),
        }
    }

    fn size_of(&mut self) -> Result<Form, RuleFault> {
        Ok(Form::Size(Box::new(self.any()?)))
    }

    /// The rest of `subject.name(…)`. The next token is the name.
    pub(super) fn method(&mut self, start: usize, subject: Node) -> Result<Node, RuleFault> {
        let Some(Word::Name(name)) = self.peek().cloned() else {
            return Err(self.unexpected("the name of a method"));
        };
        let subject = Box::new(subject);
        if !matches!(self.tokens.get(self.at + 1).map(|token| &token.word), Some(Word::Symbol("("))) {
            return Err(self.unexpected("a call such as size(); only a path has members"));
        }
        let form = self.nested(|parser| parser.method_named(&name, subject))?;
        self.expect(")", "`)`")?;
        Ok(self.node(start, form))
    }

    fn method_named(&mut self, name: &str, subject: Box<Node>) -> Result<Form, RuleFault> {
        let method: fn(&mut Self, Box<Node>) -> Result<Form, RuleFault> = match name {
            "size" => |_, subject| Ok(Form::Size(subject)),
            "contains" => |parser, subject| parser.ask(subject, Question::Contains),
            "startsWith" => |parser, subject| parser.ask(subject, Question::StartsWith),
            "endsWith" => |parser, subject| parser.ask(subject, Question::EndsWith),
            "matches" => Self::matches,
            "all" => |parser, list| parser.each(list, Quantifier::All),
            "exists" => |parser, list| parser.each(list, Quantifier::Exists),
            _ => return Err(self.unknown(name, METHODS)),
        };
        self.at += 2;
        method(self, subject)
    }

    fn ask(&mut self, subject: Box<Node>, question: Question) -> Result<Form, RuleFault> {
        Ok(Form::Ask { subject, question, argument: Box::new(self.any()?) })
    }

    /// The pattern is a literal: one that came with the values could not be compiled at save.
    fn matches(&mut self, subject: Box<Node>) -> Result<Form, RuleFault> {
        let Some(Word::Literal(Value::String(pattern))) = self.peek().cloned() else {
            let usage = "text.matches(\"pattern\"), with the pattern in quotes";
            return Err(self.fault(RuleRefusal::Usage { function: "matches", usage }));
        };
        if self.patterns == MAX_RULE_PATTERNS {
            return Err(self.fault(RuleRefusal::TooManyPatterns));
        }
        self.patterns += 1;
        let compiled = Pattern::compile(&pattern)
            .map_err(|fault| self.fault(RuleRefusal::Pattern { pattern, fault }))?;
        self.at += 1;
        Ok(Form::Matches { subject, pattern: compiled })
    }

    /// `list.all(x, rule about x)`.
    fn each(&mut self, list: Box<Node>, quantifier: Quantifier) -> Result<Form, RuleFault> {
        let variable = self.variable()?;
        self.variables.push(variable.clone());
        let body = self.any();
        self.variables.pop();
        let body = body.and_then(|body| self.truth(body))?;
        Ok(Form::Each { list, quantifier, variable, body: Box::new(body) })
    }

    fn variable(&mut self) -> Result<String, RuleFault> {
        let usage = RuleRefusal::Usage {
            function: "all or exists",
            usage: "list.all(x, rule about x), as in nodes.all(x, x.ready == true)",
        };
        let Some(Word::Name(name)) = self.peek().cloned() else { return Err(self.fault(usage)) };
        self.at += 1;
        if self.eat(",") { Ok(name) } else { Err(self.fault(usage)) }
    }

    fn unknown(&self, name: &str, mending: &'static str) -> RuleFault {
        self.fault(RuleRefusal::Function { name: name.to_owned(), mending })
    }
}
