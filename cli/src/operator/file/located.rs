//! A file's value and the places of its parts; a file that does not parse is told as all other faults of files.

use muster_http::yaml::{Aliases, SyntaxFault};
pub(crate) use muster_http::yaml::{Located, Place, Places};

use super::faults::{FileFault, FileFaults};
use super::source::Source;

/// Parses the one document of a source.
pub(crate) fn located(source: &Source) -> Result<Located, FileFaults> {
    Located::parse(&source.text, Aliases::Expanded).map_err(|fault| {
        let SyntaxFault { place, message } = fault;
        FileFaults {
            name: source.name.clone(),
            faults: vec![FileFault { place, pointer: String::new(), message }],
        }
    })
}
