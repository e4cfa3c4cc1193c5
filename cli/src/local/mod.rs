//! Local mode: the whole product in one process, on one data directory.

mod bus;
pub(crate) mod data_dir;
pub(crate) mod process;
mod queue;
mod server;
pub(crate) mod signals;
mod sweeper;
mod workers;
