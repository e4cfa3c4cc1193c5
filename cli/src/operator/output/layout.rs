//! Data arranged for people: rows under a head, or facts under one another.

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::paint::Paint;

/// What stands where there is nothing.
const ABSENT: &str = "-";
/// Between two columns.
const GAP: usize = 2;

/// Text in columns. Cells are clean: they hold no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Layout {
    /// One row for each of the data's `items`.
    pub(crate) fn rows(head: &[&str], data: &Value, row: impl Fn(&Value) -> Vec<String>) -> Self {
        Self::rows_of(head, data, "/items", row)
    }

    /// One row for each element of the list at a pointer.
    pub(crate) fn rows_of(
        head: &[&str],
        data: &Value,
        pointer: &str,
        row: impl Fn(&Value) -> Vec<String>,
    ) -> Self {
        let items = data.pointer(pointer).and_then(Value::as_array);
        Self {
            head: head.iter().map(|&title| title.to_owned()).collect(),
            rows: items.into_iter().flatten().map(row).collect(),
        }
    }

    /// A name and a value each.
    pub(crate) fn facts(facts: Vec<(&str, String)>) -> Self {
        Self {
            head: Vec::new(),
            rows: facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect(),
        }
    }

    /// Facts in groups, with an empty line between two.
    pub(crate) fn groups(groups: Vec<Vec<(&str, String)>>) -> Self {
        let groups: Vec<_> = groups.into_iter().map(|facts| Self::facts(facts).rows).collect();
        Self { head: Vec::new(), rows: groups.join(&Vec::new()) }
    }

    /// Each line as it is.
    pub(crate) fn lines(lines: impl Iterator<Item = String>) -> Self {
        Self { head: Vec::new(), rows: lines.map(|line| vec![line]).collect() }
    }

    pub(crate) fn render(&self, paint: Paint) -> String {
        let widths = self.widths();
        let mut lines = Vec::new();
        if !self.head.is_empty() {
            lines.push(line(&self.head, &widths, |cell| paint.head(cell)));
        }
        lines.extend(self.rows.iter().map(|row| line(row, &widths, |cell| paint.status(cell))));
        lines.join("\n")
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            for (column, cell) in row.iter().enumerate() {
                match widths.get_mut(column) {
                    Some(width) => *width = cell.width().max(*width),
                    None => widths.push(cell.width()),
                }
            }
        }
        widths
    }
}

fn line(cells: &[String], widths: &[usize], paint: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    for (position, cell) in cells.iter().enumerate() {
        text.push_str(&paint(cell));
        if position + 1 < cells.len() {
            let width = widths.get(position).copied().unwrap_or(0);
            let blanks = width.saturating_sub(cell.width()) + GAP;
            text.extend(std::iter::repeat_n(' ', blanks));
        }
    }
    text
}

/// What stands at a pointer, as one clean line.
pub(crate) fn field(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => ABSENT.to_owned(),
        Some(Value::String(text)) if text.is_empty() => ABSENT.to_owned(),
        Some(Value::String(text)) => clean(text),
        Some(Value::Array(elements)) if elements.is_empty() => ABSENT.to_owned(),
        Some(Value::Array(elements)) => {
            let shown: Vec<String> = elements.iter().map(|element| field(element, "")).collect();
            shown.join(",")
        }
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => clean(&other.to_string()),
    }
}

/// The elements of a member that is an array; none if it is not there.
pub(crate) fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A time at a pointer, to the second.
pub(crate) fn timestamp(value: &Value, pointer: &str) -> String {
    let text = field(value, pointer);
    match text.split_once('.') {
        Some((seconds, fraction)) if fraction.ends_with('Z') => format!("{seconds}Z"),
        Some(_) | None => text,
    }
}

/// Text that cannot move the cursor or change the terminal: control characters become spaces.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
