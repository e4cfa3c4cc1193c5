//! Where data goes, and where the rest.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::paint::Paint;
use super::screen::Display;

/// Standard output and standard error, or what stands for them.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    pub(super) data: Sink,
    pub(super) rest: Sink,
    /// Whether the data is coloured.
    pub(super) paint: Paint,
    /// What reads the data.
    pub(super) display: Display,
}

/// Takes whole lines, from any task.
#[derive(Clone)]
pub(super) struct Sink(Arc<Mutex<dyn Write + Send>>);

impl Streams {
    pub(crate) fn standard() -> Self {
        Self {
            data: Sink::new(io::stdout()),
            rest: Sink::new(io::stderr()),
            paint: Paint::of_stdout(),
            display: Display::of_stdout(),
        }
    }

    #[cfg(test)]
    pub(crate) fn into_memory(data: &Arc<Mutex<Vec<u8>>>, rest: &Arc<Mutex<Vec<u8>>>) -> Self {
        Self {
            data: Sink(Arc::clone(data) as _),
            rest: Sink(Arc::clone(rest) as _),
            paint: Paint::Plain,
            display: Display::Lines,
        }
    }
}

impl Sink {
    fn new(to: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(to)))
    }

    /// Writes the text with one line end. What is written is out before this returns.
    pub(super) fn line(&self, text: &str) -> io::Result<()> {
        self.write(&format!("{}\n", text.trim_end_matches('\n')))
    }

    /// Writes the text as it is.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let mut to = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        to.write_all(text.as_bytes())?;
        to.flush()
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}
