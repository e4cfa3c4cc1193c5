//! Whether a rule holds for given values. Bounded by steps: a rule may look at lists within lists.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::MAX_RULE_STEPS;
use super::ast::{Base, Form, Node, Path, Quantifier, Question, Relation};
use super::compare::{equal, is_comparable, kind, order};
use super::fault::RuleError;
use super::pattern::Pattern;
use crate::template::walk;

/// How much of a text one step pays for, in bytes.
const STEP_BYTES: usize = 256;

pub(super) fn holds(text: &str, root: &Node, context: &Value) -> Result<bool, RuleError> {
    let mut evaluation = Evaluation { text, context, steps: MAX_RULE_STEPS };
    evaluation.truth(root, None)
}

struct Evaluation<'c> {
    /// The rule's text, to quote from.
    text: &'c str,
    context: &'c Value,
    /// How many are left.
    steps: usize,
}

/// The element that an `all` or `exists` stands at, and those of the ones around it.
#[derive(Clone, Copy)]
struct Scope<'v> {
    variable: &'v str,
    element: &'v Value,
    outer: Option<&'v Scope<'v>>,
}

impl<'c> Evaluation<'c> {
    fn truth(&mut self, node: &Node, scope: Option<&Scope>) -> Result<bool, RuleError> {
        let value = self.value(node, scope)?;
        value.as_bool().ok_or_else(|| RuleError::NotTruth { quoted: self.quote(node), kind: kind(&value) })
    }

    fn value<'v>(&mut self, node: &'v Node, scope: Option<&Scope<'v>>) -> Result<Cow<'v, Value>, RuleError>
    where
        'c: 'v,
    {
        self.pay(1)?;
        let truth = match &node.form {
            Form::Literal(literal) => return Ok(Cow::Borrowed(literal)),
            Form::Path(path) => return self.member(path, scope).map(Cow::Borrowed),
            Form::Size(subject) => return self.size(subject, scope).map(|size| Cow::Owned(size.into())),
            Form::Not(negated) => !self.truth(negated, scope)?,
            Form::All(parts) => self.all(parts, scope)?,
            Form::Any(parts) => self.any(parts, scope)?,
            Form::Has(path) => self.find(path, scope).is_some(),
            Form::Compare { left, relation, right } => {
                let (left, right) = (self.value(left, scope)?, self.value(right, scope)?);
                self.compare(node, &left, *relation, &right)?
            }
            Form::Ask { subject, question, argument } => {
                let (asked, argument) = (self.value(subject, scope)?, self.value(argument, scope)?);
                self.ask(node, &asked, *question, &argument)?
            }
            Form::Matches { subject, pattern } => self.matches(subject, pattern, scope)?,
            Form::Each { list, quantifier, variable, body } => {
                let elements = self.value(list, scope)?;
                let elements = elements.as_array().ok_or_else(|| self.unfit(list, &elements, "a list"))?;
                self.each(elements, *quantifier, variable, body, scope)?
            }
        };
        Ok(Cow::Owned(Value::Bool(truth)))
    }

    fn member<'v>(&self, path: &Path, scope: Option<&Scope<'v>>) -> Result<&'v Value, RuleError>
    where
        'c: 'v,
    {
        self.find(path, scope).ok_or_else(|| RuleError::Missing { path: path.to_string() })
    }

    fn find<'v>(&self, path: &Path, scope: Option<&Scope<'v>>) -> Option<&'v Value>
    where
        'c: 'v,
    {
        let mut segments = path.segments.iter().map(String::as_str);
        let from = match path.base {
            Base::Context => self.context,
            Base::Variable => element(segments.next()?, scope)?,
        };
        walk(from, segments)
    }

    fn all(&mut self, parts: &[Node], scope: Option<&Scope>) -> Result<bool, RuleError> {
        for part in parts {
            if !self.truth(part, scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn any(&mut self, parts: &[Node], scope: Option<&Scope>) -> Result<bool, RuleError> {
        for part in parts {
            if self.truth(part, scope)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Stops at the element that decides.
    fn each(
        &mut self,
        elements: &[Value],
        quantifier: Quantifier,
        variable: &str,
        body: &Node,
        outer: Option<&Scope>,
    ) -> Result<bool, RuleError> {
        let decisive = match quantifier {
            Quantifier::All => false,
            Quantifier::Exists => true,
        };
        for element in elements {
            if self.truth(body, Some(&Scope { variable, element, outer }))? == decisive {
                return Ok(decisive);
            }
        }
        Ok(!decisive)
    }

    fn size(&mut self, subject: &Node, scope: Option<&Scope>) -> Result<usize, RuleError> {
        let measured = self.value(subject, scope)?;
        match measured.as_ref() {
            Value::String(text) => {
                self.pay(text.len() / STEP_BYTES)?;
                Ok(text.chars().count())
            }
            Value::Array(elements) => Ok(elements.len()),
            Value::Object(members) => Ok(members.len()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                Err(self.unfit(subject, &measured, "a text, a list or an object"))
            }
        }
    }

    fn matches(
        &mut self,
        subject: &Node,
        pattern: &Pattern,
        scope: Option<&Scope>,
    ) -> Result<bool, RuleError> {
        let asked = self.value(subject, scope)?;
        let text = asked.as_str().ok_or_else(|| self.unfit(subject, &asked, "a text"))?;
        self.pay(text.len() / STEP_BYTES)?;
        pattern.is_in(text).ok_or(RuleError::TooMuchWork)
    }

    fn compare(
        &mut self,
        node: &Node,
        left: &Value,
        relation: Relation,
        right: &Value,
    ) -> Result<bool, RuleError> {
        match relation {
            Relation::Equal => self.same(node, left, right),
            Relation::NotEqual => self.same(node, left, right).map(|same| !same),
            Relation::Less => self.ordered(node, left, right).map(Ordering::is_lt),
            Relation::LessOrEqual => self.ordered(node, left, right).map(Ordering::is_le),
            Relation::Greater => self.ordered(node, left, right).map(Ordering::is_gt),
            Relation::GreaterOrEqual => self.ordered(node, left, right).map(Ordering::is_ge),
            Relation::In => self.is_in(node, left, right),
        }
    }

    fn same(&mut self, node: &Node, left: &Value, right: &Value) -> Result<bool, RuleError> {
        if !is_comparable(left, right) {
            return Err(self.types(node, left, right));
        }
        self.pay_for(left, right)?;
        Ok(equal(left, right))
    }

    fn ordered(&mut self, node: &Node, left: &Value, right: &Value) -> Result<Ordering, RuleError> {
        self.pay_for(left, right)?;
        if let Some(ordering) = order(left, right) {
            return Ok(ordering);
        }
        if kind(left) == kind(right) {
            return Err(self.unfit(node, left, "an order, which numbers and texts have"));
        }
        Err(self.types(node, left, right))
    }

    fn is_in(&mut self, node: &Node, sought: &Value, place: &Value) -> Result<bool, RuleError> {
        match (place, sought) {
            (Value::Array(elements), _) => self.is_among(node, sought, elements),
            (Value::Object(members), Value::String(name)) => Ok(members.contains_key(name)),
            (Value::Object(_), _) => Err(self.unfit(node, sought, "the name of a member")),
            (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _) => {
                Err(self.unfit(node, place, "a list or an object after `in` (a text has contains)"))
            }
        }
    }

    fn is_among(&mut self, node: &Node, sought: &Value, elements: &[Value]) -> Result<bool, RuleError> {
        for element in elements {
            self.pay(1)?;
            if self.same(node, sought, element)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn ask(
        &mut self,
        node: &Node,
        asked: &Value,
        question: Question,
        argument: &Value,
    ) -> Result<bool, RuleError> {
        let (text, part) = match (asked, argument) {
            (Value::String(text), Value::String(part)) => (text, part.as_str()),
            (Value::Array(elements), _) if question == Question::Contains => {
                return self.is_among(node, argument, elements);
            }
            (Value::String(_), _) => return Err(self.unfit(node, argument, "a text")),
            _ => return Err(self.unfit(node, asked, "a text before the dot (or a list, for contains)")),
        };
        self.pay(text.len() / STEP_BYTES)?;
        Ok(match question {
            Question::Contains => text.contains(part),
            Question::StartsWith => text.starts_with(part),
            Question::EndsWith => text.ends_with(part),
        })
    }

    /// Pays for comparing these two: lists and objects of one size are walked together, texts of one length read.
    fn pay_for(&mut self, left: &Value, right: &Value) -> Result<(), RuleError> {
        match (left, right) {
            (Value::String(left), Value::String(right)) => self.pay(left.len().min(right.len()) / STEP_BYTES),
            (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
                self.pay(left.len())?;
                left.iter().zip(right).try_for_each(|(left, right)| self.pay_for(left, right))
            }
            (Value::Object(left), Value::Object(right)) if left.len() == right.len() => {
                self.pay(left.len())?;
                left.iter().try_for_each(|(name, left)| {
                    right.get(name).map_or(Ok(()), |right| self.pay_for(left, right))
                })
            }
            _ => Ok(()),
        }
    }

    fn pay(&mut self, steps: usize) -> Result<(), RuleError> {
        self.steps = self.steps.checked_sub(steps).ok_or(RuleError::TooMuchWork)?;
        Ok(())
    }

    fn types(&self, node: &Node, left: &Value, right: &Value) -> RuleError {
        RuleError::Types { quoted: self.quote(node), left: kind(left), right: kind(right) }
    }

    fn unfit(&self, node: &Node, value: &Value, needed: &'static str) -> RuleError {
        RuleError::Unfit { quoted: self.quote(node), kind: kind(value), needed }
    }

    fn quote(&self, node: &Node) -> String {
        self.text.get(node.place.clone()).unwrap_or_default().to_owned()
    }
}

fn element<'v>(name: &str, scope: Option<&Scope<'v>>) -> Option<&'v Value> {
    let mut next = scope.copied();
    while let Some(scope) = next {
        if scope.variable == name {
            return Some(scope.element);
        }
        next = scope.outer.copied();
    }
    None
}
