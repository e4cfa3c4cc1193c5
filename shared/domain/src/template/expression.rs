//! One expression: the path it reads and the form in which it prints the value.

use std::borrow::Cow;

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use serde_json::Value;

use super::output::Output;
use super::path::ValuePath;
use super::{Refusal, RenderFault, percent};
use crate::digest::canonical;

/// What stands between `{{` and `}}`.
#[derive(Debug, Clone)]
pub(super) struct Expression {
    path: ValuePath,
    form: Form,
}

/// How a value is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Plain,
    /// The text to print when the value is missing, null or empty.
    Default(String),
    Upper,
    Lower,
    Trim,
    /// The most characters to print.
    Truncate(usize),
    /// Canonical JSON, of any value.
    Json,
    UrlEncode,
}

/// The helpers and how each is written.
const USAGES: [(&str, &str); 7] = [
    ("default", "{{default path \"fallback\"}}"),
    ("upper", "{{upper path}}"),
    ("lower", "{{lower path}}"),
    ("trim", "{{trim path}}"),
    ("truncate", "{{truncate path 100}}"),
    ("json", "{{json path}}"),
    ("urlEncode", "{{urlEncode path}}"),
];

impl Expression {
    /// Parses `{{…}}`. The scanner has refused all but expressions; what the parser made of it is checked again.
    pub(super) fn parse(source: &str) -> Result<Self, Refusal> {
        let parsed = handlebars::Template::compile(source).map_err(Refusal::Syntax)?;
        let [TemplateElement::Expression(call)] = parsed.elements.as_slice() else {
            return Err(Refusal::NotOneExpression);
        };
        if !is_plain_call(call) {
            return Err(Refusal::NotOneExpression);
        }
        match (&call.name, call.params.as_slice()) {
            (Parameter::Path(path), []) => Self::plain(path),
            (Parameter::Name(name), [Parameter::Path(path), arguments @ ..]) => {
                Ok(Self { path: ValuePath::parse(path)?, form: form(name, arguments)? })
            }
            (Parameter::Name(name), _) => Err(misuse(name)),
            _ => Err(Refusal::NotOneExpression),
        }
    }

    pub(super) fn path(&self) -> &ValuePath {
        &self.path
    }

    /// The path, if the value is printed as JSON.
    pub(super) fn json_path(&self) -> Option<&ValuePath> {
        (self.form == Form::Json).then_some(&self.path)
    }

    pub(super) fn print(&self, context: &Value, out: &mut Output) -> Result<(), RenderFault> {
        out.push(&self.text(context)?)
    }

    pub(super) fn print_for_url(&self, context: &Value, out: &mut Output) -> Result<(), RenderFault> {
        let text = self.text(context)?;
        if self.form == Form::UrlEncode { out.push(&text) } else { out.push(&percent::encode(&text)) }
    }

    fn plain(path: &handlebars::Path) -> Result<Self, Refusal> {
        let path = ValuePath::parse(path)?;
        match USAGES.iter().find(|(name, _)| *name == path.as_str()) {
            Some(&(name, usage)) => Err(Refusal::Usage { name, usage }),
            None => Ok(Self { path, form: Form::Plain }),
        }
    }

    fn text<'v>(&'v self, context: &'v Value) -> Result<Cow<'v, str>, RenderFault> {
        let found = self.path.find(context);
        Ok(match &self.form {
            Form::Default(fallback) if found.is_none_or(is_empty) => Cow::Borrowed(fallback.as_str()),
            Form::Plain | Form::Default(_) => self.scalar(found)?,
            Form::Upper => self.scalar(found)?.to_uppercase().into(),
            Form::Lower => self.scalar(found)?.to_lowercase().into(),
            Form::Trim => self.scalar(found)?.trim().to_owned().into(),
            Form::Truncate(most) => self.scalar(found)?.chars().take(*most).collect::<String>().into(),
            Form::Json => canonical(self.present(found)?).into(),
            Form::UrlEncode => percent::encode(&self.scalar(found)?).into(),
        })
    }

    /// The value as a text; numbers and booleans as JSON prints them.
    fn scalar<'v>(&self, found: Option<&'v Value>) -> Result<Cow<'v, str>, RenderFault> {
        let path = || self.path.to_string();
        match self.present(found)? {
            Value::String(text) => Ok(Cow::Borrowed(text)),
            Value::Bool(_) | Value::Number(_) => Ok(self.present(found)?.to_string().into()),
            Value::Null => Err(RenderFault::Null { path: path() }),
            Value::Array(_) => Err(RenderFault::NotText { path: path(), kind: "an array" }),
            Value::Object(_) => Err(RenderFault::NotText { path: path(), kind: "an object" }),
        }
    }

    fn present<'v>(&self, found: Option<&'v Value>) -> Result<&'v Value, RenderFault> {
        found.ok_or_else(|| RenderFault::Missing { path: self.path.to_string() })
    }
}

/// Neither a block nor named arguments: a name and its arguments in a row.
fn is_plain_call(call: &HelperTemplate) -> bool {
    let no_block =
        !call.block && call.template.is_none() && call.inverse.is_none() && call.block_param.is_none();
    no_block && call.hash.is_empty()
}

fn form(name: &str, arguments: &[Parameter]) -> Result<Form, Refusal> {
    match (name, arguments) {
        ("default", [Parameter::Literal(Value::String(fallback))]) => Ok(Form::Default(fallback.clone())),
        ("default", [Parameter::Literal(fallback @ (Value::Bool(_) | Value::Number(_)))]) => {
            Ok(Form::Default(fallback.to_string()))
        }
        ("truncate", [Parameter::Literal(most)]) => {
            let most = most.as_u64().and_then(|most| usize::try_from(most).ok());
            most.map(Form::Truncate).ok_or_else(|| misuse(name))
        }
        ("upper", []) => Ok(Form::Upper),
        ("lower", []) => Ok(Form::Lower),
        ("trim", []) => Ok(Form::Trim),
        ("json", []) => Ok(Form::Json),
        ("urlEncode", []) => Ok(Form::UrlEncode),
        _ => Err(misuse(name)),
    }
}

fn misuse(name: &str) -> Refusal {
    match USAGES.iter().find(|(helper, _)| *helper == name) {
        Some(&(name, usage)) => Refusal::Usage { name, usage },
        None => Refusal::UnknownHelper { name: name.chars().take(64).collect() },
    }
}

/// What `default` replaces.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
