//! A parsed delivery, asked by JSON pointers. A member of the wrong type counts as absent: senders are not bound by our schema.

use std::collections::BTreeMap;

use serde_json::Value;

use super::undecodable::Undecodable;
use super::{MAX_ALERTS, MAX_BODY_BYTES, moment};
use crate::time::Time;

/// Parses bytes of a bounded size; `serde_json` bounds the depth to 128.
pub(super) fn parse(body: &[u8]) -> Result<Value, Undecodable> {
    if body.len() > MAX_BODY_BYTES {
        let problem = format!("has {} bytes, more than {MAX_BODY_BYTES}", body.len());
        return Err(Undecodable::at("", problem, "send fewer alerts in one delivery"));
    }
    serde_json::from_slice(body).map_err(Undecodable::not_json)
}

/// A place in a delivery.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a>(&'a Value);

impl<'a> Node<'a> {
    pub(super) const fn new(value: &'a Value) -> Self {
        Self(value)
    }

    pub(super) const fn value(self) -> &'a Value {
        self.0
    }

    pub(super) fn at(self, pointer: &str) -> Option<Self> {
        self.0.pointer(pointer).filter(|value| !value.is_null()).map(Self)
    }

    pub(super) fn object(self, pointer: &str) -> Option<Self> {
        self.at(pointer).filter(|node| node.0.is_object())
    }

    /// A string without the white space around it, or a number or boolean as JSON writes it: whole numbers to 64 bits stay exact.
    pub(super) fn text(self, pointer: &str) -> Option<String> {
        self.at(pointer).and_then(Self::scalar)
    }

    /// The first of several places that holds a text.
    pub(super) fn first_text(self, pointers: &[&str]) -> Option<String> {
        pointers.iter().find_map(|pointer| self.text(pointer))
    }

    pub(super) fn is(self, pointer: &str, expected: &str) -> bool {
        self.text(pointer).is_some_and(|text| text == expected)
    }

    pub(super) fn required(self, pointer: &str, mend: &'static str) -> Result<String, Undecodable> {
        self.text(pointer).ok_or_else(|| Undecodable::missing(pointer, mend))
    }

    /// The scalars of a list of places, by the names that they get as labels.
    pub(super) fn named(self, places: &[(&str, &str)]) -> BTreeMap<String, String> {
        places.iter().filter_map(|(name, pointer)| Some(((*name).to_owned(), self.text(pointer)?))).collect()
    }

    /// The texts of several places below one another.
    pub(super) fn paragraphs(self, pointers: &[&str]) -> Option<String> {
        let texts: Vec<String> = pointers.iter().filter_map(|pointer| self.text(pointer)).collect();
        Some(texts.join("\n\n")).filter(|text| !text.is_empty())
    }

    pub(super) fn time(self, pointer: &str) -> Option<Time> {
        self.text(pointer).and_then(|text| moment::parse(&text))
    }

    pub(super) fn elements(self, pointer: &str) -> Vec<Self> {
        self.at(pointer).and_then(|node| node.0.as_array()).into_iter().flatten().map(Self).collect()
    }

    /// The alerts of a delivery that fans out.
    pub(super) fn alerts(self, pointer: &str, mend: &'static str) -> Result<Vec<Self>, Undecodable> {
        let alerts = self.at(pointer).and_then(|node| node.0.as_array());
        let alerts = alerts.ok_or_else(|| Undecodable::at(pointer, "is not an array", mend))?;
        if alerts.len() > MAX_ALERTS {
            let problem = format!("has {} elements, more than {MAX_ALERTS}", alerts.len());
            return Err(Undecodable::at(pointer, problem, "send fewer alerts in one delivery"));
        }
        Ok(alerts.iter().map(Self).collect())
    }

    /// The scalar members of an object, as labels.
    pub(super) fn labels(self, pointer: &str) -> BTreeMap<String, String> {
        let members = self.at(pointer).and_then(|node| node.0.as_object()).into_iter().flatten();
        members.filter_map(|(name, value)| Some((name.clone(), Self(value).scalar()?))).collect()
    }

    pub(super) fn scalar(self) -> Option<String> {
        match self.0 {
            Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}
