//! What a command shows: its data on standard output, everything else on standard error.

mod layout;
mod paint;
mod screen;
mod streams;

use clap::{Args, ValueEnum};
use serde_json::Value;

pub(crate) use self::layout::{Layout, clean, field, items, timestamp};
pub(crate) use self::paint::Paint;
pub(crate) use self::screen::Screen;
pub(crate) use self::streams::Streams;

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// As the API gives it, indented.
    Json,
    /// The same as YAML.
    Yaml,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct OutputArgs {
    /// How data is written to standard output
    #[arg(
        short,
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "table",
        env = "MUSTER_OUTPUT",
        help_heading = "Output",
        global = true
    )]
    output: Format,
    /// Write nothing to standard error but errors
    #[arg(short, long, help_heading = "Output", global = true)]
    quiet: bool,
}

/// Why nothing more could be written.
#[derive(Debug, thiserror::Error)]
#[error("writing the output")]
pub(crate) struct OutputError(#[from] std::io::Error);

impl OutputError {
    /// Whether whoever read the output has closed it.
    pub(crate) fn reader_left(&self) -> bool {
        self.0.kind() == std::io::ErrorKind::BrokenPipe
    }
}

/// Writes what commands have to say.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    pub(crate) format: Format,
    pub(crate) paint: Paint,
    notes: Notes,
    streams: Streams,
}

/// Whether remarks beside the data are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notes {
    Shown,
    Silent,
}

impl Printer {
    pub(crate) fn new(args: &OutputArgs, streams: Streams) -> Self {
        Self {
            format: args.output,
            paint: streams.paint,
            notes: if args.quiet { Notes::Silent } else { Notes::Shown },
            streams,
        }
    }

    /// Shows data; `layout` arranges it for people.
    pub(crate) fn data(
        &self,
        data: &Value,
        layout: impl FnOnce(&Value) -> Layout,
    ) -> Result<(), OutputError> {
        self.line(&render(self.format, data, layout, self.paint))
    }

    /// One or more lines of data.
    pub(crate) fn line(&self, text: &str) -> Result<(), OutputError> {
        Ok(self.streams.data.line(text)?)
    }

    /// What data can be drawn over on in place: a terminal, if the data is for people.
    pub(crate) fn screen(&self) -> Option<Screen> {
        match (self.format, self.streams.display) {
            (Format::Table, screen::Display::Terminal) => Some(Screen::default()),
            (Format::Table, screen::Display::Lines) | (Format::Json | Format::Yaml, _) => None,
        }
    }

    /// Draws lines over those that were drawn on the screen before.
    pub(crate) fn redraw(&self, screen: &mut Screen, lines: &[String]) -> Result<(), OutputError> {
        Ok(self.streams.data.write(&screen.frame(lines, screen::Size::of_stdout()))?)
    }

    /// A remark beside the data, unless `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        match self.notes {
            Notes::Shown => self.complain(text),
            Notes::Silent => {}
        }
    }

    /// An error. That it cannot be written has nowhere to be said.
    pub(crate) fn complain(&self, text: &str) {
        let _ = self.streams.rest.line(text);
    }
}

fn render(format: Format, data: &Value, layout: impl FnOnce(&Value) -> Layout, paint: Paint) -> String {
    match format {
        Format::Table => layout(data).render(paint),
        Format::Json => format!("{data:#}"),
        // A JSON value always has a YAML form.
        Format::Yaml => serde_saphyr::to_string(data).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(format: Format) -> String {
        let data = json!({"items": [
            {"id": "rb_1", "name": "Restart\u{1b}[2J", "tags": ["a", "b"], "version": 2, "on": true},
            {"id": "rb_22", "name": "日本", "version": 10, "payload": {"text": "line 1\nline 2", "no": "no"}},
        ]});
        let layout = |data: &Value| {
            let row = |item: &Value| ["/id", "/name", "/tags", "/version"].map(|at| field(item, at)).to_vec();
            Layout::rows(&["ID", "NAME", "TAGS", "VERSION"], data, row)
        };
        render(format, &data, layout, Paint::Plain)
    }

    #[test]
    fn a_list_as_a_table() {
        insta::assert_snapshot!(shown(Format::Table));
    }

    #[test]
    fn a_list_as_json() {
        insta::assert_snapshot!(shown(Format::Json));
    }

    #[test]
    fn a_list_as_yaml() {
        insta::assert_snapshot!(shown(Format::Yaml));
    }

    #[test]
    fn yaml_reads_back_as_the_same_value() {
        let json: Value = serde_json::from_str(&shown(Format::Json)).expect("is JSON");
        let yaml: Value = serde_saphyr::from_str(&shown(Format::Yaml)).expect("is YAML");
        assert_eq!(yaml, json);
    }

    #[test]
    fn facts_and_colours() {
        let facts = Layout::facts(vec![("Id", "rb_1".into()), ("Approved version", "-".into())]);
        insta::assert_snapshot!(facts.render(Paint::Plain));
        let painted = Paint::Colour.status("SUCCESS");
        assert_eq!(painted, "\u{1b}[32mSUCCESS\u{1b}[0m");
        assert_eq!(Paint::Plain.status("SUCCESS"), "SUCCESS");
    }
}
