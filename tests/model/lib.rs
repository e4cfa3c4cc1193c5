//! The model of the execution's protocol lives in `src/main.rs`; this library is empty.
