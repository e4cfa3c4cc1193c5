//! YAML and JSON read into a JSON value that remembers where each of its parts stands.
//!
//! JSON is read as the YAML that it is. `yes` and `no` stay the texts they are. Aliases are expanded within narrow limits, or refused:
//! a short text could become a large value through them.

use std::collections::BTreeMap;
use std::fmt;

use muster_domain::fault::pointer_to;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Spanned, UserMessageFormatter};

/// A position in a file; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

/// Where the parts of a value stand, by JSON pointer. A member stands where its name does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Places(BTreeMap<String, Place>);

/// A value and the places of its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    pub value: Value,
    pub places: Places,
}

/// What becomes of aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aliases {
    /// They are replaced by what they name: a file of one's own.
    Expanded,
    /// They are a fault: a text of others.
    Refused,
}

/// Why a text is no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxFault {
    pub place: Option<Place>,
    /// What is wrong and, where that is known, how to mend it.
    pub message: String,
}

impl Located {
    /// Parses the one document of a text.
    pub fn parse(text: &str, aliases: Aliases) -> Result<Self, SyntaxFault> {
        let parsed: Result<Spanned<Tree>, _> = serde_saphyr::from_str_with_options(text, options(aliases));
        let root = parsed.map_err(|error| syntax_fault(text, &error))?;
        let mut places = BTreeMap::new();
        places.insert(String::new(), place_of(root.referenced));
        let value = flatten(root.value, "", &mut places);
        Ok(Self { value, places: Places(places) })
    }
}

impl Places {
    /// The place of what a pointer names, or of the nearest thing around it that the file holds.
    pub fn nearest(&self, pointer: &str) -> Option<Place> {
        let mut around = pointer;
        loop {
            if let Some(place) = self.0.get(around) {
                return Some(*place);
            }
            around = around.rsplit_once('/')?.0;
        }
    }
}

/// Bounds that no honest runbook meets.
fn options(aliases: Aliases) -> serde_saphyr::Options {
    let (most_aliases, most_replayed) = match aliases {
        Aliases::Expanded => (1_000, 50_000),
        Aliases::Refused => (0, 0),
    };
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 64,
            max_nodes: 50_000,
            max_events: 200_000,
            max_aliases: most_aliases,
            max_anchors: 1_000,
            max_documents: 2,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: most_replayed,
            max_replay_stack_depth: 16,
        },
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

fn syntax_fault(text: &str, error: &serde_saphyr::Error) -> SyntaxFault {
    let place = error.location().map(place_of);
    let said = error.render_with_formatter(&UserMessageFormatter);
    let suffix = place.map_or(String::new(), |at| format!(" at line {}, column {}", at.line, at.column));
    let message = said.strip_suffix(suffix.as_str()).unwrap_or(&said);
    let message = match mending(message, place.and_then(|at| line_of(text, at))) {
        Some(hint) => format!("{message}; {hint}"),
        None => message.to_owned(),
    };
    SyntaxFault { place, message }
}

/// What usually mends a line that does not parse.
fn mending(message: &str, line: Option<&str>) -> Option<&'static str> {
    let line = line?;
    let value = line.split_once(": ").map_or(line, |(_, value)| value);
    let value = value.trim_start().trim_start_matches("- ").trim_start();
    if value.starts_with("{{") {
        Some(r#"put a template in quotes: "{{params.name}}""#)
    } else if line.starts_with('\t') {
        Some("indent with spaces, not with tabs")
    } else if message.contains("mapping values are not allowed") {
        Some("indent the members of an object alike, and put a text that holds `: ` in quotes")
    } else {
        None
    }
}

fn line_of(text: &str, at: Place) -> Option<&str> {
    let above = usize::try_from(at.line).ok()?.checked_sub(1)?;
    text.lines().nth(above)
}

fn place_of(location: serde_saphyr::Location) -> Place {
    Place { line: location.line(), column: location.column() }
}

/// A YAML node as it is parsed.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(Value),
    List(Vec<Spanned<Tree>>),
    Members(Vec<(Spanned<String>, Tree)>),
}

fn flatten(tree: Tree, pointer: &str, places: &mut BTreeMap<String, Place>) -> Value {
    match tree {
        Tree::Leaf(value) => value,
        Tree::List(elements) => {
            let mut list = Vec::with_capacity(elements.len());
            for (position, element) in elements.into_iter().enumerate() {
                let inner = format!("{pointer}/{position}");
                places.insert(inner.clone(), place_of(element.referenced));
                list.push(flatten(element.value, &inner, places));
            }
            Value::Array(list)
        }
        Tree::Members(members) => {
            let mut object = Map::new();
            for (name, member) in members {
                let inner = pointer_to(pointer, &name.value);
                places.insert(inner.clone(), place_of(name.referenced));
                object.insert(name.value, flatten(member, &inner, places));
            }
            Value::Object(object)
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Leaf(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number that JSON has not"))?;
        Ok(Tree::Leaf(Value::Number(number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Leaf(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Tree::Members(object))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(text: &str) -> Value {
        let located = Located::parse(text, Aliases::Expanded);
        located.unwrap_or_else(|fault| panic!("{text}: {fault:?}")).value
    }

    fn fault(text: &str) -> String {
        let fault = Located::parse(text, Aliases::Expanded).expect_err(text);
        let at = fault.place.map(|at| format!(":{}:{}", at.line, at.column));
        format!("{}: {}", at.unwrap_or_default(), fault.message)
    }

    fn at(text: &str, pointer: &str) -> (u64, u64) {
        let located = Located::parse(text, Aliases::Expanded).expect("parses");
        let place = located.places.nearest(pointer).expect("has a place");
        (place.line, place.column)
    }

    #[test]
    fn yaml_and_json_become_the_same_value() {
        let expected = json!({"a": [1, -2, 2.5, "x", null, true], "b": {"c/d": "{{params.x}}"}});
        assert_eq!(value("a: [1, -2, 2.5, x, null, true]\nb:\n  c/d: '{{params.x}}'\n"), expected);
        assert_eq!(value(&expected.to_string()), expected);
        let indented = serde_json::to_string_pretty(&expected).expect("serialises");
        assert_eq!(value(&indented), expected);
        assert_eq!(value(&indented.replace("  ", "\t")), expected);
        assert_eq!(value(r#"{"face": "\ud83d\ude00\u0041\/"}"#), json!({"face": "😀A/"}));
    }

    #[test]
    fn a_text_stays_a_text() {
        for text in ["no", "yes", "on", "off", "y", "2026-03-01", "1.2.3", "=", "~x"] {
            assert_eq!(value(text), json!(text));
        }
    }

    #[test]
    fn every_part_has_its_place() {
        let text = "name: x\ntags:\n  - a\n  - b: 1\nweird/name:\n  deep: 1\n";
        assert_eq!(at(text, ""), (1, 1));
        assert_eq!(at(text, "/name"), (1, 1));
        assert_eq!(at(text, "/tags"), (2, 1));
        assert_eq!(at(text, "/tags/0"), (3, 5));
        assert_eq!(at(text, "/tags/1/b"), (4, 5));
        assert_eq!(at(text, "/weird~1name/deep"), (6, 3));
    }

    #[test]
    fn what_the_file_does_not_hold_stands_where_its_parent_does() {
        assert_eq!(at("a:\n  b: 1\n", "/a/missing/deeper"), (1, 1));
        assert_eq!(at("a: 1\n", "/other"), (1, 1));
    }

    #[test]
    fn a_syntax_error_names_line_and_column_and_how_to_mend() {
        for (text, expected) in [
            ("a: 1\na: 2\n", ":2:1: "),
            ("a: [1\nb: 2\n", ":2:"),
            ("a: 1\n---\nb: 2\n", ":3:1: only single YAML document"),
            ("a: *nowhere\n", ":1:4: "),
            ("a: .nan\n", ":1:4: "),
            ("a: !!python/object x\n", ":1:"),
            ("a:\n  b: {{params.x}}\n", r#"put a template in quotes: "{{params.name}}""#),
            ("a: b: c\n", "put a text that holds `: ` in quotes"),
            ("a:\n\tb: 1\n", "indent with spaces, not with tabs"),
        ] {
            let seen = fault(text);
            assert!(seen.contains(expected), "{text:?}: {seen}");
        }
    }

    #[test]
    fn inv_e2_alias_bombs_and_deep_nesting_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let inner = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let wide = format!("[{}]", "1,".repeat(100_000));
        for hostile in [bomb, deep, wide] {
            assert!(Located::parse(&hostile, Aliases::Expanded).is_err());
            assert!(Located::parse(&hostile, Aliases::Refused).is_err());
        }
        let honest = "a: &x [1]\nb: *x\n";
        assert!(Located::parse(honest, Aliases::Expanded).is_ok());
        assert!(Located::parse(honest, Aliases::Refused).is_err());
    }
}
