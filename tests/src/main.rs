//! The integration tests of Muster: one binary, so that the workspace links once.

mod actions;
mod architecture;
mod aws;
mod chaos;
mod contract;
mod cost;
mod engine;
mod gates;
mod http;
mod lambda;
mod local;
mod operator;
mod phased;
mod scale;
mod support;
