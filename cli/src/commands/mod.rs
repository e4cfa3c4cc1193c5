//! The commands that work on this machine, one a file. Commands over the public API are in `operator`.

pub(crate) mod bench;
pub(crate) mod completion;
mod data;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod portable;
pub(crate) mod serve;
pub(crate) mod token;
