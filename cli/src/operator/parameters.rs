//! Values given on the command line: whole as JSON, or one by one as `key=value`.

use std::str::FromStr;

use serde_json::{Map, Value};

/// A JSON object on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

/// `key=value`. The value is JSON if it parses as such, else a text; `key="5"` in quotes that reach the command is a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyValue {
    pub(crate) key: String,
    pub(crate) value: Value,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ParameterError {
    #[error("expected a JSON object, as in {}", r#"'{"service": "api"}'"#)]
    NotJson(#[source] serde_json::Error),
    #[error("expected key=value, as in service=api")]
    NotKeyValue,
    #[error("{0} is given twice")]
    Twice(String),
}

impl FromStr for JsonObject {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        serde_json::from_str(text).map(Self).map_err(ParameterError::NotJson)
    }
}

impl FromStr for KeyValue {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        let (key, value) = text.split_once('=').ok_or(ParameterError::NotKeyValue)?;
        if key.is_empty() {
            return Err(ParameterError::NotKeyValue);
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        Ok(Self { key: key.to_owned(), value })
    }
}

/// The object with each pair set in it. A pair goes before the object's own member; two of the same key are a mistake.
pub(crate) fn merged(
    object: Option<&JsonObject>,
    pairs: &[KeyValue],
) -> Result<Map<String, Value>, ParameterError> {
    let mut merged = object.cloned().unwrap_or_default().0;
    for (position, pair) in pairs.iter().enumerate() {
        if pairs.iter().take(position).any(|earlier| earlier.key == pair.key) {
            return Err(ParameterError::Twice(pair.key.clone()));
        }
        merged.insert(pair.key.clone(), pair.value.clone());
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(pair: &str, key: &str, value: Value) {
        let parsed: KeyValue = pair.parse().expect(pair);
        assert_eq!((parsed.key.as_str(), parsed.value), (key, value), "{pair}");
    }

    #[test]
    fn a_value_is_json_if_it_parses_and_else_a_text() {
        check("a=1", "a", json!(1));
        check("a=true", "a", json!(true));
        check("a=null", "a", json!(null));
        check("a=[1,2]", "a", json!([1, 2]));
        check("a=\"1\"", "a", json!("1"));
        check("a=api", "a", json!("api"));
        check("a=", "a", json!(""));
        check("a=b=c", "a", json!("b=c"));
        check("a={x", "a", json!("{x"));
        for text in ["", "a", "=1"] {
            assert!(text.parse::<KeyValue>().is_err(), "{text}");
        }
    }

    #[test]
    fn pairs_go_before_the_object_and_none_is_given_twice() {
        let object: JsonObject = r#"{"a": 1, "b": 2}"#.parse().expect("is an object");
        let pairs = ["b=3".parse().expect("a pair"), "c=4".parse().expect("a pair")];
        let all = merged(Some(&object), &pairs).expect("merges");
        assert_eq!(Value::Object(all), json!({"a": 1, "b": 3, "c": 4}));
        let twice = ["b=3".parse().expect("a pair"), "b=4".parse().expect("a pair")];
        assert!(merged(None, &twice).is_err());
        assert!("[1]".parse::<JsonObject>().is_err());
    }
}
