//! Files that people write: read whole, parsed with the place of every value, and checked before anything is sent.

mod definition;
mod faults;
mod located;
mod secrets;
mod source;
mod team;
mod typed;
mod workflow;

pub(crate) use self::definition::{Checked, check, read_definition};
pub(crate) use self::faults::{FileFault, FileFaults};
pub(crate) use self::located::{Places, located};
pub(crate) use self::source::{FileError, Source};
pub(crate) use self::team::read_team;
pub(crate) use self::workflow::{CheckedWorkflow, read_workflow};
