//! Phased runbooks when something goes wrong, through the API on both engines: stops at any moment, clocks that jump, definitions that
//! change or ask too much, jobs that come again, people who answer too late, and runbooks that start others.

mod clocks;
mod definitions;
mod hanging;
mod parallel;
mod redrive;
mod stop_times;
mod stops;
mod sub_runbooks;
mod undoing;
