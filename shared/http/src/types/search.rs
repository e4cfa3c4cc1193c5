//! Values of query parameters.

use jiff::civil::Date;
use serde::Deserialize;

/// A text to search for, 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct SearchText(String);

const MAX_SEARCH_CHARS: usize = 200;

impl TryFrom<String> for SearchText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.chars().count() {
            1..=MAX_SEARCH_CHARS => Ok(Self(text)),
            _ => Err(format!("expected 1 to {MAX_SEARCH_CHARS} characters")),
        }
    }
}

impl From<SearchText> for String {
    fn from(text: SearchText) -> Self {
        text.0
    }
}

/// A day of the calendar, as in `2026-03-01`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Day(String);

impl TryFrom<String> for Day {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let date: Option<Date> = text.parse().ok();
        match date {
            Some(date) if date.to_string() == text => Ok(Self(text)),
            Some(_) | None => Err("expected a day, as in `2026-03-01`"),
        }
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0
    }
}

/// `true` or `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Switch(bool);

impl TryFrom<String> for Switch {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse().map(Self).map_err(|_| "expected `true` or `false`")
    }
}

impl From<Switch> for bool {
    fn from(switch: Switch) -> Self {
        switch.0
    }
}
