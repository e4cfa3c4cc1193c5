//! The integration tests of Muster live in `main.rs`; this library is empty.
