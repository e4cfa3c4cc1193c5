//! Lines that are drawn over in place, as far as a terminal allows.

use std::io::IsTerminal as _;

use rustix::termios::tcgetwinsize;
use unicode_width::UnicodeWidthStr as _;

/// What reads the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Display {
    /// Lines can be drawn over.
    Terminal,
    /// A file, a pipe, or a terminal that can only go on.
    Lines,
}

impl Display {
    pub(super) fn of_stdout() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if std::io::stdout().is_terminal() && !dumb { Self::Terminal } else { Self::Lines }
    }
}

/// Of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Size {
    const USUAL: Self = Self { rows: 24, columns: 80 };

    /// A terminal that does not say has the usual one.
    pub(super) fn of_stdout() -> Self {
        match tcgetwinsize(std::io::stdout()) {
            Ok(size) if size.ws_row > 1 && size.ws_col > 0 => {
                Self { rows: usize::from(size.ws_row), columns: usize::from(size.ws_col) }
            }
            Ok(_) | Err(_) => Self::USUAL,
        }
    }
}

/// What was drawn last.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// How many rows of the terminal it took: long lines take several.
    rows: usize,
}

impl Screen {
    /// How many lines have room, if none is longer than the terminal is wide.
    pub(crate) fn room() -> usize {
        Size::of_stdout().rows.saturating_sub(1)
    }

    /// What a terminal has to be sent so that these lines stand where the last ones stood. What does not fit is cut at the top,
    /// for nothing can be drawn over that has left the screen.
    pub(super) fn frame(&mut self, lines: &[String], size: Size) -> String {
        let mut frame = match self.rows {
            0 => String::new(),
            rows => format!("\u{1b}[{rows}F"),
        };
        frame.push_str("\u{1b}[J");
        let lines = fitting(lines, size);
        self.rows = lines.iter().map(|line| rows_of(line, size)).sum();
        for line in lines {
            frame.push_str(line);
            frame.push('\n');
        }
        frame
    }
}

/// The last of the lines, as many as there is room for above the cursor.
fn fitting(lines: &[String], size: Size) -> &[String] {
    let mut free = size.rows.saturating_sub(1);
    let fits = lines.iter().rev().take_while(|line| {
        let rows = rows_of(line, size);
        let fits = rows <= free;
        free = free.saturating_sub(rows);
        fits
    });
    lines.get(lines.len() - fits.count()..).unwrap_or_default()
}

fn rows_of(line: &str, size: Size) -> usize {
    visible(line).width().div_ceil(size.columns).max(1)
}

/// Without the colours.
fn visible(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { rows: 4, columns: 10 };

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn a_frame_is_drawn_over_the_one_before() {
        let mut screen = Screen::default();
        assert_eq!(screen.frame(&lines(&["one", "two"]), SIZE), "\u{1b}[Jone\ntwo\n");
        assert_eq!(screen.frame(&lines(&["three"]), SIZE), "\u{1b}[2F\u{1b}[Jthree\n");
        assert_eq!(screen.frame(&[], SIZE), "\u{1b}[1F\u{1b}[J");
    }

    #[test]
    fn a_long_line_takes_several_rows_and_a_colour_none() {
        let mut screen = Screen::default();
        screen.frame(&lines(&["eleven chars", "\u{1b}[32mten chars.\u{1b}[0m"]), SIZE);
        assert_eq!(screen.rows, 3);
        screen.frame(&lines(&["日本日本日本"]), SIZE);
        assert_eq!(screen.rows, 2);
    }

    #[test]
    fn what_does_not_fit_is_cut_at_the_top() {
        let mut screen = Screen::default();
        assert_eq!(screen.frame(&lines(&["a", "b", "c", "d"]), SIZE), "\u{1b}[Jb\nc\nd\n");
        let frame = screen.frame(&lines(&["a", "eleven chars", "b"]), SIZE);
        assert_eq!(frame, "\u{1b}[3F\u{1b}[Jeleven chars\nb\n");
    }
}
