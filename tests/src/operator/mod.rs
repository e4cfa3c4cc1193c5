//! The `muster` command as people and scripts use it: the real binary against a real `muster serve`.

mod files;
mod incidents;
mod installation;
mod lists;
mod phases;
mod refusals;
mod reporting;
mod review;
mod story;
mod watching;
mod workflows;
