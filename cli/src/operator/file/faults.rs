//! What is wrong with a file, and where.

use std::fmt;

use muster_domain::fault::Fault;
use serde::Serialize;

use super::located::{Place, Places};

/// One fault of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FileFault {
    /// Line and column of the faulty value, or of the nearest one around it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
    /// Absent when the file cannot be parsed at all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) pointer: String,
    /// What is wrong and how to mend it.
    pub(crate) message: String,
}

/// All faults of one file, in its order. Shown as compilers show theirs, so that editors find the places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileFaults {
    pub(crate) name: String,
    pub(crate) faults: Vec<FileFault>,
}

impl FileFaults {
    pub(crate) fn of(name: &str, faults: Vec<Fault>, places: &Places) -> Self {
        let located = |fault: Fault| FileFault {
            place: places.nearest(&fault.pointer),
            pointer: fault.pointer,
            message: fault.message,
        };
        let mut faults: Vec<FileFault> = faults.into_iter().map(located).collect();
        faults.sort_by_key(|fault| fault.place);
        Self { name: name.to_owned(), faults }
    }
}

impl std::error::Error for FileFaults {}

impl fmt::Display for FileFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        let noun = if count == 1 { "fault" } else { "faults" };
        write!(f, "{} has {count} {noun}", self.name)?;
        for fault in &self.faults {
            write!(f, "\n  {}{fault}", self.name)?;
        }
        Ok(())
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        if !self.pointer.is_empty() {
            write!(f, ": {}", self.pointer)?;
        }
        write!(f, ": {}", self.message)
    }
}
